/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How one model is used: what its family, its metadata, its sidecar and the caller say, put together. */
#pragma once

#include "family.h"

typedef struct nn_setup {
  const nn_family *family;
  nn_signature signature;
  nn_coding coding;  /* for the family "custom" */
  int width, height; /* of the network's input */
  nn_page_spec page;
  float threshold, iou_threshold;
  char **labels;      /* of a sidecar or a labels file; NULL: the model's own */
  char *labels_from;  /* the file that they come from, for messages */
} nn_setup;

/* Fills `setup`; free with nn_setup_clear(), after a failure too. Nothing that fits: a message that
 * lists inputs and outputs and says what to set. */
nn_status nn_setup_resolve (nn_setup *setup, const nn_model *model, const nn_detector_options *options,
                            nn_error *err);

/* The labels, once `outputs` tell the number of classes: a list that the caller frees with
 * nn_labels_free(). NULL where there are none, or not as many as classes. */
char **nn_setup_take_labels (nn_setup *setup, const nn_model *model, const nn_decode_input *outputs,
                             nn_error *err);
void nn_setup_clear (nn_setup *setup);
