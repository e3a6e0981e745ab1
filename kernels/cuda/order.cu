/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fast TopK is a block a row. An element and its index make one 64-bit number whose order is the wanted one, so that no
 * two are equal: radix selection finds, 8 bits at a time from the top, a prefix that just k of them reach; these are
 * sorted in shared memory. It takes further than the upper 32 bits only where equals are on both sides.
 */
#include "elements.cuh"
#include "order.h"

#define THREADS 1024
#define ALL 0xffffffffu

/* ---- the order ---- */

__device__ __forceinline__ int32_t
order_of (float x)
{
  int32_t bits = __float_as_int (x);
  return x != x ? INT32_MAX : bits < 0 ? INT32_MIN - bits : bits;
}

__device__ __forceinline__ int64_t
order_of (double x)
{
  int64_t bits = __double_as_longlong (x);
  return x != x ? INT64_MAX : bits < 0 ? INT64_MIN - bits : bits;
}

__device__ __forceinline__ int64_t
key_of (const void *x, int64_t i, nn_dtype dtype)
{
  switch (dtype) {
  case NN_I64:
    return ((const int64_t *) x)[i];
  case NN_I32:
    return ((const int32_t *) x)[i];
  case NN_U8:
    return ((const uint8_t *) x)[i];
  case NN_I8:
    return ((const int8_t *) x)[i];
  case NN_F64:
    return order_of (((const double *) x)[i]);
  default:
    return order_of (nn_load (x, i, dtype));
  }
}

/* ---- TopK of rows ---- */

struct selection {
  uint32_t histogram[256];
  uint32_t digit, left, done, found;
};

/* The number of element `i` of the row whose upper half, the key, is given: of equal ones the first is larger. */
__device__ __forceinline__ uint64_t
number_of (uint32_t key, uint32_t i)
{
  return (uint64_t) key << 32 | (uint32_t) ~i;
}

/* Counts the digits of the active lanes; those of most lanes, which often agree, in one addition each. */
__device__ __forceinline__ void
count_digit (uint32_t *histogram, uint32_t digit, bool active)
{
  uint32_t rest = __ballot_sync (ALL, active);
  const int lane = threadIdx.x & 31;
  for (int round = 0; round < 2 && rest != 0; round++) {
    int leader = __ffs (rest) - 1;
    uint32_t common = __shfl_sync (ALL, digit, leader);
    uint32_t same = __ballot_sync (ALL, digit == common) & rest;
    if (lane == leader)
      atomicAdd (&histogram[common], __popc (same));
    rest &= ~same;
  }
  if (rest >> lane & 1)
    atomicAdd (&histogram[digit], 1);
}

/* Warp 0: the digit that the `left` th number from the top has, and how many are wanted of those that have it. */
__device__ __forceinline__ void
find_digit (selection *s, uint32_t left)
{
  const int lane = threadIdx.x, top = 255 - 8 * lane;
  uint32_t own = 0, sum;
  for (int d = 0; d < 8; d++)
    own += s->histogram[top - d];
  sum = own;
  for (int step = 1; step < 32; step *= 2) {
    uint32_t other = __shfl_up_sync (ALL, sum, step);
    sum += lane >= step ? other : 0;
  }
  if (lane != __ffs (__ballot_sync (ALL, sum >= left)) - 1)
    return;
  uint32_t above = sum - own;
  int digit = top;
  while (above + s->histogram[digit] < left)
    above += s->histogram[digit--];
  s->digit = digit;
  s->left = left - above;
  s->done = s->histogram[digit] == left - above;
}

/* Of 2^m numbers, the largest first. Comparisons over up to 32 places stay within the 64 of a warp. */
__device__ __forceinline__ void
sort_numbers (uint64_t *numbers, uint32_t count)
{
  uint32_t before = 64;
  for (uint32_t size = 2; size <= count; size *= 2)
    for (uint32_t step = size / 2; step > 0; step /= 2) {
      if (step > 32 || before > 32)
        __syncthreads ();
      else
        __syncwarp ();
      before = step;
      for (uint32_t t = threadIdx.x; t < count / 2; t += THREADS) {
        uint32_t i = 2 * t - (t & (step - 1));
        uint64_t a = numbers[i], b = numbers[i + step];
        if ((i & size) == 0 ? a < b : a > b) {
          numbers[i] = b;
          numbers[i + step] = a;
        }
      }
    }
  __syncthreads ();
}

/* The numbers of a row of `n` that reach the prefix, in any order; s->found is 0 before. */
template <typename Number>
__device__ __forceinline__ void
collect (selection *s, uint64_t *winners, uint32_t n, uint64_t prefix, uint64_t mask, const Number &number_at)
{
  const uint32_t own = threadIdx.x;
#pragma unroll 4
  for (uint32_t first = 0; first < n; first += THREADS) {
    uint32_t i = first + own;
    uint64_t number = number_at (i);
    uint32_t chosen = __ballot_sync (ALL, i < n && (number & mask) >= prefix), at = 0;
    if (own % 32 == 0 && chosen != 0)
      at = atomicAdd (&s->found, __popc (chosen));
    at = __shfl_sync (ALL, at, 0);
    if (chosen >> own % 32 & 1)
      winners[at + __popc (chosen & ((1u << own % 32) - 1))] = number;
  }
}

__device__ __forceinline__ void
store_winners (const nn_topk &t, const uint64_t *winners, int64_t row)
{
  for (uint32_t i = threadIdx.x; i < t.k; i += THREADS) {
    uint32_t index = ~(uint32_t) winners[i];
    if (t.values != NULL)
      nn_move_element (t.values, row * t.k + i, t.values_type, t.lines.x, row * t.lines.n + index, t.lines.dtype);
    if (t.indices != NULL)
      t.indices[row * t.k + i] = index;
  }
}

/* `padded`: the power of two from k on. The keys are kept in shared memory if `cached`. */
template <typename T>
static __global__ void __launch_bounds__ (THREADS)
topk_rows (const __grid_constant__ nn_topk t, uint32_t padded, bool cached)
{
  extern __shared__ uint64_t winners[];
  __shared__ selection s;
  uint32_t *keys = (uint32_t *) (winners + padded);
  const uint32_t n = (uint32_t) t.lines.n, k = (uint32_t) t.k, own = threadIdx.x;
  const int64_t row = blockIdx.x;
  const T *x = (const T *) t.lines.x + row * n;
  auto key = [&] (uint32_t i) {
    uint32_t order = (uint32_t) order_of (nn_to_float (x[i])) ^ 0x80000000u;
    return t.largest ? order : ~order;
  };
#pragma unroll 8
  for (uint32_t i = own; cached && i < n; i += THREADS)
    keys[i] = key (i);
  auto number_at = [&] (uint32_t i) { return i < n ? number_of (cached ? keys[i] : key (i), i) : 0; };
  uint64_t prefix = 0, mask = 0;
  uint32_t left = k, done = 0;
  for (int shift = 56; !done; shift -= 8) {
    if (own < 256)
      s.histogram[own] = 0;
    __syncthreads ();
#pragma unroll 4
    for (uint32_t first = 0; first < n; first += THREADS) {
      uint32_t i = first + own;
      uint64_t number = number_at (i);
      count_digit (s.histogram, (uint32_t) (number >> shift) & 255, i < n && (number & mask) == prefix);
    }
    __syncthreads ();
    if (own < 32)
      find_digit (&s, left);
    __syncthreads ();
    prefix |= (uint64_t) s.digit << shift;
    mask |= (uint64_t) 255 << shift;
    left = s.left;
    done = s.done;
  }
  if (own == 0)
    s.found = 0;
  for (uint32_t i = k + own; i < padded; i += THREADS)
    winners[i] = 0;
  __syncthreads ();
  collect (&s, winners, n, prefix, mask, number_at);
  sort_numbers (winners, padded);
  store_winners (t, winners, row);
}

/* Up to 46 KB of shared memory, which every device has without being asked. */
template <typename T>
static void
launch_rows (const nn_topk *t, cudaStream_t stream)
{
  uint32_t padded = 1;
  while (padded < t->k)
    padded *= 2;
  size_t bytes = padded * sizeof (uint64_t), keys = (size_t) t->lines.n * sizeof (uint32_t);
  bool cached = bytes + keys <= 46 * 1024;
  bytes += cached ? keys : 0;
  topk_rows<T><<<(unsigned) t->lines.outer, THREADS, bytes, stream>>> (*t, padded, cached);
}

void
nn_cuda_launch_topk_rows (const nn_topk *t, cudaStream_t stream)
{
  NN_WITH_FLOAT_TYPE (t->lines.dtype, T, launch_rows<T> (t, stream));
}

/* ---- TopK of anything: how many elements are better says where one goes ---- */

static __global__ void
topk_by_rank (const __grid_constant__ nn_topk t)
{
  const nn_lines &l = t.lines;
  const int64_t total = l.outer * l.n * l.inner;
  for (int64_t i = (int64_t) blockIdx.x * blockDim.x + threadIdx.x; i < total; i += (int64_t) gridDim.x * blockDim.x) {
    int64_t line = i / l.inner / l.n, column = i % l.inner, index = i / l.inner % l.n;
    int64_t base = line * l.n * l.inner + column, own = key_of (l.x, i, l.dtype), rank = 0;
    for (int64_t j = 0; j < l.n && rank < t.k; j++) {
      int64_t other = key_of (l.x, base + j * l.inner, l.dtype);
      rank += (t.largest ? other > own : other < own) || (other == own && j < index);
    }
    if (rank >= t.k)
      continue;
    int64_t to = (line * t.k + rank) * l.inner + column;
    if (t.values != NULL)
      nn_move_element (t.values, to, t.values_type, l.x, i, l.dtype);
    if (t.indices != NULL)
      t.indices[to] = index;
  }
}

static unsigned
blocks_for (int64_t threads)
{
  int64_t blocks = (threads + 255) / 256;
  return (unsigned) (blocks < 65536 ? blocks : 65536);
}

void
nn_cuda_launch_topk_any (const nn_topk *t, cudaStream_t stream)
{
  topk_by_rank<<<blocks_for (t->lines.outer * t->lines.n * t->lines.inner), 256, 0, stream>>> (*t);
}

/* ---- ArgMax, ArgMin: so many lanes a line ---- */

__device__ __forceinline__ bool
is_better (int64_t key, int64_t i, int64_t best_key, int64_t best, bool last)
{
  return key > best_key || (key == best_key && (last ? i > best : i < best));
}

template <int LANES>
static __global__ void
find_extrema (const __grid_constant__ nn_lines l, bool max, bool last, int64_t *y)
{
  const int64_t n_lines = l.outer * l.inner, lane = threadIdx.x % LANES;
  for (int64_t line = ((int64_t) blockIdx.x * blockDim.x + threadIdx.x) / LANES; line < n_lines;
       line += (int64_t) gridDim.x * blockDim.x / LANES) {
    int64_t base = line / l.inner * l.n * l.inner + line % l.inner, best = lane < l.n ? lane : 0, best_key = 0;
    for (int64_t i = best; i < l.n; i += LANES) {
      int64_t key = key_of (l.x, base + i * l.inner, l.dtype);
      key = max ? key : ~key;
      if (i == best || is_better (key, i, best_key, best, last)) {
        best = i;
        best_key = key;
      }
    }
    for (int step = LANES / 2; step > 0; step /= 2) {
      int64_t other_key = __shfl_xor_sync (ALL, best_key, step), other = __shfl_xor_sync (ALL, best, step);
      if (is_better (other_key, other, best_key, best, last)) {
        best = other;
        best_key = other_key;
      }
    }
    if (lane == 0)
      y[line] = best;
  }
}

void
nn_cuda_launch_arg (const nn_lines *lines, bool max, bool last, int64_t *y, cudaStream_t stream)
{
  int64_t n = lines->outer * lines->inner;
  if (lines->inner == 1)
    find_extrema<32><<<blocks_for (n * 32), 256, 0, stream>>> (*lines, max, last, y);
  else
    find_extrema<1><<<blocks_for (n), 256, 0, stream>>> (*lines, max, last, y);
}

/* ---- CumSum: a warp a line, 32 elements at a time ---- */

template <typename Sum>
__device__ __forceinline__ Sum
load_as (const void *x, int64_t i, nn_dtype dtype)
{
  if (dtype == NN_F64)
    return (Sum) ((const double *) x)[i];
  if (dtype == NN_I64 || dtype == NN_I32)
    return (Sum) nn_load_index (x, i, dtype);
  return (Sum) nn_load (x, i, dtype);
}

template <typename Sum>
__device__ __forceinline__ void
store_as (void *y, int64_t i, nn_dtype dtype, Sum x)
{
  if (dtype == NN_F64)
    ((double *) y)[i] = (double) x;
  else if (dtype == NN_I64)
    ((int64_t *) y)[i] = (int64_t) x;
  else if (dtype == NN_I32)
    ((int32_t *) y)[i] = (int32_t) x;
  else
    nn_store (y, i, dtype, (float) x);
}

template <typename Sum>
static __global__ void
sum_lines (const __grid_constant__ nn_lines l, bool exclusive, bool reverse, void *y, nn_dtype y_type)
{
  const int64_t n_lines = l.outer * l.inner;
  const int lane = threadIdx.x % 32;
  for (int64_t line = ((int64_t) blockIdx.x * blockDim.x + threadIdx.x) / 32; line < n_lines;
       line += (int64_t) gridDim.x * blockDim.x / 32) {
    int64_t base = line / l.inner * l.n * l.inner + line % l.inner;
    Sum before = 0;
    for (int64_t first = 0; first < l.n; first += 32) {
      int64_t i = first + lane, at = base + (reverse ? l.n - 1 - i : i) * l.inner;
      Sum own = i < l.n ? load_as<Sum> (l.x, at, l.dtype) : (Sum) 0, sum = own;
      for (int step = 1; step < 32; step *= 2) {
        Sum other = __shfl_up_sync (ALL, sum, step);
        sum += lane >= step ? other : (Sum) 0;
      }
      Sum less = __shfl_up_sync (ALL, sum, 1);
      if (i < l.n)
        store_as (y, at, y_type, before + (exclusive ? (lane > 0 ? less : (Sum) 0) : sum));
      before += __shfl_sync (ALL, sum, 31);
    }
  }
}

void
nn_cuda_launch_cumsum (const nn_lines *lines, bool exclusive, bool reverse, void *y, nn_dtype y_type,
                       cudaStream_t stream)
{
  unsigned blocks = blocks_for (lines->outer * lines->inner * 32);
  if (lines->dtype == NN_I64 || lines->dtype == NN_I32)
    sum_lines<unsigned long long><<<blocks, 256, 0, stream>>> (*lines, exclusive, reverse, y, y_type);
  else
    sum_lines<double><<<blocks, 256, 0, stream>>> (*lines, exclusive, reverse, y, y_type);
}
