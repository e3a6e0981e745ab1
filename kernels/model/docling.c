/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RT-DETR with its post-processing in the graph: docling-layout-heron-onnx and RT-DETR's own export. */
#include "family.h"

/* An image and its size in; labels, boxes and scores out, told apart by type and shape. */
static bool
matches (const nn_model *model, nn_signature *signature)
{
  int page = nn_model_find_input (model, "images"), size = nn_model_find_input (model, "orig_target_sizes");
  if (nn_model_n_inputs (model) != 2 || nn_model_n_outputs (model) != 3 || page < 0 || size < 0)
    return false;
  nn_value_info page_info = nn_model_input (model, page), size_info = nn_model_input (model, size);
  nn_value_info labels = nn_model_output (model, 0), boxes = nn_model_output (model, 1),
                scores = nn_model_output (model, 2);
  if (!nn_value_is_image (&page_info) || !nn_value_is (&size_info, NN_I64, 2)
      || !nn_value_is (&labels, NN_I64, 2) || !nn_value_is (&boxes, NN_F32, 3)
      || !nn_value_ends_with (&boxes, 4) || !nn_value_is (&scores, NN_F32, 2))
    return false;
  signature->page = page;
  signature->page_size = size;
  signature->roles.labels = 0;
  signature->roles.boxes = 1;
  signature->roles.scores = 2;
  return true;
}

const nn_family nn_family_docling = {
  .name = "docling",
  .matches = matches,
  .size = 640,
  .page = { .filter = NN_RESIZE_BILINEAR_ANTIALIAS, .std = { 1, 1, 1 } },
  .threshold = 0.3f,
  .iou_threshold = 0.8f, /* docling's, for boxes that it takes to be one */
  .usual_classes = 17,
  .decode = nn_decode_docling,
};
