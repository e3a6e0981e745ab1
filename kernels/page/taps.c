/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "taps.h"

#include <math.h>
#include <stdlib.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Puts tap `k` of result `i` in place; an index beyond the edge repeats the edge's sample. */
static void
set (nn_taps *taps, int source, int i, int k, int index, double weight)
{
  size_t at = (size_t) k * (size_t) taps->n + (size_t) i;
  taps->index[at] = MAX (0, MIN (index, source - 1));
  taps->weight[at] = (float) weight;
}

/* OpenCV's uchar paths hold weights in 11 bits, rounded half to even. */
static double
to_11_bits (double weight)
{
  return rint (weight * 2048) / 2048;
}

/* Where result `i` lies among the source samples: OpenCV computes it in double through the inverse
 * scale and keeps it in float, and equal weights need equal rounding. */
static float
position (int source, int n, int i)
{
  double scale = 1 / ((double) n / source);
  return (float) ((i + 0.5) * scale - 0.5);
}

static void
set_bilinear (nn_taps *taps, int source, int i)
{
  float at = position (source, taps->n, i);
  int first = (int) floorf (at);
  float fraction = at - (float) first;
  set (taps, source, i, 0, first, to_11_bits (1 - fraction));
  set (taps, source, i, 1, first + 1, to_11_bits (fraction));
}

static void
set_bicubic (nn_taps *taps, int source, int i)
{
  const double a = -0.75;
  float at = position (source, taps->n, i);
  int first = (int) floorf (at) - 1;
  double x = at - floorf (at);
  double weight[4];
  weight[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  weight[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
  weight[2] = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  weight[3] = 1 - weight[0] - weight[1] - weight[2];
  for (int k = 0; k < 4; k++)
    set (taps, source, i, k, first + k, to_11_bits (weight[k]));
}

/* How much of sample `j` (which is [j, j + 1)) lies in [from, to). */
static double
overlap (int j, double from, double to)
{
  return MAX (0, MIN (to, j + 1) - MAX (from, j));
}

static void
set_area (nn_taps *taps, int source, int i)
{
  double scale = (double) source / taps->n;
  double from = i * scale, to = from + scale;
  int first = (int) from, last = (int) ceil (to) - 1;
  for (int k = 0; k < taps->width; k++) {
    int j = first + k;
    set (taps, source, i, k, MIN (j, last), j <= last ? overlap (j, from, to) / (to - from) : 0);
  }
}

static void
set_triangle (nn_taps *taps, int source, int i)
{
  double scale = (double) source / taps->n;
  double support = MAX (scale, 1);
  double centre = (i + 0.5) * scale;
  int first = MAX (0, (int) (centre - support + 0.5));
  int end = MIN (source, (int) (centre + support + 0.5));
  double sum = 0;
  for (int j = first; j < end; j++)
    sum += MAX (0, 1 - fabs ((j - centre + 0.5) / support));
  for (int k = 0; k < taps->width; k++) {
    int j = MIN (first + k, end - 1);
    double weight = first + k < end ? MAX (0, 1 - fabs ((j - centre + 0.5) / support)) / sum : 0;
    set (taps, source, i, k, j, weight);
  }
}

static int
taps_width (nn_resize_filter filter, int source, int n)
{
  double scale = (double) source / n;
  switch (filter) {
  case NN_RESIZE_BICUBIC:
    return 4;
  case NN_RESIZE_AREA:
    return (int) ceil (scale) + 1;
  case NN_RESIZE_BILINEAR_ANTIALIAS:
    return (int) ceil (MAX (scale, 1)) * 2 + 1;
  default:
    return 2;
  }
}

nn_resize_filter
nn_taps_filter (nn_resize_filter filter, int source_width, int source_height, int width, int height)
{
  bool shrinks = source_width >= width && source_height >= height;
  return filter == NN_RESIZE_AREA && !shrinks ? NN_RESIZE_BILINEAR : filter;
}

nn_status
nn_taps_make (nn_taps *taps, nn_resize_filter filter, int source, int n, nn_error *err)
{
  static void (*const set_filter[]) (nn_taps *, int, int) = {
    [NN_RESIZE_BILINEAR] = set_bilinear,
    [NN_RESIZE_BILINEAR_ANTIALIAS] = set_triangle,
    [NN_RESIZE_BICUBIC] = set_bicubic,
    [NN_RESIZE_AREA] = set_area,
  };
  size_t width = (size_t) taps_width (filter, source, n);
  *taps = (nn_taps) { .n = n, .width = (int) width };
  taps->index = calloc (width * (size_t) n, sizeof *taps->index);
  taps->weight = calloc (width * (size_t) n, sizeof *taps->weight);
  if (!taps->index || !taps->weight) {
    nn_taps_clear (taps);
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the weights that resize %d samples to %d", source, n);
  }
  for (int i = 0; i < n; i++)
    set_filter[filter](taps, source, i);
  return NN_OK;
}

void
nn_taps_clear (nn_taps *taps)
{
  free (taps->index);
  free (taps->weight);
  *taps = (nn_taps) { 0 };
}
