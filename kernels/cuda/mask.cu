/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaskedReduce: a block a row. */
#include "dtype.cuh"
#include "mask.h"

#include <type_traits>

#define THREADS 256

/* An extremum of the table's numbers, or a count. */
template <nn_masked_kind kind>
using result = typename std::conditional<kind == NN_MASKED_COUNT, int64_t, float>::type;

template <nn_masked_kind kind, typename T>
__device__ __forceinline__ T
combine (T a, T b)
{
  if (kind == NN_MASKED_MAX)
    return b > a ? b : a;
  if (kind == NN_MASKED_MIN)
    return b < a ? b : a;
  return a + b;
}

template <typename T, nn_masked_kind kind>
static __global__ void __launch_bounds__ (THREADS)
masked_rows (const __grid_constant__ nn_masked m)
{
  typedef result<kind> Result;
  __shared__ Result of_warp[THREADS / 32];
  const int64_t row = blockIdx.x;
  const T *x = (const T *) m.x + row * m.places;
  Result so_far = kind == NN_MASKED_MAX ? (Result) -INFINITY : kind == NN_MASKED_MIN ? (Result) INFINITY : (Result) 0;
#pragma unroll 8
  for (int64_t i = threadIdx.x; i < m.places; i += THREADS) {
    bool above = nn_to_float (x[i]) > m.threshold;
    if (kind == NN_MASKED_COUNT)
      so_far += above;
    else
      so_far = combine<kind> (so_far, (Result) (above ? m.table[i] : m.fill));
  }
  for (int step = 16; step > 0; step /= 2)
    so_far = combine<kind> (so_far, (Result) __shfl_xor_sync (0xffffffffu, so_far, step));
  if (threadIdx.x % 32 == 0)
    of_warp[threadIdx.x / 32] = so_far;
  __syncthreads ();
  if (threadIdx.x != 0)
    return;
  for (int w = 1; w < THREADS / 32; w++)
    so_far = combine<kind> (so_far, of_warp[w]);
  if (kind == NN_MASKED_COUNT)
    ((int64_t *) m.y)[row] = (int64_t) so_far;
  else
    nn_store (m.y, row, m.y_type, (float) so_far);
}

template <typename T>
static void
launch (const nn_masked *m, cudaStream_t stream)
{
  const unsigned rows = (unsigned) m->rows;
  if (m->kind == NN_MASKED_MAX)
    masked_rows<T, NN_MASKED_MAX><<<rows, THREADS, 0, stream>>> (*m);
  else if (m->kind == NN_MASKED_MIN)
    masked_rows<T, NN_MASKED_MIN><<<rows, THREADS, 0, stream>>> (*m);
  else
    masked_rows<T, NN_MASKED_COUNT><<<rows, THREADS, 0, stream>>> (*m);
}

void
nn_cuda_launch_masked_reduce (const nn_masked *m, cudaStream_t stream)
{
  NN_WITH_FLOAT_TYPE (m->x_type, T, launch<T> (m, stream));
}
