/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a frame to the network's input tensor: resize, normalise, lay out, in one pass. */
#pragma once

#include "../nn.h"

/* How one model family wants its input (docs/models.md says where each comes from). */
typedef struct nn_page_spec {
  bool bgr;                /* channel 0 is blue; else red */
  nn_resize_filter filter; /* never NN_RESIZE_AUTO here */
  float mean[3], std[3];   /* by channel index, of values in 0 … 1: (v / 255 - mean) / std */
  bool letterbox;          /* keep the aspect, centred, `pad` around; else stretch to the input */
  uint8_t pad;
} nn_page_spec;

/* Where a frame came to lie in the network's input: input = frame × scale + offset, so that
 * decoders can map boxes back. */
typedef struct nn_page_placement {
  float scale_x, scale_y, offset_x, offset_y;
} nn_page_placement;

typedef struct nn_page nn_page; /* work space for one thread; keeps filter taps between frames of one size */

nn_page *nn_page_new (nn_error *err);
void nn_page_free (nn_page *page);

/* Fills `input` (float32 [1,3,H,W], any strides) from `frame`. GRAY8 repeats its value on all
 * three channels. Pixels are rounded to 8 bits after resizing, as the references do. */
nn_status nn_page_fill (nn_page *page, const nn_frame *frame, const nn_page_spec *spec, nn_tensor *input,
                        nn_page_placement *placement, nn_error *err);
