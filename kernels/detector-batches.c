/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of many pages, two batches in flight: while the device works on one, the next is put behind it, and the
 * results of the one before are decoded here. A whole batch is one run.
 *
 * Fewer pages are a run with room left over, until that has cost as much of the device's time as plans of their own
 * would: then those are made, runs of powers of two (13 pages: 8 + 4 + 1), with the same weights. So the end of a document
 * never waits for a plan that is made for it (0.4 s for RT-DETR on an H100, and several where its ways are not timed
 * yet), and pages that come one by one soon run one by one.
 *
 * Some files take one page a run, by their input's shape or by what their nodes do with it. Their pages are runs of
 * their own, one behind the other.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "detector.h"
#include "plan.h"
#include "session.h"

#define MAX_SIZES 32 /* a whole batch, and the powers of two below INT_MAX */

/* Runs of so many pages. */
typedef struct size {
  int pages;
  int most; /* of them in a batch */
  nn_plan *plan; /* NULL until it is worth it */
  double wasted; /* seconds that runs with room left over took in place of one of these; -INFINITY: it cannot be made */
  nn_session **sessions[NN_MAX_IN_FLIGHT]; /* `most` for each slot; NULL until they are needed */
} size;

typedef struct part { /* of a batch: what one run takes */
  nn_session *session;
  size *run;         /* which has room for more, where there are fewer pages */
  int first, pages;
  size *wanted;      /* what would have been better; NULL: nothing */
  double started;    /* seconds */
} part;

typedef struct slot { /* of a batch in flight */
  part *parts;
  int n_parts; /* that may have begun; 0: none is in flight */
  nn_page_placement *placements;
} slot;

typedef struct batches {
  nn_plan_options options; /* of all plans, but for the batch */
  size sizes[MAX_SIZES];   /* the largest first */
  int n_sizes;
  double plan_seconds;     /* that making the first plan took */
  slot slots[NN_MAX_IN_FLIGHT];
  nn_tensor *views; /* work space: the outputs of one page */
  const nn_tensor **outputs;
} batches;

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/* ---- plans and sessions ---- */

static nn_plan *
plan_for (nn_detector *d, int pages, nn_error *err)
{
  nn_plan_options options = ((const batches *) d->state)->options;
  options.batch = pages;
  options.beside = d->plan; /* the first is the largest */
  return nn_plan_new (d->model, &options, err);
}

/* Whether all inputs and outputs of a plan for a batch have a page after the other in dimension 0. What a file does
 * to pages in between cannot be seen here, but one that mixes them up gives one result for all of them. */
static bool
keeps_pages_apart (const nn_detector *d, const nn_plan *plan)
{
  const nn_graph *graph = nn_plan_graph (plan);
  const nn_roles *roles = &d->setup.signature.roles;
  for (int i = 0; i < graph->n_inputs; i++)
    if (graph->inputs[i]->rank < 1 || graph->inputs[i]->dim[0] != d->batch)
      return false;
  for (int i = 0; i < graph->n_outputs; i++) {
    const nn_value *output = graph->outputs[i];
    bool rows = roles->count >= 0 && i == roles->boxes; /* of all pages, as many for each */
    if (output->rank < 1 || (rows ? output->dim[0] % d->batch != 0 : output->dim[0] != d->batch))
      return false;
  }
  return true;
}

/* Whether a plan for one page may succeed where one for a batch did not. */
static bool
is_about_shapes (nn_status status)
{
  return status == NN_ERR_ARGUMENT || status == NN_ERR_FORMAT || status == NN_ERR_UNSUPPORTED;
}

/* The plan for whole batches, or for one page. */
static nn_status
open_plan (nn_detector *d, nn_error *err)
{
  batches *b = d->state;
  int pages = d->batch;
  double start = now ();
  if (pages > 1) {
    d->plan = plan_for (d, pages, err);
    if (!d->plan && !is_about_shapes (err->status))
      return err->status;
    if (!d->plan || !keeps_pages_apart (d, d->plan)) {
      nn_plan_unref (d->plan);
      d->plan = NULL;
      pages = 1;
    }
  }
  if (!d->plan && !(d->plan = plan_for (d, pages, err)))
    return err->status;
  b->plan_seconds = now () - start;
  b->sizes[b->n_sizes++] = (size) { .pages = pages, .most = d->batch / pages, .plan = nn_plan_ref (d->plan) };
  for (int power = 1 << 30; power > 0; power >>= 1)
    if (power < pages)
      b->sizes[b->n_sizes++] = (size) { .pages = power, .most = 1 };
  return NN_OK;
}

/* For all of them, even where one failed. */
static nn_status
wait_for_all (batches *b, nn_error *err)
{
  nn_status status = NN_OK;
  nn_error other;
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++)
    for (int k = 0; k < b->slots[i].n_parts; k++) {
      nn_status waited = nn_session_wait (b->slots[i].parts[k].session, status ? &other : err);
      status = status ? status : waited;
    }
  return status;
}

/* Session `k` of a slot for runs of this size. What is made here is made once: choices by timing want the device
 * for themselves, so that nothing else runs meanwhile. */
static nn_session *
get_session (nn_detector *d, size *s, int index, int k, nn_error *err)
{
  nn_session **session = &s->sessions[index][k];
  if (*session)
    return *session;
  if (wait_for_all (d->state, err)) /* its batch would be taken for done: a failure is told once */
    return NULL;
  if (!s->plan)
    s->plan = plan_for (d, s->pages, err);
  return *session = s->plan ? nn_detector_session (d, s->plan, err) : NULL;
}

/* ---- making and freeing ---- */

static nn_status
allocate (nn_detector *d, nn_error *err)
{
  batches *b = d->state;
  size_t n_outputs = (size_t) nn_model_n_outputs (d->model);
  bool ok = (b->views = calloc (n_outputs, sizeof *b->views)) && (b->outputs = calloc (n_outputs, sizeof *b->outputs));
  for (int i = 0; ok && i < NN_MAX_IN_FLIGHT; i++) {
    slot *s = &b->slots[i];
    ok = (s->parts = calloc ((size_t) d->batch, sizeof *s->parts))
         && (s->placements = calloc ((size_t) d->batch, sizeof *s->placements));
    for (int k = 0; ok && k < b->n_sizes; k++)
      ok = (b->sizes[k].sessions[i] = calloc ((size_t) b->sizes[k].most, sizeof (nn_session *)));
  }
  return ok ? NN_OK : nn_fail (err, NN_ERR_MEMORY, "out of memory for batches of %d pages", d->batch);
}

/* Points the outputs at page `index` of a session's. */
static const nn_tensor *const *
outputs_of (nn_detector *d, const part *p, int index)
{
  batches *b = d->state;
  for (int i = 0; i < nn_model_n_outputs (d->model); i++) {
    const nn_tensor *all = nn_session_output (p->session, i);
    int64_t rows = all->rank > 0 ? all->dim[0] / p->run->pages : 0;
    b->views[i] = p->run->pages == 1 ? *all : nn_tensor_part (all, 0, index * rows, rows);
    b->outputs[i] = &b->views[i];
  }
  return b->outputs;
}

/* What whole batches need is made now, so that it cannot fail later. */
static nn_status
batches_open (nn_detector *d, const nn_detector_options *options, nn_error *err)
{
  batches *b = d->state = calloc (1, sizeof *b);
  if (!b)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a detector");
  b->options = (nn_plan_options) { .device = options->device,
                                   .threads = options->threads ? options->threads : 1,
                                   .width = d->setup.width,
                                   .height = d->setup.height,
                                   .precision = options->precision,
                                   .cuda_device = options->cuda_device };
  if (open_plan (d, err) || allocate (d, err))
    return err->status;
  size *whole = &b->sizes[0];
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++)
    for (int k = 0; k < whole->most; k++)
      if (!get_session (d, whole, i, k, err))
        return err->status;
  part first = { .session = whole->sessions[0][0], .run = whole, .pages = whole->pages };
  return nn_detector_learn (d, first.session, outputs_of (d, &first, 0), err);
}

static void
close_size (size *s)
{
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++) {
    for (int k = 0; s->sessions[i] && k < s->most; k++)
      nn_session_free (s->sessions[i][k]);
    free (s->sessions[i]);
  }
  nn_plan_unref (s->plan);
}

static void
batches_close (nn_detector *d)
{
  batches *b = d->state;
  nn_error ignored;
  if (!b)
    return;
  wait_for_all (b, &ignored);
  for (int i = 0; i < b->n_sizes; i++)
    close_size (&b->sizes[i]);
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++) {
    free (b->slots[i].parts);
    free (b->slots[i].placements);
  }
  free (b->views);
  free (b->outputs);
  free (b);
}

static int
batches_pages_a_run (const nn_detector *d)
{
  return ((const batches *) d->state)->sizes[0].pages;
}

static size_t
batches_memory_bytes (const nn_detector *d)
{
  /* Of a CPU it is not told. Weights are shared with smaller plans; what those have of their own is not counted. */
  size_t bytes = nn_plan_device_bytes (d->plan);
  return bytes ? bytes : nn_model_bytes (d->model) + NN_MAX_IN_FLIGHT * nn_plan_arena_bytes (d->plan);
}

/* ---- running ---- */

/* Starts the run of a part that is filled in but for the session. */
static nn_status
start_part (nn_detector *d, int index, const part *wanted, nn_session *session, nn_error *err)
{
  const nn_job *job = &d->jobs[index];
  slot *s = &((batches *) d->state)->slots[index];
  part *p = &s->parts[s->n_parts++];
  nn_page_spec spec = nn_detector_page_spec (d, &job->settings);
  *p = *wanted;
  p->session = session;
  p->started = now ();
  nn_session_set_threshold (session, nn_detector_threshold (d, &job->settings));
  nn_status status = nn_session_fill_pages (session, d->setup.signature.page, job->frames + p->first, p->pages, &spec,
                                            s->placements + p->first, err);
  if (status)
    return status;
  for (int i = 0; i < p->pages; i++)
    nn_detector_tell_sizes (d, session, i, &s->placements[p->first + i]);
  return nn_session_start (session, err);
}

/* Whether there is a plan of this size, now that it may have become worth making. */
static bool
is_made (nn_detector *d, size *s, int index)
{
  nn_error ignored;
  if (!s->plan && s->wasted > ((batches *) d->state)->plan_seconds && !get_session (d, s, index, 0, &ignored))
    s->wasted = -INFINITY;
  return s->plan;
}

/* The smallest run that is made and takes `pages`, of those that this batch does not use yet; a whole batch's always
 * does where pages are left over. */
static size *
find_room (batches *b, const slot *used, int pages)
{
  for (size *s = b->sizes + b->n_sizes - 1; s > b->sizes; s--) {
    bool is_free = s->plan && s->pages >= pages;
    for (int i = 0; i < used->n_parts && is_free; i++)
      is_free = used->parts[i].run != s;
    if (is_free)
      return s;
  }
  return b->sizes;
}

static nn_status
batches_start (nn_detector *d, int index, nn_error *err)
{
  batches *b = d->state;
  int first = 0, n = d->jobs[index].n;
  for (size *s = b->sizes; first < n; s++)
    for (int k = 0; n - first >= s->pages; k++) {
      part next = { .first = first, .run = s, .pages = s->pages };
      if (!is_made (d, s, index)) {
        next.wanted = s;
        next.run = find_room (b, &b->slots[index], n - first);
        next.pages = n - first;
      }
      nn_session *session = get_session (d, next.run, index, next.wanted ? 0 : k, err);
      if (!session || start_part (d, index, &next, session, err))
        return err->status;
      first += next.pages;
    }
  return NN_OK;
}

/* A run with room for more took this long. */
static void
note_waste (const part *p)
{
  double seconds = nn_session_device_seconds (p->session);
  if (p->wanted)
    p->wanted->wasted += (seconds > 0 ? seconds : now () - p->started) * (1 - p->pages / (double) p->run->pages);
}

static nn_status
finish_part (nn_detector *d, int index, const part *p, nn_detections *results, nn_error *err)
{
  const nn_job *job = &d->jobs[index];
  const slot *s = &((const batches *) d->state)->slots[index];
  nn_status status = nn_session_wait (p->session, err);
  if (!status)
    note_waste (p);
  d->device_seconds += status ? 0 : nn_session_device_seconds (p->session);
  d->staged_bytes += status ? 0 : nn_session_staged_bytes (p->session);
  for (int i = 0; i < p->pages && !status; i++) {
    int page = p->first + i;
    nn_page_result result = { .outputs = outputs_of (d, p, i) };
    result.candidates = nn_session_candidates (p->session, i, &result.n_candidates);
    status = nn_detector_decode (d, &result, &job->frames[page], &s->placements[page], &job->settings,
                                 &results[page], err);
    if (status && job->n > 1)
      nn_fail_in (err, "page %d of %d in the batch", page + 1, job->n);
  }
  return status;
}

static nn_status
batches_finish (nn_detector *d, int index, nn_detections *results, nn_error *err)
{
  slot *s = &((batches *) d->state)->slots[index];
  nn_status status = NN_OK;
  d->device_seconds = 0;
  d->staged_bytes = 0;
  for (int i = 0; i < s->n_parts && !status; i++)
    status = finish_part (d, index, &s->parts[i], results, err);
  if (!status)
    s->n_parts = 0;
  return status;
}

static void
batches_drop (nn_detector *d)
{
  batches *b = d->state;
  nn_error ignored;
  wait_for_all (b, &ignored);
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++)
    b->slots[i].n_parts = 0;
}

const nn_runner nn_runner_batches = {
  .in_flight = NN_MAX_IN_FLIGHT,
  .open = batches_open,
  .close = batches_close,
  .start = batches_start,
  .finish = batches_finish,
  .drop = batches_drop,
  .pages_a_run = batches_pages_a_run,
  .memory_bytes = batches_memory_bytes,
};
