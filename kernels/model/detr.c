/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RT-DETR, RT-DETRv2 and D-FINE as transformers exports them, docling's heron and egret among them;
 * and PP-DocLayoutV2 and V3 from there, which tell the reading order too. */
#include "family.h"

/* One image in; logits and pred_boxes out, and further outputs that nobody reads. */
static bool
matches (const nn_model *model, nn_signature *signature)
{
  int page = nn_model_find_input (model, "pixel_values");
  int scores = nn_model_find_output (model, "logits"), boxes = nn_model_find_output (model, "pred_boxes");
  if (nn_model_n_inputs (model) != 1 || page < 0 || scores < 0 || boxes < 0)
    return false;
  nn_value_info input = nn_model_input (model, page);
  nn_value_info scores_info = nn_model_output (model, scores), boxes_info = nn_model_output (model, boxes);
  if (!nn_value_is_image (&input) || !nn_value_is (&scores_info, NN_F32, 3)
      || !nn_value_is (&boxes_info, NN_F32, 3) || !nn_value_ends_with (&boxes_info, 4))
    return false;
  signature->page = page;
  signature->roles.scores = scores;
  signature->roles.boxes = boxes;
  return true;
}

static bool
matches_ordered (const nn_model *model, nn_signature *signature)
{
  int order = nn_model_find_output (model, "order_logits");
  if (order < 0 || !matches (model, signature))
    return false;
  nn_value_info info = nn_model_output (model, order);
  signature->roles.order = order;
  return nn_value_is (&info, NN_F32, 3);
}

static int
n_classes (const nn_decode_input *input)
{
  const nn_tensor *logits = input->outputs[input->roles.scores];
  return logits->rank == 3 ? (int) logits->dim[2] : 0;
}

const nn_family nn_family_detr = {
  .name = "detr",
  .matches = matches,
  .size = 640,
  .page = { .filter = NN_RESIZE_BILINEAR_ANTIALIAS, .std = { 1, 1, 1 } },
  .threshold = 0.3f,
  .iou_threshold = 0.8f, /* docling's, for boxes that it takes to be one */
  .n_classes = n_classes,
  .decode = nn_decode_detr,
};

const nn_family nn_family_detr_ordered = {
  .name = "detr-ordered",
  .matches = matches_ordered,
  .size = 800,
  .page = { .filter = NN_RESIZE_BICUBIC, .std = { 1, 1, 1 } },
  .threshold = 0.5f,
  .iou_threshold = 0.6f, /* PaddleX's layout_nms */
  .n_classes = n_classes,
  .decode = nn_decode_detr,
};
