/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of matrices whose right side is packed once: panels of simd->tile_cols columns, each row
 * by row, the last one padded with zeros to whole vectors.
 */
#pragma once

#include "simd.h"

typedef struct nn_product {
  const nn_simd_conv *simd;
  int64_t inner, columns;
} nn_product;

/* The left side, what is added, and the result; the rows of each are contiguous, their strides in
 * elements. */
typedef struct nn_product_rows {
  const float *a, *residual; /* residual NULL: none */
  float *c;
  int64_t n, a_stride, residual_stride, c_stride;
} nn_product_rows;

int64_t nn_product_packed_columns (const nn_product *product); /* columns rounded up to whole vectors */
size_t nn_product_packed_bytes (const nn_product *product);    /* a multiple of 64 */

/* Element (k, j) of the right side is b[k row_step + j column_step]. */
void nn_product_pack (const nn_product *product, const float *b, int64_t row_step, int64_t column_step,
                      float *to);

/* c = activation (a · packed + bias + residual); `bias` has the packed columns' count, or is NULL. */
void nn_product_run (const nn_product *product, const float *packed, const float *bias,
                     const nn_product_rows *rows, const nn_activation *activation);

/* The same on all threads of the session. */
void nn_product_share (const nn_product *product, const float *packed, const float *bias,
                       const nn_product_rows *rows, const nn_activation *activation);
