/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which source samples make one result, along one axis, and with what weights. */
#pragma once

#include "../nn.h"

/* Result i is the sum over k < width of weight[k * n + i] × source[index[k * n + i]]. Every index
 * lies inside the source (edges repeat the last sample), indices of one result never decrease and
 * span at most `width` samples; the weights of one result sum to 1. */
typedef struct nn_taps {
  int n, width;
  int *index;
  float *weight;
} nn_taps;

/* What `filter` comes to for images of these sizes: AREA stands for BILINEAR unless both axes shrink. */
nn_resize_filter nn_taps_filter (nn_resize_filter filter, int source_width, int source_height, int width,
                                 int height);

/* Taps that resize `source` samples to `n` (both ≥ 1) by `filter`, not AUTO:
 *   BILINEAR, BICUBIC     OpenCV's: weights are multiples of 1/2048
 *   BILINEAR_ANTIALIAS    Pillow's: a triangle, as wide as the scale when shrinking
 *   AREA                  OpenCV's: the share of each sample that the result covers; n ≤ source
 * NN_ERR_MEMORY if there is none. */
nn_status nn_taps_make (nn_taps *taps, nn_resize_filter filter, int source, int n, nn_error *err);
void nn_taps_clear (nn_taps *taps);
