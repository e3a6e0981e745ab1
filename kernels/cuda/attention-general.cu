/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention of any types and sizes: as attention.cu has it, in float32 all the way. A warp has 4 queries and 128
 * channels of the values; of the keys, a thread has one in 32. */
#include "attention.h"

#include "dtype.cuh"
#include "warp.cuh"

enum { WARPS = 4, WARP_ROWS = 4, ROWS = WARPS * WARP_ROWS, KEYS = 32, PART = 32, COLUMNS = 128, THREADS = 32 * WARPS };

typedef nn_cuda_attention_args args_t;

/* What a block works on. */
struct place {
  int page, head, query, column; /* its first query and channel of the values */
};

struct room {
  float queries[ROWS][PART], keys[KEYS][PART + 1], values[KEYS][COLUMNS];
};

/* Rows `row` … and channels `channel` … of a head, zeros where it has none. */
template <int N, int WIDTH, int PITCH>
static __device__ __forceinline__ void
load_tile (float (*to)[PITCH], const nn_cuda_heads &x, const place &p, int size, int row, int rows, int channel)
{
  for (int i = threadIdx.x; i < N * WIDTH; i += THREADS) {
    int r = row + i / WIDTH, c = channel + i % WIDTH;
    int64_t at = p.page * x.page + r * x.row + (int64_t) p.head * size + c;
    to[i / WIDTH][i % WIDTH] = r < rows && c < size ? nn_load (x.data, at, x.dtype) : 0;
  }
}

/* q kᵀ of a warp's queries and this thread's key; its end is a barrier. */
static __device__ __forceinline__ void
multiply_keys (const args_t &a, const place &p, int key, room *room, float score[WARP_ROWS])
{
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int i = 0; i < WARP_ROWS; i++)
    score[i] = 0;
  for (int channel = 0; channel < a.size; channel += PART) {
    load_tile<ROWS, PART> (room->queries, a.q, p, a.size, p.query, a.queries, channel);
    load_tile<KEYS, PART> (room->keys, a.k, p, a.size, key, a.tokens, channel);
    __syncthreads ();
#pragma unroll
    for (int c = 0; c < PART; c++)
#pragma unroll
      for (int i = 0; i < WARP_ROWS; i++)
        score[i] += room->queries[warp * WARP_ROWS + i][c] * room->keys[lane][c];
    __syncthreads ();
  }
}

static __device__ __forceinline__ float
finished (const args_t &a, const place &p, int query, int key, float score)
{
  if (key >= a.tokens)
    return -INFINITY;
  score *= a.scale;
  if (a.mask != NULL && query < a.queries)
    score += nn_load (a.mask, p.page * a.mask_step[0] + p.head * a.mask_step[1] + query * a.mask_step[2]
                                  + key * a.mask_step[3],
                      a.mask_type);
  return score;
}

/* 32 keys more for the queries of this warp. `sum` is of this thread's keys only. */
static __device__ __forceinline__ void
take_keys (const args_t &a, const place &p, int key, room *room, float largest[WARP_ROWS], float sum[WARP_ROWS],
           float out[WARP_ROWS][COLUMNS / 32])
{
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  float share[WARP_ROWS];
  multiply_keys (a, p, key, room, share);
  load_tile<KEYS, COLUMNS> (room->values, a.v, p, a.value_size, key, a.tokens, p.column);
#pragma unroll
  for (int i = 0; i < WARP_ROWS; i++) {
    float before = largest[i], score = finished (a, p, p.query + warp * WARP_ROWS + i, key + lane, share[i]);
    largest[i] = fmaxf (before, nn_warp_max (score));
    float shift = largest[i] == -INFINITY ? 0 : largest[i], shrink = expf (before - shift);
    share[i] = expf (score - shift);
    sum[i] = sum[i] * shrink + share[i];
#pragma unroll
    for (int c = 0; c < COLUMNS / 32; c++)
      out[i][c] *= shrink;
  }
  __syncthreads ();
  for (int k = 0; k < KEYS; k++)
#pragma unroll
    for (int i = 0; i < WARP_ROWS; i++) {
      float part = __shfl_sync (~0u, share[i], k);
#pragma unroll
      for (int c = 0; c < COLUMNS / 32; c++)
        if (p.column + 32 * c < a.value_size)
          out[i][c] += part * room->values[k][lane + 32 * c];
    }
  __syncthreads ();
}

static __global__ void __launch_bounds__ (THREADS)
attention_kernel (const args_t a, int row_blocks, int column_blocks)
{
  __shared__ room room;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, index = blockIdx.x / column_blocks;
  place p = { index / row_blocks / a.heads, index / row_blocks % a.heads, index % row_blocks * ROWS,
              (int) blockIdx.x % column_blocks * COLUMNS };
  float largest[WARP_ROWS], sum[WARP_ROWS], out[WARP_ROWS][COLUMNS / 32] = { { 0 } };
  for (int i = 0; i < WARP_ROWS; i++) {
    largest[i] = -INFINITY;
    sum[i] = 0;
  }
  for (int key = 0; key < a.tokens; key += KEYS)
    take_keys (a, p, key, &room, largest, sum, out);
#pragma unroll
  for (int i = 0; i < WARP_ROWS; i++) {
    int query = p.query + warp * WARP_ROWS + i;
    float total = nn_warp_sum (sum[i]), factor = a.tokens > 0 ? 1 / total : 0; /* all -infinity: 0 · ∞ is NaN */
    int64_t at = p.page * a.y.page + query * a.y.row + (int64_t) p.head * a.value_size;
#pragma unroll
    for (int c = 0; c < COLUMNS / 32; c++) {
      int column = p.column + lane + 32 * c;
      if (query < a.queries && column < a.value_size)
        nn_store (a.y.data, at + column, a.y.dtype, out[i][c] * factor);
    }
  }
}

extern "C" void
nn_cuda_launch_attention_general (const nn_cuda_attention_args *a, cudaStream_t stream)
{
  int row_blocks = (a->queries + ROWS - 1) / ROWS, column_blocks = (a->value_size + COLUMNS - 1) / COLUMNS;
  unsigned blocks = (unsigned) (a->batch * a->heads * row_blocks * column_blocks);
  attention_kernel<<<blocks, THREADS, 0, stream>>> (*a, row_blocks, column_blocks);
}
