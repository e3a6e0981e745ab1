/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PicoDet of PaddleDetection, as PP-Structure's layout models use it and RapidLayout runs them. */
#include "family.h"

#define LEVELS_MAX 5

/* Cells of a grid of squares of `stride` pixels over the input. */
static int64_t
cells (const nn_value_info *input, int stride)
{
  return (input->dim[2] + stride - 1) / stride * ((input->dim[3] + stride - 1) / stride);
}

static bool
is_level (const nn_value_info *output, int64_t n_cells)
{
  return output->dtype == NN_F32 && output->rank == 3 && output->dim[1] == n_cells && output->dim[2] > 0;
}

/* One image in; scores of every level, then boxes of every level out, strides from 8 on. */
static bool
matches (const nn_model *model, nn_signature *signature)
{
  int levels = nn_model_n_outputs (model) / 2;
  if (nn_model_n_inputs (model) != 1 || nn_model_n_outputs (model) != 2 * levels || levels < 1
      || levels > LEVELS_MAX)
    return false;
  nn_value_info input = nn_model_input (model, 0);
  if (input.dtype != NN_F32 || input.rank != 4 || input.dim[1] != 3 || input.dim[2] < 1 || input.dim[3] < 1)
    return false;
  for (int i = 0; i < levels; i++) {
    nn_value_info scores = nn_model_output (model, i), boxes = nn_model_output (model, i + levels);
    int64_t n_cells = cells (&input, 8 << i);
    if (!is_level (&scores, n_cells) || !is_level (&boxes, n_cells) || boxes.dim[2] < 8 || boxes.dim[2] % 4)
      return false;
  }
  signature->page = 0;
  return true;
}

static int
n_classes (const nn_decode_input *input)
{
  return (int) input->outputs[0]->dim[2];
}

const nn_family nn_family_picodet = {
  .name = "picodet",
  .matches = matches,
  .page = { .bgr = true,
            .filter = NN_RESIZE_BILINEAR,
            /* ImageNet's, in RGB order on BGR channels: so was it trained, so does the reference. */
            .mean = { 0.485f, 0.456f, 0.406f },
            .std = { 0.229f, 0.224f, 0.225f } },
  .threshold = 0.5f,
  .iou_threshold = 0.5f,
  .suppresses = true,
  .n_classes = n_classes,
  .decode = nn_decode_picodet,
  .dense = &nn_dense_picodet,
};
