/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLOv8 and YOLO11, decoded as Ultralytics' predictor does it.
 *
 * Output `scores`: [1, 4 + classes, anchors]: centre and size in input pixels, then the classes'
 * scores, already through their sigmoid. An anchor's best class counts. NMS within each class runs
 * on boxes of the input, before they are placed and cut.
 */
#include "decode.h"

#include <limits.h>
#include <math.h>

/* The reference's limits. */
#define BOXES_BEFORE_NMS 30000
#define BOXES_AFTER_NMS 300

/* Of [pages, 4 + labels, anchors]. */
static nn_level
level_of (const nn_tensor *output)
{
  int64_t page = output->dim[1] * output->dim[2];
  const float *data = output->data;
  return (nn_level) { .scores = data != NULL ? data + 4 * output->dim[2] : NULL,
                      .boxes = data,
                      .scores_page = page,
                      .boxes_page = page,
                      .cells = (int) output->dim[2],
                      .labels = (int) output->dim[1] - 4 };
}

/* With its box in input pixels; one that is not finite is left out. */
static nn_status
add (const nn_candidate *c, nn_detections *result, nn_error *err)
{
  nn_region r = { .x0 = (float) c->x0, .y0 = (float) c->y0, .x1 = (float) c->x1, .y1 = (float) c->y1,
                  .score = c->score, .class_id = c->class_id, .order = -1 };
  bool finite = isfinite (r.x0) && isfinite (r.y0) && isfinite (r.x1) && isfinite (r.y1);
  return finite ? nn_detections_add (result, &r, err) : NN_OK;
}

static void
choose (const nn_decode_input *input, nn_detections *result)
{
  nn_detections_sort (result);
  if (result->n > BOXES_BEFORE_NMS)
    result->n = BOXES_BEFORE_NMS;
  nn_detections_suppress (result, input->iou_threshold, BOXES_AFTER_NMS);
  nn_decode_place_all (input, result);
  nn_decode_finish (input, result);
}

nn_status
nn_decode_yolov8 (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  const nn_tensor *output = nn_decode_output (input, input->roles.scores, "boxes and scores", NN_F32,
                                              4 + input->n_labels, -1, err);
  result->n = 0;
  if (!output)
    return err->status;
  nn_level l = level_of (output);
  for (int anchor = 0; anchor < l.cells; anchor++) {
    nn_candidate candidate;
    if (nn_yolov8_passes (&l, anchor, input->threshold, &candidate) && add (&candidate, result, err))
      return err->status;
  }
  choose (input, result);
  return NN_OK;
}

/* ---- where a device finds the candidates ---- */

static nn_status
get_head (const nn_decode_input *outputs, nn_head *head, nn_error *err)
{
  const nn_tensor *output = outputs->outputs[outputs->roles.scores];
  if (output->dtype != NN_F32 || output->rank != 3 || output->dim[1] < 5 || output->dim[2] < 1
      || output->dim[2] > INT_MAX / 2)
    return nn_fail (err, NN_ERR_FORMAT, "the network's output is not boxes and scores of anchors");
  *head = (nn_head) { .kind = NN_HEAD_YOLOV8,
                      .pages = (int) output->dim[0],
                      .n_levels = 1,
                      .levels = { level_of (output) },
                      .most_cells = INT_MAX };
  return NN_OK;
}

static nn_status
finish (const nn_decode_input *input, const nn_candidate *candidates, int n, nn_detections *result, nn_error *err)
{
  result->n = 0;
  for (int i = 0; i < n; i++)
    if (add (&candidates[i], result, err))
      return err->status;
  choose (input, result);
  return NN_OK;
}

const nn_dense nn_dense_yolov8 = { get_head, finish };
