/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample. A thread makes one place's result for 8 channels that lie together, or for one channel. Coordinates are
 * computed by the CPU's formulas without contraction to fused multiply-adds, so that both fall on the same side of a
 * boundary.
 */
#include "gridsample.h"
#include "image.cuh"

namespace {

/* Along one dimension of the image; coordinates beyond low and high lie in the padding. */
struct side {
  int n;
  float low, high;
};

/* The two neighbours of a coordinate; -1 for one that is 0. */
struct neighbours {
  int at[2];
  float weight[2];
};

__device__ __forceinline__ side
side_of (const nn_grid_sampler &s, int64_t n)
{
  if (s.align_corners)
    return side { (int) n, 0.0f, (float) n - 1.0f };
  return side { (int) n, -0.5f, (float) n - 0.5f };
}

/* Mirrors a coordinate at both ends as often as needed. */
__device__ __forceinline__ float
reflect (float at, const side &along)
{
  float range = along.high - along.low;
  if (range <= 0)
    return along.low;
  float beyond = at < along.low ? along.low - at : at - along.high;
  float times = floorf (beyond / range), rest = __fsub_rn (beyond, __fmul_rn (times, range));
  bool even = fmodf (times, 2.0f) == 0;
  return (at < along.low) == even ? along.low + rest : along.high - rest;
}

/* -1 … 1 to pixels. */
__device__ __forceinline__ float
to_pixels (const nn_grid_sampler &s, const side &along, float at)
{
  float n = (float) along.n;
  if (s.align_corners)
    return __fmul_rn ((at + 1.0f) / 2.0f, n - 1.0f);
  return __fsub_rn (__fmul_rn (at + 1.0f, n), 1.0f) / 2.0f;
}

/* The pixel at a whole coordinate; -1 where it is 0. NaN is outside. */
__device__ __forceinline__ int
pixel_at (const nn_grid_sampler &s, const side &along, float at)
{
  float last = (float) (along.n - 1);
  if (at >= 0 && at <= last && (int) at < along.n) /* `last` may have been rounded up */
    return (int) at;
  if (s.padding == NN_GRID_ZEROS || at != at)
    return -1;
  if (s.padding == NN_GRID_REFLECTION && isfinite (at))
    at = reflect (at, along);
  return !(at > 0) ? 0 : at >= last ? along.n - 1 : (int) at;
}

__device__ __forceinline__ neighbours
neighbours_of (const nn_grid_sampler &s, const side &along, float at)
{
  at = to_pixels (s, along, at);
  if (!s.linear)
    at = rintf (at);
  if (s.padding == NN_GRID_BORDER)
    at = at < 0 ? 0 : at > (float) (along.n - 1) ? (float) (along.n - 1) : at;
  else if (s.padding == NN_GRID_REFLECTION && isfinite (at) && (at < along.low || at > along.high))
    at = reflect (at, along);
  if (!s.linear)
    return neighbours { { pixel_at (s, along, at), -1 }, { 1.0f, 0.0f } };
  float first = floorf (at), weight = at - first;
  return neighbours { { pixel_at (s, along, first), pixel_at (s, along, first + 1.0f) }, { 1.0f - weight, weight } };
}

/* Of one place: where its up to four pixels lie in the image of one page, or -1, and how they are weighted. */
struct corners {
  int64_t offset[4];
  float weight[4];
};

__device__ __forceinline__ corners
corners_of (const nn_grid_sampler &s, const nn_tensor &x, const nn_tensor &grid, const nn_place &at)
{
  int64_t place = at.n * grid.stride[0] + at.y * grid.stride[1] + at.x * grid.stride[2];
  neighbours h = neighbours_of (s, side_of (s, x.dim[3]), nn_load (grid.data, place, grid.dtype));
  neighbours v = neighbours_of (s, side_of (s, x.dim[2]), nn_load (grid.data, place + grid.stride[3], grid.dtype));
  corners found;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    int row = v.at[k / 2], column = h.at[k % 2];
    found.offset[k] = row < 0 || column < 0 ? -1 : row * x.stride[2] + column * x.stride[3];
    found.weight[k] = v.weight[k / 2] * h.weight[k % 2];
  }
  return found;
}

template <typename T>
__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
sample_eights (const nn_tensor x, const nn_tensor grid, const nn_tensor y, const nn_grid_sampler s, unsigned items)
{
  unsigned i = blockIdx.x * NN_IMAGE_THREADS + threadIdx.x;
  if (i >= items)
    return;
  nn_place at = nn_place_of<unsigned> (i, y, 8);
  corners from = corners_of (s, x, grid, at);
  const T *image = (const T *) x.data + at.n * x.stride[0] + at.c;
  nn_eight<T> pixels[4];
#pragma unroll
  for (int k = 0; k < 4; k++)
    if (from.offset[k] >= 0)
      pixels[k] = nn_eight_load (image + from.offset[k]);
  float sum[8] = { 0 };
#pragma unroll
  for (int k = 0; k < 4; k++)
    if (from.offset[k] >= 0) {
      float pixel[8];
      nn_eight_floats (pixels[k], pixel);
#pragma unroll
      for (int c = 0; c < 8; c++)
        sum[c] += from.weight[k] * pixel[c];
    }
  nn_eight_store ((T *) y.data + nn_offset_of (y, at), sum);
}

__global__ void __launch_bounds__ (NN_IMAGE_THREADS)
sample_any (const nn_tensor x, const nn_tensor grid, const nn_tensor y, const nn_grid_sampler s, int64_t items)
{
  for (int64_t i = (int64_t) blockIdx.x * NN_IMAGE_THREADS + threadIdx.x; i < items;
       i += (int64_t) gridDim.x * NN_IMAGE_THREADS) {
    nn_place at = nn_place_of<int64_t> (i, y, 1);
    corners from = corners_of (s, x, grid, at);
    int64_t image = at.n * x.stride[0] + at.c * x.stride[1];
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < 4; k++)
      if (from.offset[k] >= 0)
        sum += from.weight[k] * nn_load (x.data, image + from.offset[k], x.dtype);
    nn_store (y.data, nn_offset_of (y, at), y.dtype, sum);
  }
}

} // namespace

extern "C" void
nn_cuda_launch_grid_sample (const nn_tensor *x, const nn_tensor *grid, const nn_tensor *y,
                            const nn_grid_sampler *sampler, cudaStream_t stream)
{
  int64_t items = nn_image_count (y);
  if (!nn_image_by_eights (x, y)) {
    sample_any<<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (*x, *grid, *y, *sampler, items);
    return;
  }
  items /= 8;
  NN_WITH_FLOAT_TYPE (x->dtype, T,
                      (sample_eights<T><<<nn_image_blocks (items), NN_IMAGE_THREADS, 0, stream>>> (
                          *x, *grid, *y, *sampler, (unsigned) items)));
}
