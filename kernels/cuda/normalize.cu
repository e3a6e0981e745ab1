/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LayerNormalization, InstanceNormalization, GroupNormalization. The variance is that of the differences from the
 * mean, in a second pass: short rows are in the registers of one warp by then, long ones in the L2 cache. */
#include "normalize.h"

#include "eight.cuh"
#include "warp.cuh"

enum { WARPS = 4, LONGEST = 1024, MOST_THREADS = 512, MAX_BLOCKS = 1 << 20 };

/* Of the differences from a mean. */
struct spread {
  float sum, squares;
};

/* What is left to do with a difference: (x - shift) · factor. */
struct line {
  float shift, factor;
};

static __device__ __forceinline__ void
add_to (spread *s, float difference)
{
  s->sum += difference;
  s->squares += difference * difference;
}

/* The mean is as exact as the sum of many numbers was; that of the differences from it is what it lacks. */
static __device__ __forceinline__ line
line_of (spread s, float n, float epsilon)
{
  float shift = s.sum / n, variance = fmaxf (s.squares / n - shift * shift, 0);
  return { shift, 1 / sqrtf (variance + epsilon) };
}

/* Eight numbers of each chunk of a row, from `from` + 8 · lane on; zeros past the end. */
template <typename T, int CHUNKS>
static __device__ __forceinline__ void
load_row (const T *from, int n, nn_eight<T> row[CHUNKS])
{
#pragma unroll
  for (int c = 0; c < CHUNKS; c++) {
    int at = 8 * ((int) threadIdx.x % 32 + 32 * c);
    row[c] = from != NULL && at < n ? nn_eight_load (from + at) : nn_eight_zero<T> ();
  }
}

/* What x becomes: x[c][i] - mean, and the sum of these, which only rounding keeps from 0, and of their squares. */
template <int CHUNKS>
static __device__ __forceinline__ spread
centre (float x[CHUNKS][8], int n)
{
  float sum = 0;
  spread s = { 0, 0 };
#pragma unroll
  for (int c = 0; c < CHUNKS; c++)
#pragma unroll
    for (int i = 0; i < 8; i++)
      sum += x[c][i];
  float mean = nn_warp_sum (sum) / (float) n;
#pragma unroll
  for (int c = 0; c < CHUNKS; c++)
#pragma unroll
    for (int i = 0; i < 8; i++) {
      x[c][i] -= mean;
      if (8 * ((int) threadIdx.x % 32 + 32 * c) < n)
        add_to (&s, x[c][i]);
    }
  return { nn_warp_sum (s.sum), nn_warp_sum (s.squares) };
}

/* A warp a row, eight neighbours at a time, up to CHUNKS times. Scale and bias are float32 here. */
template <typename X, int CHUNKS>
static __global__ void
normalize_rows (const nn_cuda_normalize_args a)
{
  int n = (int) a.n, lane = threadIdx.x % 32;
  int64_t step = (int64_t) gridDim.x * WARPS;
  nn_eight<float> scale[CHUNKS], bias[CHUNKS];
  load_row<float, CHUNKS> ((const float *) a.scale, n, scale);
  load_row<float, CHUNKS> ((const float *) a.bias, n, bias);
  for (int64_t row = (int64_t) blockIdx.x * WARPS + threadIdx.x / 32; row < a.rows; row += step) {
    nn_eight<X> raw[CHUNKS];
    float x[CHUNKS][8];
    load_row<X, CHUNKS> ((const X *) a.x + row * n, n, raw);
#pragma unroll
    for (int c = 0; c < CHUNKS; c++)
      nn_eight_floats (raw[c], x[c]);
    line l = line_of (centre<CHUNKS> (x, n), (float) n, a.epsilon);
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
      int at = 8 * (lane + 32 * c);
      float times[8], plus[8];
      nn_eight_floats (scale[c], times);
      nn_eight_floats (bias[c], plus);
#pragma unroll
      for (int i = 0; i < 8; i++)
        x[c][i] = (x[c][i] - l.shift) * l.factor * times[i] + plus[i];
      if (at < n)
        NN_WITH_FLOAT_TYPE (a.y_type, Y, nn_eight_store ((Y *) a.y + row * n + at, x[c]));
    }
  }
}

/* A block a row of any length and alignment. */
static __global__ void
normalize_long_rows (const nn_cuda_normalize_args a)
{
  __shared__ float room[32];
  for (int64_t row = blockIdx.x; row < a.rows; row += gridDim.x) {
    int64_t first = row * a.n;
    float sum = 0;
    spread s = { 0, 0 };
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x)
      sum += nn_load (a.x, first + i, a.x_type);
    float mean = nn_block_reduce (sum, room, false) / (float) a.n;
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x)
      add_to (&s, nn_load (a.x, first + i, a.x_type) - mean);
    s.sum = nn_block_reduce (s.sum, room, false);
    s.squares = nn_block_reduce (s.squares, room, false);
    line l = line_of (s, (float) a.n, a.epsilon);
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) {
      int64_t at = a.pixels == 0 ? i : (first + i) / a.pixels % a.channels / a.shared;
      float bias = a.bias != NULL ? nn_load (a.bias, at, a.bias_type) : 0;
      float x = (nn_load (a.x, first + i, a.x_type) - mean - l.shift) * l.factor;
      nn_store (a.y, first + i, a.y_type, x * nn_load (a.scale, at, a.scale_type) + bias);
    }
  }
}

static unsigned
blocks_for (int64_t n, int64_t each)
{
  int64_t blocks = (n + each - 1) / each;
  return (unsigned) (blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS);
}

static bool
is_short (const nn_cuda_normalize_args *a)
{
  return a->pixels == 0 && a->n <= LONGEST && a->n % 8 == 0 && a->scale_type == NN_F32
         && (a->bias == NULL || a->bias_type == NN_F32) && nn_eight_fits (a->x) && nn_eight_fits (a->y)
         && nn_eight_fits (a->scale) && nn_eight_fits (a->bias);
}

template <typename X>
static void
launch_rows (const nn_cuda_normalize_args *a, cudaStream_t stream)
{
  unsigned blocks = blocks_for (a->rows, WARPS);
  if (a->n <= 256)
    normalize_rows<X, 1><<<blocks, 32 * WARPS, 0, stream>>> (*a);
  else if (a->n <= 512)
    normalize_rows<X, 2><<<blocks, 32 * WARPS, 0, stream>>> (*a);
  else
    normalize_rows<X, 4><<<blocks, 32 * WARPS, 0, stream>>> (*a);
}

extern "C" void
nn_cuda_launch_normalize (const nn_cuda_normalize_args *a, cudaStream_t stream)
{
  int threads = a->n < MOST_THREADS ? (int) (a->n + 31) / 32 * 32 : MOST_THREADS;
  if (is_short (a))
    NN_WITH_FLOAT_TYPE (a->x_type, X, launch_rows<X> (a, stream));
  else
    normalize_long_rows<<<blocks_for (a->rows, 1), threads, 0, stream>>> (*a);
}
