/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resizes frames of one size to another, row by row: along the rows first, then down the columns,
 * as OpenCV and Pillow do, so that rounding falls where theirs does. */
#pragma once

#include "taps.h"

typedef struct nn_resampler nn_resampler;

/* `filter` is not AUTO; AREA stands for BILINEAR unless both axes shrink. All sizes ≥ 1. */
nn_resampler *nn_resampler_new (nn_resize_filter filter, int source_width, int source_height, int width,
                                int height, nn_error *err);
void nn_resampler_free (nn_resampler *resampler); /* NULL is fine */
bool nn_resampler_fits (const nn_resampler *resampler, nn_resize_filter filter, int source_width,
                        int source_height, int width, int height);

/* Forgets the rows of the last frame; to be called before the first row of each. */
void nn_resampler_begin (nn_resampler *resampler, const nn_frame *frame);

/* Row `y` of the result: 4 bytes a pixel in the frame's order (GRAY8: three times the value), the
 * fourth byte undefined; valid until the next call. Rows are asked for in rising order. */
const uint8_t *nn_resampler_row (nn_resampler *resampler, int y);
