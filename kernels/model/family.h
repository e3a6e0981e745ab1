/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which family of detectors an ONNX file belongs to, and what its users need to know of it.
 * To add a family: a file here with a `const nn_family`, a decoder in decode/, a row in family.c.
 */
#pragma once

#include "../decode/decode.h"
#include "../nn.h"
#include "../page/page.h"

typedef struct nn_family {
  const char *name; /* "picodet" */
  /* Whether inputs, outputs and metadata fit. Looks at names and shapes only. */
  bool (*matches) (const nn_model *model);
  /* The family's labels for this model: a NULL-terminated array that the caller frees with
   * nn_labels_free(). NULL with `err` set where the model does not tell and none are known. */
  char **(*labels) (const nn_model *model, nn_error *err);
  int (*n_classes) (const nn_model *model); /* that the outputs tell apart: so many labels it takes */
  nn_page_spec page;
  int page_input; /* which input takes the page */
  float threshold, iou_threshold; /* of the family's reference */
  nn_decoder decode;
} nn_family;

/* The family of `model`; NULL with a message that lists inputs and outputs where none matches. */
const nn_family *nn_family_of (const nn_model *model, nn_error *err);

/* One label a line, UTF-8; empty lines at the end are dropped. NULL on failure. */
char **nn_labels_read (const char *path, nn_error *err);
char **nn_labels_split (const char *text, const char *separator, nn_error *err);
int nn_labels_count (char *const *labels);
void nn_labels_free (char **labels); /* NULL is fine */
