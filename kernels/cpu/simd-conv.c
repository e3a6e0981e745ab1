/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simd-level.h"

#include <string.h>

#define TILE_COLS (LANES * TILE_VECTORS)

/* sum[row × vectors + v] += Σ_t Σ_k a · w */
static inline __attribute__ ((always_inline)) void
multiply (const nn_tile *tile, int vectors, vec *sum)
{
  const float *w = tile->w;
  for (int64_t t = 0; t < tile->taps; t++) {
    const float *const *a = tile->a + t * NN_TILE_ROWS;
    const float *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3], *a4 = a[4], *a5 = a[5];
    for (int64_t k = 0; k < tile->k; k++, w += vectors * LANES) {
      vec b[TILE_VECTORS];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++)
        b[v] = *(const vec *) (w + v * LANES);
#define MULTIPLY_ROW(row)           \
  _Pragma ("GCC unroll 4")          \
  for (int v = 0; v < vectors; v++) \
    sum[row * vectors + v] += a##row[k] * b[v];
      MULTIPLY_ROW (0)
      MULTIPLY_ROW (1)
      MULTIPLY_ROW (2)
      MULTIPLY_ROW (3)
      MULTIPLY_ROW (4)
      MULTIPLY_ROW (5)
    }
  }
}

/* The slow way out: a tile that does not end with a whole vector, or has an unusual activation. */
static __attribute__ ((noinline)) void
store_partial (const nn_tile *tile, int width, float *row)
{
  for (int i = 0; i < tile->rows; i++, row += width) {
    if (tile->residual)
      for (int j = 0; j < tile->cols; j++)
        row[j] += tile->residual[i * tile->residual_stride + j];
    if (tile->activation.kind != NN_ACT_NONE)
      NN_SIMD_TABLE (math).activate (&tile->activation, tile->cols, row, row);
    memcpy (tile->c + i * tile->c_stride, row, (size_t) tile->cols * sizeof (float));
  }
}

static inline __attribute__ ((always_inline)) void
store (const nn_tile *tile, int vectors, vec *sum)
{
#pragma GCC unroll 6
  for (int i = 0; i < NN_TILE_ROWS; i++)
    if (tile->residual && i < tile->rows) {
      const float *residual = tile->residual + i * tile->residual_stride;
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++)
        sum[i * vectors + v] += *(const vec *) (residual + v * LANES);
    }
  activate_vectors (&tile->activation, NN_TILE_ROWS * vectors, sum);
#pragma GCC unroll 6
  for (int i = 0; i < NN_TILE_ROWS; i++)
    if (i < tile->rows) {
      float *c = tile->c + i * tile->c_stride;
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++)
        *(vec *) (c + v * LANES) = sum[i * vectors + v];
    }
}

static inline __attribute__ ((always_inline)) void
tile_of (const nn_tile *tile, int vectors)
{
  vec sum[NN_TILE_ROWS * TILE_VECTORS];
#pragma GCC unroll 6
  for (int i = 0; i < NN_TILE_ROWS; i++)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++)
      sum[i * vectors + v] = tile->bias ? *(const vec *) (tile->bias + v * LANES) : (vec) { 0 };
  multiply (tile, vectors, sum);
  if (tile->cols == vectors * LANES && is_applied_to_vectors (tile->activation.kind)) {
    store (tile, vectors, sum);
    return;
  }
  float row[NN_TILE_ROWS * TILE_COLS];
#pragma GCC unroll 24
  for (int i = 0; i < NN_TILE_ROWS * vectors; i++)
    *(vec *) (row + i * LANES) = sum[i];
  store_partial (tile, vectors * LANES, row);
}

static void
tile_any (const nn_tile *tile)
{
  switch ((tile->cols + LANES - 1) / LANES) {
    case 1:
      tile_of (tile, 1);
      break;
    case 2:
      tile_of (tile, 2);
      break;
#if TILE_VECTORS == 4
    case 3:
      tile_of (tile, 3);
      break;
    default:
      tile_of (tile, 4);
      break;
#endif
  }
}

const nn_simd_conv NN_SIMD_TABLE (conv) = {
  .lanes = LANES,
  .tile_cols = TILE_COLS,
  .tile = tile_any,
  .depthwise = NN_SIMD_DEPTHWISE,
  .winograd_in = NN_SIMD_WINOGRAD_IN,
  .winograd_out = NN_SIMD_WINOGRAD_OUT,
};
