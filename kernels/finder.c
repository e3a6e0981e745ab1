/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct nn_finder {
  const nn_plan *plan;
  nn_candidates_job job;
  void *device;     /* memory there: [pages] counts, the threshold */
  void *host;       /* here: [pages][most] candidates, [pages] found, the threshold */
  float *threshold; /* for the next run */
  float sent;       /* the device's; NAN: none yet */
};

/* Whether all outputs are as many pages as the head, in words, as the device copies them. */
static bool
are_pages (const nn_candidates_job *job, const nn_tensor *there)
{
  const uintptr_t word = sizeof (float);
  for (int i = 0; i < job->n_outputs; i++) {
    const nn_output_copy *o = &job->outputs[i];
    if (there[i].dim[0] != job->head.pages
        || ((uintptr_t) o->to | (uintptr_t) o->from | (uintptr_t) o->page_bytes) % word != 0)
      return false;
  }
  return true;
}

static bool
describe (const nn_plan *plan, const nn_dense *dense, nn_decode_input input, const nn_tensor *there,
          const nn_tensor *here, nn_candidates_job *job)
{
  const nn_tensor *outputs[2 * NN_LEVELS_MAX];
  nn_error ignored; /* it is the host's decoder that complains */
  int n = plan->graph->n_outputs;
  if (n < 1 || n > 2 * NN_LEVELS_MAX)
    return false;
  for (int i = 0; i < n; i++) {
    if (plan->graph->outputs[i]->constant != NULL || there[i].rank < 1 || there[i].dim[0] < 1)
      return false;
    job->outputs[i] = (nn_output_copy) { here[i].data, there[i].data,
                                         (int64_t) nn_tensor_bytes (&there[i]) / there[i].dim[0] };
    outputs[i] = &there[i];
  }
  job->n_outputs = n;
  input.outputs = outputs;
  input.n_outputs = n;
  return dense->head (&input, &job->head, &ignored) == NN_OK && are_pages (job, there);
}

static nn_status
allocate (nn_finder *f, nn_error *err)
{
  const nn_plan *plan = f->plan;
  nn_candidates_job *job = &f->job;
  size_t pages = (size_t) job->head.pages, most = pages * NN_CANDIDATES_MOST;
  f->device = plan->backend->alloc (plan->device, pages * sizeof *job->counts + sizeof *job->threshold, err);
  if (f->device == NULL)
    return err->status;
  f->host = plan->backend->alloc_host (
      plan->device, most * sizeof *job->candidates + pages * sizeof *job->found + sizeof *f->threshold, err);
  if (f->host == NULL)
    return err->status;
  job->counts = f->device;
  job->threshold = (float *) (job->counts + pages);
  job->candidates = f->host;
  job->found = (int *) (job->candidates + most);
  memset (job->found, 0, pages * sizeof *job->found);
  f->threshold = (float *) (job->found + pages);
  *f->threshold = INFINITY;
  f->sent = NAN;
  return NN_OK;
}

nn_status
nn_finder_new (const nn_plan *plan, const nn_dense *dense, nn_decode_input input, const nn_tensor *there,
               const nn_tensor *here, nn_finder **finder, nn_error *err)
{
  nn_candidates_job job = { 0 };
  *finder = NULL;
  if (plan->backend->find_candidates == NULL || !describe (plan, dense, input, there, here, &job))
    return NN_OK;
  nn_finder *f = *finder = calloc (1, sizeof *f);
  if (f == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  f->plan = plan;
  f->job = job;
  return allocate (f, err);
}

void
nn_finder_free (nn_finder *f)
{
  if (f == NULL)
    return;
  f->plan->backend->free (f->plan->device, f->device);
  f->plan->backend->free_host (f->plan->device, f->host);
  free (f);
}

void
nn_finder_set_threshold (nn_finder *f, float threshold)
{
  *f->threshold = threshold;
}

/* It rarely changes. */
nn_status
nn_finder_send (nn_finder *f, void *stream, nn_error *err)
{
  if (f->sent == *f->threshold)
    return NN_OK;
  nn_status status
      = f->plan->backend->send (stream, (void *) f->job.threshold, f->threshold, sizeof *f->threshold, err);
  if (status == NN_OK)
    f->sent = *f->threshold;
  return status;
}

nn_status
nn_finder_find (const nn_finder *f, nn_error *err)
{
  return f->plan->backend->find_candidates (f->plan->device, &f->job, err);
}

const nn_candidate *
nn_finder_candidates (const nn_finder *f, int page, int *n)
{
  *n = f->job.found[page];
  return *n >= 0 ? f->job.candidates + (size_t) page * NN_CANDIDATES_MOST : NULL;
}
