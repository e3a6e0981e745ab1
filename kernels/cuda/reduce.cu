/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See reduce.h. Rows (inner 1) are shared out to 1 … 32 lanes or a block each, by their length; columns to a few
 * threads, side by side along the innermost dimension; anything else to a warp a result. */
#include "elements.cuh"
#include "reduce.h"

#include <type_traits>

#define THREADS 256
#define ALL 0xffffffffu

/* ---- what is done with each element, with what threads have, and in the end ---- */

enum combination { SUM, SQUARES, MAX, MIN };

/* NaN wins: no comparison holds for it. */
template <combination how>
__device__ __forceinline__ float
combine (float a, float b)
{
  if (how == MAX)
    return a >= b || a != a ? a : b;
  if (how == MIN)
    return a <= b || a != a ? a : b;
  return a + b;
}

template <combination how>
__device__ __forceinline__ float
take (float so_far, float x)
{
  return combine<how> (so_far, how == SQUARES ? x * x : x);
}

template <combination how>
__device__ __forceinline__ float
start ()
{
  return how == MAX ? -INFINITY : how == MIN ? INFINITY : 0.0f;
}

template <typename Real>
__device__ __forceinline__ Real
finish_real (nn_reduce_kind kind, Real x, int64_t count)
{
  if (kind == NN_REDUCE_MEAN)
    return x / (Real) count;
  if (kind == NN_REDUCE_L2)
    return sqrt (x);
  return kind == NN_REDUCE_LOG_SUM ? log (x) : x;
}

/* ---- rows ---- */

template <typename T, int V>
struct alignas (sizeof (T) * V) pack {
  T at[V];
};

/* `lanes`: a power of two up to 32, or all of the block. */
template <typename T, int V, combination how>
static __global__ void __launch_bounds__ (THREADS)
reduce_rows (const T *__restrict__ x, void *y, nn_dtype y_type, nn_reduce_kind kind, int64_t rows, int64_t n, int lanes)
{
  __shared__ float of_warp[THREADS / 32];
  const int64_t row = ((int64_t) blockIdx.x * THREADS + threadIdx.x) / lanes;
  const int lane = threadIdx.x & (lanes - 1);
  float best = start<how> ();
  if (row < rows) {
    const pack<T, V> *from = (const pack<T, V> *) (x + row * n);
#pragma unroll 4
    for (int64_t i = lane; i < n / V; i += lanes) {
      pack<T, V> part = from[i];
#pragma unroll
      for (int v = 0; v < V; v++)
        best = take<how> (best, nn_to_float (part.at[v]));
    }
  }
  for (int step = (lanes < 32 ? lanes : 32) / 2; step > 0; step /= 2)
    best = combine<how> (best, __shfl_xor_sync (ALL, best, step));
  if (lanes > 32) {
    if (threadIdx.x % 32 == 0)
      of_warp[threadIdx.x / 32] = best;
    __syncthreads ();
    best = of_warp[0];
    for (int w = 1; w < THREADS / 32; w++)
      best = combine<how> (best, of_warp[w]);
  }
  if (lane == 0 && row < rows)
    nn_store (y, row, y_type, finish_real (kind, best, n));
}

/* Few elements for each lane where there are few rows, so that more of the device has work. */
static int
lanes_for (int64_t rows, int64_t units)
{
  int lanes = 1;
  if (units > 512)
    return THREADS;
  while (lanes < 32 && (lanes * 8 <= units || (lanes * 4 <= units && rows * lanes < 65536)))
    lanes *= 2;
  return lanes;
}

template <typename T, int V, combination how>
static void
launch_rows (const nn_reduction *r, cudaStream_t stream)
{
  int lanes = lanes_for (r->results, r->count / V);
  int64_t blocks = (r->results * lanes + THREADS - 1) / THREADS;
  reduce_rows<T, V, how><<<(unsigned) blocks, THREADS, 0, stream>>> ((const T *) r->x, r->y, r->y_type, r->kind,
                                                                     r->results, r->count, lanes);
}

/* ---- columns ---- */

#define MOST_COLUMN_THREADS 1024

/* A block does blockDim.x columns, each by blockDim.y threads. */
template <typename T, combination how>
static __global__ void __launch_bounds__ (MOST_COLUMN_THREADS)
reduce_columns (const T *__restrict__ x, void *y, nn_dtype y_type, nn_reduce_kind kind, int64_t n, int64_t inner,
                int64_t blocks_across)
{
  __shared__ float parts[MOST_COLUMN_THREADS];
  const int64_t outer = blockIdx.x / blocks_across, column = blockIdx.x % blocks_across * blockDim.x + threadIdx.x;
  const T *from = x + outer * n * inner + column;
  float best = start<how> ();
#pragma unroll 4
  for (int64_t i = threadIdx.y; column < inner && i < n; i += blockDim.y)
    best = take<how> (best, nn_to_float (from[i * inner]));
  parts[threadIdx.y * blockDim.x + threadIdx.x] = best;
  __syncthreads ();
  if (threadIdx.y != 0 || column >= inner)
    return;
  for (int i = 1; i < blockDim.y; i++)
    best = combine<how> (best, parts[i * blockDim.x + threadIdx.x]);
  nn_store (y, outer * inner + column, y_type, finish_real (kind, best, n));
}

template <typename T, combination how>
static void
launch_columns (const nn_reduction *r, cudaStream_t stream)
{
  unsigned height = 1;
  while (height < 32 && height * 8 <= r->count)
    height *= 2;
  unsigned width = height < 8 ? THREADS / height : 32;
  int64_t across = (r->inner + width - 1) / width, outer = r->results / r->inner;
  reduce_columns<T, how><<<(unsigned) (across * outer), dim3 (width, height), 0, stream>>> (
      (const T *) r->x, r->y, r->y_type, r->kind, r->count, r->inner, across);
}

/* ---- which of them ---- */

template <typename T, combination how>
static void
launch_fast (const nn_reduction *r, cudaStream_t stream)
{
  constexpr int most = 16 / sizeof (T);
  if (r->inner > 1)
    launch_columns<T, how> (r, stream);
  else if (r->count % most == 0 && (uintptr_t) r->x % 16 == 0)
    launch_rows<T, most, how> (r, stream);
  else
    launch_rows<T, 1, how> (r, stream);
}

template <typename T>
static void
launch_kind (const nn_reduction *r, cudaStream_t stream)
{
  switch (r->kind) {
  case NN_REDUCE_MAX:
    launch_fast<T, MAX> (r, stream);
    break;
  case NN_REDUCE_MIN:
    launch_fast<T, MIN> (r, stream);
    break;
  case NN_REDUCE_L2:
  case NN_REDUCE_SUM_SQUARE:
    launch_fast<T, SQUARES> (r, stream);
    break;
  default:
    launch_fast<T, SUM> (r, stream);
  }
}

bool
nn_cuda_reduces_fast (const nn_reduction *r)
{
  bool is_float = r->x_type == NN_F32 || r->x_type == NN_F16 || r->x_type == NN_BF16;
  return is_float && r->inner > 0 && r->count > 0 && r->kind != NN_REDUCE_PROD && r->kind != NN_REDUCE_L1
         && r->kind != NN_REDUCE_LOG_SUM_EXP;
}

void
nn_cuda_launch_reduce_fast (const nn_reduction *r, cudaStream_t stream)
{
  NN_WITH_FLOAT_TYPE (r->x_type, T, launch_kind<T> (r, stream));
}

/* ---- anything: a warp a result ---- */

/* Integers: as int64, which every smaller result wraps around like. */
template <typename Number>
__device__ __forceinline__ Number
load_as (const void *x, int64_t i, nn_dtype dtype)
{
  if constexpr (sizeof (Number) == sizeof (float))
    return nn_load (x, i, dtype);
  else
    return dtype == NN_F64 ? (Number) ((const double *) x)[i] : (Number) nn_load_index (x, i, dtype);
}

template <typename Number>
__device__ __forceinline__ void
store_as (void *y, int64_t i, nn_dtype dtype, Number x)
{
  if constexpr (sizeof (Number) == sizeof (float))
    nn_store (y, i, dtype, x);
  else if (dtype == NN_F64)
    ((double *) y)[i] = (double) x;
  else if (dtype == NN_I64)
    ((int64_t *) y)[i] = (int64_t) x;
  else
    ((int32_t *) y)[i] = (int32_t) (int64_t) x;
}

/* Numbers that wrap around do so as unsigned ones. */
__device__ __forceinline__ float add (float a, float b) { return a + b; }
__device__ __forceinline__ double add (double a, double b) { return a + b; }
__device__ __forceinline__ int64_t add (int64_t a, int64_t b) { return (int64_t) ((uint64_t) a + (uint64_t) b); }
__device__ __forceinline__ float multiply (float a, float b) { return a * b; }
__device__ __forceinline__ double multiply (double a, double b) { return a * b; }
__device__ __forceinline__ int64_t multiply (int64_t a, int64_t b) { return (int64_t) ((uint64_t) a * (uint64_t) b); }

template <typename Number>
__device__ __forceinline__ Number
combine_any (nn_reduce_kind kind, Number a, Number b)
{
  if (kind == NN_REDUCE_MAX)
    return a >= b || a != a ? a : b;
  if (kind == NN_REDUCE_MIN)
    return a <= b || a != a ? a : b;
  return kind == NN_REDUCE_PROD ? multiply (a, b) : add (a, b);
}

/* What an element counts as; `shift` is the largest of them. */
template <typename Number>
__device__ __forceinline__ Number
map_any (nn_reduce_kind kind, Number x, Number shift)
{
  if (kind == NN_REDUCE_L1)
    return x < 0 ? multiply (x, (Number) -1) : x;
  if (kind == NN_REDUCE_L2 || kind == NN_REDUCE_SUM_SQUARE)
    return multiply (x, x);
  if constexpr (std::is_floating_point<Number>::value)
    if (kind == NN_REDUCE_LOG_SUM_EXP)
      return exp (x - shift);
  return x;
}

template <typename Number>
__device__ __forceinline__ Number
start_any (nn_reduce_kind kind)
{
  if (kind != NN_REDUCE_MAX && kind != NN_REDUCE_MIN)
    return kind == NN_REDUCE_PROD ? 1 : 0;
  if constexpr (std::is_floating_point<Number>::value)
    return kind == NN_REDUCE_MAX ? (Number) -INFINITY : (Number) INFINITY;
  else
    return kind == NN_REDUCE_MAX ? INT64_MIN : INT64_MAX;
}

/* All lanes get the same. */
template <typename Number>
__device__ __forceinline__ Number
reduce_region (const nn_reduction &r, nn_reduce_kind kind, int64_t base, Number shift)
{
  Number so_far = start_any<Number> (kind);
  int32_t at[1];
  for (int64_t i = threadIdx.x % 32; i < r.count; i += 32) {
    nn_walk_to<1> (r.region, (uint32_t) i, at);
    so_far = combine_any (kind, so_far, map_any (kind, load_as<Number> (r.x, base + at[0], r.x_type), shift));
  }
  for (int step = 16; step > 0; step /= 2)
    so_far = combine_any (kind, so_far, (Number) __shfl_xor_sync (ALL, so_far, step));
  return so_far;
}

template <typename Number>
static __global__ void __launch_bounds__ (THREADS)
reduce_any (const __grid_constant__ nn_reduction r)
{
  const int64_t i = ((int64_t) blockIdx.x * THREADS + threadIdx.x) / 32;
  constexpr bool whole = std::is_integral<Number>::value;
  int32_t base[1];
  Number shift = 0, y;
  if (i >= r.results)
    return;
  nn_walk_to<1> (r.outer, (uint32_t) i, base);
  if constexpr (!whole)
    if (r.kind == NN_REDUCE_LOG_SUM_EXP) {
      shift = reduce_region<Number> (r, NN_REDUCE_MAX, base[0], 0);
      shift = isinf (shift) ? 0 : shift;
    }
  y = reduce_region<Number> (r, r.kind, base[0], shift);
  if constexpr (whole)
    y = r.kind == NN_REDUCE_MEAN ? y / r.count : y;
  else
    y = r.kind == NN_REDUCE_LOG_SUM_EXP ? log (y) + shift : finish_real (r.kind, y, r.count);
  if (threadIdx.x % 32 == 0)
    store_as (r.y, i, r.y_type, y);
}

void
nn_cuda_launch_reduce_any (const nn_reduction *r, cudaStream_t stream)
{
  unsigned blocks = (unsigned) ((r->results * 32 + THREADS - 1) / THREADS);
  if (r->x_type == NN_F64)
    reduce_any<double><<<blocks, THREADS, 0, stream>>> (*r);
  else if (r->x_type == NN_I64 || r->x_type == NN_I32)
    reduce_any<int64_t><<<blocks, THREADS, 0, stream>>> (*r);
  else
    reduce_any<float><<<blocks, THREADS, 0, stream>>> (*r);
}
