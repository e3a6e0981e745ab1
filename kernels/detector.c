/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages side by side: each has a lane of its own (session, work space, thread), and lane i always
 * takes frame i, so that neither the batch size nor the machine's speed changes a result. Lane 0
 * runs in the calling thread.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/family.h"
#include "nn.h"

typedef struct lane {
  nn_detector *detector;
  int index;
  nn_session *session;
  nn_page *page;
  const nn_tensor **outputs;
  pthread_t thread;
  bool started;
  nn_error error; /* of the last frame; status NN_OK where there was none */
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
  const nn_family *family;
  char **labels;
  int n_labels;
  lane *lanes;
  int batch;
  size_t weight_bytes; /* of the model file, which is nearly all weights */

  pthread_mutex_t mutex; /* guards what follows; the job itself is read-only while it runs */
  pthread_cond_t wake, done;
  job job;
  uint64_t round; /* counts jobs: a lane sleeps until it changes */
  int pending;    /* lanes that have not finished the round */
  bool quit;
};

/* ---- one page ---- */

static nn_status
decode (lane *l, const nn_frame *frame, const nn_page_placement *placement,
        const nn_detector_settings *settings, nn_detections *result)
{
  const nn_detector *d = l->detector;
  const nn_tensor *input = nn_session_input (l->session, d->family->page_input);
  for (int i = 0; i < nn_model_n_outputs (d->model); i++)
    l->outputs[i] = nn_session_output (l->session, i);
  nn_decode_input what = {
    .outputs = l->outputs,
    .n_outputs = nn_model_n_outputs (d->model),
    .input_width = (int) input->dim[3],
    .input_height = (int) input->dim[2],
    .frame_width = frame->width,
    .frame_height = frame->height,
    .placement = *placement,
    .n_labels = d->n_labels,
    .threshold = settings->threshold < 0 ? d->family->threshold : settings->threshold,
    .iou_threshold = settings->iou_threshold < 0 ? d->family->iou_threshold : settings->iou_threshold,
  };
  nn_status status = d->family->decode (&what, result, &l->error);
  if (status)
    return status;
  if (!settings->keep_duplicates)
    nn_detections_resolve_duplicates (result, d->labels, d->n_labels);
  if (result->n > settings->max_detections)
    result->n = settings->max_detections;
  return NN_OK;
}

static void
run_lane (lane *l)
{
  const nn_detector *d = l->detector;
  const nn_frame *frame = &d->job.frames[l->index];
  const nn_detector_settings *settings = d->job.settings;
  nn_tensor *input = nn_session_input (l->session, d->family->page_input);
  nn_page_spec spec = d->family->page;
  nn_page_placement placement;
  if (settings->resize_filter != NN_RESIZE_AUTO)
    spec.filter = settings->resize_filter;
  l->error.status = NN_OK;
  nn_status status = nn_page_fill (l->page, frame, &spec, input, &placement, &l->error);
  if (!status)
    status = nn_session_run (l->session, &l->error);
  if (!status)
    decode (l, frame, &placement, settings, &d->job.results[l->index]);
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
  if (index == 0)
    return NN_OK;
  int reason = pthread_create (&l->thread, NULL, lane_thread, l);
  if (reason)
    return nn_fail (err, NN_ERR_DEVICE, "cannot start a thread for page %d of a batch: %s", index,
                    strerror (reason));
  l->started = true;
  return NN_OK;
}

static nn_status
load_labels (nn_detector *d, const char *labels_file, nn_error *err)
{
  d->labels = labels_file ? nn_labels_read (labels_file, err) : d->family->labels (d->model, err);
  if (!d->labels)
    return err->status;
  d->n_labels = nn_labels_count (d->labels);
  int n_classes = d->family->n_classes (d->model);
  if (d->n_labels != n_classes)
    return nn_fail (err, NN_ERR_FORMAT, "%s: %d labels for %d classes",
                    labels_file ? labels_file : nn_model_path (d->model), d->n_labels, n_classes);
  return NN_OK;
}

static nn_status
open_all (nn_detector *d, nn_device_kind device, int batch, const char *labels_file, nn_error *err)
{
  d->family = nn_family_of (d->model, err);
  if (!d->family || load_labels (d, labels_file, err))
    return err->status;
  struct stat file;
  d->weight_bytes = stat (nn_model_path (d->model), &file) ? 0 : (size_t) file.st_size;
  d->plan = nn_plan_new (d->model, device, 1, 1, err);
  if (!d->plan)
    return err->status;
  d->lanes = calloc ((size_t) batch, sizeof *d->lanes);
  if (!d->lanes)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for batches of %d pages", batch);
  for (d->batch = 0; d->batch < batch;)
    if (open_lane (d, d->batch++, err))
      return err->status;
  return NN_OK;
}

nn_detector *
nn_detector_new (nn_model *model, nn_device_kind device, int batch, const char *labels_file, nn_error *err)
{
  if (batch < 1) {
    nn_fail (err, NN_ERR_ARGUMENT, "a batch of %d pages; it must be 1 or more", batch);
    return NULL;
  }
  nn_detector *d = calloc (1, sizeof *d);
  if (!d) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a detector");
    return NULL;
  }
  d->model = nn_model_ref (model);
  pthread_mutex_init (&d->mutex, NULL);
  pthread_cond_init (&d->wake, NULL);
  pthread_cond_init (&d->done, NULL);
  if (open_all (d, device, batch, labels_file, err)) {
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
  for (int i = 0; i < d->batch; i++) {
    lane *l = &d->lanes[i];
    if (l->started)
      pthread_join (l->thread, NULL);
    nn_session_free (l->session);
    nn_page_free (l->page);
    free (l->outputs);
  }
  free (d->lanes);
  nn_labels_free (d->labels);
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
  return detector->family->name;
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

size_t
nn_detector_memory_bytes (const nn_detector *detector)
{
  return detector->weight_bytes + (size_t) detector->batch * nn_plan_arena_bytes (detector->plan);
}

/* ---- running ---- */

static nn_status
first_error (const nn_detector *d, int n, nn_error *err)
{
  for (int i = 0; i < n; i++)
    if (d->lanes[i].error.status) {
      *err = d->lanes[i].error;
      return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", i + 1, n) : err->status;
    }
  return NN_OK;
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
  d->pending = n - 1;
  d->round++;
  if (n > 1)
    pthread_cond_broadcast (&d->wake);
  pthread_mutex_unlock (&d->mutex);

  run_lane (&d->lanes[0]);

  pthread_mutex_lock (&d->mutex);
  while (d->pending > 0)
    pthread_cond_wait (&d->done, &d->mutex);
  pthread_mutex_unlock (&d->mutex);
  return first_error (d, n, err);
}
