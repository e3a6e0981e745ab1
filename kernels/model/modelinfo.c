/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "modelinfo.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family.h"
#include "ini.h"
#include "labels.h"
#include "values.h"

#define OUR_GROUP "gst-doclayout"

/* The value of one key on its way into `info`, `to` bytes from its start; false if it is none. */
typedef struct key key;
typedef bool (*parser) (nn_modelinfo *info, const key *k, const char *text);

struct key {
  const char *name;
  parser parse;
  size_t to;
  const char *allowed;        /* for messages */
  const char *const *choices; /* of parse_choice() */
  bool custom;                /* for models of no known family only */
};

static void *
field (nn_modelinfo *info, const key *k)
{
  return (char *) info + k->to;
}

static bool
parse_text (nn_modelinfo *info, const key *k, const char *text)
{
  char **to = field (info, k);
  return *text && (*to = strdup (text)) != NULL;
}

static bool
parse_output (nn_modelinfo *info, const key *k, const char *text)
{
  info->has_outputs = true;
  return parse_text (info, k, text);
}

/* The choices are in the order of the enumeration, which starts at 0 or, where the field's 0 means
 * "not said", at 1 with an empty name before. */
static bool
parse_choice (nn_modelinfo *info, const key *k, const char *text)
{
  int value = nn_value_choice (text, k->choices);
  if (value < 0 || !*text)
    return false;
  *(unsigned *) field (info, k) = (unsigned) value;
  return true;
}

static bool
parse_bool (nn_modelinfo *info, const key *k, const char *text)
{
  *(bool *) field (info, k) = !strcmp (text, "true");
  return !strcmp (text, "true") || !strcmp (text, "false");
}

static bool
parse_whole (const char *text, int least, int most, int *value)
{
  double number;
  if (!nn_value_number (text, &number) || number < least || number > most || number != floor (number))
    return false;
  *value = (int) number;
  return true;
}

static bool
parse_side (nn_modelinfo *info, const key *k, const char *text)
{
  return parse_whole (text, 1, INT16_MAX, field (info, k));
}

static bool
parse_level (nn_modelinfo *info, const key *k, const char *text)
{
  return parse_whole (text, 0, UINT8_MAX, field (info, k));
}

static bool
parse_scale (nn_modelinfo *info, const key *k, const char *text)
{
  return nn_value_number (text, &info->scale) && (info->scale == 1 || info->scale == 255);
}

static bool
parse_share (nn_modelinfo *info, const key *k, const char *text)
{
  double number;
  bool ok = nn_value_number (text, &number) && number >= 0 && number <= 1;
  *(float *) field (info, k) = ok ? (float) number : -1;
  return ok;
}

static bool
parse_mean (nn_modelinfo *info, const key *k, const char *text)
{
  return info->has_mean = nn_value_numbers (text, info->mean, 3);
}

static bool
parse_std (nn_modelinfo *info, const key *k, const char *text)
{
  info->has_std = true;
  return nn_value_numbers (text, info->std, 3) && info->std[0] > 0 && info->std[1] > 0 && info->std[2] > 0;
}

/* "text, title, list item" */
static bool
parse_labels (nn_modelinfo *info, const key *k, const char *text)
{
  nn_error ignored;
  nn_labels_free (info->labels);
  info->labels = nn_labels_split (text, ",", &ignored);
  for (char **label = info->labels; label && *label; label++) {
    char *start = *label + strspn (*label, " \t");
    size_t n = strlen (start);
    while (n > 0 && (start[n - 1] == ' ' || start[n - 1] == '\t'))
      n--;
    if (n == 0)
      return false;
    memmove (*label, start, n);
    (*label)[n] = '\0';
  }
  return info->labels != NULL;
}

static const char *const orders[] = { "", "rgb", "bgr", NULL };
static const char *const letterboxes[] = { "false", "true", NULL };
static const char *const filters[] = { "", "bilinear", "bilinear-antialias", "bicubic", "area", NULL };
static const char *const formats[] = { "xyxy", "cxcywh", "xywh", NULL };
static const char *const units[] = { "pixels", "normalised", NULL };
static const char *const activations[] = { "none", "sigmoid", "softmax", NULL };
static const char *const backgrounds[] = { "none", "first", "last", NULL };

static bool
parse_letterbox (nn_modelinfo *info, const key *k, const char *text)
{
  int value = nn_value_choice (text, k->choices);
  info->letterbox = value == 1 ? NN_LETTERBOX_YES : NN_LETTERBOX_NO;
  return value >= 0;
}

static bool
parse_units (nn_modelinfo *info, const key *k, const char *text)
{
  int value = nn_value_choice (text, k->choices);
  info->coding.normalised = value == 1;
  return value >= 0;
}

#define TO(member) offsetof (nn_modelinfo, member)
#define SIDE "a whole number of pixels, 1 to 32767"
#define SHARE "a number, 0 to 1"
#define OUTPUT "the name of one of the model's outputs"
#define THREE "three numbers with commas between them, one a channel"

static const key keys[] = {
  { "family", parse_text, TO (family), "the name of a family", NULL, false },
  { "input-width", parse_side, TO (input_width), SIDE, NULL, false },
  { "input-height", parse_side, TO (input_height), SIDE, NULL, false },
  { "channel-order", parse_choice, TO (channel_order), "rgb or bgr", orders, false },
  { "mean", parse_mean, 0, THREE ", of values in 0 to 1", NULL, false },
  { "std", parse_std, 0, THREE ", above 0, of values in 0 to 1", NULL, false },
  { "scale", parse_scale, 0, "1 or 255, the value of white before mean and std", NULL, false },
  { "resize-filter", parse_choice, TO (filter), "bilinear, bilinear-antialias, bicubic or area", filters,
    false },
  { "letterbox", parse_letterbox, 0, "true or false", letterboxes, false },
  { "pad", parse_level, TO (pad), "a whole number, 0 to 255", NULL, false },
  { "labels", parse_labels, 0, "labels with commas between them, none of them empty", NULL, false },
  { "threshold", parse_share, TO (threshold), SHARE, NULL, false },
  { "iou-threshold", parse_share, TO (iou_threshold), SHARE, NULL, false },
  { "scores-output", parse_output, TO (scores_output), OUTPUT, NULL, true },
  { "boxes-output", parse_output, TO (boxes_output), OUTPUT, NULL, true },
  { "labels-output", parse_output, TO (labels_output), OUTPUT, NULL, true },
  { "box-format", parse_choice, TO (coding.format), "xyxy, cxcywh or xywh", formats, true },
  { "box-units", parse_units, 0, "pixels or normalised", units, true },
  { "score-activation", parse_choice, TO (coding.activation), "none, sigmoid or softmax", activations, true },
  { "background", parse_choice, TO (coding.background), "none, first or last", backgrounds, true },
  { "nms", parse_bool, TO (coding.nms), "true or false", NULL, true },
};

#define N_KEYS (sizeof keys / sizeof *keys)

static nn_status
bad_value (const nn_modelinfo *info, const nn_ini_entry *e, const char *allowed, nn_error *err)
{
  return nn_fail (err, NN_ERR_FORMAT, "%s:%d: key \"%s\" is \"%.60s\"; it takes %s", info->path, e->line,
                  e->key, e->value, allowed);
}

static nn_status
unknown_key (const nn_modelinfo *info, const nn_ini_entry *e, nn_error *err)
{
  char names[400] = "";
  size_t at = 0;
  for (size_t i = 0; i < N_KEYS && at < sizeof names; i++)
    at += (size_t) snprintf (names + at, sizeof names - at, "%s%s", i ? ", " : "", keys[i].name);
  return nn_fail (err, NN_ERR_FORMAT, "%s:%d: unknown key \"%.40s\"; there are %s, labels-file", info->path,
                  e->line, e->key, names);
}

/* A path in a sidecar starts at the folder where that lies. */
static nn_status
read_labels_file (nn_modelinfo *info, const nn_ini_entry *e, nn_error *err)
{
  const char *slash = strrchr (info->path, '/');
  char path[PATH_MAX];
  int n = snprintf (path, sizeof path, "%.*s%s",
                    *e->value == '/' || !slash ? 0 : (int) (slash - info->path + 1), info->path, e->value);
  if (!*e->value || n < 0 || (size_t) n >= sizeof path)
    return bad_value (info, e, "the path of a file with a label a line", err);
  nn_labels_free (info->labels);
  info->labels = nn_labels_read (path, err);
  return info->labels ? NN_OK : nn_fail_in (err, "%s:%d", info->path, e->line);
}

static nn_status
read_own (nn_modelinfo *info, const nn_ini_entry *e, nn_error *err)
{
  if (!strcmp (e->key, "labels-file"))
    return read_labels_file (info, e, err);
  for (size_t i = 0; i < N_KEYS; i++)
    if (!strcmp (keys[i].name, e->key)) {
      if (keys[i].custom) {
        info->custom_key = keys[i].name;
        info->custom_line = e->line;
      }
      return keys[i].parse (info, &keys[i], e->value) ? NN_OK : bad_value (info, e, keys[i].allowed, err);
    }
  return unknown_key (info, e, err);
}

/* GStreamer's `ranges`: what 0 and 255 become, for all channels or for each: "0,1" or "-1,1;-1,1;0,1". */
static bool
read_ranges (nn_modelinfo *info, char *text)
{
  double ranges[3][2];
  int n = 0;
  for (char *part; (part = strsep (&text, ";")) != NULL; n++)
    if (n == 3 || !nn_value_numbers (part, ranges[n], 2) || !(ranges[n][1] > ranges[n][0]))
      return false;
  for (int i = 0; i < 3; i++) {
    const double *range = ranges[n == 3 ? i : 0], width = range[1] - range[0];
    info->mean[i] = -range[0] / width;
    info->std[i] = 1 / width;
  }
  return n == 1 || n == 3;
}

/* GStreamer's `dims`: [N,3,height,width], -1 where open. */
static bool
read_dims (nn_modelinfo *info, const char *text)
{
  double dims[4];
  if (!nn_value_numbers (text, dims, 4))
    return false;
  for (int i = 0; i < 4; i++)
    if (dims[i] != floor (dims[i]) || (dims[i] != -1 && dims[i] < 1) || dims[i] > INT16_MAX)
      return false;
  info->input_height = dims[2] > 0 ? (int) dims[2] : 0;
  info->input_width = dims[3] > 0 ? (int) dims[3] : 0;
  return dims[1] == 3 || dims[1] == -1;
}

/* The group of the image input. */
static nn_status
read_input (nn_modelinfo *info, const nn_ini_entry *e, nn_error *err)
{
  if (!strcmp (e->key, "ranges")) {
    char *copy = strdup (e->value);
    bool ok = copy && read_ranges (info, copy);
    free (copy);
    if (!ok)
      return bad_value (info, e, "MIN,MAX, or three of these with semicolons between them", err);
    info->has_mean = info->has_std = true;
  } else if (!strcmp (e->key, "dims") && !read_dims (info, e->value)) {
    return bad_value (info, e, "four whole numbers with commas between them: N,3,height,width, -1 where open",
                      err);
  }
  return NN_OK;
}

static nn_status
read_version (const nn_modelinfo *info, const nn_ini_entry *e, nn_error *err)
{
  double version;
  if (strcmp (e->key, "version"))
    return NN_OK;
  if (!nn_value_number (e->value, &version) || floor (version) != 1)
    return bad_value (info, e, "1.0, the version of the form that is known here", err);
  return NN_OK;
}

static nn_status
read_entry (nn_modelinfo *info, const nn_model *model, const nn_ini_entry *e, nn_error *err)
{
  int input = nn_model_find_input (model, e->group);
  if (!strcmp (e->group, OUR_GROUP))
    return NN_OK; /* later */
  if (!strcmp (e->group, "modelinfo"))
    return read_version (info, e, err);
  if (input >= 0) {
    nn_value_info value = nn_model_input (model, input);
    return nn_value_is_image (&value) ? read_input (info, e, err) : NN_OK;
  }
  if (nn_model_find_output (model, e->group) >= 0)
    return NN_OK;
  return nn_fail (err, NN_ERR_FORMAT,
                  "%s:%d: [%.40s] is neither [gst-doclayout] nor [modelinfo] nor named as an input or output"
                  " of the model",
                  info->path, e->line, e->group);
}

/* Our keys last: they go before GStreamer's. */
static nn_status
read_entries (nn_modelinfo *info, const nn_model *model, const nn_ini *ini, nn_error *err)
{
  nn_status status = NN_OK;
  for (size_t i = 0; i < ini->n && !status; i++)
    status = read_entry (info, model, &ini->entries[i], err);
  for (size_t i = 0; i < ini->n && !status; i++)
    if (!strcmp (ini->entries[i].group, OUR_GROUP))
      status = read_own (info, &ini->entries[i], err);
  return status;
}

/* The sidecar's path, or NULL where there is none; false without memory. */
static bool
find (const nn_model *model, char **path)
{
  const char *file = nn_model_path (model), *name = strrchr (file, '/');
  const char *ending = strrchr (name ? name : file, '.');
  int lengths[] = { (int) strlen (file), ending ? (int) (ending - file) : 0 };
  for (int i = 0; i < 2; i++) {
    if (asprintf (path, "%.*s.modelinfo", lengths[i], file) < 0)
      return false;
    if (lengths[i] > 0 && access (*path, F_OK) == 0)
      return true;
    free (*path);
  }
  *path = NULL;
  return true;
}

nn_status
nn_modelinfo_read (nn_modelinfo *info, const nn_model *model, const char *path, nn_error *err)
{
  *info = (nn_modelinfo) { .pad = -1, .threshold = -1, .iou_threshold = -1 };
  info->coding = (nn_coding) { .normalised = true };
  if (path ? !(info->path = strdup (path)) : !find (model, &info->path))
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a sidecar");
  if (!info->path)
    return NN_OK;
  nn_ini ini;
  nn_status status = nn_ini_read (&ini, info->path, err);
  if (!status)
    status = read_entries (info, model, &ini, err);
  nn_ini_clear (&ini);
  return status;
}

void
nn_modelinfo_clear (nn_modelinfo *info)
{
  free (info->path);
  free (info->family);
  free (info->scores_output);
  free (info->boxes_output);
  free (info->labels_output);
  nn_labels_free (info->labels);
  *info = (nn_modelinfo) { 0 };
}
