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

/* Replaces `result` by the regions in frame pixels, sorted, clamped to the frame, after NMS within
 * each class where the family has one. Scores and boxes that are not finite are left out. Outputs
 * whose shapes do not belong together: NN_ERR_FORMAT. */
typedef nn_status (*nn_decoder) (const nn_decode_input *input, nn_detections *result, nn_error *err);

nn_status nn_decode_picodet (const nn_decode_input *input, nn_detections *result, nn_error *err);

/* Adds a region; NN_ERR_MEMORY if it cannot. */
nn_status nn_detections_add (nn_detections *detections, const nn_region *region, nn_error *err);

/* Best first; equal scores by class, then y0, x0, y1, x1, so that the order never depends on the run. */
void nn_detections_sort (nn_detections *detections);

/* Keeps the `n` best of each class of sorted detections. */
void nn_detections_keep_best (nn_detections *detections, int n_labels, int n);

/* Greedy non-maximum suppression within each class of sorted detections: a region whose IoU with a
 * better one that stays of its class is > `iou_threshold` goes. */
void nn_detections_suppress (nn_detections *detections, float iou_threshold);

/* Of sorted detections, boxes of different classes that are one block become one, the best
 * (duplicates.c has the rules). `labels` tells containers (table, figure, picture, form …), which
 * may hold others. */
void nn_detections_resolve_duplicates (nn_detections *detections, char *const *labels, int n_labels);

float nn_region_area (const nn_region *region); /* 0 where x1 ≤ x0 or y1 ≤ y0 */
float nn_region_intersection (const nn_region *a, const nn_region *b);
float nn_region_iou (const nn_region *a, const nn_region *b); /* 0 where either is empty */
