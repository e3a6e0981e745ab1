/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a network's outputs to regions. Pure functions: no model, no I/O. */
#pragma once

#include "../nn.h"
#include "../page/page.h"
#include "dense.h"

/* Which output is what, by index; -1: there is none. Each decoder says which it reads. */
typedef struct nn_roles {
  int scores, boxes, labels, order, count;
} nn_roles;

/* What the numbers of a model of no known family mean (custom.c). */
typedef enum nn_box_format {
  NN_BOX_XYXY,
  NN_BOX_CXCYWH,
  NN_BOX_XYWH, /* top left corner and size */
} nn_box_format;

typedef enum nn_score_activation {
  NN_SCORE_READY, /* 0 … 1 already */
  NN_SCORE_SIGMOID,
  NN_SCORE_SOFTMAX, /* over the classes, background included */
} nn_score_activation;

typedef enum nn_background { /* the class that stands for nothing */
  NN_BACKGROUND_NONE,
  NN_BACKGROUND_FIRST, /* class 0; the first label is class 1 */
  NN_BACKGROUND_LAST,
} nn_background;

typedef struct nn_coding {
  nn_box_format format;
  bool normalised; /* boxes of 0 … 1 of the network's input; else its pixels */
  nn_score_activation activation;
  nn_background background;
  bool nms; /* the network leaves it to the decoder */
} nn_coding;

/* What a decoder is given: the outputs of one page (batch dimension 1), and how it was placed. */
typedef struct nn_decode_input {
  const nn_tensor *const *outputs;
  int n_outputs;
  int input_width, input_height; /* of the network */
  int frame_width, frame_height;
  nn_page_placement placement;
  nn_roles roles;
  nn_coding coding; /* read by nn_decode_custom() only */
  int n_labels;
  float threshold, iou_threshold; /* resolved: never negative */
} nn_decode_input;

/* Replaces `result` by the regions in frame pixels whose score is above the threshold, sorted, clamped
 * to the frame, after NMS within each class where the family has one. Scores and boxes that are not
 * finite are left out. Outputs whose shapes do not belong together, or a class that has no label:
 * NN_ERR_FORMAT. Each decoder's file says what outputs it reads. */
typedef nn_status (*nn_decoder) (const nn_decode_input *input, nn_detections *result, nn_error *err);

nn_status nn_decode_custom (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_detr (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_docling (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_picodet (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_pp_doclayout (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_yolov8 (const nn_decode_input *input, nn_detections *result, nn_error *err);
nn_status nn_decode_yolov10 (const nn_decode_input *input, nn_detections *result, nn_error *err);

/* A decoder in two parts, the first of which a device can do where the outputs lie (dense.h). */
typedef struct nn_dense {
  /* What is where, from outputs of any number of pages and the input's size; labels need not be known. Outputs' data are
   * not read. A failure: the outputs are for the decoder to judge. */
  nn_status (*head) (const nn_decode_input *outputs, nn_head *head, nn_error *err);
  /* As the decoder, from the candidates that it would find, in any order. `input` has no outputs. */
  nn_status (*finish) (const nn_decode_input *input, const nn_candidate *candidates, int n, nn_detections *result,
                       nn_error *err);
} nn_dense;

extern const nn_dense nn_dense_picodet, nn_dense_yolov8;

/* ---- what decoders share ---- */

/* Output `index` if it is `dtype`[1, rows, columns], or [1, rows] where columns is 0; -1 stands for any
 * number from 1 on. Else NULL with a message in which it is called `what`. */
const nn_tensor *nn_decode_output (const nn_decode_input *input, int index, const char *what, nn_dtype dtype,
                                   int64_t rows, int64_t columns, nn_error *err);

/* Adds `region` with the class that the network named, which must have a label. */
nn_status nn_decode_add (const nn_decode_input *input, nn_region *region, int64_t class_id,
                         nn_detections *result, nn_error *err);

/* A box in pixels of the network's input becomes one of the frame; false where it is not finite. */
bool nn_decode_place (const nn_decode_input *input, double x0, double y0, double x1, double y1,
                      nn_region *region);

/* The same for detections that have their boxes in input pixels; those not finite are dropped. */
void nn_decode_place_all (const nn_decode_input *input, nn_detections *detections);

/* Cuts boxes at the frame's edges, and sorts. */
void nn_decode_finish (const nn_decode_input *input, nn_detections *detections);

/* Adds a region; NN_ERR_MEMORY if it cannot. */
nn_status nn_detections_add (nn_detections *detections, const nn_region *region, nn_error *err);

/* Best first; equal scores by class, then y0, x0, y1, x1, so that the order never depends on the run. */
void nn_detections_sort (nn_detections *detections);

/* Keeps the `n` best of each class of sorted detections. */
void nn_detections_keep_best (nn_detections *detections, int n_labels, int n);

/* Greedy non-maximum suppression within each class of sorted detections: a region whose IoU with a
 * better one that stays of its class is > `iou_threshold` goes. Ends when `most` stay. */
void nn_detections_suppress (nn_detections *detections, float iou_threshold, int most);

/* What labels say of their regions. */
enum {
  NN_LABEL_CONTAINER = 1, /* may hold others: a table, a figure, a form … */
  NN_LABEL_PART = 2,      /* is only ever a part of another: a formula in a line, a checkbox */
};

/* Fills `kinds`, one of those bits or none for each of the labels. */
void nn_label_kinds (char *const *labels, int n_labels, uint8_t *kinds);

/* Of sorted detections, boxes of different classes that are one block become one, the best
 * (duplicates.c has the rules). `kinds`: of the classes. */
void nn_detections_resolve_duplicates (nn_detections *detections, const uint8_t *kinds, int n_labels);

/* Of finite boxes; inline, for all pairs of a page's regions are asked for. */

static inline float /* 0 where x1 ≤ x0 or y1 ≤ y0 */
nn_region_area (const nn_region *region)
{
  float width = region->x1 - region->x0, height = region->y1 - region->y0;
  return width > 0 && height > 0 ? width * height : 0;
}

static inline float
nn_region_intersection (const nn_region *a, const nn_region *b)
{
  nn_region both = { .x0 = a->x0 > b->x0 ? a->x0 : b->x0,
                     .y0 = a->y0 > b->y0 ? a->y0 : b->y0,
                     .x1 = a->x1 < b->x1 ? a->x1 : b->x1,
                     .y1 = a->y1 < b->y1 ? a->y1 : b->y1 };
  return nn_region_area (&both);
}

static inline float /* 0 where either is empty */
nn_region_iou (const nn_region *a, const nn_region *b)
{
  float both = nn_region_intersection (a, b);
  return both > 0 ? both / (nn_region_area (a) + nn_region_area (b) - both) : 0;
}
