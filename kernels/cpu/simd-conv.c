/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simd-level.h"

#include <string.h>

#define TILE_COLS (LANES * TILE_VECTORS)

/* Which neighbours of 0 … end - 1 a filter of `taps` may read at `start`: first and end tap. */
static inline void
valid_taps (int64_t start, int64_t taps, int64_t dilation, int64_t end, int64_t *first, int64_t *last)
{
  *first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  int64_t room = end - start;
  int64_t fit = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  *last = fit < taps ? fit : taps;
}

/* ---- products of matrices ---- */

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

/* ---- depthwise ---- */

enum { DEPTHWISE_PIXELS = 6 };

typedef struct window { /* the filter's taps that lie inside the image */
  const float *x;       /* the first such tap of the first pixel */
  const float *w;
  int64_t rows, cols, x_row, x_col, x_pixel, w_row, w_col;
} window;

/* `pixels` neighbours in a row, one vector of channels. */
static inline __attribute__ ((always_inline)) void
depthwise_vector (const window *win, const nn_depthwise *conv, int pixels, int64_t channel, float *y,
                  const float *residual)
{
  vec sum[DEPTHWISE_PIXELS];
#pragma GCC unroll 6
  for (int p = 0; p < pixels; p++)
    sum[p] = conv->bias ? *(const vec *) (conv->bias + channel) : (vec) { 0 };
  for (int64_t ky = 0; ky < win->rows; ky++) {
    const float *x = win->x + ky * win->x_row + channel;
    const float *w = win->w + ky * win->w_row + channel;
    for (int64_t kx = 0; kx < win->cols; kx++, x += win->x_col, w += win->w_col) {
      vec tap = *(const vec *) w;
#pragma GCC unroll 6
      for (int p = 0; p < pixels; p++)
        sum[p] += tap * *(const vec *) (x + p * win->x_pixel);
    }
  }
#pragma GCC unroll 6
  for (int p = 0; p < pixels; p++)
    if (residual)
      sum[p] += *(const vec *) (residual + p * conv->residual_col + channel);
  activate_vectors (&conv->activation, pixels, sum);
#pragma GCC unroll 6
  for (int p = 0; p < pixels; p++)
    *(vec *) (y + p * conv->y_col + channel) = sum[p];
}

static inline void
depthwise_scalar (const window *win, const nn_depthwise *conv, int pixels, int64_t channel, float *y,
                  const float *residual)
{
  for (int p = 0; p < pixels; p++) {
    float sum = conv->bias ? conv->bias[channel] : 0;
    for (int64_t ky = 0; ky < win->rows; ky++)
      for (int64_t kx = 0; kx < win->cols; kx++)
        sum += win->x[ky * win->x_row + kx * win->x_col + p * win->x_pixel + channel]
               * win->w[ky * win->w_row + kx * win->w_col + channel];
    if (residual)
      sum += residual[p * conv->residual_col + channel];
    if (is_applied_to_vectors (conv->activation.kind))
      NN_SIMD_TABLE (math).activate (&conv->activation, 1, &sum, &sum);
    y[p * conv->y_col + channel] = sum;
  }
}

static inline __attribute__ ((always_inline)) void
depthwise_pixels (const window *win, const nn_depthwise *conv, int pixels, float *y, const float *residual)
{
  int64_t channel = 0;
  for (; channel + LANES <= conv->channels; channel += LANES)
    depthwise_vector (win, conv, pixels, channel, y, residual);
  for (; channel < conv->channels; channel++)
    depthwise_scalar (win, conv, pixels, channel, y, residual);
  for (int p = 0; p < pixels && !is_applied_to_vectors (conv->activation.kind); p++)
    NN_SIMD_TABLE (math).activate (&conv->activation, conv->channels, y + p * conv->y_col,
                                   y + p * conv->y_col);
}

static void
depthwise_row (const nn_depthwise *conv, int64_t oy, int64_t y_index)
{
  int64_t ky, ky_end, start_y = oy * conv->stride_h - conv->pad_top;
  valid_taps (start_y, conv->kh, conv->dilation_h, conv->height, &ky, &ky_end);
  window win = { .rows = ky_end > ky ? ky_end - ky : 0,
                 .x_row = conv->dilation_h * conv->x_row,
                 .x_col = conv->dilation_w * conv->x_col,
                 .x_pixel = conv->stride_w * conv->x_col,
                 .w_row = conv->kw * conv->channels,
                 .w_col = conv->channels };
  for (int64_t ox = 0; ox < conv->out_width;) {
    int64_t kx, kx_end, start_x = ox * conv->stride_w - conv->pad_left;
    valid_taps (start_x, conv->kw, conv->dilation_w, conv->width, &kx, &kx_end);
    int64_t last_x = start_x + (DEPTHWISE_PIXELS - 1) * conv->stride_w + (conv->kw - 1) * conv->dilation_w;
    bool whole = start_x >= 0 && last_x < conv->width && ox + DEPTHWISE_PIXELS <= conv->out_width;
    win.cols = kx_end > kx ? kx_end - kx : 0;
    win.x = conv->x + (start_y + ky * conv->dilation_h) * conv->x_row
            + (start_x + kx * conv->dilation_w) * conv->x_col;
    win.w = conv->w + ky * win.w_row + kx * win.w_col;
    int64_t at = y_index * conv->y_row + ox * conv->y_col;
    const float *residual = conv->residual
                              ? conv->residual + y_index * conv->residual_row + ox * conv->residual_col
                              : NULL;
    if (whole)
      depthwise_pixels (&win, conv, DEPTHWISE_PIXELS, conv->y + at, residual);
    else
      depthwise_pixels (&win, conv, 1, conv->y + at, residual);
    ox += whole ? DEPTHWISE_PIXELS : 1;
  }
}

static void
depthwise_rows (const nn_depthwise *conv, int64_t first_row, int64_t end_row)
{
  for (int64_t oy = first_row; oy < end_row; oy++)
    depthwise_row (conv, oy, oy - first_row);
}

const nn_simd_conv NN_SIMD_TABLE (conv) = {
  .lanes = LANES,
  .tile_cols = TILE_COLS,
  .tile = tile_any,
  .depthwise = depthwise_rows,
};
