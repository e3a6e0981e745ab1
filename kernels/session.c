/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend.h"
#include "graph/graph.h"
#include "nn.h"
#include "onnx/model.h"
#include "plan.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An arena above this is a mistake or an attack; RT-DETR at batch 32 takes some 5 of these 16 GiB. */
#define MAX_ARENA_BYTES ((size_t) 1 << (sizeof (size_t) > 4 ? 34 : 30))

/* A node made ready: its kernel, and tensors whose data pointers are set for constants only. */
typedef struct step {
  const nn_kernel *kernel;
  nn_call call;
} step;

struct nn_plan {
  atomic_int refs;
  nn_model *model; /* owns the constants' data */
  nn_graph *graph;
  const nn_backend *backend;
  step *steps;
  int n_steps;
  size_t *offset; /* by value index; SIZE_MAX: none */
  size_t arena_bytes, scratch_bytes;
  int threads;
};

struct nn_session {
  nn_plan *plan;
  void *device; /* what the backend opened */
  char *arena, *scratch;
  nn_call *calls; /* the plan's, with addresses */
  nn_tensor *tensors;
  nn_tensor *inputs, *outputs;
};

const nn_backend *
nn_backend_find (nn_device_kind kind, nn_error *err)
{
  if (kind == NN_DEVICE_CPU)
    return &nn_backend_cpu;
  nn_fail (err, NN_ERR_DEVICE, "this build has no CUDA backend");
  return NULL;
}

/* Ends what backend->begin() began; the first failure is the one to tell. */
static nn_status
end (const nn_backend *backend, nn_status status, nn_error *err)
{
  nn_error ignored;
  nn_status ended = backend->end (status == NN_OK ? err : &ignored);
  return status != NN_OK ? status : ended;
}

/* ---------------------------------------------------------------- plan */

/* Of an image input, open dimensions become 3 channels of the given size. */
static void
set_image_size (nn_value *input, int width, int height)
{
  const int64_t size[] = { 3, height, width };
  for (int i = 0; input->rank == 4 && width > 0 && i < 3; i++)
    if (input->dim[1 + i] == NN_DIM_UNKNOWN)
      input->dim[1 + i] = size[i];
}

/* Open dimensions 0 become the batch; other open ones have no meaning to us. */
static nn_status
set_dimensions (nn_graph *graph, const nn_plan_options *options, nn_error *err)
{
  const int batch = options->batch;
  for (int i = 0; i < graph->n_inputs; i++) {
    nn_value *input = graph->inputs[i];
    set_image_size (input, options->width, options->height);
    if (input->rank > 0 && input->dim[0] == NN_DIM_UNKNOWN)
      input->dim[0] = batch;
    else if (i == 0 && input->rank > 0 && input->dim[0] != batch)
      return nn_fail (err, NN_ERR_ARGUMENT, "input '%s' takes %" PRId64 " pages a run, not %d", input->name,
                      input->dim[0], batch);
  }
  return NN_OK;
}

static nn_tensor
tensor_of (const nn_value *value)
{
  if (value == NULL)
    return (nn_tensor){ 0 };
  if (value->constant != NULL)
    return *value->constant;
  return nn_value_tensor (value);
}

/* What the kernel has packed it reads no longer. */
static void
drop_packed (nn_plan *plan, nn_call *call)
{
  const nn_node *node = call->node;
  for (int i = 0; i < node->n_in && i < 32; i++)
    if ((call->packed >> i & 1) != 0 && node->in[i] != NULL && node->in[i]->constant != NULL) {
      call->in[i].data = NULL;
      nn_graph_release_operand (plan->graph, node->in[i]);
    }
}

static nn_status
prepare_step (nn_plan *plan, step *s, nn_node *node, nn_error *err)
{
  nn_tensor *tensors = nn_graph_alloc (plan->graph, (size_t) (node->n_in + node->n_out) * sizeof *tensors);
  s->kernel = plan->backend->kernel (node->op);
  if (tensors == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if (s->kernel == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "the %s backend does not have this operator",
                    plan->backend->name);
  s->call = (nn_call){ .node = node, .in = tensors, .out = tensors + node->n_in };
  for (int i = 0; i < node->n_in; i++)
    s->call.in[i] = tensor_of (node->in[i]);
  for (int i = 0; i < node->n_out; i++)
    s->call.out[i] = tensor_of (node->out[i]);
  nn_status status = s->kernel->prepare != NULL ? s->kernel->prepare (&s->call, err) : NN_OK;
  if (status == NN_OK)
    drop_packed (plan, &s->call);
  if (status == NN_OK && s->kernel->scratch_bytes != NULL) {
    size_t bytes = s->kernel->scratch_bytes (&s->call);
    plan->scratch_bytes = bytes > plan->scratch_bytes ? bytes : plan->scratch_bytes;
  }
  return status;
}

static nn_status
prepare_steps (nn_plan *plan, nn_error *err)
{
  plan->steps = calloc ((size_t) plan->graph->n_nodes + 1, sizeof *plan->steps);
  plan->offset = calloc ((size_t) plan->graph->n_values + 1, sizeof *plan->offset);
  if (plan->steps == NULL || plan->offset == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the plan");
  /* Before kernels see the shapes, whose tables would be as large as what is refused here. */
  nn_status status =
      nn_graph_plan_arena (plan->graph, MAX_ARENA_BYTES, plan->offset, &plan->arena_bytes, err);
  if (status != NN_OK)
    return status;
  status = plan->backend->begin (plan->threads, NULL, err);
  for (nn_node *node = plan->graph->first; node != NULL && status == NN_OK; node = node->next)
    if ((status = prepare_step (plan, &plan->steps[plan->n_steps++], node, err)) != NN_OK)
      nn_fail_in (err, "node '%s' (%s)", node->name, node->op->name);
  return end (plan->backend, status, err);
}

static nn_status
make_plan (nn_plan *plan, const nn_plan_options *options, nn_error *err)
{
  nn_status status;
  if ((plan->graph = nn_model_build_graph (plan->model, err)) == NULL)
    return err->status;
  int before = plan->graph->n_nodes;
  if ((status = set_dimensions (plan->graph, options, err)) != NN_OK ||
      (status = nn_graph_infer (plan->graph, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "known before the run, or read by nobody", before);
  if (nn_graph_fuse (plan->graph, err) < 0)
    return err->status;
  before = plan->graph->n_nodes;
  if (plan->backend->rewrite != NULL && (status = plan->backend->rewrite (plan->graph, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "joined for the device", before);
  before = plan->graph->n_nodes;
  if ((status = nn_graph_assign_layouts (plan->graph, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "Reorder between layouts", before);
  before = plan->graph->n_nodes;
  if ((status = nn_graph_find_views (plan->graph, plan->backend->takes_parts, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "copies that move nothing", before);
  return prepare_steps (plan, err);
}

nn_plan *
nn_plan_new (nn_model *model, const nn_plan_options *options, nn_error *err)
{
  const nn_backend *backend = nn_backend_find (options->device, err);
  if (backend == NULL)
    return NULL;
  if (options->batch < 1) {
    nn_fail (err, NN_ERR_ARGUMENT, "a batch of %d pages", options->batch);
    return NULL;
  }
  if (options->threads < 1) {
    nn_fail (err, NN_ERR_ARGUMENT, "%d threads", options->threads);
    return NULL;
  }
  nn_plan *plan = calloc (1, sizeof *plan);
  if (plan == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the plan");
    return NULL;
  }
  atomic_init (&plan->refs, 1);
  plan->model = nn_model_ref (model);
  plan->backend = backend;
  plan->threads = options->threads;
  if (make_plan (plan, options, err) != NN_OK) {
    nn_fail_in (err, "%s", nn_model_path (model));
    nn_plan_unref (plan);
    return NULL;
  }
  return plan;
}

nn_plan *
nn_plan_ref (nn_plan *plan)
{
  atomic_fetch_add_explicit (&plan->refs, 1, memory_order_relaxed);
  return plan;
}

void
nn_plan_unref (nn_plan *plan)
{
  if (plan == NULL || atomic_fetch_sub_explicit (&plan->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (int i = 0; i < plan->n_steps; i++) {
    const step *s = &plan->steps[i];
    if (s->kernel != NULL && s->kernel->release != NULL && s->call.shared != NULL)
      s->kernel->release (s->call.shared);
  }
  free (plan->steps);
  free (plan->offset);
  nn_graph_free (plan->graph);
  nn_model_unref (plan->model);
  free (plan);
}

int
nn_plan_nodes_before (const nn_plan *plan)
{
  return nn_model_n_operators (plan->model);
}

int
nn_plan_nodes_after (const nn_plan *plan)
{
  return plan->n_steps;
}

size_t
nn_plan_arena_bytes (const nn_plan *plan)
{
  return plan->arena_bytes;
}

size_t
nn_plan_scratch_bytes (const nn_plan *plan)
{
  return plan->scratch_bytes;
}

const nn_graph *
nn_plan_graph (const nn_plan *plan)
{
  return plan->graph;
}

const nn_node *
nn_plan_step (const nn_plan *plan, int index)
{
  return plan->steps[index].call.node;
}

/* ---------------------------------------------------------------- session */

/* Gives a copy of the plan's tensor its address in this session. */
static nn_tensor
place (const nn_session *session, const nn_value *value, nn_tensor tensor)
{
  if (value != NULL && session->plan->offset[value->index] != SIZE_MAX)
    tensor.data = session->arena + session->plan->offset[value->index];
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

static nn_status
allocate (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  const nn_graph *graph = plan->graph;
  session->calls = calloc ((size_t) plan->n_steps + 1, sizeof *session->calls);
  session->tensors = calloc (count_tensors (plan) + 1, sizeof *session->tensors);
  session->inputs = calloc ((size_t) graph->n_inputs + 1, sizeof *session->inputs);
  session->outputs = calloc ((size_t) graph->n_outputs + 1, sizeof *session->outputs);
  if (session->calls == NULL || session->tensors == NULL || session->inputs == NULL ||
      session->outputs == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  if (plan->backend->open (plan->threads, &session->device, err) != NN_OK)
    return err->status;
  if ((session->arena = plan->backend->alloc (plan->arena_bytes, err)) == NULL)
    return err->status;
  if (plan->scratch_bytes > 0 && (session->scratch = plan->backend->alloc (plan->scratch_bytes, err)) == NULL)
    return err->status;
  for (int i = 0; i < graph->n_inputs; i++)
    session->inputs[i] = place (session, graph->inputs[i], tensor_of (graph->inputs[i]));
  for (int i = 0; i < graph->n_outputs; i++)
    session->outputs[i] = place (session, graph->outputs[i], tensor_of (graph->outputs[i]));
  return NN_OK;
}

static void
place_calls (nn_session *session)
{
  nn_tensor *next = session->tensors;
  for (int k = 0; k < session->plan->n_steps; k++) {
    const step *s = &session->plan->steps[k];
    nn_call *call = &session->calls[k];
    const nn_node *node = s->call.node;
    *call = s->call;
    call->scratch = session->scratch;
    call->in = next;
    for (int i = 0; i < node->n_in; i++)
      *next++ = place (session, node->in[i], s->call.in[i]);
    call->out = next;
    for (int i = 0; i < node->n_out; i++)
      *next++ = place (session, node->out[i], s->call.out[i]);
  }
}

nn_session *
nn_session_new (nn_plan *plan, nn_error *err)
{
  nn_session *session = calloc (1, sizeof *session);
  if (session == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
    return NULL;
  }
  session->plan = nn_plan_ref (plan);
  if (allocate (session, err) != NN_OK) {
    nn_fail_in (err, "%s", nn_model_path (plan->model));
    nn_session_free (session);
    return NULL;
  }
  place_calls (session);
  return session;
}

void
nn_session_free (nn_session *session)
{
  if (session == NULL)
    return;
  session->plan->backend->close (session->device);
  session->plan->backend->free (session->arena);
  session->plan->backend->free (session->scratch);
  free (session->calls);
  free (session->tensors);
  free (session->inputs);
  free (session->outputs);
  nn_plan_unref (session->plan);
  free (session);
}

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
run_step (nn_session *session, int i, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = plan->steps[i].kernel->run (&session->calls[i], err);
  if (status != NN_OK)
    nn_fail_in (err, "%s: node '%s' (%s)", nn_model_path (plan->model), session->calls[i].node->name,
                session->calls[i].node->op->name);
  return status;
}

nn_status
nn_session_run (nn_session *session, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = plan->backend->begin (plan->threads, session->device, err);
  for (int i = 0; status == NN_OK && i < plan->n_steps; i++)
    status = run_step (session, i, err);
  return end (plan->backend, status, err);
}

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

nn_status
nn_session_profile (nn_session *session, double *seconds, nn_error *err)
{
  const nn_plan *plan = session->plan;
  nn_status status = plan->backend->begin (plan->threads, session->device, err);
  double before = now ();
  for (int i = 0; status == NN_OK && i < plan->n_steps; i++) {
    status = run_step (session, i, err);
    double after = now ();
    seconds[i] += after - before;
    before = after;
  }
  return end (plan->backend, status, err);
}
