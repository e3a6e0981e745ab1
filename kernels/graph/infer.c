/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "graph.h"
#include "shape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Shape subgraphs fold to a few bytes, position tables to some megabytes. */
#define MAX_FOLDED_BYTES ((size_t) 256 << 20)

/* ---------------------------------------------------------------- folding */

static nn_tensor
constant_view (const nn_value *value)
{
  return value != NULL ? *value->constant : (nn_tensor){ 0 };
}

static nn_status
run_once (const nn_kernel *kernel, nn_call *call, nn_error *err)
{
  nn_status status = NN_OK;
  if (kernel->prepare != NULL)
    status = kernel->prepare (call, err);
  size_t scratch = status == NN_OK && kernel->scratch_bytes != NULL ? kernel->scratch_bytes (call) : 0;
  if (scratch > 0 && (call->scratch = aligned_alloc (64, (scratch + 63) & ~(size_t) 63)) == NULL)
    status = nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu bytes", scratch);
  if (status == NN_OK)
    status = kernel->run (call, err);
  if (kernel->release != NULL && call->shared != NULL)
    kernel->release (call->shared);
  free (call->scratch);
  return status;
}

/* Makes room for the results and runs the node into it. */
static nn_status
compute (nn_graph *graph, const nn_node *node, nn_tensor *in, nn_tensor *out, size_t *folded, nn_error *err)
{
  for (int i = 0; i < node->n_in; i++)
    in[i] = constant_view (node->in[i]);
  for (int i = 0; i < node->n_out; i++) {
    const nn_value *value = node->out[i];
    if (value == NULL)
      continue;
    out[i] = nn_tensor_make (value->dtype, value->rank, value->dim, NN_LAYOUT_ROW_MAJOR, NULL);
    size_t bytes = nn_tensor_bytes (&out[i]);
    if (bytes > MAX_FOLDED_BYTES - *folded)
      return nn_fail (err, NN_ERR_LIMIT, "constants computed when loading would take more than %zu MiB",
                      MAX_FOLDED_BYTES >> 20);
    *folded += bytes;
    if ((out[i].data = nn_graph_alloc (graph, bytes)) == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu bytes", bytes);
  }
  nn_call call = { .node = node, .in = in, .out = out };
  return run_once (node->op->cpu, &call, err);
}

static nn_status
fold (nn_graph *graph, nn_node *node, size_t *folded, nn_error *err)
{
  nn_tensor *in = nn_graph_alloc (graph, (size_t) (node->n_in + node->n_out) * sizeof *in);
  if (in == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_tensor *out = in + node->n_in;
  nn_status status = compute (graph, node, in, out, folded, err);
  if (status != NN_OK)
    return status;
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL)
      node->out[i]->constant = &out[i];
  nn_graph_remove_node (graph, node);
  return NN_OK;
}

static bool
is_foldable (const nn_node *node)
{
  if (node->op->cpu == NULL)
    return false;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != NULL && node->in[i]->constant == NULL)
      return false;
  return true;
}

/* Shape looks at its operand's dimensions only, and they are all known. */
static nn_status
fold_shape (nn_graph *graph, nn_node *node, nn_error *err)
{
  const nn_value *x = node->in[0];
  nn_value *result = node->out[0];
  int64_t *dims = nn_graph_alloc (graph, NN_MAX_RANK * sizeof *dims);
  nn_tensor *tensor = nn_graph_alloc (graph, sizeof *tensor);
  if (dims == NULL || tensor == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  int64_t start = nn_node_int (node, "start", 0);
  start = start < 0 ? start + x->rank : start;
  start = start < 0 ? 0 : start;
  for (int64_t i = 0; i < result->dim[0]; i++)
    dims[i] = x->dim[start + i];
  *tensor = nn_tensor_make (NN_I64, 1, result->dim, NN_LAYOUT_ROW_MAJOR, dims);
  result->constant = tensor;
  nn_graph_remove_node (graph, node);
  return NN_OK;
}

/* ---------------------------------------------------------------- the walk */

static nn_status
check_inputs (const nn_graph *graph, nn_error *err)
{
  for (int i = 0; i < graph->n_inputs; i++) {
    const nn_value *input = graph->inputs[i];
    if (input->rank < 0 || input->dtype == NN_DTYPE_NONE)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "input '%s' has no shape", input->name);
    for (int d = 0; d < input->rank; d++)
      if (input->dim[d] < 0)
        return nn_fail (err, NN_ERR_UNSUPPORTED, "dimension %d of input '%s' is open", d, input->name);
    if (nn_shape_count (input->rank, input->dim) < 0)
      return nn_fail (err, NN_ERR_LIMIT, "input '%s' is too large", input->name);
  }
  return NN_OK;
}

/* What the file declares of outputs must not stand in for what no rule has found. */
static void
forget_shapes (nn_graph *graph)
{
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != NULL) {
        node->out[i]->rank = -1;
        node->out[i]->dtype = NN_DTYPE_NONE;
      }
}

static nn_status
check_results (const nn_node *node, nn_error *err)
{
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL && node->out[i]->rank < 0)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "its result %d is not supported", i);
  return NN_OK;
}

static bool
is_op (const nn_node *node, const char *name)
{
  return strcmp (node->op->name, name) == 0;
}

/* At inference Dropout passes its operand on. */
static bool
is_identity (const nn_node *node)
{
  return (is_op (node, "Identity") || is_op (node, "Dropout")) && node->out[0] != NULL;
}

static nn_status
infer_node (nn_graph *graph, nn_node *node, size_t *folded, nn_error *err)
{
  if (node->op->shape == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "this operator is not supported");
  nn_status status = node->op->shape (node, graph, err);
  if (status == NN_OK)
    status = check_results (node, err);
  if (status != NN_OK)
    return status;
  if (is_identity (node)) {
    nn_graph_replace_value (graph, node->out[0], node->in[0]);
    nn_graph_remove_node (graph, node);
    return NN_OK;
  }
  if (is_op (node, "Shape") && node->out[0] != NULL)
    return fold_shape (graph, node, err);
  return is_foldable (node) ? fold (graph, node, folded, err) : NN_OK;
}

/* A result that nobody reads, of a node that nobody knows to do anything else. Not yet inferred
 * results count too: a branch that is dead must not make a model fail. */
static void
drop_dead (nn_graph *graph)
{
  for (nn_node *node = graph->last, *prev; node != NULL; node = prev) {
    bool alive = false;
    prev = node->prev;
    for (int i = 0; i < node->n_out; i++) {
      if (node->out[i] != NULL && node->out[i]->n_uses == 0) {
        node->out[i]->producer = NULL;
        node->out[i] = NULL;
      }
      alive = alive || node->out[i] != NULL;
    }
    if (!alive)
      nn_graph_remove_node (graph, node);
  }
}

nn_status
nn_graph_infer (nn_graph *graph, nn_error *err)
{
  size_t folded = 0;
  nn_status status = check_inputs (graph, err);
  if (status != NN_OK)
    return status;
  forget_shapes (graph);
  drop_dead (graph);
  for (nn_node *node = graph->first, *next; node != NULL; node = next) {
    next = node->next;
    if (infer_node (graph, node, &folded, err) != NN_OK)
      return nn_fail_in (err, "node '%s' (%s)", node->name, node->op->name);
  }
  drop_dead (graph);
  return NN_OK;
}
