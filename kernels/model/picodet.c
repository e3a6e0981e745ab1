/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PicoDet of PaddleDetection, as PP-Structure's layout models use it and RapidLayout runs them. */
#include "picodet.h"

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
matches (const nn_model *model)
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
  return true;
}

static char **
labels (const nn_model *model, nn_error *err)
{
  const char *text = nn_model_metadata (model, "character");
  if (text)
    return nn_labels_split (text, "\n", err);
  nn_fail (err, NN_ERR_FORMAT, "%s: no labels in its metadata (key \"character\"): name a labels file",
           nn_model_path (model));
  return NULL;
}

static int
n_classes (const nn_model *model)
{
  return (int) nn_model_output (model, 0).dim[2];
}

const nn_family nn_family_picodet = {
  .name = "picodet",
  .matches = matches,
  .labels = labels,
  .n_classes = n_classes,
  .page = { .bgr = true,
            .filter = NN_RESIZE_BILINEAR,
            /* ImageNet's, in RGB order on BGR channels: so was it trained, so does the reference. */
            .mean = { 0.485f, 0.456f, 0.406f },
            .std = { 0.229f, 0.224f, 0.225f } },
  .page_input = 0,
  .threshold = 0.5f,
  .iou_threshold = 0.5f,
  .decode = nn_decode_picodet,
};
