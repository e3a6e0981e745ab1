/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages side by side in lanes (session, work space, thread each), as many as there are threads to use,
 * but no more than pages. Of n lanes lane i takes frames i, i + n …; all run the same plan for one
 * page, so that neither the batch size nor the machine's speed changes a result. Lane 0 runs in the
 * calling thread.
 */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "model/labels.h"
#include "model/setup.h"
#include "nn.h"

/* More threads than this wait for each other more than they work: 1,024 on 2 processors took 50 times as long. */
#define THREADS_A_PROCESSOR 4

typedef struct lane {
  nn_detector *detector;
  int index;
  nn_session *session;
  nn_page *page;
  const nn_tensor **outputs;
  pthread_t thread;
  bool started;
  int failed;     /* the frame that `error` is about; none: its status is NN_OK */
  nn_error error;
} lane;

typedef struct job {
  const nn_frame *frames;
  int n;
  const nn_detector_settings *settings;
  nn_detections *results;
} job;

struct nn_detector {
  nn_model *model;
  nn_plan *plan;
  nn_setup setup;
  char **labels;
  int n_labels;
  lane *lanes;
  int batch, n_lanes;
  size_t weight_bytes; /* of the model's files, which are nearly all weights */

  pthread_mutex_t mutex; /* guards what follows; the job itself is read-only while it runs */
  pthread_cond_t wake, done;
  job job;
  uint64_t round; /* counts jobs: a lane sleeps until it changes */
  int pending;    /* lanes that have not finished the round */
  bool quit;
};

/* ---- one page ---- */

/* The outputs as a decoder wants them; the caller adds what belongs to a frame. */
static nn_decode_input
outputs_of (const lane *l)
{
  const nn_detector *d = l->detector;
  return (nn_decode_input) { .outputs = l->outputs,
                             .n_outputs = nn_model_n_outputs (d->model),
                             .input_width = d->setup.width,
                             .input_height = d->setup.height,
                             .roles = d->setup.signature.roles,
                             .coding = d->setup.coding,
                             .n_labels = d->n_labels };
}

static nn_status
decode (lane *l, const nn_frame *frame, const nn_page_placement *placement,
        const nn_detector_settings *settings, nn_detections *result)
{
  const nn_detector *d = l->detector;
  const nn_setup *setup = &d->setup;
  nn_decode_input what = outputs_of (l);
  what.frame_width = frame->width;
  what.frame_height = frame->height;
  what.placement = *placement;
  what.threshold = settings->threshold < 0 ? setup->threshold : settings->threshold;
  what.iou_threshold = settings->iou_threshold < 0 ? setup->iou_threshold : settings->iou_threshold;
  nn_status status = setup->family->decode (&what, result, &l->error);
  if (status)
    return nn_fail_in (&l->error, "%s", nn_model_path (d->model));
  if (!settings->keep_duplicates) {
    if (!setup->family->suppresses)
      nn_detections_suppress (result, what.iou_threshold, result->n);
    nn_detections_resolve_duplicates (result, d->labels, d->n_labels);
  }
  if (result->n > settings->max_detections)
    result->n = settings->max_detections;
  return NN_OK;
}

/* Tells networks that scale boxes themselves what they ask for. The whole input shows a piece of the
 * frame's plane that is the frame itself unless a letterbox lies around it. */
static void
tell_sizes (lane *l, const nn_page_placement *placement)
{
  const nn_setup *setup = &l->detector->setup;
  const nn_signature *s = &setup->signature;
  if (s->page_size >= 0) {
    int64_t *size = nn_session_input (l->session, s->page_size)->data;
    size[0] = llrint (setup->width / (double) placement->scale_x);
    size[1] = llrint (setup->height / (double) placement->scale_y);
  }
  if (s->input_size >= 0) {
    float *size = nn_session_input (l->session, s->input_size)->data;
    size[0] = (float) setup->height;
    size[1] = (float) setup->width;
  }
  if (s->scale >= 0) {
    float *scale = nn_session_input (l->session, s->scale)->data;
    scale[0] = placement->scale_y;
    scale[1] = placement->scale_x;
  }
}

static nn_status
run_frame (lane *l, const nn_frame *frame, nn_detections *result)
{
  const nn_detector *d = l->detector;
  const nn_detector_settings *settings = d->job.settings;
  nn_page_spec spec = d->setup.page;
  nn_page_placement placement;
  if (settings->resize_filter != NN_RESIZE_AUTO)
    spec.filter = settings->resize_filter;
  nn_tensor *input = nn_session_input (l->session, d->setup.signature.page);
  nn_status status = nn_page_fill (l->page, frame, &spec, input, &placement, &l->error);
  if (status)
    return status;
  tell_sizes (l, &placement);
  status = nn_session_run (l->session, &l->error);
  return status ? status : decode (l, frame, &placement, settings, result);
}

static void
run_lane (lane *l)
{
  const nn_detector *d = l->detector;
  l->error.status = NN_OK;
  for (int i = l->index; i < d->job.n && !l->error.status; i += d->n_lanes) {
    l->failed = i;
    run_frame (l, &d->job.frames[i], &d->job.results[i]);
  }
}

static void *
lane_thread (void *data)
{
  lane *l = data;
  nn_detector *d = l->detector;
  uint64_t seen = 0;
  pthread_mutex_lock (&d->mutex);
  for (;;) {
    while (!d->quit && d->round == seen)
      pthread_cond_wait (&d->wake, &d->mutex);
    if (d->quit)
      break;
    seen = d->round;
    if (l->index >= d->job.n)
      continue;
    pthread_mutex_unlock (&d->mutex);
    run_lane (l);
    pthread_mutex_lock (&d->mutex);
    if (--d->pending == 0)
      pthread_cond_signal (&d->done);
  }
  pthread_mutex_unlock (&d->mutex);
  return NULL;
}

/* ---- making and freeing ---- */

static nn_status
open_lane (nn_detector *d, int index, nn_error *err)
{
  lane *l = &d->lanes[index];
  l->detector = d;
  l->index = index;
  l->outputs = calloc ((size_t) nn_model_n_outputs (d->model), sizeof *l->outputs);
  if (!l->outputs)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for page %d of a batch", index);
  l->session = nn_session_new (d->plan, err);
  l->page = l->session ? nn_page_new (err) : NULL;
  if (!l->page)
    return err->status;
  for (int i = 0; i < nn_model_n_outputs (d->model); i++)
    l->outputs[i] = nn_session_output (l->session, i);
  if (index == 0)
    return NN_OK;
  int reason = pthread_create (&l->thread, NULL, lane_thread, l);
  if (reason)
    return nn_fail (err, NN_ERR_DEVICE, "cannot start a thread for page %d of a batch: %s", index,
                    strerror (reason));
  l->started = true;
  return NN_OK;
}

/* Those of the first lane's outputs, whose shapes are known now. */
static nn_status
load_labels (nn_detector *d, nn_error *err)
{
  nn_decode_input outputs = outputs_of (&d->lanes[0]);
  d->labels = nn_setup_take_labels (&d->setup, d->model, &outputs, err);
  if (!d->labels)
    return err->status;
  d->n_labels = nn_labels_count (d->labels);
  return NN_OK;
}

/* The outputs' shapes are known now, and decoders check them: a model that does not fit what it was taken
 * for is refused here, not page by page. No score is above this threshold, so that nothing is read as one. */
static nn_status
check_outputs (nn_detector *d, nn_error *err)
{
  nn_decode_input what = outputs_of (&d->lanes[0]);
  nn_detections none = { 0 };
  what.threshold = INFINITY;
  nn_status status = d->setup.family->decode (&what, &none, err);
  nn_detections_clear (&none);
  return status ? nn_fail_in (err, "%s", nn_model_path (d->model)) : NN_OK;
}

/* Inputs beside the page that tell_sizes() writes are what it takes them for. */
static nn_status
check_sizes (const nn_detector *d, nn_error *err)
{
  const nn_signature *s = &d->setup.signature;
  const int inputs[] = { s->page_size, s->input_size, s->scale };
  for (int i = 0; i < 3; i++) {
    const nn_tensor *t = inputs[i] < 0 ? NULL : nn_session_input (d->lanes[0].session, inputs[i]);
    char text[96];
    if (t && (t->rank != 2 || nn_tensor_count (t) != 2))
      return nn_fail (err, NN_ERR_FORMAT, "%s: its input '%s' is %s, not two numbers a page",
                      nn_model_path (d->model), nn_model_input (d->model, inputs[i]).name,
                      nn_tensor_describe (t, text, sizeof text));
  }
  return NN_OK;
}

/* Processors that this process may use. */
static int
count_processors (void)
{
  cpu_set_t set;
  int n = sched_getaffinity (0, sizeof set, &set) ? 1 : CPU_COUNT (&set);
  return n < 1 ? 1 : n;
}

static nn_status
open_plan (nn_detector *d, const nn_detector_options *options, nn_error *err)
{
  int processors = count_processors (), threads = options->threads ? options->threads : processors;
  if (threads > processors * THREADS_A_PROCESSOR)
    threads = processors * THREADS_A_PROCESSOR;
  d->n_lanes = threads < d->batch ? threads : d->batch;
  nn_plan_options plan = { .device = options->device,
                           .batch = 1,
                           .threads = threads / d->n_lanes,
                           .width = d->setup.width,
                           .height = d->setup.height };
  d->plan = nn_plan_new (d->model, &plan, err);
  return d->plan ? NN_OK : err->status;
}

static nn_status
open_all (nn_detector *d, const nn_detector_options *options, nn_error *err)
{
  if (nn_setup_resolve (&d->setup, d->model, options, err) || open_plan (d, options, err))
    return err->status;
  d->weight_bytes = nn_model_bytes (d->model);
  d->lanes = calloc ((size_t) d->n_lanes, sizeof *d->lanes);
  if (!d->lanes)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d pages side by side", d->n_lanes);
  for (int i = 0; i < d->n_lanes; i++)
    if (open_lane (d, i, err)
        || (i == 0 && (check_sizes (d, err) || load_labels (d, err) || check_outputs (d, err))))
      return err->status;
  return NN_OK;
}

nn_detector *
nn_detector_new (nn_model *model, const nn_detector_options *options, nn_error *err)
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
  d->model = nn_model_ref (model);
  d->batch = options->batch;
  pthread_mutex_init (&d->mutex, NULL);
  pthread_cond_init (&d->wake, NULL);
  pthread_cond_init (&d->done, NULL);
  if (open_all (d, options, err)) {
    nn_detector_free (d);
    return NULL;
  }
  return d;
}

void
nn_detector_free (nn_detector *d)
{
  if (!d)
    return;
  pthread_mutex_lock (&d->mutex);
  d->quit = true;
  pthread_cond_broadcast (&d->wake);
  pthread_mutex_unlock (&d->mutex);
  for (int i = 0; d->lanes && i < d->n_lanes; i++) {
    lane *l = &d->lanes[i];
    if (l->started)
      pthread_join (l->thread, NULL);
    nn_session_free (l->session);
    nn_page_free (l->page);
    free (l->outputs);
  }
  free (d->lanes);
  nn_labels_free (d->labels);
  nn_setup_clear (&d->setup);
  nn_plan_unref (d->plan);
  nn_model_unref (d->model);
  pthread_cond_destroy (&d->done);
  pthread_cond_destroy (&d->wake);
  pthread_mutex_destroy (&d->mutex);
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
  return "cpu";
}

const nn_plan *
nn_detector_plan (const nn_detector *detector)
{
  return detector->plan;
}

size_t
nn_detector_memory_bytes (const nn_detector *detector)
{
  return detector->weight_bytes + (size_t) detector->n_lanes * nn_plan_arena_bytes (detector->plan);
}

/* ---- running ---- */

/* The error of the first frame that failed. */
static nn_status
first_error (const nn_detector *d, int n, nn_error *err)
{
  const lane *first = NULL;
  for (int i = 0; i < d->n_lanes && i < n; i++)
    if (d->lanes[i].error.status && (!first || d->lanes[i].failed < first->failed))
      first = &d->lanes[i];
  if (!first)
    return NN_OK;
  *err = first->error;
  return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", first->failed + 1, n) : err->status;
}

nn_status
nn_detector_infer (nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
                   nn_detections *results, nn_error *err)
{
  if (n < 1 || n > d->batch)
    return nn_fail (err, NN_ERR_ARGUMENT, "%d pages for a detector of 1 to %d", n, d->batch);
  if (settings->max_detections < 1)
    return nn_fail (err, NN_ERR_ARGUMENT, "at most %d regions a page; it must be 1 or more",
                    settings->max_detections);
  pthread_mutex_lock (&d->mutex);
  d->job = (job) { frames, n, settings, results };
  d->pending = (n < d->n_lanes ? n : d->n_lanes) - 1;
  d->round++;
  if (d->pending > 0)
    pthread_cond_broadcast (&d->wake);
  pthread_mutex_unlock (&d->mutex);

  run_lane (&d->lanes[0]);

  pthread_mutex_lock (&d->mutex);
  while (d->pending > 0)
    pthread_cond_wait (&d->done, &d->mutex);
  pthread_mutex_unlock (&d->mutex);
  return first_error (d, n, err);
}
