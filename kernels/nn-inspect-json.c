/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nn-inspect.h"
#include "session.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- JSON */

typedef struct json {
  FILE *to;
  bool first; /* in the object or array that is open */
} json;

/* A file's name may be any bytes: those that are no UTF-8 become U+FFFD. */
static void
put_string (FILE *to, const char *text)
{
  fputc ('"', to);
  size_t left = strlen (text);
  for (const unsigned char *c = (const unsigned char *) text; left > 0;) {
    size_t length = nn_utf8_length ((const char *) c, left);
    if (length == 0)
      fputs ("\\ufffd", to);
    else if (*c == '"' || *c == '\\')
      fprintf (to, "\\%c", *c);
    else if (*c < ' ')
      fprintf (to, "\\u%04x", *c);
    else
      fwrite (c, 1, length, to);
    c += length > 0 ? length : 1;
    left -= length > 0 ? length : 1;
  }
  fputc ('"', to);
}

/* What goes before a value; key NULL in an array. */
static void
begin (json *j, const char *key)
{
  fputs (j->first ? "" : ", ", j->to);
  j->first = false;
  if (key != NULL) {
    put_string (j->to, key);
    fputs (": ", j->to);
  }
}

static void
open (json *j, const char *key, char bracket)
{
  begin (j, key);
  fputc (bracket, j->to);
  j->first = true;
}

static void
close (json *j, char bracket)
{
  fputc (bracket, j->to);
  j->first = false;
}

/* NULL becomes null. */
static void
add_string (json *j, const char *key, const char *text)
{
  begin (j, key);
  if (text != NULL)
    put_string (j->to, text);
  else
    fputs ("null", j->to);
}

static void
add_number (json *j, const char *key, double number)
{
  begin (j, key);
  if (isfinite (number))
    fprintf (j->to, "%.17g", number);
  else
    fputs ("null", j->to);
}

static void
add_bool (json *j, const char *key, bool value)
{
  begin (j, key);
  fputs (value ? "true" : "false", j->to);
}

/* ---------------------------------------------------------------- the file */

/* Open dimensions are null. */
static void
add_shape (json *j, const nn_value_info *info)
{
  add_string (j, "type", nn_dtype_name (info->dtype));
  open (j, "shape", '[');
  for (int i = 0; i < info->rank; i++)
    add_number (j, NULL, info->dim[i] < 0 ? NAN : (double) info->dim[i]);
  close (j, ']');
}

static void
add_values (json *j, const char *key, const nn_model *model, int n,
            nn_value_info (*value) (const nn_model *, int))
{
  open (j, key, '[');
  for (int i = 0; i < n; i++) {
    nn_value_info info = value (model, i);
    open (j, NULL, '{');
    add_string (j, "name", info.name);
    add_shape (j, &info);
    close (j, '}');
  }
  close (j, ']');
}

static void
add_file (json *j, const inspect_report *r)
{
  nn_origin origin = nn_model_origin (r->model);
  add_string (j, "file", r->options->model);
  add_number (j, "bytes", (double) r->file_bytes);
  add_string (j, "producer", origin.producer);
  add_string (j, "producer_version", origin.producer_version);
  add_number (j, "opset", (double) origin.opset);
  add_number (j, "ir_version", (double) origin.ir_version);
  add_values (j, "inputs", r->model, nn_model_n_inputs (r->model), nn_model_input);
  add_values (j, "outputs", r->model, nn_model_n_outputs (r->model), nn_model_output);
}

static void
add_operators (json *j, const nn_model *model)
{
  open (j, "operators", '[');
  for (int i = 0; i < nn_model_n_operator_infos (model); i++) {
    nn_operator_info info = nn_model_operator_info (model, i);
    open (j, NULL, '{');
    add_string (j, "name", info.name);
    add_string (j, "domain", info.domain);
    add_number (j, "nodes", info.n_nodes);
    add_bool (j, "supported", info.supported);
    close (j, '}');
  }
  close (j, ']');
}

static void
add_family (json *j, const inspect_report *r)
{
  add_string (j, "family", r->detector != NULL ? nn_detector_family (r->detector) : NULL);
  open (j, "labels", '[');
  for (int i = 0; r->detector != NULL && i < nn_detector_n_labels (r->detector); i++)
    add_string (j, NULL, nn_detector_label (r->detector, i));
  close (j, ']');
}

/* ---------------------------------------------------------------- the plan */

static void
add_changes (json *j, const nn_plan *plan)
{
  open (j, "changes", '[');
  for (int i = 0; i < nn_plan_n_changes (plan); i++) {
    nn_plan_change change = nn_plan_change_at (plan, i);
    open (j, NULL, '{');
    add_string (j, "name", change.name);
    add_number (j, "nodes", change.nodes);
    close (j, '}');
  }
  close (j, ']');
}

/* Returns the sum of their operations. */
static double
add_nodes (json *j, const inspect_report *r)
{
  double flop = 0;
  open (j, "nodes", '[');
  for (int i = 0; i < nn_plan_nodes_after (r->plan); i++) {
    nn_node_info info = nn_plan_node (r->plan, i);
    open (j, NULL, '{');
    add_string (j, "name", info.name);
    add_string (j, "operator", info.op);
    add_string (j, "fused", info.fused);
    add_shape (j, &info.result);
    add_number (j, "flop", info.flop);
    add_number (j, "weight_bytes", (double) info.weight_bytes);
    add_number (j, "value_bytes", (double) info.value_bytes);
    if (r->seconds != NULL)
      add_number (j, "ms", r->seconds[i] * 1e3);
    close (j, '}');
    flop += info.flop;
  }
  close (j, ']');
  return flop;
}

static void
add_plan (json *j, const inspect_report *r)
{
  open (j, "plan", '{');
  add_string (j, "device", nn_plan_device_name (r->plan));
  add_string (j, "precision", inspect_precision_name (r->options));
  add_number (j, "batch", r->options->batch);
  add_number (j, "threads", r->options->threads);
  add_number (j, "nodes_before", nn_plan_nodes_before (r->plan));
  add_number (j, "nodes_after", nn_plan_nodes_after (r->plan));
  add_changes (j, r->plan);
  add_number (j, "weight_bytes", (double) nn_plan_weight_bytes (r->plan));
  add_number (j, "arena_bytes", (double) nn_plan_arena_bytes (r->plan));
  add_number (j, "scratch_bytes", (double) nn_plan_scratch_bytes (r->plan));
  add_number (j, "load_ms", r->load_ms);
  add_number (j, "plan_ms", r->plan_ms);
  add_number (j, "flop", add_nodes (j, r));
  if (r->seconds != NULL) {
    add_number (j, "runs", r->options->runs);
    add_number (j, "run_ms", r->run_ms);
  }
  close (j, '}');
}

/* ---------------------------------------------------------------- all */

static void
add_page (json *j, const inspect_report *r)
{
  open (j, "page", '{');
  add_string (j, "file", r->options->image);
  add_number (j, "width", r->image.width);
  add_number (j, "height", r->image.height);
  add_number (j, "infer_ms", r->infer_ms);
  open (j, "regions", '[');
  for (int i = 0; i < r->found.n; i++) {
    const nn_region *region = &r->found.regions[i];
    open (j, NULL, '{');
    add_string (j, "label", nn_detector_label (r->detector, region->class_id));
    add_number (j, "score", (double) region->score);
    open (j, "bbox", '[');
    for (int k = 0; k < 4; k++)
      add_number (j, NULL, (double) (const float[]){ region->x0, region->y0, region->x1, region->y1 }[k]);
    close (j, ']');
    add_number (j, "order", region->order < 0 ? NAN : region->order);
    close (j, '}');
  }
  close (j, ']');
  close (j, '}');
}

/* Why there are no regions; NULL where there are. */
static const char *
cause (const inspect_report *r)
{
  return r->plan == NULL       ? r->plan_error.message
         : r->detector == NULL ? r->detector_error.message
                               : NULL;
}

void
inspect_write_json (FILE *to, const inspect_report *report)
{
  json j = { .to = to, .first = true };
  open (&j, NULL, '{');
  add_file (&j, report);
  add_family (&j, report);
  add_operators (&j, report->model);
  if (report->plan != NULL)
    add_plan (&j, report);
  if (report->image.data != NULL && report->detector != NULL)
    add_page (&j, report);
  add_bool (&j, "network_runs", report->plan != NULL);
  add_bool (&j, "will_run", inspect_report_status (report) == INSPECT_WILL_RUN);
  add_string (&j, "error", cause (report));
  close (&j, '}');
  fputc ('\n', to);
}

/* ---------------------------------------------------------------- devices */

static void
add_device (json *j, const nn_device_info *device)
{
  char architecture[32];
  snprintf (architecture, sizeof architecture, "sm_%d%d", device->major, device->minor);
  open (j, NULL, '{');
  add_string (j, "name", device->name);
  add_string (j, "architecture", architecture);
  add_number (j, "memory_bytes", (double) device->memory_bytes);
  add_bool (j, "integrated", device->integrated);
  add_bool (j, "pageable_memory_access", device->pageable_access);
  add_bool (j, "host_page_tables", device->host_page_tables);
  add_bool (j, "concurrent_managed_access", device->concurrent_managed);
  add_bool (j, "host_register", device->host_register);
  add_string (j, "memory_path", nn_memory_path_name (device->memory_path));
  add_bool (j, "usable", device->problem.status == NN_OK);
  add_string (j, "error", device->problem.status == NN_OK ? NULL : device->problem.message);
  close (j, '}');
}

void
inspect_write_gpus_json (FILE *to, const inspect_gpus *gpus)
{
  json j = { .to = to, .first = true };
  const nn_cuda_info *cuda = &gpus->cuda;
  bool backend = gpus->error.status == NN_OK;
  const char *error = !backend                        ? gpus->error.message
                      : cuda->problem.status != NN_OK ? cuda->problem.message
                                                      : NULL;
  open (&j, NULL, '{');
  add_bool (&j, "backend", backend);
  add_string (&j, "architectures", backend ? cuda->architectures : NULL);
  add_string (&j, "cuda_runtime", backend ? cuda->runtime : NULL);
  add_string (&j, "cudnn", backend ? cuda->cudnn : NULL);
  add_string (&j, "cublaslt", backend ? cuda->cublaslt : NULL);
  add_string (&j, "cuda_driver", cuda->driver[0] != '\0' ? cuda->driver : NULL);
  add_string (&j, "error", error);
  open (&j, "devices", '[');
  for (int i = 0; i < cuda->n_devices; i++)
    add_device (&j, &gpus->devices[i]);
  close (&j, ']');
  close (&j, '}');
  fputc ('\n', to);
}
