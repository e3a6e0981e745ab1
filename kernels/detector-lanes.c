/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages side by side in lanes (session, work space, thread each), as many as there are threads to use,
 * but no more than pages. Of n lanes lane i takes frames i, i + n …; all run the same plan for one
 * page, so that neither the batch size nor the machine's speed changes a result. Lane 0 runs in the
 * calling thread, so the work is done by finish(), which has it and the results.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "detector.h"
#include "session.h"

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

typedef struct lanes {
  lane *lane;
  int n;

  pthread_mutex_t mutex; /* guards what follows; the job itself is read-only while it runs */
  pthread_cond_t wake, done;
  nn_job job;
  nn_detections *results;
  uint64_t round; /* counts jobs: a lane sleeps until it changes */
  int pending;    /* lanes that have not finished the round */
  bool quit;
} lanes;

/* ---- one page ---- */

static nn_status
run_frame (lane *l, const nn_frame *frame, nn_detections *result)
{
  const nn_detector *d = l->detector;
  const nn_detector_settings *settings = &((const lanes *) d->state)->job.settings;
  nn_page_spec spec = nn_detector_page_spec (d, settings);
  nn_page_placement placement;
  nn_tensor *input = nn_session_input (l->session, d->setup.signature.page);
  nn_status status = nn_page_fill (l->page, frame, &spec, input, &placement, &l->error);
  if (status)
    return status;
  nn_detector_tell_sizes (d, l->session, 0, &placement);
  status = nn_session_run (l->session, &l->error);
  nn_page_result page = { .outputs = l->outputs };
  return status ? status : nn_detector_decode (d, &page, frame, &placement, settings, result, &l->error);
}

static void
run_lane (lane *l)
{
  const lanes *all = l->detector->state;
  l->error.status = NN_OK;
  for (int i = l->index; i < all->job.n && !l->error.status; i += all->n) {
    l->failed = i;
    run_frame (l, &all->job.frames[i], &all->results[i]);
  }
}

static void *
lane_thread (void *data)
{
  lane *l = data;
  lanes *all = l->detector->state;
  uint64_t seen = 0;
  pthread_mutex_lock (&all->mutex);
  for (;;) {
    while (!all->quit && all->round == seen)
      pthread_cond_wait (&all->wake, &all->mutex);
    if (all->quit)
      break;
    seen = all->round;
    if (l->index >= all->job.n)
      continue;
    pthread_mutex_unlock (&all->mutex);
    run_lane (l);
    pthread_mutex_lock (&all->mutex);
    if (--all->pending == 0)
      pthread_cond_signal (&all->done);
  }
  pthread_mutex_unlock (&all->mutex);
  return NULL;
}

/* ---- making and freeing ---- */

static nn_status
open_lane (nn_detector *d, int index, nn_error *err)
{
  lane *l = &((lanes *) d->state)->lane[index];
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
    return nn_detector_learn (d, l->session, l->outputs, err);
  int reason = pthread_create (&l->thread, NULL, lane_thread, l);
  if (reason)
    return nn_fail (err, NN_ERR_DEVICE, "cannot start a thread for page %d of a batch: %s", index,
                    strerror (reason));
  l->started = true;
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
  lanes *all = d->state;
  int processors = count_processors (), threads = options->threads ? options->threads : processors;
  if (threads > processors * THREADS_A_PROCESSOR)
    threads = processors * THREADS_A_PROCESSOR;
  all->n = threads < d->batch ? threads : d->batch;
  nn_plan_options plan = { .device = options->device,
                           .batch = 1,
                           .threads = threads / all->n,
                           .width = d->setup.width,
                           .height = d->setup.height,
                           .precision = options->precision };
  d->plan = nn_plan_new (d->model, &plan, err);
  return d->plan ? NN_OK : err->status;
}

static nn_status
lanes_open (nn_detector *d, const nn_detector_options *options, nn_error *err)
{
  lanes *all = d->state = calloc (1, sizeof *all);
  if (!all)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a detector");
  pthread_mutex_init (&all->mutex, NULL);
  pthread_cond_init (&all->wake, NULL);
  pthread_cond_init (&all->done, NULL);
  nn_status status = open_plan (d, options, err);
  if (status)
    return status;
  all->lane = calloc ((size_t) all->n, sizeof *all->lane);
  if (!all->lane)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d pages side by side", all->n);
  for (int i = 0; i < all->n && !status; i++)
    status = open_lane (d, i, err);
  return status;
}

static void
lanes_close (nn_detector *d)
{
  lanes *all = d->state;
  if (!all)
    return;
  pthread_mutex_lock (&all->mutex);
  all->quit = true;
  pthread_cond_broadcast (&all->wake);
  pthread_mutex_unlock (&all->mutex);
  for (int i = 0; all->lane && i < all->n; i++) {
    lane *l = &all->lane[i];
    if (l->started)
      pthread_join (l->thread, NULL);
    nn_session_free (l->session);
    nn_page_free (l->page);
    free (l->outputs);
  }
  free (all->lane);
  pthread_cond_destroy (&all->done);
  pthread_cond_destroy (&all->wake);
  pthread_mutex_destroy (&all->mutex);
  free (all);
}

static int
lanes_pages_a_run (const nn_detector *d)
{
  return 1;
}

static size_t
lanes_memory_bytes (const nn_detector *d)
{
  const lanes *all = d->state; /* a model's files are nearly all weights */
  return nn_model_bytes (d->model) + (size_t) all->n * nn_plan_arena_bytes (d->plan);
}

/* ---- running ---- */

static nn_status
lanes_start (nn_detector *d, int slot, nn_error *err)
{
  return NN_OK;
}

/* The error of the first frame that failed. */
static nn_status
first_error (const lanes *all, int n, nn_error *err)
{
  const lane *first = NULL;
  for (int i = 0; i < all->n && i < n; i++)
    if (all->lane[i].error.status && (!first || all->lane[i].failed < first->failed))
      first = &all->lane[i];
  if (!first)
    return NN_OK;
  *err = first->error;
  return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", first->failed + 1, n) : err->status;
}

static nn_status
lanes_finish (nn_detector *d, int slot, nn_detections *results, nn_error *err)
{
  lanes *all = d->state;
  int n = d->jobs[slot].n;
  pthread_mutex_lock (&all->mutex);
  all->job = d->jobs[slot];
  all->results = results;
  all->pending = (n < all->n ? n : all->n) - 1;
  all->round++;
  if (all->pending > 0)
    pthread_cond_broadcast (&all->wake);
  pthread_mutex_unlock (&all->mutex);

  run_lane (&all->lane[0]);

  pthread_mutex_lock (&all->mutex);
  while (all->pending > 0)
    pthread_cond_wait (&all->done, &all->mutex);
  pthread_mutex_unlock (&all->mutex);
  return first_error (all, n, err);
}

static void
lanes_drop (nn_detector *d)
{
}

const nn_runner nn_runner_lanes = {
  .in_flight = 1,
  .open = lanes_open,
  .close = lanes_close,
  .start = lanes_start,
  .finish = lanes_finish,
  .drop = lanes_drop,
  .pages_a_run = lanes_pages_a_run,
  .memory_bytes = lanes_memory_bytes,
};
