/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution over channels-last memory: groups of neighbouring pixels, two rows of them where
 * the filter moves down by one; pixels whose window leaves the image's columns one by one. */
#include "simd-level.h"

/* Which neighbours of 0 … end - 1 a filter of `taps` may read at `start`: first and end tap. */
static inline void
valid_taps (int64_t start, int64_t taps, int64_t dilation, int64_t end, int64_t *first, int64_t *last)
{
  *first = start < 0 ? (-start + dilation - 1) / dilation : 0;
  int64_t room = end - start;
  int64_t fit = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  *last = fit < taps ? fit : taps;
}

enum {
  DEPTHWISE_PIXELS = 6, /* of one row that go together */
  EDGE_VECTORS = 4,     /* of a single pixel's channels that do */
};

typedef struct window { /* the filter's taps that lie inside the image */
  const float *x;       /* the first such tap of the first pixel */
  const float *w;
  int64_t rows, cols, x_row, x_col, x_pixel, w_row, w_col;
} window;

/* Bias before the taps, residual and activation behind them. */
static inline __attribute__ ((always_inline)) void
begin_sums (const nn_depthwise *conv, int n, int64_t channel, int64_t step, vec *sum)
{
#pragma GCC unroll 6
  for (int i = 0; i < n; i++)
    sum[i] = conv->bias ? *(const vec *) (conv->bias + channel + i * step) : (vec) { 0 };
}

/* `step`, `residual_step`: from one sum's place to the next's. */
static inline __attribute__ ((always_inline)) void
store_sums (const nn_depthwise *conv, int n, vec *sum, float *y, int64_t step, const float *residual,
            int64_t residual_step)
{
#pragma GCC unroll 6
  for (int i = 0; i < n; i++)
    if (residual)
      sum[i] += *(const vec *) (residual + i * residual_step);
  activate_vectors (&conv->activation, n, sum);
#pragma GCC unroll 6
  for (int i = 0; i < n; i++)
    *(vec *) (y + i * step) = sum[i];
}

/* DEPTHWISE_PIXELS neighbours in a row, one vector of channels. */
static inline void
depthwise_pixels (const window *win, const nn_depthwise *conv, int64_t channel, float *y, const float *residual)
{
  vec sum[DEPTHWISE_PIXELS];
  begin_sums (conv, DEPTHWISE_PIXELS, channel, 0, sum);
  for (int64_t ky = 0; ky < win->rows; ky++) {
    const float *x = win->x + ky * win->x_row + channel;
    const float *w = win->w + ky * win->w_row + channel;
    for (int64_t kx = 0; kx < win->cols; kx++, x += win->x_col, w += win->w_col) {
      vec tap = *(const vec *) w;
#pragma GCC unroll 6
      for (int p = 0; p < DEPTHWISE_PIXELS; p++)
        sum[p] += tap * *(const vec *) (x + p * win->x_pixel);
    }
  }
  store_sums (conv, DEPTHWISE_PIXELS, sum, y + channel, conv->y_col, residual ? residual + channel : NULL,
              conv->residual_col);
}

/* One pixel, `vectors` of its channels: enough sums that none waits for the one before it. */
static inline __attribute__ ((always_inline)) void
depthwise_channels (const window *win, const nn_depthwise *conv, int vectors, int64_t channel, float *y,
                    const float *residual)
{
  vec sum[EDGE_VECTORS];
  begin_sums (conv, vectors, channel, LANES, sum);
  for (int64_t ky = 0; ky < win->rows; ky++) {
    const float *x = win->x + ky * win->x_row + channel;
    const float *w = win->w + ky * win->w_row + channel;
    for (int64_t kx = 0; kx < win->cols; kx++, x += win->x_col, w += win->w_col)
#pragma GCC unroll 4
      for (int v = 0; v < vectors; v++)
        sum[v] += *(const vec *) (w + v * LANES) * *(const vec *) (x + v * LANES);
  }
  store_sums (conv, vectors, sum, y + channel, LANES, residual ? residual + channel : NULL, LANES);
}

/* `pixels` neighbours, one channel: what is left of the channels. */
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

/* Where the first of `channels` is that fill no vector, and what they and dear activations still need. */
static void
finish_pixels (const window *win, const nn_depthwise *conv, int pixels, float *y, const float *residual)
{
  for (int64_t c = conv->channels / LANES * LANES; c < conv->channels; c++)
    depthwise_scalar (win, conv, pixels, c, y, residual);
  for (int p = 0; p < pixels && !is_applied_to_vectors (conv->activation.kind); p++)
    NN_SIMD_TABLE (math).activate (&conv->activation, conv->channels, y + p * conv->y_col,
                                   y + p * conv->y_col);
}

static void
depthwise_pixel (const window *win, const nn_depthwise *conv, float *y, const float *residual)
{
  int64_t c = 0;
  for (; c + EDGE_VECTORS * LANES <= conv->channels; c += EDGE_VECTORS * LANES)
    depthwise_channels (win, conv, EDGE_VECTORS, c, y, residual);
  for (; c + LANES <= conv->channels; c += LANES)
    depthwise_channels (win, conv, 1, c, y, residual);
  finish_pixels (win, conv, 1, y, residual);
}

/* A row of the result, `index` rows behind conv->y. */
typedef struct row {
  int64_t oy, index;
} row;

static float *
pixel_of (const nn_depthwise *conv, row r, int64_t ox)
{
  return conv->y + r.index * conv->y_row + ox * conv->y_col;
}

static const float *
residual_of (const nn_depthwise *conv, row r, int64_t ox)
{
  return conv->residual ? conv->residual + r.index * conv->residual_row + ox * conv->residual_col : NULL;
}

/* The window of the pixel at (oy, ox), cut where it leaves the image. */
static window
window_at (const nn_depthwise *conv, int64_t oy, int64_t ox)
{
  int64_t ky, ky_end, kx, kx_end;
  int64_t start_y = oy * conv->stride_h - conv->pad_top, start_x = ox * conv->stride_w - conv->pad_left;
  valid_taps (start_y, conv->kh, conv->dilation_h, conv->height, &ky, &ky_end);
  valid_taps (start_x, conv->kw, conv->dilation_w, conv->width, &kx, &kx_end);
  window win = { .rows = ky_end > ky ? ky_end - ky : 0,
                 .cols = kx_end > kx ? kx_end - kx : 0,
                 .x_row = conv->dilation_h * conv->x_row,
                 .x_col = conv->dilation_w * conv->x_col,
                 .x_pixel = conv->stride_w * conv->x_col,
                 .w_row = conv->kw * conv->channels,
                 .w_col = conv->channels };
  win.x = conv->x + (start_y + ky * conv->dilation_h) * conv->x_row
          + (start_x + kx * conv->dilation_w) * conv->x_col;
  win.w = conv->w + ky * win.w_row + kx * win.w_col;
  return win;
}

static void
depthwise_group (const nn_depthwise *conv, row r, int64_t ox)
{
  window win = window_at (conv, r.oy, ox);
  float *y = pixel_of (conv, r, ox);
  const float *residual = residual_of (conv, r, ox);
  for (int64_t c = 0; c + LANES <= conv->channels; c += LANES)
    depthwise_pixels (&win, conv, c, y, residual);
  finish_pixels (&win, conv, DEPTHWISE_PIXELS, y, residual);
}

/* One row of the input's pixels for the two rows of the result whose filters it lies under. */
static inline __attribute__ ((always_inline)) void
add_row (const window *win, const nn_depthwise *conv, int64_t i, int64_t channel, bool in_upper, bool in_lower,
         vec *upper, vec *lower)
{
  const float *x = win->x + i * win->x_row + channel;
  const float *w = win->w + i * win->w_row + channel;
  for (int64_t kx = 0; kx < conv->kw; kx++, x += win->x_col, w += win->w_col) {
    vec tap_upper = in_upper ? *(const vec *) w : (vec) { 0 };
    vec tap_lower = in_lower ? *(const vec *) (w - win->w_row) : (vec) { 0 };
#pragma GCC unroll 6
    for (int p = 0; p < DEPTHWISE_PIXELS; p++) {
      vec pixel = *(const vec *) (x + p * win->x_pixel);
      IN_REGISTER (pixel);
      if (in_upper)
        upper[p] += tap_upper * pixel;
      if (in_lower)
        lower[p] += tap_lower * pixel;
    }
  }
}

/* Two rows of a filter that moves down by one: an input row that is read once serves both. `win` is
 * the upper one's as if the image had no end; rows `first` to `end` - 1 of it lie in the image. */
static inline void
depthwise_two_rows (const window *win, const nn_depthwise *conv, int64_t first, int64_t end, int64_t channel,
                    row r, int64_t ox)
{
  vec upper[DEPTHWISE_PIXELS], lower[DEPTHWISE_PIXELS];
  begin_sums (conv, DEPTHWISE_PIXELS, channel, 0, upper);
  begin_sums (conv, DEPTHWISE_PIXELS, channel, 0, lower);
  int64_t i = first;
  if (i == 0)
    add_row (win, conv, i++, channel, true, false, upper, lower);
  for (; i < end && i < conv->kh; i++)
    add_row (win, conv, i, channel, true, true, upper, lower);
  if (i < end)
    add_row (win, conv, i, channel, false, true, upper, lower);
  for (int k = 0; k < 2; k++, r.index++) {
    const float *residual = residual_of (conv, r, ox);
    store_sums (conv, DEPTHWISE_PIXELS, k ? lower : upper, pixel_of (conv, r, ox) + channel, conv->y_col,
                residual ? residual + channel : NULL, conv->residual_col);
  }
}

static void
depthwise_groups (const nn_depthwise *conv, row r, int64_t ox)
{
  int64_t start_y = r.oy - conv->pad_top, start_x = ox * conv->stride_w - conv->pad_left;
  int64_t first = start_y < 0 ? -start_y : 0, end = conv->height - start_y;
  window win = { .x = conv->x + start_y * conv->x_row + start_x * conv->x_col,
                 .w = conv->w,
                 .x_row = conv->x_row,
                 .x_col = conv->dilation_w * conv->x_col,
                 .x_pixel = conv->stride_w * conv->x_col,
                 .w_row = conv->kw * conv->channels,
                 .w_col = conv->channels };
  end = end < conv->kh + 1 ? end : conv->kh + 1;
  for (int64_t c = 0; c < conv->channels; c += LANES)
    depthwise_two_rows (&win, conv, first, end, c, r, ox);
}

/* Whether two rows can go together: whole vectors, and an input row that any of the taps reads. */
static bool
is_paired (const nn_depthwise *conv, int64_t oy)
{
  return conv->stride_h == 1 && conv->dilation_h == 1 && conv->channels % LANES == 0
         && is_applied_to_vectors (conv->activation.kind) && oy + 1 - conv->pad_top < conv->height
         && oy + conv->kh - conv->pad_top > 0;
}

/* From the first pixel whose window lies in the image's columns up to the last. */
static void
inner_pixels (const nn_depthwise *conv, int64_t *from, int64_t *to)
{
  int64_t room = conv->width - 1 - (conv->kw - 1) * conv->dilation_w + conv->pad_left;
  int64_t first = (conv->pad_left + conv->stride_w - 1) / conv->stride_w;
  int64_t end = room < 0 ? 0 : room / conv->stride_w + 1;
  *from = first < conv->out_width ? first : conv->out_width;
  *to = end < conv->out_width ? end : conv->out_width;
  *to = *to > *from ? *to : *from;
}

static void
depthwise_edge (const nn_depthwise *conv, row r, int64_t from, int64_t to)
{
  for (int64_t ox = from; ox < to; ox++) {
    window win = window_at (conv, r.oy, ox);
    depthwise_pixel (&win, conv, pixel_of (conv, r, ox), residual_of (conv, r, ox));
  }
}

/* `n` is 1 or 2 rows. Groups of pixels cover the inner ones, the last one perhaps some of them again. */
static void
depthwise_row (const nn_depthwise *conv, row r, int n)
{
  int64_t from, to;
  inner_pixels (conv, &from, &to);
  if (to - from < DEPTHWISE_PIXELS)
    to = from;
  for (int k = 0; k < n; k++) {
    row one = { r.oy + k, r.index + k };
    depthwise_edge (conv, one, 0, from);
    depthwise_edge (conv, one, to, conv->out_width);
  }
  for (int64_t ox = from; ox < to; ox += DEPTHWISE_PIXELS) {
    int64_t at = to - ox < DEPTHWISE_PIXELS ? to - DEPTHWISE_PIXELS : ox;
    if (n == 2)
      depthwise_groups (conv, r, at);
    else
      depthwise_group (conv, r, at);
  }
}

void
NN_SIMD_DEPTHWISE (const nn_depthwise *conv, int64_t first_row, int64_t end_row)
{
  for (int64_t oy = first_row; oy < end_row;) {
    int n = oy + 1 < end_row && is_paired (conv, oy) ? 2 : 1;
    depthwise_row (conv, (row) { oy, oy - first_row }, n);
    oy += n;
  }
}
