/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLO as Ultralytics exports it: YOLOv8 and YOLO11, which leave NMS to the caller, and YOLOv10 and
 * DocLayout-YOLO, which need none. */
#include "family.h"

/* One image in, one tensor of three dimensions out. */
static bool
matches_any (const nn_model *model, nn_signature *signature, nn_value_info *output)
{
  if (nn_model_n_inputs (model) != 1 || nn_model_n_outputs (model) != 1)
    return false;
  nn_value_info input = nn_model_input (model, 0);
  *output = nn_model_output (model, 0);
  signature->page = 0;
  return nn_value_is_image (&input) && output->dtype == NN_F32 && output->rank == 3;
}

static bool
matches_v10 (const nn_model *model, nn_signature *signature)
{
  nn_value_info output;
  signature->roles.boxes = 0;
  return matches_any (model, signature, &output) && output.dim[2] == 6;
}

/* Far more anchors than classes, where both are known. */
static bool
matches_v8 (const nn_model *model, nn_signature *signature)
{
  nn_value_info output;
  signature->roles.scores = 0;
  return matches_any (model, signature, &output) && (output.dim[1] > 4 || output.dim[1] < 0)
         && (output.dim[2] > output.dim[1] || output.dim[2] < 0);
}

static int
n_classes (const nn_decode_input *input)
{
  const nn_tensor *head = input->outputs[input->roles.scores];
  return head->rank == 3 ? (int) head->dim[1] - 4 : 0;
}

#define LETTERBOX { .filter = NN_RESIZE_BILINEAR, .std = { 1, 1, 1 }, .letterbox = true, .pad = 114 }

const nn_family nn_family_yolov8 = {
  .name = "yolov8",
  .matches = matches_v8,
  .first_input = "images",
  .size = 640,
  .page = LETTERBOX,
  .threshold = 0.25f,
  .iou_threshold = 0.7f,
  .suppresses = true,
  .n_classes = n_classes,
  .decode = nn_decode_yolov8,
  .dense = &nn_dense_yolov8,
};

const nn_family nn_family_yolov10 = {
  .name = "yolov10",
  .matches = matches_v10,
  .first_input = "images",
  .size = 1024, /* DocLayout-YOLO's */
  .page = LETTERBOX,
  .threshold = 0.2f,
  .iou_threshold = 0.7f,
  .decode = nn_decode_yolov10,
};
