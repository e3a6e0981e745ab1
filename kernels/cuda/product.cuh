/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernels of product.cu and product-float.cu share: where a block's tile lies, and what comes behind the sums:
 * scale, bias, residual, activation. */
#pragma once

#include "product.h"

#include "activation.cuh"
#include "dtype.cuh"

typedef nn_cuda_product_problem problem_t;

/* What the host knows of the pointers. */
struct product_args {
  nn_cuda_product_args a;
  bool whole_d, whole_residual, whole_bias; /* 8 columns can be stored and loaded at once */
};

/* Where a block's tile lies: elements from each matrix, and its first row and column. */
struct place {
  int64_t a, b, d, residual;
  int row, column;
};

static __device__ __forceinline__ void
add_batch (const problem_t &p, unsigned batch, place *at)
{
  at->a = at->b = at->d = at->residual = 0;
  for (int i = p.n_batch - 1; i >= 0; i--) {
    unsigned index = batch % (unsigned) p.batch[i].n;
    batch /= (unsigned) p.batch[i].n;
    at->a += index * p.batch[i].a;
    at->b += index * p.batch[i].b;
    at->d += index * p.batch[i].d;
    at->residual += index * p.batch[i].residual;
  }
}

/* Neighbouring blocks have the same rows of A. */
template <int ROWS, int COLUMNS>
static __device__ __forceinline__ place
find_place (const problem_t &p)
{
  unsigned across = (unsigned) ((p.n + COLUMNS - 1) / COLUMNS), down = (unsigned) ((p.m + ROWS - 1) / ROWS);
  unsigned tile = blockIdx.x / across;
  place at;
  add_batch (p, tile / down, &at);
  at.row = (int) (tile % down) * ROWS;
  at.column = (int) (blockIdx.x % across) * COLUMNS;
  at.a += at.row * p.a_row;
  at.b += at.column * p.b_column;
  return at;
}

/* ---- what comes behind the sums ---- */

static __device__ __forceinline__ void
load_8 (const void *data, int64_t at, nn_dtype dtype, float (&x)[8])
{
  if (dtype == NN_F32) {
    const float4 *from = (const float4 *) ((const float *) data + at);
    float4 low = from[0], high = from[1];
    x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
    x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
    return;
  }
  uint4 bits = *(const uint4 *) ((const __half *) data + at);
  for (int i = 0; i < 8; i++)
    x[i] = dtype == NN_F16 ? __half2float (((const __half *) &bits)[i])
                           : __bfloat162float (((const __nv_bfloat16 *) &bits)[i]);
}

/* The first `n` of them, or all at once. */
static __device__ __forceinline__ void
add_8 (const void *data, int64_t at, nn_dtype dtype, bool whole, int n, float (&x)[8])
{
  float added[8];
  if (whole)
    load_8 (data, at, dtype, added);
  else
    for (int i = 0; i < 8; i++)
      added[i] = i < n ? nn_load (data, at + i, dtype) : 0;
  for (int i = 0; i < 8; i++)
    x[i] += added[i];
}

static __device__ __forceinline__ void
store_8 (void *data, int64_t at, nn_dtype dtype, const float (&x)[8])
{
  if (dtype == NN_F32) {
    float4 *to = (float4 *) ((float *) data + at);
    to[0] = make_float4 (x[0], x[1], x[2], x[3]);
    to[1] = make_float4 (x[4], x[5], x[6], x[7]);
    return;
  }
  uint4 bits;
  for (int i = 0; i < 8; i++)
    if (dtype == NN_F16)
      ((__half *) &bits)[i] = nn_from_float<__half> (x[i]);
    else
      ((__nv_bfloat16 *) &bits)[i] = nn_from_float<__nv_bfloat16> (x[i]);
  *(uint4 *) ((__half *) data + at) = bits;
}

/* Finishes and stores the sums of 8 columns from `column` on (fewer at the right edge). */
static __device__ __forceinline__ void
finish_8 (const product_args &args, const place &at, int64_t row, int column, float (&x)[8])
{
  const problem_t &p = args.a.problem;
  int64_t d = at.d + row * p.d_row + column, residual = at.residual + row * p.residual_row + column;
  int n = (int) p.n - column;
  for (int i = 0; i < 8; i++)
    x[i] *= p.scale;
  if (args.a.bias != NULL)
    add_8 (args.a.bias, column, NN_F32, args.whole_bias, n, x);
  if (p.residual != NN_DTYPE_NONE)
    add_8 (args.a.residual, residual, p.residual, args.whole_residual, n, x);
  nn_activate_each (x, p.activation);
  if (args.whole_d)
    store_8 (args.a.d, d, p.result, x);
  else
    for (int i = 0; i < 8; i++)
      if (i < n)
        nn_store (args.a.d, d + i, p.result, x[i]);
}

/* Rows of sums in shared memory are 8 numbers apart from each other's end: threads of a warp that write fragments
 * meet in no bank. */
template <int COLUMNS>
struct sums_of {
  static constexpr int stride = COLUMNS + 8;
};

/* The tile's sums lie in `planes` planes, which are added in their order. */
template <int ROWS, int COLUMNS, int PLANES, int THREADS>
static __device__ __forceinline__ void
finish_tile (const product_args &args, const place &at, const float *sums)
{
  constexpr int runs = COLUMNS / 8, stride = sums_of<COLUMNS>::stride;
  for (int i = threadIdx.x; i < ROWS * runs; i += THREADS) {
    int row = i / runs, column = i % runs * 8;
    if (at.row + row >= args.a.problem.m || at.column + column >= args.a.problem.n)
      continue;
    float x[8], more[8];
    load_8 (sums, row * stride + column, NN_F32, x);
    for (int plane = 1; plane < PLANES; plane++) {
      load_8 (sums, (plane * ROWS + row) * stride + column, NN_F32, more);
      for (int j = 0; j < 8; j++)
        x[j] += more[j];
    }
    finish_8 (args, at, at.row + row, at.column + column, x);
  }
}

/* ---- launching ---- */

static inline bool
is_aligned (const void *p)
{
  return ((uintptr_t) p & 15) == 0;
}

static inline product_args
make_args (const nn_cuda_product_args *args)
{
  const problem_t &p = args->problem;
  product_args all = { *args, false, false, false };
  all.whole_bias = p.n % 8 == 0 && is_aligned (args->bias);
  all.whole_d = p.n % 8 == 0 && p.d_row % 8 == 0 && is_aligned (args->d);
  all.whole_residual = p.n % 8 == 0 && p.residual_row % 8 == 0 && is_aligned (args->residual);
  for (int i = 0; i < p.n_batch; i++) {
    all.whole_d = all.whole_d && p.batch[i].d % 8 == 0;
    all.whole_residual = all.whole_residual && p.batch[i].residual % 8 == 0;
  }
  return all;
}
