/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sidecar describes: no file is recognised as this. */
#include "family.h"

static int
n_classes (const nn_decode_input *input)
{
  const nn_tensor *scores = input->outputs[input->roles.scores];
  if (input->roles.labels >= 0 || scores->rank != 3)
    return 0;
  return (int) scores->dim[2] - (input->coding.background != NN_BACKGROUND_NONE);
}

const nn_family nn_family_custom = {
  .name = "custom",
  .size = 640,
  .page = { .filter = NN_RESIZE_BILINEAR, .std = { 1, 1, 1 }, .pad = 114 },
  .threshold = 0.5f,
  .iou_threshold = 0.5f,
  .n_classes = n_classes,
  .decode = nn_decode_custom,
};
