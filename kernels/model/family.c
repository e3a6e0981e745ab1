/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "family.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Each is asked in turn: those that look at names before those that look at shapes only. */
static const nn_family *const families[] = {
  &nn_family_docling,
  &nn_family_detr_ordered,
  &nn_family_detr,
  &nn_family_pp_doclayout_ordered,
  &nn_family_pp_doclayout,
  &nn_family_yolov10,
  &nn_family_yolov8,
  &nn_family_picodet,
  &nn_family_custom,
};

#define N_FAMILIES (sizeof families / sizeof *families)

static bool
has_first_input (const nn_family *family, const nn_model *model)
{
  return !family->first_input || nn_model_find_input (model, family->first_input) == 0;
}

const nn_family *
nn_family_of (const nn_model *model, nn_signature *signature)
{
  for (size_t i = 0; i < N_FAMILIES; i++) {
    *signature = NN_SIGNATURE_NONE;
    if (families[i]->matches && has_first_input (families[i], model)
        && families[i]->matches (model, signature))
      return families[i];
  }
  return NULL;
}

const nn_family *
nn_family_named (const char *name)
{
  for (size_t i = 0; i < N_FAMILIES; i++)
    if (!strcmp (families[i]->name, name))
      return families[i];
  return NULL;
}

const char *
nn_family_names (char *buffer, size_t size)
{
  size_t at = 0;
  for (size_t i = 0; i < N_FAMILIES && at < size; i++)
    at += (size_t) snprintf (buffer + at, size - at, "%s%s", i ? ", " : "", families[i]->name);
  return buffer;
}

/* "NAME float32[1,3,?,?]" after what `text` holds; a text that is full stays as it is. */
static size_t
append_value (char *text, size_t size, size_t at, const nn_value_info *info, bool first)
{
  if (at < size)
    at += (size_t) snprintf (text + at, size - at, "%s%.40s %s[", first ? "" : ", ", info->name,
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

const char *
nn_family_describe_model (const nn_model *model, char *buffer, size_t size)
{
  size_t at = (size_t) snprintf (buffer, size, "inputs: ");
  for (int i = 0; i < nn_model_n_inputs (model); i++) {
    nn_value_info info = nn_model_input (model, i);
    at = append_value (buffer, size, at, &info, i == 0);
  }
  if (at < size)
    at += (size_t) snprintf (buffer + at, size - at, "; outputs: ");
  for (int i = 0; i < nn_model_n_outputs (model); i++) {
    nn_value_info info = nn_model_output (model, i);
    at = append_value (buffer, size, at, &info, i == 0);
  }
  return buffer;
}

bool
nn_value_is (const nn_value_info *info, nn_dtype dtype, int rank)
{
  return info->dtype == dtype && (info->rank == rank || info->rank == 0);
}

bool
nn_value_ends_with (const nn_value_info *info, int64_t dim)
{
  return info->rank == 0 || info->dim[info->rank - 1] == dim || info->dim[info->rank - 1] < 0;
}

bool
nn_value_is_image (const nn_value_info *info)
{
  return info->dtype == NN_F32 && info->rank == 4 && (info->dim[1] == 3 || info->dim[1] < 0);
}

int
nn_model_find_input (const nn_model *model, const char *name)
{
  for (int i = 0; i < nn_model_n_inputs (model); i++)
    if (!strcmp (nn_model_input (model, i).name, name))
      return i;
  return -1;
}

int
nn_model_find_output (const nn_model *model, const char *name)
{
  for (int i = 0; i < nn_model_n_outputs (model); i++)
    if (!strcmp (nn_model_output (model, i).name, name))
      return i;
  return -1;
}
