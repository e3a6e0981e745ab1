/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nn-inspect: says whether and how fast a model will run. Its parts: nn-inspect.c gathers a report,
 * nn-inspect-text.c writes it for people, nn-inspect-json.c for machines; nn-inspect-image.c reads the
 * page that it tries the model on; nn-inspect-devices.c tells of GPUs instead.
 */
#pragma once

#include "nn.h"

#include <stdio.h>

/* Exit statuses, as --help tells them. */
typedef enum inspect_status {
  INSPECT_WILL_RUN = 0,
  INSPECT_WILL_NOT_RUN = 1, /* or a file cannot be read */
  INSPECT_USAGE = 2,
  INSPECT_NO_DETECTOR = 3, /* the network runs, but its outputs cannot be turned into regions */
} inspect_status;

typedef struct inspect_options {
  const char *model, *image; /* image NULL: none */
  nn_device_kind device;
  nn_precision precision;
  int cuda_device;
  int batch, threads;
  int width, height; /* of the network's input where it is open; 0: the family's */
  const char *modelinfo, *family, *labels; /* as of nn_detector_options */
  int runs; /* of the profile; 0: none */
  bool json;
  bool devices; /* tell of GPUs, and of no model */
} inspect_options;

typedef struct inspect_report {
  const inspect_options *options;
  nn_model *model;
  uint64_t file_bytes;
  nn_plan *plan;         /* NULL: plan_error says why */
  nn_detector *detector; /* NULL: detector_error says why, where there is a plan */
  nn_error plan_error, detector_error;
  double load_ms, plan_ms;
  double *seconds;     /* by node, the mean of the profile's runs; NULL: none */
  double run_ms;       /* the same of whole runs */
  nn_frame image;      /* data NULL: none */
  nn_detections found; /* in it, if it could be tried */
  double infer_ms;
} inspect_report;

inspect_status inspect_report_status (const inspect_report *report);
/* An error's message without the model's path in front. */
const char *inspect_cause (const inspect_report *report, const nn_error *error);
const char *inspect_device_name (nn_device_kind device);
const char *inspect_precision_name (const inspect_options *options); /* what auto stands for, where it is asked for */

void inspect_write_text (FILE *to, const inspect_report *report);
void inspect_write_json (FILE *to, const inspect_report *report);

/* What --devices tells. */
typedef struct inspect_gpus {
  nn_cuda_info cuda;
  nn_error error;          /* its status is NN_OK where there is a CUDA backend */
  nn_device_info *devices; /* cuda.n_devices of them */
} inspect_gpus;

/* Writes what there is to standard output; INSPECT_WILL_RUN where a GPU can be used, else INSPECT_WILL_NOT_RUN. */
inspect_status inspect_devices (bool as_json);
void inspect_write_gpus_json (FILE *to, const inspect_gpus *gpus);

/* A PNG, JPEG or binary PNM file as RGB pixels; transparent parts turn white. The caller frees
 * frame->data. */
nn_status inspect_read_image (const char *path, nn_frame *frame, nn_error *err);
