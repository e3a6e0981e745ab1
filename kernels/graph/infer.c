/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "graph.h"
#include "shape.h"
#include "weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Shape subgraphs fold to a few bytes, position tables to some megabytes. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define MAX_FOLDED_BYTES ((size_t) 4 << 20)
#define MAX_FOLDING_STEPS ((double) (1 << 24))
#else
#define MAX_FOLDED_BYTES ((size_t) 256 << 20) /* that are alive at once */
#define MAX_FOLDING_STEPS 5e8                 /* some seconds of the slowest kernels */
#endif

/* Constants are packed once for each node that reads them. */
#define MAX_READ_BYTES ((size_t) 1 << (sizeof (size_t) > 4 ? 34 : 30))

typedef struct inference {
  nn_graph *graph;
  struct {
    nn_value *same;      /* what took this value's place when its Identity went, or NULL */
    size_t folded_bytes; /* that releasing it gives back */
  } *of;                 /* by value index */
  size_t folded;         /* bytes of folded results that are alive */
  double steps;          /* that folding has taken */
} inference;

/* ---------------------------------------------------------------- folding */

/* An operand's shape, and its elements if it is constant. */
static nn_tensor
constant_view (const nn_value *value)
{
  if (value == NULL)
    return (nn_tensor){ 0 };
  return value->constant != NULL ? *value->constant
                                 : nn_tensor_make (value->dtype, value->rank, value->dim, NN_LAYOUT_ROW_MAJOR, NULL);
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
compute (inference *inf, const nn_node *node, nn_tensor *in, nn_tensor *out, nn_error *err)
{
  for (int i = 0; i < node->n_in; i++)
    in[i] = constant_view (node->in[i]);
  for (int i = 0; i < node->n_out; i++) {
    const nn_value *value = node->out[i];
    if (value == NULL)
      continue;
    out[i] = nn_tensor_make (value->dtype, value->rank, value->dim, NN_LAYOUT_ROW_MAJOR, NULL);
    size_t bytes = nn_tensor_bytes (&out[i]);
    if (bytes > MAX_FOLDED_BYTES - inf->folded)
      return nn_fail (err, NN_ERR_LIMIT, "constants computed when loading would take more than %zu MiB",
                      MAX_FOLDED_BYTES >> 20);
    inf->folded += bytes;
    if ((out[i].data = nn_graph_alloc_weights (inf->graph, bytes)) == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu bytes", bytes);
    inf->of[value->index].folded_bytes = bytes >= NN_WEIGHTS_MIN_BYTES ? bytes : 0;
  }
  nn_call call = { .node = node, .in = in, .out = out };
  return run_once (node->op->cpu, &call, err);
}

/* The node has been removed; tables on the way to another table go. Shape's operand need not be one. */
static void
release_operands (inference *inf, const nn_node *node)
{
  for (int i = 0; i < node->n_in; i++) {
    nn_value *value = node->in[i];
    if (value == NULL || value->constant == NULL)
      continue;
    nn_graph_release_if_unread (inf->graph, value);
    if (value->constant != NULL && value->constant->data != NULL)
      continue;
    inf->folded -= inf->of[value->index].folded_bytes;
    inf->of[value->index].folded_bytes = 0;
  }
}

static nn_status
fold (inference *inf, nn_node *node, nn_error *err)
{
  nn_graph *graph = inf->graph;
  nn_tensor *in = nn_graph_alloc (graph, (size_t) (node->n_in + node->n_out) * sizeof *in);
  if (in == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_tensor *out = in + node->n_in;
  nn_status status = compute (inf, node, in, out, err);
  if (status != NN_OK)
    return status;
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL)
      nn_graph_set_constant (graph, node->out[i], &out[i]);
  nn_graph_remove_node (graph, node);
  release_operands (inf, node);
  return NN_OK;
}

/* What is not constant is not read: Shape looks at dimensions only. */
static bool
is_read (const nn_value *value)
{
  return value != NULL && value->constant != NULL;
}

static double
count_of (const nn_value *value)
{
  return value != NULL ? (double) nn_shape_extent (value->rank, value->dim) : 0;
}

/* Multiplications for one element of the result, for operators that take more than a few. */
static double
inner_steps (const nn_node *node)
{
  const nn_value *x = node->in[0];
  if (nn_node_is (node, "MatMul") || nn_node_is (node, "Gemm")) {
    double longest = 1;
    for (int d = 0; d < x->rank; d++)
      longest = (double) x->dim[d] > longest ? (double) x->dim[d] : longest;
    return longest;
  }
  if (nn_node_is (node, "Conv") || nn_node_is (node, "ConvTranspose"))
    return count_of (node->in[1]);
  if (nn_node_is (node, "Attention"))
    return (double) node->in[1]->dim[1];
  if (nn_node_is (node, "MaxPool") || nn_node_is (node, "AveragePool") || nn_node_is (node, "Einsum"))
    return count_of (x);
  return 1;
}

/* An upper bound of what running the node takes. */
static double
steps_of (const nn_node *node)
{
  double in = 0, out = 0;
  for (int i = 0; i < node->n_in; i++)
    in += is_read (node->in[i]) ? count_of (node->in[i]) : 0;
  for (int i = 0; i < node->n_out; i++)
    out += count_of (node->out[i]);
  if (nn_node_is (node, "Attention")) /* two products: each query, and what it makes, with every token */
    out += count_of (node->in[0]);
  return in + out * inner_steps (node);
}

/* What takes long stays a node: a small file must not keep the loader busy. */
static bool
affords (inference *inf, const nn_node *node)
{
  double steps = steps_of (node);
  if (steps > MAX_FOLDING_STEPS - inf->steps)
    return false;
  inf->steps += steps;
  return true;
}

/* Shape and Size look at their operand's dimensions only, and they are all known: no elements are
 * needed, so the operand need not be constant. */
static bool
needs_shape_only (const nn_node *node)
{
  return nn_node_is (node, "Shape") || nn_node_is (node, "Size");
}

static bool
is_foldable (const nn_node *node)
{
  if (node->op->cpu == NULL)
    return false;
  if (needs_shape_only (node))
    return node->out[0] != NULL;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != NULL && node->in[i]->constant == NULL)
      return false;
  return true;
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
    if (nn_shape_bytes (input->dtype, input->rank, input->dim) < 0)
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

/* At inference Dropout passes its operand on; so do Reshape to the same shape, Cast to the same type … */
static bool
is_identity (const nn_node *node)
{
  static const char *const ops[] = { "Identity", "Dropout", "Cast", "Expand", "Reshape", "Tile", "Concat" };
  const nn_value *x = node->in[0], *result = node->out[0];
  if (x == NULL || result == NULL || result->dtype != x->dtype || result->rank != x->rank ||
      memcmp (result->dim, x->dim, (size_t) x->rank * sizeof x->dim[0]) != 0)
    return false;
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
    if (nn_node_is (node, ops[i]))
      return !nn_node_is (node, "Concat") || node->n_in == 1;
  return false;
}

/* Readers of the Identity's result come later in the walk, which gives them its operand; they count
 * as the operand's from now on, so that it is not released before they are seen. */
static void
pass_on (inference *inf, nn_node *node)
{
  nn_value *from = node->out[0], *to = node->in[0];
  inf->of[from->index].same = to;
  to->n_uses += from->n_uses;
  from->n_uses = 0;
  nn_graph_remove_node (inf->graph, node);
}

static nn_value *
passed_on (const inference *inf, nn_value *value)
{
  return value != NULL && inf->of[value->index].same != NULL ? inf->of[value->index].same : value;
}

static nn_status
infer_node (inference *inf, nn_node *node, nn_error *err)
{
  for (int i = 0; i < node->n_in; i++)
    node->in[i] = passed_on (inf, node->in[i]);
  if (node->op->shape == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "this operator is not supported");
  nn_status status = node->op->shape (node, inf->graph, err);
  if (status == NN_OK)
    status = check_results (node, err);
  if (status != NN_OK)
    return status;
  if (is_identity (node)) {
    pass_on (inf, node);
    return NN_OK;
  }
  if (!is_foldable (node) || (!needs_shape_only (node) && !affords (inf, node)))
    return NN_OK;
  return fold (inf, node, err);
}

/* A result that nobody reads, of a node that nobody knows to do anything else. Not yet inferred
 * results count too: a branch that is dead must not make a model fail. */
void
nn_graph_drop_unread (nn_graph *graph)
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

static nn_status
check_read_bytes (const nn_graph *graph, nn_error *err)
{
  size_t read = 0;
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_in; i++) {
      if (node->in[i] == NULL || node->in[i]->constant == NULL)
        continue;
      size_t bytes = nn_tensor_bytes (node->in[i]->constant);
      if (bytes > MAX_READ_BYTES - read)
        return nn_fail (err, NN_ERR_LIMIT,
                        "node '%s' (%s): the nodes up to this one read more than %zu MiB of constants",
                        node->name, node->op->name, MAX_READ_BYTES >> 20);
      read += bytes;
    }
  return NN_OK;
}

static nn_status
walk (inference *inf, nn_error *err)
{
  nn_graph *graph = inf->graph;
  for (nn_node *node = graph->first, *next; node != NULL; node = next) {
    next = node->next;
    if (infer_node (inf, node, err) != NN_OK)
      return nn_fail_in (err, "node '%s' (%s)", node->name, node->op->name);
  }
  for (int i = 0; i < graph->n_outputs; i++)
    graph->outputs[i] = passed_on (inf, graph->outputs[i]);
  return NN_OK;
}

nn_status
nn_graph_infer (nn_graph *graph, nn_error *err)
{
  inference inf = { .graph = graph };
  nn_status status = check_inputs (graph, err);
  if (status != NN_OK)
    return status;
  if ((inf.of = calloc ((size_t) graph->n_values + 1, sizeof *inf.of)) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d values", graph->n_values);
  forget_shapes (graph);
  nn_graph_drop_unread (graph);
  status = walk (&inf, err);
  free (inf.of);
  if (status != NN_OK)
    return status;
  nn_graph_drop_unread (graph);
  nn_graph_release_unread (graph);
  return check_read_bytes (graph, err);
}
