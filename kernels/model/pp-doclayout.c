/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PP-DocLayout as PaddleDetection exports it and Paddle2ONNX converts it. The older ones give 6
 * columns, V2 and V3 the reading order too. */
#include "family.h"

/* An image, its scale and perhaps its size in; rows of regions and their number out. */
static bool
matches_columns (const nn_model *model, nn_signature *signature, int64_t least, int64_t most)
{
  int page = nn_model_find_input (model, "image"), scale = nn_model_find_input (model, "scale_factor");
  int size = nn_model_find_input (model, "im_shape");
  if (page < 0 || scale < 0 || nn_model_n_inputs (model) != (size < 0 ? 2 : 3)
      || nn_model_n_outputs (model) < 2)
    return false;
  nn_value_info page_info = nn_model_input (model, page), scale_info = nn_model_input (model, scale);
  nn_value_info boxes = nn_model_output (model, 0), count = nn_model_output (model, 1);
  nn_value_info size_info = nn_model_input (model, size < 0 ? scale : size);
  if (!nn_value_is_image (&page_info) || !nn_value_is (&scale_info, NN_F32, 2)
      || !nn_value_is (&size_info, NN_F32, 2) || !nn_value_is (&boxes, NN_F32, 2) || boxes.rank != 2
      || boxes.dim[1] < least || boxes.dim[1] > most || !nn_value_is (&count, NN_I32, 1))
    return false;
  signature->page = page;
  signature->input_size = size;
  signature->scale = scale;
  signature->roles.boxes = 0;
  signature->roles.count = 1;
  return true;
}

static bool
matches (const nn_model *model, nn_signature *signature)
{
  return matches_columns (model, signature, -1, 6);
}

static bool
matches_ordered (const nn_model *model, nn_signature *signature)
{
  return matches_columns (model, signature, 7, 8);
}

const nn_family nn_family_pp_doclayout = {
  .name = "pp-doclayout",
  .matches = matches,
  .size = 800,
  .page = { .filter = NN_RESIZE_BICUBIC, .std = { 1, 1, 1 } },
  .threshold = 0.5f,
  .iou_threshold = 0.6f, /* PaddleX's layout_nms */
  .decode = nn_decode_pp_doclayout,
};

const nn_family nn_family_pp_doclayout_ordered = {
  .name = "pp-doclayout-ordered",
  .matches = matches_ordered,
  .size = 800,
  .page = { .filter = NN_RESIZE_BICUBIC, .std = { 1, 1, 1 } },
  .threshold = 0.5f,
  .iou_threshold = 0.6f,
  .usual_classes = 25,
  .decode = nn_decode_pp_doclayout,
};
