/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup.h"

#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "modelinfo.h"
#include "values.h"

#define PAD 114 /* Ultralytics' grey, where a letterbox is asked of a family that has none */

/* ---- which family ---- */

static nn_status
fail_unknown (const nn_model *model, const nn_modelinfo *info, const char *why, nn_error *err)
{
  char what[300];
  nn_family_describe_model (model, what, sizeof what);
  if (info->path)
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "%s: %s; %s. Say in %s which outputs are scores and boxes"
                    " (docs/modelinfo.md)",
                    nn_model_path (model), why, what, info->path);
  return nn_fail (err, NN_ERR_UNSUPPORTED,
                  "%s: %s; %s. Write beside it a .modelinfo with family=, or with"
                  " scores-output= and boxes-output= (docs/modelinfo.md)",
                  nn_model_path (model), why, what);
}

static int
find_image (const nn_model *model)
{
  for (int i = 0; i < nn_model_n_inputs (model); i++) {
    nn_value_info info = nn_model_input (model, i);
    if (nn_value_is_image (&info))
      return i;
  }
  return -1;
}

static nn_status
find_output (const nn_model *model, const nn_modelinfo *info, const char *key, const char *name, int *index,
             nn_error *err)
{
  if (!name)
    return NN_OK;
  *index = nn_model_find_output (model, name);
  if (*index >= 0)
    return NN_OK;
  char what[300];
  return nn_fail (err, NN_ERR_FORMAT, "%s: %s=%.60s: the model has no such output; %s", info->path, key, name,
                  nn_family_describe_model (model, what, sizeof what));
}

/* The signature that a sidecar describes. */
static nn_status
use_custom (nn_setup *setup, const nn_model *model, const nn_modelinfo *info, nn_error *err)
{
  nn_roles *roles = &setup->signature.roles;
  nn_status status;
  setup->family = &nn_family_custom;
  setup->coding = info->coding;
  if (!info->scores_output || !info->boxes_output)
    return fail_unknown (model, info, "the family custom needs scores-output and boxes-output in a sidecar",
                         err);
  setup->signature.page = find_image (model);
  if (setup->signature.page < 0 || nn_model_n_inputs (model) != 1)
    return fail_unknown (model, info, "its one input is not an image float32[N,3,height,width]", err);
  if ((status = find_output (model, info, "scores-output", info->scores_output, &roles->scores, err)) != NN_OK
      || (status = find_output (model, info, "boxes-output", info->boxes_output, &roles->boxes, err))
             != NN_OK)
    return status;
  return find_output (model, info, "labels-output", info->labels_output, &roles->labels, err);
}

static nn_status
use_named (nn_setup *setup, const nn_model *model, const char *name, const nn_modelinfo *info, nn_error *err)
{
  char names[200], why[120] = "it is not of the family ";
  setup->family = nn_family_named (name);
  if (!setup->family)
    return nn_fail (err, NN_ERR_ARGUMENT, "%s: there is no model family \"%.60s\"; there are %s",
                    nn_model_path (model), name, nn_family_names (names, sizeof names));
  if (setup->family == &nn_family_custom)
    return use_custom (setup, model, info, err);
  if (setup->family->matches (model, &setup->signature))
    return NN_OK;
  strcat (why, setup->family->name);
  return fail_unknown (model, info, why, err);
}

static nn_status
find_family (nn_setup *setup, const nn_model *model, const nn_modelinfo *info, nn_error *err)
{
  if (info->family)
    return use_named (setup, model, info->family, info, err);
  if (info->has_outputs)
    return use_custom (setup, model, info, err);
  setup->family = nn_family_of (model, &setup->signature);
  return setup->family ? NN_OK : fail_unknown (model, info, "not a detector of a known family", err);
}

/* The caller's word goes before all of the sidecar; without it, keys that the family does not read are
 * a mistake. */
static nn_status
choose_family (nn_setup *setup, const nn_model *model, const nn_detector_options *options,
               const nn_modelinfo *info, nn_error *err)
{
  setup->signature = NN_SIGNATURE_NONE;
  if (options->family)
    return use_named (setup, model, options->family, info, err);
  nn_status status = find_family (setup, model, info, err);
  if (status || setup->family == &nn_family_custom || !info->custom_key)
    return status;
  return nn_fail (err, NN_ERR_FORMAT,
                  "%s:%d: key \"%s\" is for the family custom only, and this model is of the family %s",
                  info->path, info->custom_line, info->custom_key, setup->family->name);
}

/* ---- what the page becomes ---- */

/* Ultralytics' key `imgsz`: "[height, width]", or one number for both. */
static void
apply_metadata (nn_setup *setup, const nn_model *model)
{
  const char *text = nn_model_metadata (model, "imgsz");
  double size[2];
  size_t n = text ? strlen (text) : 0;
  if (n > 0 && n < 64 && text[0] == '[' && text[n - 1] == ']') {
    char inside[64];
    memcpy (inside, text + 1, n - 2);
    inside[n - 2] = '\0';
    if (!nn_value_numbers (inside, size, 2))
      return;
  } else if (n > 0 && nn_value_number (text, size)) {
    size[1] = size[0];
  } else {
    return;
  }
  if (size[0] >= 1 && size[0] <= INT16_MAX && size[1] >= 1 && size[1] <= INT16_MAX) {
    setup->height = (int) size[0];
    setup->width = (int) size[1];
  }
}

static void
set_three (float to[3], const double from[3])
{
  for (int i = 0; i < 3; i++)
    to[i] = (float) from[i];
}

static void
apply_layout (nn_setup *setup, int width, int height, nn_channel_order order, nn_letterbox letterbox)
{
  setup->width = width ? width : setup->width;
  setup->height = height ? height : setup->height;
  if (order != NN_CHANNELS_AUTO)
    setup->page.bgr = order == NN_CHANNELS_BGR;
  if (letterbox != NN_LETTERBOX_AUTO)
    setup->page.letterbox = letterbox == NN_LETTERBOX_YES;
}

static void
apply_modelinfo (nn_setup *setup, nn_modelinfo *info)
{
  nn_page_spec *page = &setup->page;
  apply_layout (setup, info->input_width, info->input_height, info->channel_order, info->letterbox);
  if (info->has_mean)
    set_three (page->mean, info->mean);
  if (info->has_std)
    set_three (page->std, info->std);
  if (info->pad >= 0)
    page->pad = (uint8_t) info->pad;
  if (info->filter != NN_RESIZE_AUTO)
    page->filter = info->filter;
  setup->threshold = info->threshold < 0 ? setup->threshold : info->threshold;
  setup->iou_threshold = info->iou_threshold < 0 ? setup->iou_threshold : info->iou_threshold;
  if (info->labels) {
    setup->labels = info->labels;
    info->labels = NULL;
    setup->labels_from = info->path;
    info->path = NULL;
  }
}

static nn_status
apply_options (nn_setup *setup, const nn_detector_options *options, nn_error *err)
{
  double three[3];
  apply_layout (setup, options->input_width, options->input_height, options->channel_order,
                options->letterbox);
  if (options->mean) {
    if (!nn_value_numbers (options->mean, three, 3))
      return nn_fail (err, NN_ERR_ARGUMENT, "mean=%.60s: it takes three numbers with commas between them",
                      options->mean);
    set_three (setup->page.mean, three);
  }
  if (options->std) {
    if (!nn_value_numbers (options->std, three, 3) || !(three[0] > 0 && three[1] > 0 && three[2] > 0))
      return nn_fail (err, NN_ERR_ARGUMENT,
                      "std=%.60s: it takes three numbers above 0 with commas between them", options->std);
    set_three (setup->page.std, three);
  }
  if (options->labels_file) {
    nn_labels_free (setup->labels);
    free (setup->labels_from);
    setup->labels_from = strdup (options->labels_file);
    setup->labels = setup->labels_from ? nn_labels_read (options->labels_file, err) : NULL;
    if (!setup->labels_from)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for labels");
    if (!setup->labels)
      return err->status;
  }
  return NN_OK;
}

/* The file's own dimension, where it has one: nobody may say another. */
static nn_status
settle_side (const nn_model *model, const char *which, int64_t own, int wanted, int *side, nn_error *err)
{
  if (own > INT16_MAX)
    return nn_fail (err, NN_ERR_LIMIT, "%s: its input is too large", nn_model_path (model));
  if (own > 0 && wanted && wanted != own)
    return nn_fail (err, NN_ERR_ARGUMENT, "%s: an input of %s %d was asked for, but the model is made for %d",
                    nn_model_path (model), which, wanted, (int) own);
  if (own > 0)
    *side = (int) own;
  return NN_OK;
}

static nn_status
settle_size (nn_setup *setup, const nn_model *model, const nn_modelinfo *info,
             const nn_detector_options *options, nn_error *err)
{
  nn_value_info input = nn_model_input (model, setup->signature.page);
  int width = options->input_width ? options->input_width : info->input_width;
  int height = options->input_height ? options->input_height : info->input_height;
  nn_status status = settle_side (model, "width", input.dim[3], width, &setup->width, err);
  return status ? status : settle_side (model, "height", input.dim[2], height, &setup->height, err);
}

static nn_status
resolve_with (nn_setup *setup, const nn_model *model, const nn_detector_options *options, nn_modelinfo *info,
              nn_error *err)
{
  nn_status status = choose_family (setup, model, options, info, err);
  if (status)
    return status;
  const nn_family *family = setup->family;
  setup->width = setup->height = family->size;
  setup->page = family->page;
  setup->page.pad = family->page.letterbox ? family->page.pad : PAD;
  setup->threshold = family->threshold;
  setup->iou_threshold = family->iou_threshold;
  double scale = info->scale;
  apply_metadata (setup, model);
  if ((status = settle_size (setup, model, info, options, err)) != NN_OK)
    return status;
  apply_modelinfo (setup, info);
  if ((status = apply_options (setup, options, err)) != NN_OK)
    return status;
  /* White is 1 in page/; a larger one is as good as a smaller deviation. */
  for (int i = 0; i < 3 && scale > 0; i++)
    setup->page.std[i] /= (float) scale;
  return NN_OK;
}

nn_status
nn_setup_resolve (nn_setup *setup, const nn_model *model, const nn_detector_options *options, nn_error *err)
{
  nn_modelinfo info;
  *setup = (nn_setup) { 0 };
  nn_status status = nn_modelinfo_read (&info, model, options->modelinfo_file, err);
  if (!status)
    status = resolve_with (setup, model, options, &info, err);
  nn_modelinfo_clear (&info);
  return status;
}

/* ---- labels ---- */

/* From the metadata, else those that are known for so many classes. */
static char **
own_labels (const nn_setup *setup, const nn_model *model, int n_classes, nn_error *err)
{
  const char *lines = nn_model_metadata (model, "character"), *python = nn_model_metadata (model, "names");
  const char *path = nn_model_path (model);
  nn_error reason = { .status = NN_OK };
  char **labels;
  if (lines)
    labels = nn_labels_split (lines, "\n", &reason);
  else if (python)
    labels = nn_labels_from_python (python, &reason);
  else
    labels = nn_labels_known (n_classes ? n_classes : setup->family->usual_classes, &reason);
  if (labels)
    return labels;
  if (reason.status)
    nn_fail (err, reason.status, "%s: labels in its metadata: %s", path, reason.message);
  else if (n_classes)
    nn_fail (err, NN_ERR_FORMAT,
             "%s: no labels in it, and none are known for %d classes: name a labels file, or"
             " write labels= in its .modelinfo",
             path, n_classes);
  else
    nn_fail (err, NN_ERR_FORMAT,
             "%s: no labels in it: name a labels file, or write labels= in its .modelinfo", path);
  return NULL;
}

char **
nn_setup_take_labels (nn_setup *setup, const nn_model *model, const nn_decode_input *outputs, nn_error *err)
{
  int n_classes = setup->family->n_classes ? setup->family->n_classes (outputs) : 0;
  char **labels = setup->labels ? setup->labels : own_labels (setup, model, n_classes, err);
  setup->labels = NULL;
  int n = labels ? nn_labels_count (labels) : 0;
  if (!labels || !n_classes || n == n_classes)
    return labels;
  nn_labels_free (labels);
  nn_fail (err, NN_ERR_FORMAT, "%s: %d labels for %d classes: there must be one for each, in their order",
           setup->labels_from ? setup->labels_from : nn_model_path (model), n, n_classes);
  return NULL;
}

void
nn_setup_clear (nn_setup *setup)
{
  nn_labels_free (setup->labels);
  free (setup->labels_from);
  *setup = (nn_setup) { 0 };
}
