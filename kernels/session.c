/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

#include "finder.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

struct nn_session {
  nn_plan *plan;
  void *stream; /* of the backend */
  char *arena, *scratch;
  nn_call *calls; /* the plan's, with addresses */
  nn_tensor *tensors;
  nn_tensor *inputs, *outputs; /* in the host's reach */
  void **input_memory;         /* of a remote device, where `inputs` are copied to before a run */
  bool *filled;                /* inputs that are there already */
  nn_page *page;               /* where pages are filled on the host */
  nn_finder *finder;           /* NULL: runs copy the outputs */
};

/* ---- memory ---- */

/* Where a value lies that has memory; NULL for others. */
static void *
address_of (const nn_session *session, const nn_value *value)
{
  const nn_plan *plan = session->plan;
  const nn_value *root = value->view_of != NULL ? value->view_of : value;
  for (int i = 0; session->input_memory != NULL && i < plan->graph->n_inputs; i++)
    if (plan->graph->inputs[i] == root && session->input_memory[i] != NULL)
      return (char *) session->input_memory[i] + (value->view_of != NULL ? value->view_offset : 0);
  if (plan->offset[value->index] != SIZE_MAX)
    return session->arena + plan->offset[value->index];
  return plan->uploaded[value->index];
}

/* Gives a copy of the plan's tensor its address in this session. */
static nn_tensor
place (const nn_session *session, const nn_value *value, nn_tensor tensor)
{
  void *address = value != NULL ? address_of (session, value) : NULL;
  if (address != NULL)
    tensor.data = address;
  return tensor;
}

static size_t
count_tensors (const nn_plan *plan)
{
  size_t n = 0;
  for (int i = 0; i < plan->n_steps; i++)
    n += (size_t) plan->steps[i].call.node->n_in + (size_t) plan->steps[i].call.node->n_out;
  return n;
}

/* Makes `*memory` unless it is there. */
static nn_status
ensure (const nn_plan *plan, char **memory, size_t bytes, nn_error *err)
{
  if (*memory == NULL && bytes > 0)
    *memory = plan->backend->alloc (plan->device, bytes, err);
  return *memory != NULL || bytes == 0 ? NN_OK : err->status;
}

/* The plan whose memory the session's runs use. */
static nn_plan *
lender_of (nn_plan *plan)
{
  while (plan->beside != NULL && plan->beside->arena_bytes >= plan->arena_bytes
         && plan->beside->scratch_bytes >= plan->scratch_bytes)
    plan = plan->beside;
  return plan;
}

static nn_status
share_arena (nn_session *session, nn_error *err)
{
  nn_plan *plan = lender_of (session->plan);
  pthread_mutex_lock (&plan->mutex);
  nn_status status = ensure (plan, &plan->arena, plan->arena_bytes, err);
  if (status == NN_OK)
    status = ensure (plan, &plan->scratch, plan->scratch_bytes, err);
  pthread_mutex_unlock (&plan->mutex);
  session->arena = plan->arena;
  session->scratch = plan->scratch;
  return status;
}

/* An input or output that the host reads or writes, beside the device's. */
static nn_status
alloc_mirror (const nn_plan *plan, nn_tensor *tensor, nn_error *err)
{
  size_t bytes = nn_tensor_bytes (tensor);
  tensor->data = plan->backend->alloc_host (plan->device, bytes > 0 ? bytes : 1, err);
  if (tensor->data == NULL)
    return err->status;
  memset (tensor->data, 0, bytes);
  return NN_OK;
}

static nn_status
alloc_remote (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  const nn_graph *graph = plan->graph;
  session->input_memory = calloc ((size_t) graph->n_inputs + 1, sizeof *session->input_memory);
  if (session->input_memory == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  for (int i = 0; i < graph->n_inputs; i++) {
    char *memory = NULL;
    if (alloc_mirror (plan, &session->inputs[i], err) != NN_OK
        || ensure (plan, &memory, nn_tensor_bytes (&session->inputs[i]) + 1, err) != NN_OK)
      return err->status;
    session->input_memory[i] = memory;
  }
  for (int i = 0; i < graph->n_outputs; i++)
    if (graph->outputs[i]->constant == NULL && alloc_mirror (plan, &session->outputs[i], err) != NN_OK)
      return err->status;
  return share_arena (session, err);
}

static nn_status
alloc_local (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  if (ensure (plan, &session->arena, plan->arena_bytes, err) != NN_OK
      || ensure (plan, &session->scratch, plan->scratch_bytes, err) != NN_OK)
    return err->status;
  for (int i = 0; i < plan->graph->n_inputs; i++)
    session->inputs[i] = place (session, plan->graph->inputs[i], session->inputs[i]);
  for (int i = 0; i < plan->graph->n_outputs; i++)
    session->outputs[i] = place (session, plan->graph->outputs[i], session->outputs[i]);
  return NN_OK;
}

static nn_status
allocate (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  const nn_graph *graph = plan->graph;
  session->calls = calloc ((size_t) plan->n_steps + 1, sizeof *session->calls);
  session->tensors = calloc (count_tensors (plan) + 1, sizeof *session->tensors);
  session->inputs = calloc ((size_t) graph->n_inputs + 1, sizeof *session->inputs);
  session->outputs = calloc ((size_t) graph->n_outputs + 1, sizeof *session->outputs);
  session->filled = calloc ((size_t) graph->n_inputs + 1, sizeof *session->filled);
  if (session->calls == NULL || session->tensors == NULL || session->inputs == NULL
      || session->outputs == NULL || session->filled == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  for (int i = 0; i < graph->n_inputs; i++)
    session->inputs[i] = nn_plan_tensor (graph->inputs[i]);
  for (int i = 0; i < graph->n_outputs; i++)
    session->outputs[i] = nn_plan_tensor (graph->outputs[i]);
  return nn_plan_is_remote (plan) ? alloc_remote (session, err) : alloc_local (session, err);
}

static void
place_calls (nn_session *session)
{
  nn_tensor *next = session->tensors;
  for (int k = 0; k < session->plan->n_steps; k++) {
    const nn_step *s = &session->plan->steps[k];
    nn_call *call = &session->calls[k];
    const nn_node *node = s->call.node;
    *call = s->call;
    call->scratch = session->scratch != NULL ? session->scratch + session->plan->scratch_of[k].begin : NULL;
    call->in = next;
    for (int i = 0; i < node->n_in; i++)
      *next++ = place (session, node->in[i], s->call.in[i]);
    call->out = next;
    for (int i = 0; i < node->n_out; i++)
      *next++ = place (session, node->out[i], s->call.out[i]);
  }
}

/* ---- dense heads ---- */

static nn_status
alloc_finder (nn_session *session, const nn_dense *dense, const nn_decode_input *input, nn_error *err)
{
  const nn_graph *graph = session->plan->graph;
  if (dense == NULL || !nn_plan_is_remote (session->plan))
    return NN_OK;
  nn_tensor *there = calloc ((size_t) graph->n_outputs + 1, sizeof *there);
  if (there == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  for (int i = 0; i < graph->n_outputs; i++)
    there[i] = place (session, graph->outputs[i], session->outputs[i]);
  nn_status status = nn_finder_new (session->plan, dense, *input, there, session->outputs, &session->finder, err);
  free (there);
  return status;
}

void
nn_session_set_threshold (nn_session *session, float threshold)
{
  if (session->finder != NULL)
    nn_finder_set_threshold (session->finder, threshold);
}

const nn_candidate *
nn_session_candidates (const nn_session *session, int page, int *n)
{
  return session->finder != NULL ? nn_finder_candidates (session->finder, page, n) : NULL;
}

/* ---- steps ---- */

static nn_status
run_step (nn_session *session, int i, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = plan->steps[i].kernel->run (&session->calls[i], err);
  if (status != NN_OK)
    nn_fail_in (err, "%s: node '%s' (%s)", nn_model_path (plan->model), session->calls[i].node->name,
                session->calls[i].node->op->name);
  return status;
}

static nn_status
receive_outputs (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  if (session->finder != NULL)
    return nn_finder_find (session->finder, err);
  for (int i = 0; i < plan->graph->n_outputs; i++) {
    const nn_value *value = plan->graph->outputs[i];
    const nn_tensor *output = &session->outputs[i];
    if (value->constant == NULL
        && plan->backend->receive (plan->device, output->data, address_of (session, value),
                                   nn_tensor_bytes (output), err)
               != NN_OK)
      return err->status;
  }
  return NN_OK;
}

/* Tells the device what step `i` waits for; -1: what comes behind the last one. */
static nn_status
depend (const nn_session *session, int i, nn_error *err)
{
  const nn_plan *plan = session->plan;
  const nn_schedule *schedule = plan->schedule;
  if (schedule == NULL)
    return NN_OK;
  if (i < 0)
    return plan->backend->depend (plan->device, -1, NULL, 0, err);
  int first = schedule->first[i];
  return plan->backend->depend (plan->device, i, schedule->before + first, schedule->first[i + 1] - first, err);
}

static nn_status
run_steps (void *arg, nn_error *err)
{
  nn_session *session = arg;
  nn_status status = NN_OK;
  for (int i = 0; status == NN_OK && i < session->plan->n_steps; i++)
    if ((status = depend (session, i, err)) == NN_OK)
      status = run_step (session, i, err);
  if (status == NN_OK)
    status = depend (session, -1, err);
  return status == NN_OK && nn_plan_is_remote (session->plan) ? receive_outputs (session, err) : status;
}

nn_session *
nn_session_new_dense (nn_plan *plan, const nn_dense *dense, const nn_decode_input *input, nn_error *err)
{
  nn_session *session = calloc (1, sizeof *session);
  if (session == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
    return NULL;
  }
  session->plan = nn_plan_ref (plan);
  if (allocate (session, err) == NN_OK && alloc_finder (session, dense, input, err) == NN_OK) {
    place_calls (session);
    if (plan->backend->open_stream (plan->device, run_steps, session, &session->stream, err) == NN_OK)
      return session;
  }
  nn_fail_in (err, "%s", nn_model_path (plan->model));
  nn_session_free (session);
  return NULL;
}

nn_session *
nn_session_new (nn_plan *plan, nn_error *err)
{
  return nn_session_new_dense (plan, NULL, NULL, err);
}

static void
free_memory (nn_session *session)
{
  const nn_plan *plan = session->plan;
  const nn_backend *backend = plan->backend;
  if (!nn_plan_is_remote (plan)) {
    backend->free (plan->device, session->arena);
    backend->free (plan->device, session->scratch);
    return;
  }
  for (int i = 0; session->input_memory != NULL && i < plan->graph->n_inputs; i++) {
    backend->free (plan->device, session->input_memory[i]);
    backend->free_host (plan->device, session->inputs[i].data);
  }
  for (int i = 0; session->input_memory != NULL && i < plan->graph->n_outputs; i++)
    if (plan->graph->outputs[i]->constant == NULL)
      backend->free_host (plan->device, session->outputs[i].data);
  free (session->input_memory);
}

void
nn_session_free (nn_session *session)
{
  if (session == NULL)
    return;
  session->plan->backend->close_stream (session->stream);
  free_memory (session);
  nn_page_free (session->page);
  nn_finder_free (session->finder);
  free (session->calls);
  free (session->tensors);
  free (session->inputs);
  free (session->outputs);
  free (session->filled);
  nn_plan_unref (session->plan);
  free (session);
}

/* ---- runs ---- */

nn_tensor *
nn_session_input (nn_session *session, int index)
{
  return &session->inputs[index];
}

const nn_tensor *
nn_session_output (const nn_session *session, int index)
{
  return &session->outputs[index];
}

static nn_status
fill_on_host (nn_session *session, int index, const nn_frame *frames, int n, const nn_page_spec *spec,
              nn_page_placement *placements, nn_error *err)
{
  if (session->page == NULL && (session->page = nn_page_new (err)) == NULL)
    return err->status;
  for (int i = 0; i < n; i++) {
    nn_tensor page = nn_tensor_part (&session->inputs[index], 0, i, 1);
    if (nn_page_fill (session->page, &frames[i], spec, &page, &placements[i], err) != NN_OK)
      return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", i + 1, n) : err->status;
  }
  return NN_OK;
}

nn_status
nn_session_fill_pages (nn_session *session, int index, const nn_frame *frames, int n, const nn_page_spec *spec,
                       nn_page_placement *placements, nn_error *err)
{
  const nn_backend *backend = session->plan->backend;
  if (backend->fill_pages == NULL)
    return fill_on_host (session, index, frames, n, spec, placements, err);
  nn_tensor input = session->inputs[index];
  input.data = session->input_memory[index];
  session->filled[index] = true;
  return backend->fill_pages (session->stream, frames, n, spec, &input, placements, err);
}

static nn_status
send_inputs (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  for (int i = 0; i < plan->graph->n_inputs; i++) {
    const nn_tensor *input = &session->inputs[i];
    if (!session->filled[i]
        && plan->backend->send (session->stream, session->input_memory[i], input->data, nn_tensor_bytes (input),
                                err)
               != NN_OK)
      return err->status;
    session->filled[i] = false;
  }
  return session->finder != NULL ? nn_finder_send (session->finder, session->stream, err) : NN_OK;
}

nn_status
nn_session_start (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = nn_plan_is_remote (plan) ? send_inputs (session, err) : NN_OK;
  return status == NN_OK ? plan->backend->run (session->stream, err) : status;
}

nn_status
nn_session_wait (nn_session *session, nn_error *err)
{
  nn_status status = session->plan->backend->wait (session->stream, err);
  return status == NN_OK ? status : nn_fail_in (err, "%s", nn_model_path (session->plan->model));
}

nn_status
nn_session_run (nn_session *session, nn_error *err)
{
  nn_status status = nn_session_start (session, err);
  return status == NN_OK ? nn_session_wait (session, err) : status;
}

double
nn_session_device_seconds (const nn_session *session)
{
  return session->plan->backend->last_run (session->stream);
}

size_t
nn_session_staged_bytes (const nn_session *session)
{
  const nn_backend *backend = session->plan->backend;
  return backend->staged != NULL ? backend->staged (session->stream) : 0;
}

/* One step of nn_session_profile(). */
typedef struct timed {
  nn_session *session;
  int step;
} timed;

static nn_status
run_timed (void *arg, nn_error *err)
{
  const timed *t = arg;
  return run_step (t->session, t->step, err);
}

nn_status
nn_session_profile (nn_session *session, double *seconds, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = nn_plan_is_remote (plan) ? nn_session_run (session, err) : NN_OK;
  for (int i = 0; status == NN_OK && i < plan->n_steps; i++) {
    timed t = { session, i };
    double taken = 0;
    status = plan->backend->time (session->stream, run_timed, &t, &taken, err);
    seconds[i] += taken;
  }
  return status;
}
