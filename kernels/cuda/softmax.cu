/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Softmax and LogSoftmax. Rows of up to 1024 neighbours stay in the registers of one warp; longer ones are a
 * block's; along another axis than the last each thread has a line of its own, so that neighbours read neighbours. */
#include "softmax.h"

#include "dtype.cuh"
#include "warp.cuh"

enum { WARPS = 4, LONGEST = 1024, LONG_THREADS = 256, LINE_THREADS = 128, MAX_BLOCKS = 1 << 20 };

/* Shifted by the largest of its line; `sum` is of the exponentials of these. */
static __device__ __forceinline__ float
share_of (float shifted, float sum, bool logarithm)
{
  return logarithm ? shifted - logf (sum) : expf (shifted) / sum;
}

/* A warp a row, ITEMS elements a thread. */
template <int ITEMS>
static __global__ void
softmax_rows (const nn_cuda_softmax_args a)
{
  int lane = threadIdx.x % 32, n = (int) a.n;
  int64_t step = (int64_t) gridDim.x * WARPS;
  for (int64_t row = (int64_t) blockIdx.x * WARPS + threadIdx.x / 32; row < a.outer; row += step) {
    float x[ITEMS], largest = -INFINITY, sum = 0;
#pragma unroll
    for (int i = 0; i < ITEMS; i++) {
      int at = lane + 32 * i;
      x[i] = at < n ? nn_load (a.x, row * n + at, a.x_type) : -INFINITY;
      largest = fmaxf (largest, x[i]);
    }
    largest = nn_warp_max (largest);
#pragma unroll
    for (int i = 0; i < ITEMS; i++) {
      x[i] -= largest;
      sum += lane + 32 * i < n ? expf (x[i]) : 0;
    }
    sum = nn_warp_sum (sum);
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
      if (lane + 32 * i < n)
        nn_store (a.y, row * n + lane + 32 * i, a.y_type, share_of (x[i], sum, a.logarithm));
  }
}

/* A block a row of any length. */
static __global__ void
softmax_long_rows (const nn_cuda_softmax_args a)
{
  __shared__ float room[32];
  for (int64_t row = blockIdx.x; row < a.outer; row += gridDim.x) {
    float largest = -INFINITY, sum = 0;
    int64_t first = row * a.n;
    for (int64_t i = threadIdx.x; i < a.n; i += LONG_THREADS)
      largest = fmaxf (largest, nn_load (a.x, first + i, a.x_type));
    largest = nn_block_reduce (largest, room, true);
    for (int64_t i = threadIdx.x; i < a.n; i += LONG_THREADS)
      sum += expf (nn_load (a.x, first + i, a.x_type) - largest);
    sum = nn_block_reduce (sum, room, false);
    for (int64_t i = threadIdx.x; i < a.n; i += LONG_THREADS)
      nn_store (a.y, first + i, a.y_type,
                share_of (nn_load (a.x, first + i, a.x_type) - largest, sum, a.logarithm));
  }
}

/* A thread a line, whose elements are `inner` apart. */
static __global__ void
softmax_lines (const nn_cuda_softmax_args a)
{
  int64_t lines = a.outer * a.inner, step = (int64_t) gridDim.x * LINE_THREADS;
  for (int64_t line = (int64_t) blockIdx.x * LINE_THREADS + threadIdx.x; line < lines; line += step) {
    float largest = -INFINITY, sum = 0;
    int64_t first = line / a.inner * a.n * a.inner + line % a.inner;
    for (int64_t i = 0; i < a.n; i++)
      largest = fmaxf (largest, nn_load (a.x, first + i * a.inner, a.x_type));
    for (int64_t i = 0; i < a.n; i++)
      sum += expf (nn_load (a.x, first + i * a.inner, a.x_type) - largest);
    for (int64_t i = 0; i < a.n; i++)
      nn_store (a.y, first + i * a.inner, a.y_type,
                share_of (nn_load (a.x, first + i * a.inner, a.x_type) - largest, sum, a.logarithm));
  }
}

static unsigned
blocks_for (int64_t n, int64_t each)
{
  int64_t blocks = (n + each - 1) / each;
  return (unsigned) (blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS);
}

extern "C" void
nn_cuda_launch_softmax (const nn_cuda_softmax_args *a, cudaStream_t stream)
{
  if (a->inner != 1)
    softmax_lines<<<blocks_for (a->outer * a->inner, LINE_THREADS), LINE_THREADS, 0, stream>>> (*a);
  else if (a->n > LONGEST)
    softmax_long_rows<<<blocks_for (a->outer, 1), LONG_THREADS, 0, stream>>> (*a);
  else if (a->n > 256)
    softmax_rows<LONGEST / 32><<<blocks_for (a->outer, WARPS), 32 * WARPS, 0, stream>>> (*a);
  else if (a->n > 64)
    softmax_rows<8><<<blocks_for (a->outer, WARPS), 32 * WARPS, 0, stream>>> (*a);
  else
    softmax_rows<2><<<blocks_for (a->outer, WARPS), 32 * WARPS, 0, stream>>> (*a);
}
