/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention. A block has some queries of one head and walks over the keys and values in tiles (Dao et al.,
 * "FlashAttention", 2022): scores never leave the registers, and what was summed up shrinks when a larger score comes
 * (`largest`). A warp has 16 queries; where there are few blocks for the device, the warps of one share the queries
 * and each takes a part of every tile's keys. */
#include "attention.h"

#include "mma.cuh"
#include "eight.cuh"

#define LOG2_E 1.4426950408889634f

typedef nn_cuda_attention_args args_t;

/* D: channels of a head, padded; rows are PITCH apart so that 8 of them lie in different banks. */
template <int D, int ROW_WARPS, int KEY_WARPS>
struct shape {
  enum {
    THREADS = 32 * ROW_WARPS * KEY_WARPS,
    ROWS = 16 * ROW_WARPS,                     /* queries */
    KEYS = KEY_WARPS > 1 && D < 128 ? 128 : 64, /* a tile */
    WARP_KEYS = KEYS / KEY_WARPS,
    STAGES = KEY_WARPS > 1 && D <= 32 ? 3 : 2, /* tiles in shared memory */
    PITCH = D + 8,
    TILE = KEYS * PITCH,
    BYTES = 2 * (ROWS * PITCH + STAGES * 2 * TILE),
    SUM_BYTES = KEY_WARPS * ROWS * (2 + PITCH) * 4, /* at the end, in the same place */
  };
  static_assert (SUM_BYTES <= BYTES && BYTES <= 99 * 1024, "shared memory");
};

/* A thread's part of a warp's 16 queries: two of them, lane / 4 and that + 8. */
template <int D>
struct state {
  float largest[2], sum[2]; /* sum: this thread's scores only */
  float out[D / 8][4];
};

/* 2 to the power of x; 0 for -infinity. */
static __device__ __forceinline__ float
power_of_2 (float x)
{
  float y;
  asm ("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/* `n` rows of `columns` elements to rows of D; what is not there is 0. */
template <typename T, int D, int ROWS, int THREADS>
static __device__ __forceinline__ void
load_tile (T *to, const T *from, int64_t step, int n, int columns, bool aligned)
{
  if (aligned)
    for (int i = threadIdx.x; i < ROWS * (D / 8); i += THREADS) {
      int row = i / (D / 8), col = i % (D / 8) * 8;
      bool there = row < n && col < columns;
      copy_later (to + row * (D + 8) + col, from + (there ? row * step + col : 0), there);
    }
  else
    for (int i = threadIdx.x; i < ROWS * D; i += THREADS) {
      int row = i / D, col = i % D;
      to[row * (D + 8) + col] = row < n && col < columns ? from[row * step + col] : T (0.0f);
    }
}

/* Scores of 16 queries and N keys, whose first row is at `keys`. */
template <typename T, int D, int N>
static __device__ __forceinline__ void
multiply_keys (float score[N / 8][4], const unsigned q[D / 16][4], const T *keys)
{
  int lane = threadIdx.x % 32;
  const T *row = keys + (lane / 16 * 8 + lane % 8) * (D + 8) + lane / 8 % 2 * 8;
#pragma unroll
  for (int j = 0; j < N / 8; j++)
    score[j][0] = score[j][1] = score[j][2] = score[j][3] = 0;
#pragma unroll
  for (int d = 0; d < D / 16; d++)
#pragma unroll
    for (int j = 0; j < N / 16; j++) {
      unsigned b[4];
      load_matrices (b, row + j * 16 * (D + 8) + d * 16);
      mma (score[2 * j], q[d], b[0], b[1], T ());
      mma (score[2 * j + 1], q[d], b[2], b[3], T ());
    }
}

/* Scales scores to powers of 2 and adds the mask; those of keys that are not there become -infinity. `mask` is that
 * of this thread's first query and the first key. */
template <int N>
static __device__ __forceinline__ void
finish_scores (const args_t &a, float score[N / 8][4], int query, int key, int64_t mask)
{
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int j = 0; j < N / 8; j++)
#pragma unroll
    for (int i = 0; i < 4; i++)
      score[j][i] *= a.scale * LOG2_E;
  if (a.mask == NULL && key + N <= a.tokens)
    return;
#pragma unroll
  for (int j = 0; j < N / 8; j++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      int col = j * 8 + lane % 4 * 2 + i % 2, row = i / 2 * 8;
      if (key + col >= a.tokens)
        score[j][i] = -INFINITY;
      else if (a.mask != NULL && query + row < a.queries)
        score[j][i]
            += LOG2_E * nn_load (a.mask, mask + row * a.mask_step[2] + (key + col) * a.mask_step[3], a.mask_type);
    }
}

/* Scores become shares, as yet to be divided by the sum of all; what was summed up shrinks. */
template <int D, int N>
static __device__ __forceinline__ void
take_scores (state<D> *s, float score[N / 8][4])
{
#pragma unroll
  for (int r = 0; r < 2; r++) {
    float largest = s->largest[r];
#pragma unroll
    for (int j = 0; j < N / 8; j++)
      largest = fmaxf (largest, fmaxf (score[j][2 * r], score[j][2 * r + 1]));
    largest = fmaxf (largest, __shfl_xor_sync (~0u, largest, 1));
    largest = fmaxf (largest, __shfl_xor_sync (~0u, largest, 2));
    float shift = largest == -INFINITY ? 0 : largest, shrink = power_of_2 (s->largest[r] - shift), sum = 0;
#pragma unroll
    for (int j = 0; j < N / 8; j++)
#pragma unroll
      for (int i = 2 * r; i < 2 * r + 2; i++) {
        score[j][i] = power_of_2 (score[j][i] - shift);
        sum += score[j][i];
      }
    s->largest[r] = largest;
    s->sum[r] = s->sum[r] * shrink + sum;
#pragma unroll
    for (int d = 0; d < D / 8; d++) {
      s->out[d][2 * r] *= shrink;
      s->out[d][2 * r + 1] *= shrink;
    }
  }
}

/* Adds shares times N values, whose first row is at `values`. */
template <typename T, int D, int N>
static __device__ __forceinline__ void
multiply_values (state<D> *s, const float share[N / 8][4], const T *values)
{
  int lane = threadIdx.x % 32;
  const T *row = values + lane % 16 * (D + 8) + lane / 16 * 8;
#pragma unroll
  for (int j = 0; j < N / 16; j++) {
    const float *left = share[2 * j], *right = share[2 * j + 1];
    const unsigned p[4] = { pack (left[0], left[1], T ()), pack (left[2], left[3], T ()),
                            pack (right[0], right[1], T ()), pack (right[2], right[3], T ()) };
#pragma unroll
    for (int d = 0; d < D / 16; d++) {
      unsigned b[4];
      load_matrices_transposed (b, row + j * 16 * (D + 8) + d * 16);
      mma (s->out[2 * d], p, b[0], b[1], T ());
      mma (s->out[2 * d + 1], p, b[2], b[3], T ());
    }
  }
}

/* The end: what the warps of a query have, each by its own largest score, in shared memory; then its sum, divided. */
template <typename T, int D, int ROW_WARPS, int KEY_WARPS>
static __device__ __forceinline__ void
store_sums (const args_t &a, state<D> *s, float *room, T *to, int n, bool aligned)
{
  typedef shape<D, ROW_WARPS, KEY_WARPS> S;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, part = warp / ROW_WARPS;
  float2 *known = (float2 *) room; /* [KEY_WARPS][ROWS], largest and sum */
  float *sums = room + 2 * KEY_WARPS * S::ROWS;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    s->sum[r] += __shfl_xor_sync (~0u, s->sum[r], 1);
    s->sum[r] += __shfl_xor_sync (~0u, s->sum[r], 2);
    if (lane % 4 == 0)
      known[part * S::ROWS + warp % ROW_WARPS * 16 + lane / 4 + 8 * r] = make_float2 (s->largest[r], s->sum[r]);
  }
  __syncthreads ();
#pragma unroll
  for (int r = 0; r < 2; r++) {
    int row = warp % ROW_WARPS * 16 + lane / 4 + 8 * r;
    float largest = -INFINITY, sum = 0;
    for (int i = 0; i < KEY_WARPS; i++)
      largest = fmaxf (largest, known[i * S::ROWS + row].x);
    float shift = largest == -INFINITY ? 0 : largest;
    for (int i = 0; i < KEY_WARPS; i++)
      sum += known[i * S::ROWS + row].y * power_of_2 (known[i * S::ROWS + row].x - shift);
    float factor = a.tokens > 0 ? power_of_2 (s->largest[r] - shift) / sum : 0; /* all -infinity: NaN */
#pragma unroll
    for (int d = 0; d < D / 8; d++)
      *(float2 *) (sums + (part * S::ROWS + row) * S::PITCH + d * 8 + lane % 4 * 2)
          = make_float2 (s->out[d][2 * r] * factor, s->out[d][2 * r + 1] * factor);
  }
  __syncthreads ();
  for (int i = threadIdx.x; i < n * (D / 8); i += S::THREADS) {
    int row = i / (D / 8), col = i % (D / 8) * 8;
    float x[8] = { 0 };
    for (int p = 0; p < KEY_WARPS; p++)
#pragma unroll
      for (int e = 0; e < 8; e++)
        x[e] += sums[(p * S::ROWS + row) * S::PITCH + col + e];
    if (aligned && col < a.value_size)
      nn_eight_store (to + row * a.y.row + col, x);
    else
#pragma unroll
      for (int e = 0; e < 8; e++)
        if (col + e < a.value_size)
          to[row * a.y.row + col + e] = nn_from_float<T> (x[e]);
  }
}

/* The part of operand `x` that is a head's, from `token` on. */
template <typename T>
static __device__ __forceinline__ T *
head_of (const nn_cuda_heads &x, int page, int head, int size, int64_t token)
{
  return (T *) x.data + page * x.page + token * x.row + (int64_t) head * size;
}

template <typename T, int D, int ROW_WARPS, int KEY_WARPS>
static __global__ void __launch_bounds__ (shape<D, ROW_WARPS, KEY_WARPS>::THREADS)
attention_kernel (const args_t a, int blocks, bool aligned)
{
  typedef shape<D, ROW_WARPS, KEY_WARPS> S;
  extern __shared__ __align__ (16) unsigned char memory[];
  T *queries = (T *) memory, *tiles = queries + S::ROWS * S::PITCH;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, part = warp / ROW_WARPS;
  int index = blockIdx.x / blocks, head = index % a.heads, page = index / a.heads;
  int first = blockIdx.x % blocks * S::ROWS, n_tiles = (a.tokens + S::KEYS - 1) / S::KEYS;
  int query = first + warp % ROW_WARPS * 16 + lane / 4; /* this thread's first */
  int64_t mask = page * a.mask_step[0] + head * a.mask_step[1] + query * a.mask_step[2];
  auto load = [&] (int tile) {
    T *to = tiles + tile % S::STAGES * 2 * S::TILE;
    int key = tile * S::KEYS, n = a.tokens - key;
    load_tile<T, D, S::KEYS, S::THREADS> (to, head_of<T> (a.k, page, head, a.size, key), a.k.row, n, a.size, aligned);
    load_tile<T, D, S::KEYS, S::THREADS> (to + S::TILE, head_of<T> (a.v, page, head, a.value_size, key), a.v.row, n,
                                          a.value_size, aligned);
  };
  load_tile<T, D, S::ROWS, S::THREADS> (queries, head_of<T> (a.q, page, head, a.size, first), a.q.row,
                                        a.queries - first, a.size, aligned);
  for (int tile = 0; tile < S::STAGES - 1; tile++) {
    if (tile < n_tiles)
      load (tile);
    end_copies ();
  }
  unsigned q[D / 16][4];
  state<D> s = { { -INFINITY, -INFINITY } };
  for (int tile = 0; tile < n_tiles; tile++) {
    wait_for_copies<S::STAGES - 2> ();
    __syncthreads ();
    if (tile + S::STAGES - 1 < n_tiles)
      load (tile + S::STAGES - 1);
    end_copies ();
    if (tile == 0)
#pragma unroll
      for (int d = 0; d < D / 16; d++)
        load_matrices (q[d], queries + (warp % ROW_WARPS * 16 + lane % 16) * S::PITCH + d * 16 + lane / 16 * 8);
    int key = tile * S::KEYS + part * S::WARP_KEYS;
    if (key >= a.tokens || query - lane / 4 >= a.queries)
      continue;
    const T *keys = tiles + tile % S::STAGES * 2 * S::TILE + part * S::WARP_KEYS * S::PITCH;
    float score[S::WARP_KEYS / 8][4];
    multiply_keys<T, D, S::WARP_KEYS> (score, q, keys);
    finish_scores<S::WARP_KEYS> (a, score, query, key, mask);
    take_scores<D, S::WARP_KEYS> (&s, score);
    multiply_values<T, D, S::WARP_KEYS> (&s, score, keys + S::TILE);
  }
  wait_for_copies<0> ();
  __syncthreads ();
  int n = a.queries - first < S::ROWS ? a.queries - first : S::ROWS;
  store_sums<T, D, ROW_WARPS, KEY_WARPS> (a, &s, (float *) memory,
                                          head_of<T> (a.y, page, head, a.value_size, first), n, aligned);
}

/* What runs for a type and padded size, and how. */
struct choice {
  void (*kernel) (const args_t, int, bool);
  int rows, threads, bytes;
};

template <typename T, int D, int ROW_WARPS, int KEY_WARPS>
static choice
choice_of (void)
{
  typedef shape<D, ROW_WARPS, KEY_WARPS> S;
  return { attention_kernel<T, D, ROW_WARPS, KEY_WARPS>, S::ROWS, S::THREADS, S::BYTES };
}

template <typename T, int D>
static choice
choose_split (const args_t *a)
{
  int64_t blocks = (int64_t) a->batch * a->heads * ((a->queries + 63) / 64);
  return blocks < a->n_multiprocessors ? choice_of<T, D, 1, 4> () : choice_of<T, D, 4, 1> ();
}

template <typename T>
static choice
choose_size (const args_t *a)
{
  int size = a->size > a->value_size ? a->size : a->value_size;
  return size <= 16   ? choose_split<T, 16> (a)
         : size <= 32 ? choose_split<T, 32> (a)
         : size <= 64 ? choose_split<T, 64> (a)
                      : choose_split<T, 128> (a);
}

/* `kernel` is NULL where the general one has to do it. */
static choice
choose (const args_t *a)
{
  nn_dtype dtype = a->q.dtype;
  if (a->k.dtype != dtype || a->v.dtype != dtype || a->y.dtype != dtype || a->size > 128 || a->value_size > 128)
    return {};
  return dtype == NN_F16 ? choose_size<__half> (a) : dtype == NN_BF16 ? choose_size<__nv_bfloat16> (a) : choice{};
}

static bool
is_aligned (const nn_cuda_heads *x)
{
  return nn_eight_fits (x->data) && x->page % 8 == 0 && x->row % 8 == 0;
}

cudaError_t
nn_cuda_attention_reserve (const nn_cuda_attention_args *a)
{
  choice c = choose (a);
  if (c.kernel == NULL)
    return cudaSuccess;
  return cudaFuncSetAttribute ((const void *) c.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, c.bytes);
}

void
nn_cuda_launch_attention (const nn_cuda_attention_args *a, cudaStream_t stream)
{
  choice c = choose (a);
  if (c.kernel == NULL) {
    nn_cuda_launch_attention_general (a, stream);
    return;
  }
  bool aligned = a->size % 8 == 0 && a->value_size % 8 == 0 && is_aligned (&a->q) && is_aligned (&a->k)
                 && is_aligned (&a->v) && is_aligned (&a->y);
  int blocks = (a->queries + c.rows - 1) / c.rows;
  c.kernel<<<(unsigned) (a->batch * a->heads * blocks), c.threads, c.bytes, stream>>> (*a, blocks, aligned);
}
