/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a network's outputs to regions. Pure functions: no model, no I/O. */
#pragma once

#include "../nn.h"
#include "../page/page.h"

/* What a decoder is given: the outputs of one page (batch dimension 1), and how it was placed. */
typedef struct nn_decode_input {
  const nn_tensor *const *outputs;
  int n_outputs;
  int input_width, input_height; /* of the network */
  int frame_width, frame_height;
  nn_page_placement placement;
  int n_labels;
  float threshold, iou_threshold; /* resolved: never negative */
} nn_decode_input;

/* Appends regions in frame pixels, clamped to the frame, after NMS within each class where the
 * family has one. NaN scores and boxes are left out. */
typedef nn_status (*nn_decoder) (const nn_decode_input *input, nn_detections *result, nn_error *err);

nn_status nn_decode_picodet (const nn_decode_input *input, nn_detections *result, nn_error *err);

/* Adds a region; NN_ERR_MEMORY if it cannot. */
nn_status nn_detections_add (nn_detections *detections, const nn_region *region, nn_error *err);

/* Best first; equal scores by class, then y0, then x0, so that the order never depends on the run. */
void nn_detections_sort (nn_detections *detections);

/* Greedy non-maximum suppression within each class of sorted detections: a region whose IoU with a
 * better one of its class is > `iou_threshold` goes. */
void nn_detections_suppress (nn_detections *detections, float iou_threshold);

/* Boxes of different classes that are one block become one (duplicates.c has the rules).
 * `labels` tells containers (table, figure, picture, form …), which may hold others. */
void nn_detections_resolve_duplicates (nn_detections *detections, char *const *labels, int n_labels);

float nn_region_iou (const nn_region *a, const nn_region *b); /* 0 where either is empty */
