/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A result pixel takes 4 lanes, one a channel. Picking source pixels into a row of lanes apart
 * from the arithmetic leaves plain loops over lanes, which compilers vectorise on any machine.
 */
#include "resample.h"

#include <stdlib.h>
#include <string.h>

#define CHANNELS 4

struct nn_resampler {
  nn_resize_filter filter;
  int source_width, source_height;
  nn_taps x, y;
  size_t lanes;       /* of a result row */
  int16_t *step;      /* BILINEAR: the second tap's weight × 2048, a lane each: bits 4 to 11, */
  int16_t *rest;      /* and bits 0 to 3 */
  float *weight;      /* else: x's weights, [x.width][lanes] */
  float *sum;         /* [lanes] */
  uint8_t *source;    /* a source row in 4 bytes a pixel, where the frame has fewer */
  uint8_t *picked;    /* [2][lanes] */
  uint8_t *result;    /* [lanes] */
  void *ring;         /* the y.width last rows, resized along x: int16_t or float [y.width][lanes] */
  int *ring_row;      /* which source row lies there, or -1 */
  nn_frame frame;
};

static bool
is_fixed_point (const nn_resampler *r)
{
  return r->filter == NN_RESIZE_BILINEAR;
}

static void
spread_weights (nn_resampler *r)
{
  if (!is_fixed_point (r)) {
    for (size_t i = 0; i < r->lanes * (size_t) r->x.width; i++)
      r->weight[i] = r->x.weight[i / CHANNELS];
    return;
  }
  for (size_t i = 0; i < r->lanes; i++) {
    int weight = (int) (r->x.weight[(size_t) r->x.n + i / CHANNELS] * 2048);
    r->step[i] = (int16_t) (weight >> 4);
    r->rest[i] = (int16_t) (weight & 15);
  }
}

static bool
allocate (nn_resampler *r)
{
  size_t lanes = r->lanes, rows = (size_t) r->y.width;
  bool fixed = is_fixed_point (r);
  r->step = calloc (lanes, sizeof *r->step);
  r->rest = calloc (lanes, sizeof *r->rest);
  r->weight = calloc (fixed ? 1 : lanes * (size_t) r->x.width, sizeof *r->weight);
  r->sum = calloc (lanes, sizeof *r->sum);
  r->source = calloc ((size_t) r->source_width, CHANNELS);
  r->picked = calloc (lanes, 2);
  r->result = calloc (lanes, 1);
  r->ring = calloc (lanes * rows, fixed ? sizeof (int16_t) : sizeof (float));
  r->ring_row = calloc (rows, sizeof *r->ring_row);
  return r->step && r->rest && r->weight && r->sum && r->source && r->picked && r->result && r->ring
         && r->ring_row;
}

nn_resampler *
nn_resampler_new (nn_resize_filter filter, int source_width, int source_height, int width, int height,
                  nn_error *err)
{
  nn_resampler *r = calloc (1, sizeof *r);
  if (!r) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for resizing a %d×%d page", source_width, source_height);
    return NULL;
  }
  r->filter = nn_taps_filter (filter, source_width, source_height, width, height);
  r->source_width = source_width;
  r->source_height = source_height;
  r->lanes = (size_t) width * CHANNELS;
  if (nn_taps_make (&r->x, r->filter, source_width, width, err)
      || nn_taps_make (&r->y, r->filter, source_height, height, err)) {
    nn_resampler_free (r);
    return NULL;
  }
  if (!allocate (r)) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for resizing a %d×%d page", source_width, source_height);
    nn_resampler_free (r);
    return NULL;
  }
  spread_weights (r);
  return r;
}

void
nn_resampler_free (nn_resampler *r)
{
  if (!r)
    return;
  nn_taps_clear (&r->x);
  nn_taps_clear (&r->y);
  free (r->step);
  free (r->rest);
  free (r->weight);
  free (r->sum);
  free (r->source);
  free (r->picked);
  free (r->result);
  free (r->ring);
  free (r->ring_row);
  free (r);
}

bool
nn_resampler_fits (const nn_resampler *r, nn_resize_filter filter, int source_width, int source_height,
                   int width, int height)
{
  return r->filter == nn_taps_filter (filter, source_width, source_height, width, height)
         && r->source_width == source_width && r->source_height == source_height && r->x.n == width
         && r->y.n == height;
}

void
nn_resampler_begin (nn_resampler *r, const nn_frame *frame)
{
  r->frame = *frame;
  for (int i = 0; i < r->y.width; i++)
    r->ring_row[i] = -1;
}

/* ---- along a row ---- */

static void
expand_rgb (const uint8_t *restrict from, int n, uint8_t *restrict to)
{
  for (int i = 0; i < n; i++) {
    to[4 * i] = from[3 * i];
    to[4 * i + 1] = from[3 * i + 1];
    to[4 * i + 2] = from[3 * i + 2];
  }
}

static void
expand_gray (const uint8_t *restrict from, int n, uint8_t *restrict to)
{
  for (int i = 0; i < n; i++) {
    uint32_t pixel = from[i] * 0x01010101u;
    memcpy (to + 4 * i, &pixel, CHANNELS);
  }
}

static const uint8_t *
source_row (nn_resampler *r, int y)
{
  const uint8_t *row = r->frame.data + (ptrdiff_t) y * r->frame.stride;
  switch (r->frame.format) {
  case NN_PIXEL_RGB:
  case NN_PIXEL_BGR:
    expand_rgb (row, r->source_width, r->source);
    return r->source;
  case NN_PIXEL_GRAY8:
    expand_gray (row, r->source_width, r->source);
    return r->source;
  default:
    return row;
  }
}

static void
pick (const uint8_t *restrict source, const int *restrict index, int n, uint8_t *restrict to)
{
  for (int i = 0; i < n; i++)
    memcpy (to + CHANNELS * i, source + (ptrdiff_t) CHANNELS * index[i], CHANNELS);
}

/* OpenCV's (a × (2048 - w) + b × w) >> 4, exactly, without leaving 16 bits: with w = 16 step + rest
 * it is 128 a + (b - a) step + ((b - a) rest >> 4). */
static void
blend (const uint8_t *restrict a, const uint8_t *restrict b, const int16_t *restrict step,
       const int16_t *restrict rest, size_t n, int16_t *restrict to)
{
  for (size_t i = 0; i < n; i++) {
    int16_t d = (int16_t) (b[i] - a[i]);
    int16_t low = (int16_t) (d * rest[i]);
    to[i] = (int16_t) ((int16_t) (a[i] << 7) + (int16_t) (d * step[i]) + (low >> 4));
  }
}

static void
add_weighted_bytes (const uint8_t *restrict a, const float *restrict weight, size_t n, float *restrict sum)
{
  for (size_t i = 0; i < n; i++)
    sum[i] += weight[i] * (float) a[i];
}

static void
add_weighted_row (const float *restrict a, float weight, size_t n, float *restrict sum)
{
  for (size_t i = 0; i < n; i++)
    sum[i] += weight * a[i];
}

static void
round_to_bytes (const float *restrict a, size_t n, uint8_t *restrict to)
{
  for (size_t i = 0; i < n; i++) {
    float v = a[i] + 0.5f;
    v = v < 0 ? 0 : v;
    v = v > 255 ? 255 : v;
    to[i] = (uint8_t) (int) v;
  }
}

/* Pillow stores 8 bits between its two passes. */
static void
round_in_place (float *a, size_t n)
{
  for (size_t i = 0; i < n; i++)
    a[i] = (float) (int) (a[i] + 0.5f);
}

static void
resize_row (nn_resampler *r, int y, void *to)
{
  const uint8_t *source = source_row (r, y);
  int n = r->x.n;
  if (is_fixed_point (r)) {
    pick (source, r->x.index, n, r->picked);
    pick (source, r->x.index + n, n, r->picked + r->lanes);
    blend (r->picked, r->picked + r->lanes, r->step, r->rest, r->lanes, to);
    return;
  }
  memset (to, 0, r->lanes * sizeof (float));
  for (int k = 0; k < r->x.width; k++) {
    pick (source, r->x.index + (size_t) k * (size_t) n, n, r->picked);
    add_weighted_bytes (r->picked, r->weight + (size_t) k * r->lanes, r->lanes, to);
  }
  if (r->filter == NN_RESIZE_BILINEAR_ANTIALIAS)
    round_in_place (to, r->lanes);
}

/* Source row `y`, resized along x: from the ring, or made there now. The rows of one result are
 * within y.width of each other, so none of them pushes out another. */
static const void *
ring_row (nn_resampler *r, int y)
{
  int slot = y % r->y.width;
  size_t row_bytes = r->lanes * (is_fixed_point (r) ? sizeof (int16_t) : sizeof (float));
  void *row = (char *) r->ring + (size_t) slot * row_bytes;
  if (r->ring_row[slot] != y) {
    resize_row (r, y, row);
    r->ring_row[slot] = y;
  }
  return row;
}

/* ---- down the columns ---- */

/* As OpenCV's VResizeLinear for uchar rounds. */
static void
blend_rows (const int16_t *restrict a, const int16_t *restrict b, int16_t weight_a, int16_t weight_b, size_t n,
            uint8_t *restrict to)
{
  for (size_t i = 0; i < n; i++) {
    int16_t high_a = (int16_t) ((a[i] * weight_a) >> 16);
    int16_t high_b = (int16_t) ((b[i] * weight_b) >> 16);
    to[i] = (uint8_t) ((int16_t) (high_a + high_b + 2) >> 2);
  }
}

const uint8_t *
nn_resampler_row (nn_resampler *r, int y)
{
  size_t n = (size_t) r->y.n;
  const int *index = r->y.index + y;
  const float *weight = r->y.weight + y;
  if (is_fixed_point (r)) {
    const int16_t *a = ring_row (r, index[0]);
    const int16_t *b = ring_row (r, index[n]);
    blend_rows (a, b, (int16_t) (weight[0] * 2048), (int16_t) (weight[n] * 2048), r->lanes, r->result);
    return r->result;
  }
  memset (r->sum, 0, r->lanes * sizeof *r->sum);
  for (size_t k = 0; k < (size_t) r->y.width; k++)
    if (weight[k * n] != 0)
      add_weighted_row (ring_row (r, index[k * n]), weight[k * n], r->lanes, r->sum);
  round_to_bytes (r->sum, r->lanes, r->result);
  return r->result;
}
