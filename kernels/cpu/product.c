/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "product.h"

#include "parallel.h"

int64_t
nn_product_packed_columns (const nn_product *product)
{
  return nn_round_up (product->columns, product->simd->lanes);
}

size_t
nn_product_packed_bytes (const nn_product *product)
{
  return (size_t) nn_round_up (product->inner * nn_product_packed_columns (product) * (int64_t) sizeof (float),
                           64);
}

static int64_t
panel_columns (const nn_product *product, int64_t first)
{
  int64_t left = product->columns - first;
  return left < product->simd->tile_cols ? left : product->simd->tile_cols;
}

void
nn_product_pack (const nn_product *product, const float *b, int64_t row_step, int64_t column_step, float *to)
{
  for (int64_t first = 0; first < product->columns; first += product->simd->tile_cols) {
    int64_t columns = panel_columns (product, first), width = nn_round_up (columns, product->simd->lanes);
    for (int64_t k = 0; k < product->inner; k++, to += width)
      for (int64_t j = 0; j < width; j++)
        to[j] = j < columns ? b[k * row_step + (first + j) * column_step] : 0;
  }
}

static void
run_tile (const nn_product *product, const float *packed, const float *bias, const nn_product_rows *rows,
          const nn_activation *activation, int64_t row, int64_t first)
{
  const float *a[NN_TILE_ROWS];
  int n = rows->n - row < NN_TILE_ROWS ? (int) (rows->n - row) : NN_TILE_ROWS;
  for (int i = 0; i < NN_TILE_ROWS; i++)
    a[i] = rows->a + (row + (i < n ? i : n - 1)) * rows->a_stride;
  nn_tile tile = { .a = a, .w = packed + first * product->inner, .bias = bias ? bias + first : NULL,
                   .residual = rows->residual ? rows->residual + row * rows->residual_stride + first : NULL,
                   .c = rows->c + row * rows->c_stride + first, .taps = 1, .k = product->inner,
                   .c_stride = rows->c_stride, .residual_stride = rows->residual_stride, .rows = n,
                   .cols = (int) panel_columns (product, first), .activation = *activation };
  product->simd->tile (&tile);
}

void
nn_product_run (const nn_product *product, const float *packed, const float *bias,
                const nn_product_rows *rows, const nn_activation *activation)
{
  int64_t step = product->simd->tile_cols;
  if (nn_product_packed_bytes (product) <= NN_SIMD_CACHED_BYTES) {
    for (int64_t row = 0; row < rows->n; row += NN_TILE_ROWS)
      for (int64_t first = 0; first < product->columns; first += step)
        run_tile (product, packed, bias, rows, activation, row, first);
  } else {
    for (int64_t first = 0; first < product->columns; first += step)
      for (int64_t row = 0; row < rows->n; row += NN_TILE_ROWS)
        run_tile (product, packed, bias, rows, activation, row, first);
  }
}

typedef struct shared_product {
  const nn_product *product;
  const float *packed, *bias;
  const nn_product_rows *rows;
  const nn_activation *activation;
} shared_product;

static void
run_tiles (const void *arg, int64_t begin, int64_t end, int thread)
{
  const shared_product *s = arg;
  nn_product_rows rows = *s->rows;
  int64_t first = begin * NN_TILE_ROWS, last = end * NN_TILE_ROWS;
  rows.n = (last < rows.n ? last : rows.n) - first;
  rows.a += first * rows.a_stride;
  rows.c += first * rows.c_stride;
  if (rows.residual != NULL)
    rows.residual += first * rows.residual_stride;
  nn_product_run (s->product, s->packed, s->bias, &rows, s->activation);
}

void
nn_product_share (const nn_product *product, const float *packed, const float *bias,
                  const nn_product_rows *rows, const nn_activation *activation)
{
  shared_product s = { product, packed, bias, rows, activation };
  int64_t tiles = (rows->n + NN_TILE_ROWS - 1) / NN_TILE_ROWS, each = tiles / nn_cpu_threads ();
  int64_t least = nn_cpu_least (NN_TILE_ROWS * product->inner * product->columns);
  bool cached = nn_product_packed_bytes (product) <= NN_SIMD_CACHED_BYTES;
  nn_cpu_share (tiles, cached || each < least ? least : each, run_tiles, &s);
}
