/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pools. A thread makes one pixel's result for 8 channels that lie together, or for one channel; four taps of a
 * row of the window are loaded before any is used, so that their latencies overlap.
 */
#include "image.cuh"
#include "pool.h"

namespace {

/* The part of a window that lies in the image: taps begin … end - 1, tap k at start + k · dilation. */
struct span {
  int start, begin, end;
};

__device__ __forceinline__ int
end_inside (const nn_pool_axis &axis, int start, int extent)
{
  int fit = extent <= start ? 0 : (extent - start + axis.dilation - 1) / axis.dilation;
  return min (fit, axis.kernel);
}

__device__ __forceinline__ span
span_of (const nn_pool_axis &axis, int position, int64_t extent)
{
  int start = (int) ((int64_t) position * axis.stride - axis.pad_begin);
  int begin = start < 0 ? (axis.dilation - 1 - start) / axis.dilation : 0;
  return span { start, begin, end_inside (axis, start, (int) extent) };
}

/* Positions that an average counts: with padding, those up to the padded extent. */
__device__ __forceinline__ int
counted (const nn_pool &pool, const nn_pool_axis &axis, const span &s, int64_t extent)
{
  return pool.count_padding ? end_inside (axis, s.start, (int) extent + axis.pad_end) : s.end - s.begin;
}

__device__ __forceinline__ float
n_counted (const nn_pool &pool, const nn_tensor &x, const span &v, const span &h)
{
  return (float) ((int64_t) counted (pool, pool.v, v, x.dim[2]) * counted (pool, pool.h, h, x.dim[3]));
}

/* NaN stays, as on the CPU. */
template <bool maximum>
__device__ __forceinline__ float
combine (float sum, float x)
{
  if (maximum)
    return x > sum || x != x ? x : sum;
  return sum + x;
}

template <typename T, bool maximum>
__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
pool_eights (const nn_tensor x, const nn_tensor y, const nn_pool pool, unsigned items)
{
  unsigned i = blockIdx.x * NN_IMAGE_THREADS + threadIdx.x;
  if (i >= items)
    return;
  nn_place at = nn_place_of<unsigned> (i, y, 8);
  span v = span_of (pool.v, at.y, x.dim[2]), h = span_of (pool.h, at.x, x.dim[3]);
  const T *image = (const T *) x.data + at.n * x.stride[0] + at.c;
  float sum[8];
#pragma unroll
  for (int c = 0; c < 8; c++)
    sum[c] = maximum ? -INFINITY : 0.0f;
  for (int ky = v.begin; ky < v.end; ky++) {
    const T *row = image + (v.start + ky * pool.v.dilation) * x.stride[2];
    for (int k = h.begin; k < h.end; k += 4) {
      nn_eight<T> taps[4];
#pragma unroll
      for (int j = 0; j < 4; j++)
        if (k + j < h.end)
          taps[j] = nn_eight_load (row + (h.start + (k + j) * pool.h.dilation) * x.stride[3]);
#pragma unroll
      for (int j = 0; j < 4; j++)
        if (k + j < h.end) {
          float tap[8];
          nn_eight_floats (taps[j], tap);
#pragma unroll
          for (int c = 0; c < 8; c++)
            sum[c] = combine<maximum> (sum[c], tap[c]);
        }
    }
  }
  float scale = maximum ? 1.0f : 1.0f / n_counted (pool, x, v, h);
#pragma unroll
  for (int c = 0; c < 8; c++)
    sum[c] *= scale;
  nn_eight_store ((T *) y.data + nn_offset_of (y, at), sum);
}

template <bool maximum>
__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
pool_any (const nn_tensor x, const nn_tensor y, const nn_pool pool, int64_t items)
{
  for (int64_t i = (int64_t) blockIdx.x * NN_IMAGE_THREADS + threadIdx.x; i < items;
       i += (int64_t) gridDim.x * NN_IMAGE_THREADS) {
    nn_place at = nn_place_of<int64_t> (i, y, 1);
    span v = span_of (pool.v, at.y, x.dim[2]), h = span_of (pool.h, at.x, x.dim[3]);
    int64_t image = at.n * x.stride[0] + at.c * x.stride[1];
    float sum = maximum ? -INFINITY : 0.0f;
    for (int ky = v.begin; ky < v.end; ky++)
      for (int kx = h.begin; kx < h.end; kx++)
        sum = combine<maximum> (sum, nn_load (x.data,
                                              image + (v.start + ky * pool.v.dilation) * x.stride[2]
                                                  + (h.start + kx * pool.h.dilation) * x.stride[3],
                                              x.dtype));
    if (!maximum)
      sum *= 1.0f / n_counted (pool, x, v, h);
    nn_store (y.data, nn_offset_of (y, at), y.dtype, sum);
  }
}

template <bool maximum>
void
launch (const nn_tensor &x, const nn_tensor &y, const nn_pool &pool, cudaStream_t stream)
{
  int64_t items = nn_image_count (&y);
  if (!nn_image_by_eights (&x, &y)) {
    pool_any<maximum><<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (x, y, pool, items);
    return;
  }
  items /= 8;
  NN_WITH_FLOAT_TYPE (x.dtype, T,
                      (pool_eights<T, maximum><<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (
                          x, y, pool, (unsigned) items)));
}

/* ---- the whole image ---- */

/* A block sums 32 channels: the `eights` way has 4 threads of 8 channels side by side and 128 such rows, the other
 * 32 threads and 16 rows; row r takes pixels r, r + rows … The order of the additions depends on the shape only. */
const int sum_threads = 512, sum_channels = 32, sum_warps = sum_threads / 32;

/* Sums parts[warp][channel] and stores the average; called by all threads. */
__device__ __forceinline__ void
store_averages (const float (&parts)[sum_warps][sum_channels], const nn_tensor &y, int64_t n, float scale)
{
  __syncthreads ();
  int64_t c = (int64_t) blockIdx.x * sum_channels + threadIdx.x;
  if (threadIdx.x < sum_channels && c < y.dim[1]) {
    float sum = 0.0f;
    for (int warp = 0; warp < sum_warps; warp++)
      sum += parts[warp][threadIdx.x];
    nn_store (y.data, n * y.stride[0] + c * y.stride[1], y.dtype, sum * scale);
  }
  __syncthreads ();
}

template <typename T>
__global__ void __launch_bounds__ (sum_threads)
average_eights (const nn_tensor x, const nn_tensor y, int pixels, float scale)
{
  __shared__ float parts[sum_warps][sum_channels];
  const int rows = sum_threads / 4;
  int row = (int) threadIdx.x / 4, lane = (int) threadIdx.x % 32, warp = (int) threadIdx.x / 32;
  int64_t c = (int64_t) blockIdx.x * sum_channels + threadIdx.x % 4 * 8;
  for (int64_t n = blockIdx.y; n < x.dim[0]; n += gridDim.y) {
    const T *image = (const T *) x.data + n * x.stride[0] + c;
    float sum[8] = { 0 };
    if (c < x.dim[1])
      for (int p = row; p < pixels; p += 4 * rows) {
        nn_eight<T> some[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
          if (p + j * rows < pixels)
            some[j] = nn_eight_load (image + (p + j * rows) * x.stride[3]);
#pragma unroll
        for (int j = 0; j < 4; j++)
          if (p + j * rows < pixels) {
            float pixel[8];
            nn_eight_floats (some[j], pixel);
#pragma unroll
            for (int k = 0; k < 8; k++)
              sum[k] += pixel[k];
          }
      }
#pragma unroll
    for (int k = 0; k < 8; k++) {
#pragma unroll
      for (int step = 4; step < 32; step *= 2)
        sum[k] += __shfl_xor_sync (0xffffffffu, sum[k], step);
      if (lane < 4)
        parts[warp][lane * 8 + k] = sum[k];
    }
    store_averages (parts, y, n, scale);
  }
}

__global__ void __launch_bounds__ (sum_threads)
average_any (const nn_tensor x, const nn_tensor y, int64_t pixels, float scale)
{
  __shared__ float parts[sum_warps][sum_channels];
  int lane = (int) threadIdx.x % 32, warp = (int) threadIdx.x / 32;
  int64_t c = (int64_t) blockIdx.x * sum_channels + lane;
  for (int64_t n = blockIdx.y; n < x.dim[0]; n += gridDim.y) {
    float sum = 0.0f;
    if (c < x.dim[1])
      for (int64_t p = warp; p < pixels; p += sum_warps)
        sum += nn_load (x.data,
                        n * x.stride[0] + c * x.stride[1] + p / x.dim[3] * x.stride[2] + p % x.dim[3] * x.stride[3],
                        x.dtype);
    parts[warp][lane] = sum;
    store_averages (parts, y, n, scale);
  }
}

} // namespace

extern "C" void
nn_cuda_launch_pool (const nn_tensor *x, const nn_tensor *y, const nn_pool *pool, cudaStream_t stream)
{
  if (pool->maximum)
    launch<true> (*x, *y, *pool, stream);
  else
    launch<false> (*x, *y, *pool, stream);
}

extern "C" void
nn_cuda_launch_global_average (const nn_tensor *x, const nn_tensor *y, cudaStream_t stream)
{
  int64_t pixels = x->dim[2] * x->dim[3];
  float scale = 1.0f / (float) pixels;
  dim3 grid ((unsigned) ((x->dim[1] + sum_channels - 1) / sum_channels), (unsigned) min (x->dim[0], (int64_t) 65535));
  bool in_one_row = x->dim[2] == 1 || x->stride[2] == x->dim[3] * x->stride[3];
  if (nn_image_has_eights (x) && in_one_row && pixels < NN_IMAGE_MAX_SIDE)
    NN_WITH_FLOAT_TYPE (x->dtype, T,
                        (average_eights<T><<<grid, sum_threads, 0, stream>>> (*x, *y, (int) pixels, scale)));
  else
    average_any<<<grid, sum_threads, 0, stream>>> (*x, *y, pixels, scale);
}
