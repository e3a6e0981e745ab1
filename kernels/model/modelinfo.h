/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model's sidecar: MODEL.onnx.modelinfo. docs/modelinfo.md lists its keys.
 *
 * The form is GStreamer's own (≥ 1.28, GstAnalyticsModelInfo): a group for each input and output, of
 * which `dims` and `ranges` of the image input are read here, and a group [modelinfo] with the version
 * of the form. What that form cannot say stands in a group [gst-doclayout].
 */
#pragma once

#include "../decode/decode.h"
#include "../nn.h"

/* What a sidecar says. */
typedef struct nn_modelinfo {
  char *path; /* NULL: there is none, and nothing of the rest is set */
  char *family;
  int input_width, input_height; /* 0: not said */
  nn_channel_order channel_order;
  nn_letterbox letterbox;
  bool has_mean, has_std;
  double mean[3], std[3];
  int pad;      /* -1: not said */
  double scale; /* 0: not said */
  nn_resize_filter filter;
  float threshold, iou_threshold; /* < 0: not said */
  char **labels;                  /* NULL: not said */
  /* For models of no known family: */
  const char *custom_key; /* one of their keys, in line `custom_line`; NULL: none is there */
  int custom_line;
  bool has_outputs; /* one of the following is set */
  char *scores_output, *boxes_output, *labels_output;
  nn_coding coding;
} nn_modelinfo;

/* Reads the sidecar of `model`: `path`, or where that is NULL MODEL.modelinfo or MODEL without its
 * ending and .modelinfo, if one of them is there. Free with nn_modelinfo_clear(), after a failure too.
 * Unknown groups, keys and values are errors that say FILE:LINE and what is allowed. */
nn_status nn_modelinfo_read (nn_modelinfo *info, const nn_model *model, const char *path, nn_error *err);
void nn_modelinfo_clear (nn_modelinfo *info);
