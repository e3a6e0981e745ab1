/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize. A thread makes one pixel's result for 8 channels that lie together, or for one channel. */
#include "image.cuh"
#include "resize.h"

namespace {

__device__ __forceinline__ nn_cuda_resize_tap
load_tap (const nn_cuda_resize_tap *taps, int i)
{
  int4 raw = __ldg (reinterpret_cast<const int4 *> (taps) + i);
  return nn_cuda_resize_tap { raw.x, raw.y, { __int_as_float (raw.z), __int_as_float (raw.w) } };
}

/* The four products of the CPU, also where a weight is 0: infinities make NaN as there. */
__device__ __forceinline__ float
blend (const nn_cuda_resize_tap &v, const nn_cuda_resize_tap &h, float a, float b, float c, float d)
{
  return v.weight[0] * h.weight[0] * a + v.weight[0] * h.weight[1] * b + v.weight[1] * h.weight[0] * c
         + v.weight[1] * h.weight[1] * d;
}

template <typename T, bool linear>
__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
resize_eights (const nn_tensor x, const nn_tensor y, const nn_cuda_resize_tap *rows,
               const nn_cuda_resize_tap *columns, unsigned items)
{
  unsigned i = blockIdx.x * NN_IMAGE_THREADS + threadIdx.x;
  if (i >= items)
    return;
  nn_place at = nn_place_of<unsigned> (i, y, 8);
  nn_cuda_resize_tap v = load_tap (rows, at.y), h = load_tap (columns, at.x);
  const T *image = (const T *) x.data + at.n * x.stride[0] + at.c;
  const T *top = image + v.first * x.stride[2], *bottom = image + v.second * x.stride[2];
  T *to = (T *) y.data + nn_offset_of (y, at);
  nn_eight<T> first = nn_eight_load (top + h.first * x.stride[3]);
  if (!linear) {
    *(nn_eight<T> *) to = first;
    return;
  }
  float a[8], b[8], c[8], d[8], result[8];
  nn_eight_floats (first, a);
  nn_eight_floats (nn_eight_load (top + h.second * x.stride[3]), b);
  nn_eight_floats (nn_eight_load (bottom + h.first * x.stride[3]), c);
  nn_eight_floats (nn_eight_load (bottom + h.second * x.stride[3]), d);
#pragma unroll
  for (int k = 0; k < 8; k++)
    result[k] = blend (v, h, a[k], b[k], c[k], d[k]);
  nn_eight_store (to, result);
}

template <bool linear>
__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
resize_any (const nn_tensor x, const nn_tensor y, const nn_cuda_resize_tap *rows, const nn_cuda_resize_tap *columns,
            int64_t items)
{
  for (int64_t i = (int64_t) blockIdx.x * NN_IMAGE_THREADS + threadIdx.x; i < items;
       i += (int64_t) gridDim.x * NN_IMAGE_THREADS) {
    nn_place at = nn_place_of<int64_t> (i, y, 1);
    nn_cuda_resize_tap v = load_tap (rows, at.y), h = load_tap (columns, at.x);
    int64_t image = at.n * x.stride[0] + at.c * x.stride[1];
    int64_t top = image + v.first * x.stride[2], bottom = image + v.second * x.stride[2];
    float result = nn_load (x.data, top + h.first * x.stride[3], x.dtype);
    if (linear)
      result = blend (v, h, result, nn_load (x.data, top + h.second * x.stride[3], x.dtype),
                      nn_load (x.data, bottom + h.first * x.stride[3], x.dtype),
                      nn_load (x.data, bottom + h.second * x.stride[3], x.dtype));
    nn_store (y.data, nn_offset_of (y, at), y.dtype, result);
  }
}

template <bool linear>
void
launch (const nn_tensor &x, const nn_tensor &y, const nn_cuda_resize_tap *rows, const nn_cuda_resize_tap *columns,
        cudaStream_t stream)
{
  int64_t items = nn_image_count (&y);
  if (!nn_image_by_eights (&x, &y)) {
    resize_any<linear><<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (x, y, rows, columns, items);
    return;
  }
  items /= 8;
  NN_WITH_FLOAT_TYPE (x.dtype, T,
                      (resize_eights<T, linear><<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (
                          x, y, rows, columns, (unsigned) items)));
}

} // namespace

extern "C" void
nn_cuda_launch_resize (const nn_tensor *x, const nn_tensor *y, const nn_cuda_resize_tap *rows,
                       const nn_cuda_resize_tap *columns, bool linear, cudaStream_t stream)
{
  if (linear)
    launch<true> (*x, *y, rows, columns, stream);
  else
    launch<false> (*x, *y, rows, columns, stream);
}
