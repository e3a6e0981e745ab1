/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a detector is, and the order of its batches. */
#include "detector.h"

#include <math.h>
#include <stdlib.h>

#include "model/labels.h"
#include "page/place.h"
#include "session.h"

/* ---- one page ---- */

/* The outputs as a decoder wants them; the caller adds what belongs to a frame. */
static nn_decode_input
outputs_of (const nn_detector *d, const nn_tensor *const *outputs)
{
  return (nn_decode_input) { .outputs = outputs,
                             .n_outputs = nn_model_n_outputs (d->model),
                             .input_width = d->setup.width,
                             .input_height = d->setup.height,
                             .roles = d->setup.signature.roles,
                             .coding = d->setup.coding,
                             .n_labels = d->n_labels };
}

nn_page_spec
nn_detector_page_spec (const nn_detector *d, const nn_detector_settings *settings)
{
  nn_page_spec spec = d->setup.page;
  if (settings->resize_filter != NN_RESIZE_AUTO)
    spec.filter = settings->resize_filter;
  return spec;
}

/* The whole input shows a piece of the frame's plane that is the frame itself unless a letterbox lies around it. */
void
nn_detector_tell_sizes (const nn_detector *d, nn_session *session, int index, const nn_page_placement *placement)
{
  const nn_setup *setup = &d->setup;
  const nn_signature *s = &setup->signature;
  if (s->page_size >= 0) {
    int64_t *size = (int64_t *) nn_session_input (session, s->page_size)->data + 2 * index;
    size[0] = llrint (setup->width / (double) placement->scale_x);
    size[1] = llrint (setup->height / (double) placement->scale_y);
  }
  if (s->input_size >= 0) {
    float *size = (float *) nn_session_input (session, s->input_size)->data + 2 * index;
    size[0] = (float) setup->height;
    size[1] = (float) setup->width;
  }
  if (s->scale >= 0) {
    float *scale = (float *) nn_session_input (session, s->scale)->data + 2 * index;
    scale[0] = placement->scale_y;
    scale[1] = placement->scale_x;
  }
}

float
nn_detector_threshold (const nn_detector *d, const nn_detector_settings *settings)
{
  return settings->threshold < 0 ? d->setup.threshold : settings->threshold;
}

nn_status
nn_detector_decode (const nn_detector *d, const nn_page_result *page, const nn_frame *frame,
                    const nn_page_placement *placement, const nn_detector_settings *settings,
                    nn_detections *result, nn_error *err)
{
  const nn_setup *setup = &d->setup;
  nn_decode_input what = outputs_of (d, page->outputs);
  what.frame_width = frame->width;
  what.frame_height = frame->height;
  what.placement = *placement;
  what.threshold = nn_detector_threshold (d, settings);
  what.iou_threshold = settings->iou_threshold < 0 ? setup->iou_threshold : settings->iou_threshold;
  const nn_family *family = setup->family;
  nn_status status = page->candidates
                         ? family->dense->finish (&what, page->candidates, page->n_candidates, result, err)
                         : family->decode (&what, result, err);
  if (status)
    return nn_fail_in (err, "%s", nn_model_path (d->model));
  if (!settings->keep_duplicates) {
    if (!family->suppresses)
      nn_detections_suppress (result, what.iou_threshold, result->n);
    nn_detections_resolve_duplicates (result, d->label_kinds, d->n_labels);
  }
  if (result->n > settings->max_detections)
    result->n = settings->max_detections;
  return NN_OK;
}

/* ---- making and freeing ---- */

/* Inputs beside the page that nn_detector_tell_sizes() writes are what it takes them for. */
static nn_status
check_sizes (const nn_detector *d, nn_session *session, nn_error *err)
{
  const nn_signature *s = &d->setup.signature;
  const int inputs[] = { s->page_size, s->input_size, s->scale };
  int64_t pages = nn_session_input (session, s->page)->dim[0];
  for (int i = 0; i < 3; i++) {
    const nn_tensor *t = inputs[i] < 0 ? NULL : nn_session_input (session, inputs[i]);
    char text[96];
    if (t && (t->rank != 2 || t->dim[0] != pages || t->dim[1] != 2))
      return nn_fail (err, NN_ERR_FORMAT, "%s: its input '%s' is %s, not two numbers a page",
                      nn_model_path (d->model), nn_model_input (d->model, inputs[i]).name,
                      nn_tensor_describe (t, text, sizeof text));
  }
  return NN_OK;
}

/* The outputs' shapes are known now, and decoders check them: a model that does not fit what it was taken
 * for is refused here, not page by page. No score is above this threshold, so that nothing is read as one. */
static nn_status
check_outputs (const nn_detector *d, const nn_tensor *const *outputs, nn_error *err)
{
  nn_decode_input what = outputs_of (d, outputs);
  nn_detections none = { 0 };
  what.threshold = INFINITY;
  nn_status status = d->setup.family->decode (&what, &none, err);
  nn_detections_clear (&none);
  return status ? nn_fail_in (err, "%s", nn_model_path (d->model)) : NN_OK;
}

nn_status
nn_detector_learn (nn_detector *d, nn_session *session, const nn_tensor *const *outputs, nn_error *err)
{
  nn_status status = check_sizes (d, session, err);
  if (status)
    return status;
  nn_decode_input shapes = outputs_of (d, outputs);
  d->labels = nn_setup_take_labels (&d->setup, d->model, &shapes, err);
  if (!d->labels)
    return err->status;
  d->n_labels = nn_labels_count (d->labels);
  d->label_kinds = malloc ((size_t) d->n_labels + 1); /* of no labels, too */
  if (!d->label_kinds)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d labels", d->n_labels);
  nn_label_kinds (d->labels, d->n_labels, d->label_kinds);
  return check_outputs (d, outputs, err);
}

nn_session *
nn_detector_session (const nn_detector *d, nn_plan *plan, nn_error *err)
{
  nn_decode_input what = outputs_of (d, NULL);
  return nn_session_new_dense (plan, d->setup.family->dense, &what, err);
}

static nn_status
open_all (nn_detector *d, const nn_detector_options *options, nn_error *err)
{
  for (int i = 0; i < d->runner->in_flight; i++) {
    d->jobs[i].frames = calloc ((size_t) d->batch, sizeof (nn_frame));
    if (!d->jobs[i].frames)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d pages", d->batch);
  }
  nn_status status = nn_setup_resolve (&d->setup, d->model, options, err);
  return status ? status : d->runner->open (d, options, err);
}

nn_detector *
nn_detector_new_with (const nn_runner *runner, nn_model *model, const nn_detector_options *options, nn_error *err)
{
  if (options->batch < 1 || options->threads < 0) {
    nn_fail (err, NN_ERR_ARGUMENT, "a batch of %d pages on %d threads; it must be 1 or more, and 0 or more",
             options->batch, options->threads);
    return NULL;
  }
  nn_detector *d = calloc (1, sizeof *d);
  if (!d) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a detector");
    return NULL;
  }
  d->runner = runner;
  d->model = nn_model_ref (model);
  d->batch = options->batch;
  d->precision = options->precision;
  if (d->precision == NN_PRECISION_AUTO)
    d->precision = options->device == NN_DEVICE_CUDA ? NN_PRECISION_FP16 : NN_PRECISION_FP32;
  if (open_all (d, options, err)) {
    nn_detector_free (d);
    return NULL;
  }
  return d;
}

nn_detector *
nn_detector_new (nn_model *model, const nn_detector_options *options, nn_error *err)
{
  bool gpu = options->device == NN_DEVICE_CUDA;
  return nn_detector_new_with (gpu ? &nn_runner_batches : &nn_runner_lanes, model, options, err);
}

void
nn_detector_free (nn_detector *d)
{
  if (!d)
    return;
  d->runner->close (d);
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++)
    free (d->jobs[i].frames);
  free (d->label_kinds);
  nn_labels_free (d->labels);
  nn_setup_clear (&d->setup);
  nn_plan_unref (d->plan);
  nn_model_unref (d->model);
  free (d);
}

/* ---- what it is ---- */

const char *
nn_detector_family (const nn_detector *detector)
{
  return detector->setup.family->name;
}

void
nn_detector_input_size (const nn_detector *detector, int *width, int *height)
{
  *width = detector->setup.width;
  *height = detector->setup.height;
}

int
nn_detector_n_labels (const nn_detector *detector)
{
  return detector->n_labels;
}

const char *
nn_detector_label (const nn_detector *detector, int class_id)
{
  return class_id >= 0 && class_id < detector->n_labels ? detector->labels[class_id] : NULL;
}

const char *
nn_detector_device_name (const nn_detector *detector)
{
  return nn_plan_device_name (detector->plan);
}

nn_precision
nn_detector_precision (const nn_detector *detector)
{
  return detector->precision;
}

const char *
nn_precision_name (nn_precision precision)
{
  static const char *const names[] = { "auto", "fp32", "tf32", "bf16", "fp16" };
  return (unsigned) precision < sizeof names / sizeof *names ? names[precision] : "unknown";
}

const nn_plan *
nn_detector_plan (const nn_detector *detector)
{
  return detector->plan;
}

int
nn_detector_pages_a_run (const nn_detector *detector)
{
  return detector->runner->pages_a_run (detector);
}

size_t
nn_detector_memory_bytes (const nn_detector *detector)
{
  return detector->runner->memory_bytes (detector);
}

double
nn_detector_device_seconds (const nn_detector *detector)
{
  return detector->device_seconds;
}

size_t
nn_detector_staged_bytes (const nn_detector *detector)
{
  return detector->staged_bytes;
}

/* ---- running ---- */

int
nn_detector_in_flight (const nn_detector *detector)
{
  return detector->runner->in_flight;
}

/* What can be known to be wrong before anything is started. */
static nn_status
check_batch (const nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
             nn_error *err)
{
  if (n < 1 || n > d->batch)
    return nn_fail (err, NN_ERR_ARGUMENT, "%d pages for a detector of 1 to %d", n, d->batch);
  if (settings->max_detections < 1)
    return nn_fail (err, NN_ERR_ARGUMENT, "at most %d regions a page; it must be 1 or more",
                    settings->max_detections);
  if (d->n_started == d->runner->in_flight)
    return nn_fail (err, NN_ERR_ARGUMENT, "%d batches are in flight, which is the most", d->n_started);
  for (int i = 0; i < n; i++)
    if (nn_place_check_frame (&frames[i], err))
      return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", i + 1, n) : err->status;
  return NN_OK;
}

void
nn_detector_drop (nn_detector *d)
{
  d->runner->drop (d);
  d->n_started = 0;
}

static nn_status
drop_all (nn_detector *d, nn_status status)
{
  nn_detector_drop (d);
  return status;
}

nn_status
nn_detector_start (nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
                   nn_error *err)
{
  nn_status status = check_batch (d, frames, n, settings, err);
  if (status)
    return status;
  int slot = (d->first + d->n_started) % d->runner->in_flight;
  nn_job *job = &d->jobs[slot];
  for (int i = 0; i < n; i++)
    job->frames[i] = frames[i];
  job->n = n;
  job->settings = *settings;
  d->n_started++;
  status = d->runner->start (d, slot, err);
  return status ? drop_all (d, status) : NN_OK;
}

nn_status
nn_detector_finish (nn_detector *d, nn_detections *results, nn_error *err)
{
  if (d->n_started == 0)
    return nn_fail (err, NN_ERR_ARGUMENT, "no batch is in flight");
  nn_status status = d->runner->finish (d, d->first, results, err);
  if (status)
    return drop_all (d, status);
  d->first = (d->first + 1) % d->runner->in_flight;
  d->n_started--;
  return NN_OK;
}

nn_status
nn_detector_infer (nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
                   nn_detections *results, nn_error *err)
{
  if (d->n_started > 0)
    return nn_fail (err, NN_ERR_ARGUMENT, "%d batches are in flight, whose results come first", d->n_started);
  nn_status status = nn_detector_start (d, frames, n, settings, err);
  return status ? status : nn_detector_finish (d, results, err);
}
