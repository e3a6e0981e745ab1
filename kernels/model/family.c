/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "family.h"

#include <inttypes.h>
#include <stdio.h>

#include "picodet.h"

static const nn_family *const families[] = {
  &nn_family_picodet,
};

/* "NAME float32[1,3,?,?]" after what `text` holds; a text that is full stays as it is. */
static size_t
append_value (char *text, size_t size, size_t at, const nn_value_info *info, bool first)
{
  if (at < size)
    at += (size_t) snprintf (text + at, size - at, "%s%s %s[", first ? "" : ", ", info->name,
                             nn_dtype_name (info->dtype));
  for (int i = 0; i < info->rank && at < size; i++) {
    const char *comma = i ? "," : "";
    if (info->dim[i] < 0)
      at += (size_t) snprintf (text + at, size - at, "%s?", comma);
    else
      at += (size_t) snprintf (text + at, size - at, "%s%" PRId64, comma, info->dim[i]);
  }
  if (at < size)
    at += (size_t) snprintf (text + at, size - at, "]");
  return at;
}

const nn_family *
nn_family_of (const nn_model *model, nn_error *err)
{
  for (size_t i = 0; i < sizeof families / sizeof *families; i++)
    if (families[i]->matches (model))
      return families[i];

  char inputs[192] = "", outputs[256] = "";
  size_t at = 0;
  for (int i = 0; i < nn_model_n_inputs (model); i++) {
    nn_value_info info = nn_model_input (model, i);
    at = append_value (inputs, sizeof inputs, at, &info, i == 0);
  }
  at = 0;
  for (int i = 0; i < nn_model_n_outputs (model); i++) {
    nn_value_info info = nn_model_output (model, i);
    at = append_value (outputs, sizeof outputs, at, &info, i == 0);
  }
  nn_fail (err, NN_ERR_UNSUPPORTED, "%s: not a detector of a known family; inputs: %s; outputs: %s",
           nn_model_path (model), inputs, outputs);
  return NULL;
}
