/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include "onnx/model.h"
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>

/* An arena above this is a mistake or an attack; RT-DETR at batch 32 takes some 5 of these 16 GiB. */
#define MAX_ARENA_BYTES ((size_t) 1 << (sizeof (size_t) > 4 ? 34 : 30))

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

nn_tensor
nn_plan_tensor (const nn_value *value)
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
prepare_step (nn_plan *plan, nn_step *s, nn_node *node, nn_error *err)
{
  nn_tensor *tensors = nn_graph_alloc (plan->graph, (size_t) (node->n_in + node->n_out) * sizeof *tensors);
  s->kernel = plan->backend->kernel (node->op);
  if (tensors == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if (s->kernel == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "the %s backend does not have this operator",
                    plan->backend->name);
  s->call = (nn_call){ .node = node, .device = plan->device, .in = tensors, .out = tensors + node->n_in };
  for (int i = 0; i < node->n_in; i++)
    s->call.in[i] = nn_plan_tensor (node->in[i]);
  for (int i = 0; i < node->n_out; i++)
    s->call.out[i] = nn_plan_tensor (node->out[i]);
  nn_status status = s->kernel->prepare != NULL ? s->kernel->prepare (&s->call, err) : NN_OK;
  if (status == NN_OK)
    drop_packed (plan, &s->call);
  if (status == NN_OK && s->kernel->scratch_bytes != NULL)
    s->scratch_bytes = s->kernel->scratch_bytes (&s->call);
  return status;
}

static nn_status
prepare_all (nn_plan *plan, nn_error *err)
{
  nn_status status = plan->backend->begin (plan->device, err);
  if (status != NN_OK)
    return status;
  for (nn_node *node = plan->graph->first; node != NULL && status == NN_OK; node = node->next)
    if ((status = prepare_step (plan, &plan->steps[plan->n_steps++], node, err)) != NN_OK)
      nn_fail_in (err, "node '%s' (%s)", node->name, node->op->name);
  plan->backend->end (plan->device);
  return status;
}

/* What is left of the constants, since no kernel packed it, is read in run(). */
static nn_status
upload_constants (nn_plan *plan, nn_error *err)
{
  for (int k = 0; k < plan->n_steps; k++) {
    const nn_call *call = &plan->steps[k].call;
    for (int i = 0; i < call->node->n_in; i++) {
      const nn_value *value = call->node->in[i];
      if (value == NULL || value->constant == NULL || call->in[i].data == NULL)
        continue;
      void **copy = &plan->uploaded[value->index];
      if (*copy == NULL && plan->backend->upload (plan->device, value->constant, copy, err) != NN_OK)
        return nn_fail_in (err, "constant '%s'", value->name);
    }
  }
  return NN_OK;
}

static size_t
largest_scratch (const nn_plan *plan, size_t limit)
{
  size_t largest = 0;
  for (int k = 0; k < plan->n_steps; k++) {
    size_t bytes = (plan->steps[k].scratch_bytes + 255) / 256 * 256;
    largest = bytes > largest && bytes <= limit ? bytes : largest;
  }
  return largest;
}

/* One piece of scratch memory serves steps that follow each other. Where they may run side by side, those that
 * want little take turns at several pieces. */
static void
place_scratch (nn_plan *plan)
{
  enum { PIECES = 8 };
  bool apart = plan->backend->depend != NULL;
  size_t little = apart ? largest_scratch (plan, 1 << 20) : 0, most = largest_scratch (plan, SIZE_MAX);
  int turn = 0;
  for (int k = 0; k < plan->n_steps; k++) {
    size_t bytes = plan->steps[k].scratch_bytes, begin = 0;
    if (little > 0 && bytes > 0)
      begin = bytes > little ? PIECES * little : (size_t) (turn++ % PIECES) * little;
    plan->scratch_of[k] = (nn_span){ begin, begin + bytes };
  }
  plan->scratch_bytes = little > 0 ? PIECES * little + (most > little ? most : 0) : most;
}

/* How the steps depend on each other, for a device that asks. */
static nn_status
schedule_steps (nn_plan *plan, nn_error *err)
{
  plan->scratch_of = calloc ((size_t) plan->n_steps + 1, sizeof *plan->scratch_of);
  if (plan->scratch_of == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the plan");
  place_scratch (plan);
  if (plan->backend->depend == NULL)
    return NN_OK;
  plan->schedule = nn_schedule_new (plan->graph, plan->offset, plan->scratch_of, err);
  return plan->schedule != NULL ? NN_OK : err->status;
}

static nn_status
prepare_steps (nn_plan *plan, nn_error *err)
{
  size_t n_values = (size_t) plan->graph->n_values + 1;
  plan->steps = calloc ((size_t) plan->graph->n_nodes + 1, sizeof *plan->steps);
  plan->offset = calloc (n_values, sizeof *plan->offset);
  plan->uploaded = calloc (n_values, sizeof *plan->uploaded);
  if (plan->steps == NULL || plan->offset == NULL || plan->uploaded == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the plan");
  /* Before kernels see the shapes, whose tables would be as large as what is refused here. */
  nn_status status = nn_graph_plan_arena (plan->graph, nn_plan_is_remote (plan), MAX_ARENA_BYTES, plan->offset,
                                          &plan->arena_bytes, err);
  if (status == NN_OK)
    status = prepare_all (plan, err);
  if (status == NN_OK)
    status = schedule_steps (plan, err);
  return status == NN_OK && nn_plan_is_remote (plan) ? upload_constants (plan, err) : status;
}

static nn_status
make_plan (nn_plan *plan, const nn_plan_options *options, nn_error *err)
{
  nn_status status;
  const nn_plan *beside = plan->beside;
  if ((status = plan->backend->open (options, beside != NULL ? beside->device : NULL, &plan->device, err)) != NN_OK)
    return status;
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
  if ((status = nn_graph_assign_precision (plan->graph, plan->backend->dtype (plan->device), err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "Cast between precisions", before);
  before = plan->graph->n_nodes;
  if ((status = nn_graph_assign_layouts (plan->graph, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "Reorder between layouts", before);
  before = plan->graph->n_nodes;
  if ((status = nn_graph_find_views (plan->graph, plan->backend->takes_part, plan->backend->takes_rows, err)) != NN_OK)
    return status;
  nn_graph_note_change (plan->graph, "copies that move nothing", before);
  if (plan->backend->adds_in_place && (status = nn_graph_reuse_residuals (plan->graph, err)) != NN_OK)
    return status;
  return prepare_steps (plan, err);
}

/* ---- one plan for all who want the same ---- */

/* On a GPU a plan's runs follow each other, so that everybody needs one of their own; their weights are one anyway. */
static bool
is_to_share (const nn_backend *backend)
{
  return backend->kind == NN_DEVICE_CPU;
}

/* As far as a CPU looks at them; it has one precision. */
static bool
same_options (const nn_plan_options *a, const nn_plan_options *b)
{
  return a->batch == b->batch && a->threads == b->threads && a->width == b->width && a->height == b->height;
}

/* One that has been given back by all is about to take itself out of the list. */
static bool
ref_if_alive (nn_plan *plan)
{
  int refs = atomic_load_explicit (&plan->refs, memory_order_relaxed);
  while (refs > 0)
    if (atomic_compare_exchange_weak (&plan->refs, &refs, refs + 1))
      return true;
  return false;
}

/* Under the list's mutex. */
static nn_plan *
find_alive (const nn_plan_list *list, const nn_plan_options *options)
{
  for (nn_plan *plan = list->first; plan != NULL; plan = plan->next)
    if (same_options (&plan->options, options) && ref_if_alive (plan))
      return plan;
  return NULL;
}

/* A living plan of the model, for the caller; NULL: there is none. */
static nn_plan *
find_plan (nn_model *model, const nn_backend *backend, const nn_plan_options *options)
{
  if (!is_to_share (backend))
    return NULL;
  /* Refused when a plan is made. */
  if (options->precision != NN_PRECISION_AUTO && options->precision != NN_PRECISION_FP32)
    return NULL;
  nn_plan_list *list = nn_model_plans (model);
  pthread_mutex_lock (&list->mutex);
  nn_plan *found = find_alive (list, options);
  pthread_mutex_unlock (&list->mutex);
  return found;
}

/* Lets others find it; or gives it back for one that somebody else made meanwhile. */
static nn_plan *
share_plan (nn_plan *plan)
{
  if (!is_to_share (plan->backend))
    return plan;
  nn_plan_list *list = nn_model_plans (plan->model);
  pthread_mutex_lock (&list->mutex);
  nn_plan *found = find_alive (list, &plan->options);
  if (found == NULL) {
    plan->next = list->first;
    list->first = plan;
  }
  pthread_mutex_unlock (&list->mutex);
  if (found != NULL)
    nn_plan_unref (plan);
  return found != NULL ? found : plan;
}

static void
take_out (nn_plan *plan)
{
  nn_plan_list *list = nn_model_plans (plan->model);
  pthread_mutex_lock (&list->mutex);
  nn_plan **at = &list->first;
  while (*at != NULL && *at != plan)
    at = &(*at)->next;
  if (*at != NULL)
    *at = plan->next;
  pthread_mutex_unlock (&list->mutex);
}

/* ---- made and given back ---- */

static nn_status
check_options (const nn_plan_options *options, nn_error *err)
{
  if (options->batch < 1)
    return nn_fail (err, NN_ERR_ARGUMENT, "a batch of %d pages", options->batch);
  if (options->threads < 1)
    return nn_fail (err, NN_ERR_ARGUMENT, "%d threads", options->threads);
  return NN_OK;
}

nn_plan *
nn_plan_new (nn_model *model, const nn_plan_options *options, nn_error *err)
{
  const nn_backend *backend = nn_backend_find (options->device, err);
  if (backend == NULL || check_options (options, err) != NN_OK)
    return NULL;
  nn_plan *plan = find_plan (model, backend, options);
  if (plan != NULL)
    return plan;
  if ((plan = calloc (1, sizeof *plan)) == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the plan");
    return NULL;
  }
  atomic_init (&plan->refs, 1);
  plan->model = nn_model_ref (model);
  plan->backend = backend;
  plan->options = *options;
  if (options->beside != NULL && options->beside->backend == backend && !is_to_share (backend))
    plan->beside = nn_plan_ref (options->beside);
  pthread_mutex_init (&plan->mutex, NULL);
  if (make_plan (plan, options, err) != NN_OK) {
    nn_fail_in (err, "%s", nn_model_path (model));
    nn_plan_unref (plan);
    return NULL;
  }
  return share_plan (plan);
}

nn_plan *
nn_plan_ref (nn_plan *plan)
{
  atomic_fetch_add_explicit (&plan->refs, 1, memory_order_relaxed);
  return plan;
}

/* Without the device (it is lost) what lay there is gone. */
static void
release_device (nn_plan *plan)
{
  const nn_backend *backend = plan->backend;
  nn_error ignored;
  nn_status begun = plan->steps != NULL ? backend->begin (plan->device, &ignored) : NN_OK;
  for (int i = 0; i < plan->n_steps; i++) {
    const nn_step *s = &plan->steps[i];
    if (s->kernel != NULL && s->kernel->release != NULL && s->call.shared != NULL)
      s->kernel->release (s->call.shared);
  }
  if (plan->steps != NULL && begun == NN_OK)
    backend->end (plan->device);
  backend->free (plan->device, plan->arena);
  backend->free (plan->device, plan->scratch);
  backend->close (plan->device);
}

void
nn_plan_unref (nn_plan *plan)
{
  if (plan == NULL || atomic_fetch_sub_explicit (&plan->refs, 1, memory_order_acq_rel) != 1)
    return;
  take_out (plan);
  release_device (plan);
  free (plan->steps);
  free (plan->offset);
  free (plan->uploaded);
  free (plan->scratch_of);
  nn_schedule_free (plan->schedule);
  nn_graph_free (plan->graph);
  nn_plan_unref (plan->beside);
  nn_model_unref (plan->model);
  pthread_mutex_destroy (&plan->mutex);
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

const char *
nn_plan_device_name (const nn_plan *plan)
{
  return plan->backend->device_name (plan->device);
}

size_t
nn_plan_device_bytes (const nn_plan *plan)
{
  return plan->backend->bytes (plan->device);
}
