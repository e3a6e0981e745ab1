/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a frame, whoever fills the network's input: where it lies there, which byte of a pixel is which
 * channel, and what number a level is. */
#pragma once

#include "page.h"

/* The part of the network's input that the frame fills. */
typedef struct nn_area {
  int x, y, width, height;
} nn_area;

/* NN_ERR_ARGUMENT for a frame that cannot be read. */
nn_status nn_place_check_frame (const nn_frame *frame, nn_error *err);
/* The same, and NN_ERR_UNSUPPORTED for an input [N, C, H, W] that takes no page. */
nn_status nn_place_check (const nn_frame *frame, const nn_tensor *input, nn_error *err);

/* … in an input of width × height pixels; `placement` tells the same to decoders. */
nn_area nn_place_area (const nn_frame *frame, const nn_page_spec *spec, int width, int height,
                       nn_page_placement *placement);

/* Bytes of one pixel; 0 for no format. */
int nn_place_pixel_bytes (nn_pixel_format format);

/* Which byte of a pixel is the network's channel `c`, where GRAY8 counts as three equal bytes. */
int nn_place_channel (nn_pixel_format format, const nn_page_spec *spec, int c);

/* channel, level → network input */
void nn_place_values (const nn_page_spec *spec, float value[3][256]);
