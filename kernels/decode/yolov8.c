/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLOv8 and YOLO11, decoded as Ultralytics' predictor does it.
 *
 * Output `scores`: [1, 4 + classes, anchors]: centre and size in input pixels, then the classes'
 * scores, already through their sigmoid. An anchor's best class counts. NMS within each class runs
 * on boxes of the input, before they are placed and cut.
 */
#include "decode.h"

#include <math.h>

/* The reference's limits. */
#define BOXES_BEFORE_NMS 30000
#define BOXES_AFTER_NMS 300

static nn_status
add_anchors (const nn_decode_input *input, const float *data, int64_t anchors, nn_detections *result,
             nn_error *err)
{
  for (int64_t a = 0; a < anchors; a++) {
    const float *at = data + a;
    nn_region region = { .score = input->threshold, .class_id = -1, .order = -1 };
    for (int c = 0; c < input->n_labels; c++) {
      float score = at[(4 + c) * anchors];
      if (score > region.score && isfinite (score)) {
        region.score = score;
        region.class_id = c;
      }
    }
    if (region.class_id < 0)
      continue;
    float w = at[2 * anchors] / 2, h = at[3 * anchors] / 2;
    region.x0 = at[0] - w;
    region.y0 = at[anchors] - h;
    region.x1 = at[0] + w;
    region.y1 = at[anchors] + h;
    if (!isfinite (region.x0) || !isfinite (region.y0) || !isfinite (region.x1) || !isfinite (region.y1))
      continue;
    nn_status status = nn_detections_add (result, &region, err);
    if (status)
      return status;
  }
  return NN_OK;
}

nn_status
nn_decode_yolov8 (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  const nn_tensor *head = nn_decode_output (input, input->roles.scores, "boxes and scores", NN_F32,
                                            4 + input->n_labels, -1, err);
  result->n = 0;
  if (!head)
    return err->status;
  nn_status status = add_anchors (input, head->data, head->dim[2], result, err);
  if (status)
    return status;
  nn_detections_sort (result);
  if (result->n > BOXES_BEFORE_NMS)
    result->n = BOXES_BEFORE_NMS;
  nn_detections_suppress (result, input->iou_threshold, BOXES_AFTER_NMS);
  nn_decode_place_all (input, result);
  nn_decode_finish (input, result);
  return NN_OK;
}
