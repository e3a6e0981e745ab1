/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inner loops that are compiled once for each instruction set (meson.build) from the same plain C
 * with GCC's and Clang's vector types; simd.c picks the best that the processor runs.
 */
#pragma once

#include "../graph/graph.h"

static inline int64_t
nn_round_up (int64_t n, int64_t unit)
{
  return (n + unit - 1) / unit * unit;
}

#define NN_TILE_ROWS 6

/* One tile of a product of matrices, which also is one of a convolution over channels-last
 * memory: row i of the tile is an output pixel, a tap is one position of the filter.
 *
 *   c[i][j] = activation (Σ_t Σ_k a[t][i][k] · w[t][k][j] + bias[j] + residual[i][j])
 *
 * for i < rows ≤ NN_TILE_ROWS and j < cols ≤ tile_cols. */
typedef struct nn_tile {
  const float *const *a; /* taps × NN_TILE_ROWS pointers; those of unused rows are readable too */
  const float *w;        /* taps × k × cols rounded up to `lanes` */
  const float *bias;     /* cols rounded up to `lanes`; NULL: 0 */
  const float *residual; /* NULL: none */
  float *c;
  int64_t taps, k, c_stride, residual_stride; /* strides in elements */
  int rows, cols;
  nn_activation activation;
} nn_tile;

/* A depthwise convolution (one filter a channel) over channels-last memory. y and residual are those
 * of the first row that depthwise() is asked for. */
typedef struct nn_depthwise {
  const float *x;        /* the image's first element; channels contiguous */
  const float *w;        /* kh × kw × channels */
  const float *bias;     /* channels; NULL: 0 */
  const float *residual; /* NULL: none */
  float *y;
  int64_t channels, height, width, out_height, out_width;
  int64_t x_row, x_col, y_row, y_col, residual_row,
      residual_col; /* elements from row to row, from pixel to pixel */
  int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  nn_activation activation;
} nn_depthwise;

/* Winograd's F(4×4, 3×3): an output tile of 4 × 4 pixels from an input tile of 6 × 6, each by way of
 * 36 positions, `step` elements apart. Channels: a multiple of `lanes`, contiguous. */
typedef struct nn_winograd_in {
  const float *const *pixels; /* 36, row by row; those outside the image point at zeros */
  int64_t channels, step;
  float *to;
} nn_winograd_in;

typedef struct nn_winograd_out {
  const float *from, *bias;
  const float *residual; /* NULL: none */
  float *y;
  int64_t channels, step, y_row, y_col, residual_row, residual_col;
  int rows, cols; /* 1 … 4 of the tile that lie in the image */
  nn_activation activation;
} nn_winograd_out;

/* Packed weights up to this size are read once for each tile of rows, so that each row is read
 * once: a small second-level cache holds them. Of larger ones a panel of columns is. */
#define NN_SIMD_CACHED_BYTES (256 * 1024)

typedef struct nn_simd_conv {
  int lanes;     /* of a vector of floats */
  int tile_cols; /* a multiple of it */
  void (*tile) (const nn_tile *tile);
  void (*depthwise) (const nn_depthwise *conv, int64_t first_row, int64_t end_row);
  void (*winograd_in) (const nn_winograd_in *tile);
  void (*winograd_out) (const nn_winograd_out *tile);
} nn_simd_conv;

typedef enum nn_binary_kind { NN_BINARY_ADD, NN_BINARY_SUB, NN_BINARY_MUL, NN_BINARY_DIV } nn_binary_kind;

typedef struct nn_moments {
  float mean, variance; /* of all elements, not of a sample */
} nn_moments;

typedef struct nn_simd_math {
  /* y = f (x); both contiguous, may be the same. Maximum error: 2 units in the last place for
   * SIGMOID, SILU and TANH, 1e-6 relative to max (1, |x|) for GELU, exact arithmetic else. */
  void (*activate) (const nn_activation *activation, int64_t n, const float *x, float *y);
  /* y[i] = a[i · step_a] op b[i · step_b], steps 0 or 1. */
  void (*binary) (nn_binary_kind kind, int64_t n, const float *a, int64_t step_a, const float *b,
                  int64_t step_b, float *y);
  void (*scale_shift) (int64_t n, const float *x, const float *scale, const float *shift, float *y);
  void (*add_scaled) (int64_t n, float factor, const float *x, float *sum); /* sum += factor x */
  void (*accumulate) (int64_t n, const float *x, float *sum); /* sum += x */
  void (*maximum) (int64_t n, const float *x, float *max);    /* max = max (max, x); NaN stays */
  float (*largest) (int64_t n, const float *x); /* -INFINITY of none; NaN does not count */
  /* Of (x > threshold ? table : fill); n ≥ 1, no NaN in the table. */
  float (*masked_largest) (int64_t n, const float *x, float threshold, const float *table, float fill);
  float (*masked_smallest) (int64_t n, const float *x, float threshold, const float *table, float fill);
  int64_t (*count_above) (int64_t n, const float *x, float threshold);
  /* y[i] = Σ_k weight[k] · row[k][i] for k < rows */
  void (*weighted_sum) (int64_t n, int64_t rows, const float *const *row, const float *weight, float *y);
  /* y = exp (x - shift); returns the sum of y. */
  float (*exp_sum) (int64_t n, float shift, const float *x, float *y);
  /* y = f (x); contiguous, may be the same. Maximum error: 4 units in the last place, sqrt exact;
   * exp is 0 where it would be denormal. */
  void (*exp) (int64_t n, const float *x, float *y);
  void (*erf) (int64_t n, const float *x, float *y);
  void (*sqrt) (int64_t n, const float *x, float *y);
  nn_moments (*moments) (int64_t n, const float *x);
  /* y = (x - mean) factor scale + bias; bias NULL: 0. */
  void (*normalize) (int64_t n, const float *x, float mean, float factor, const float *scale, const float *bias,
                     float *y);
} nn_simd_math;

/* The best that the processor runs; the baseline's while nn_cpu_chosen() says so. */
const nn_simd_conv *nn_simd_conv_kernels (void);
const nn_simd_math *nn_simd_math_kernels (void);
