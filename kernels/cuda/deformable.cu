/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DeformableAttention. A warp has one query and head. First each thread finds one point: its share and the four pixels
 * around it, which go to shared memory. Then the threads stand in groups that are one pixel's channels wide, eight
 * channels a thread, and each group takes one pixel after another; the groups' sums are added up at the end. */
#include "deformable.h"

#include "eight.cuh"
#include "warp.cuh"

/* FLIGHT: pixels that a thread asks for before it waits; 12 points of 32 channels are 6 pixels a group. */
enum { WARPS = 4, FLIGHT = 6, CORNERS = 4 * 32 };

typedef nn_cuda_deformable_args args_t;

/* A pixel's row in the values, -1: outside the map. */
struct corner {
  int row;
  float weight;
};

/* An element as it lies in memory. It becomes a number() only when all that a point needs is on its way: where each load
 * is converted at once, a branch for its type behind it, the next one waits for it. */
static __device__ __forceinline__ unsigned
fetch (const nn_cuda_rows &rows, int64_t page, int64_t row, int64_t i)
{
  int64_t at = page * rows.page + row * rows.row + i;
  return rows.dtype == NN_F32 ? ((const unsigned *) rows.data)[at] : ((const unsigned short *) rows.data)[at];
}

static __device__ __forceinline__ float
number (unsigned bits, nn_dtype dtype)
{
  float half = __half2float (__ushort_as_half ((unsigned short) bits));
  return dtype == NN_F32 ? __uint_as_float (bits) : dtype == NN_BF16 ? __uint_as_float (bits << 16) : half;
}

/* A point's weight, and where it lies, 0 … 1 over the map; `first` is that of its head. */
static __device__ __forceinline__ float2
locate (const args_t &a, int64_t page, int64_t query, int first, int point, float *share)
{
  int64_t at = 2 * (int64_t) (first + point);
  unsigned weight = fetch (a.weights, page, query, first + point), box[4] = { 0 };
  unsigned across = fetch (a.positions, page, query, at), down = fetch (a.positions, page, query, at + 1);
  float scale = 1;
  if (a.boxes.data != NULL) {
#pragma unroll
    for (int i = 0; i < 4; i++)
      box[i] = fetch (a.boxes, page, query, i);
    scale = a.scales[point];
  }
  *share = number (weight, a.weights.dtype);
  float x = number (across, a.positions.dtype), y = number (down, a.positions.dtype);
  if (a.boxes.data == NULL)
    return make_float2 ((x + 1) * 0.5f, (y + 1) * 0.5f);
  nn_dtype dtype = a.boxes.dtype;
  return make_float2 (number (box[0], dtype) + x * number (box[2], dtype) * scale,
                      number (box[1], dtype) + y * number (box[3], dtype) * scale);
}

/* The four pixels around a point, with its share among them. Nothing is near one that is NaN. */
static __device__ __forceinline__ void
find_corners (const args_t &a, int point, float2 at, float share, corner corners[4])
{
  int height = a.height[0], width = a.width[0], start = 0;
  for (int i = 1; i < a.maps && point >= a.end[i - 1]; i++) {
    start += height * width;
    height = a.height[i];
    width = a.width[i];
  }
  float x = at.x * (float) width - 0.5f, y = at.y * (float) height - 0.5f;
  bool near = x > -1 && x < (float) width && y > -1 && y < (float) height;
  float left = floorf (x), top = floorf (y), right = x - left, below = y - top;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    int col = near ? (int) left + i % 2 : -1, row = near ? (int) top + i / 2 : -1;
    bool inside = row >= 0 && row < height && col >= 0 && col < width;
    float weight = share * (i % 2 != 0 ? right : 1 - right) * (i / 2 != 0 ? below : 1 - below);
    corners[i].row = inside ? start + row * width + col : -1;
    corners[i].weight = inside ? weight : 0;
  }
}

/* Eight channels of a pixel, of which `n` are there. */
template <typename T, bool ALIGNED>
static __device__ __forceinline__ nn_eight<T>
load_pixel (const T *from, int n)
{
  if (ALIGNED)
    return nn_eight_load (from);
  nn_eight<T> e = nn_eight_zero<T> ();
  T t[8];
  memcpy (t, e.words, sizeof t);
#pragma unroll
  for (int i = 0; i < 8; i++)
    if (i < n)
      t[i] = from[i];
  memcpy (e.words, t, sizeof t);
  return e;
}

/* Adds `n` pixels of the eight channels at `from`, every `groups`th from pixel `group` on. */
template <typename T, bool ALIGNED>
static __device__ __forceinline__ void
add_pixels (const T *from, int64_t row_step, int channels, const corner *corners, int n, int group, int groups,
            float sum[8])
{
  for (int i = group; i < n; i += FLIGHT * groups) {
    nn_eight<T> pixel[FLIGHT];
    float weight[FLIGHT];
#pragma unroll
    for (int k = 0; k < FLIGHT; k++) {
      int at = i + k * groups;
      corner c = at < n ? corners[at] : corner{ -1, 0 };
      weight[k] = c.weight;
      pixel[k] = c.row >= 0 && channels > 0 ? load_pixel<T, ALIGNED> (from + c.row * row_step, channels)
                                            : nn_eight_zero<T> ();
    }
#pragma unroll
    for (int k = 0; k < FLIGHT; k++) {
      float x[8];
      nn_eight_floats (pixel[k], x);
#pragma unroll
      for (int j = 0; j < 8; j++)
        sum[j] += weight[k] * x[j];
    }
  }
}

/* A head's softmax so far: this thread's part of the sum of exponentials, less the largest weight. */
struct softmax {
  float largest, sum;
};

/* Takes the weights of up to 32 points more, which become exponentials; returns by what those before shrink. */
static __device__ __forceinline__ float
extend (softmax *s, float *weight)
{
  float before = s->largest;
  s->largest = fmaxf (before, nn_warp_max (*weight));
  float shift = s->largest == -INFINITY ? 0 : s->largest, shrink = expf (before - shift);
  *weight = expf (*weight - shift);
  s->sum = s->sum * shrink + *weight;
  return shrink;
}

/* The sum of all points for eight channels a thread, `lanes` threads a group, from `from` on. */
template <typename T, bool ALIGNED>
static __device__ __forceinline__ void
sum_points (const args_t &a, int64_t page, int64_t query, int first, const T *from, int channels, int lanes,
            corner *corners, float sum[8])
{
  int lane = threadIdx.x % 32;
  softmax soft = { -INFINITY, 0 };
  for (int begin = 0; begin < a.points; begin += 32) {
    int point = begin + lane, n = a.points - begin < 32 ? a.points - begin : 32;
    float share = -INFINITY;
    float2 at = point < a.points ? locate (a, page, query, first, point, &share) : make_float2 (0, 0);
    float shrink = a.softmax ? extend (&soft, &share) : 1;
    if (point < a.points)
      find_corners (a, point, at, share, corners + 4 * lane);
#pragma unroll
    for (int i = 0; i < 8; i++)
      sum[i] *= shrink;
    __syncwarp ();
    add_pixels<T, ALIGNED> (from, a.values.row, channels, corners, 4 * n, lane / lanes, 32 / lanes, sum);
    __syncwarp ();
  }
  float factor = a.softmax && a.points > 0 ? 1 / nn_warp_sum (soft.sum) : 1;
  for (int step = lanes; step < 32; step *= 2)
#pragma unroll
    for (int i = 0; i < 8; i++)
      sum[i] += __shfl_xor_sync (~0u, sum[i], step);
#pragma unroll
  for (int i = 0; i < 8; i++)
    sum[i] *= factor;
}

template <typename Y, bool ALIGNED>
static __device__ __forceinline__ void
store_channels (Y *to, int n, const float sum[8])
{
  if (ALIGNED)
    nn_eight_store (to, sum);
  else
#pragma unroll
    for (int i = 0; i < 8; i++)
      if (i < n)
        to[i] = nn_from_float<Y> (sum[i]);
}

template <typename T, bool ALIGNED>
static __global__ void __launch_bounds__ (32 * WARPS)
deformable_kernel (const args_t a, int lanes)
{
  __shared__ corner room[WARPS][CORNERS];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32, queries = (int) a.queries;
  int task = (int) blockIdx.x * WARPS + warp;
  if (task >= (int) a.batch * queries * a.heads)
    return;
  int head = task % a.heads, page = task / a.heads / queries, query = task / a.heads % queries;
  const T *values = (const T *) a.values.data + page * a.values.page + (int64_t) head * a.size;
  for (int begin = 0; begin < a.size; begin += 8 * lanes) {
    int channel = begin + lane % lanes * 8;
    float sum[8] = { 0 };
    sum_points<T, ALIGNED> (a, page, query, head * a.points, values + channel, a.size - channel, lanes, room[warp],
                            sum);
    if (lane < lanes && channel < a.size)
      NN_WITH_FLOAT_TYPE (a.y_type, Y,
                          (store_channels<Y, ALIGNED> ((Y *) a.y + (int64_t) task * a.size + channel,
                                                       a.size - channel, sum)));
  }
}

template <typename T>
static void
launch (const args_t *a, cudaStream_t stream)
{
  int lanes = 1;
  unsigned blocks = (unsigned) ((a->batch * a->queries * a->heads + WARPS - 1) / WARPS);
  while (lanes < 32 && 8 * lanes < a->size)
    lanes *= 2;
  if (a->size % 8 == 0 && a->values.page % 8 == 0 && a->values.row % 8 == 0 && nn_eight_fits (a->values.data)
      && nn_eight_fits (a->y))
    deformable_kernel<T, true><<<blocks, 32 * WARPS, 0, stream>>> (*a, lanes);
  else
    deformable_kernel<T, false><<<blocks, 32 * WARPS, 0, stream>>> (*a, lanes);
}

extern "C" void
nn_cuda_launch_deformable (const nn_cuda_deformable_args *a, cudaStream_t stream)
{
  NN_WITH_FLOAT_TYPE (a->values.dtype, T, launch<T> (a, stream));
}
