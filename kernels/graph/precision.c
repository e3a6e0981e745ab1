/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which values a network that is stored in halves keeps as float32.
 *
 * Float32 ("wide") are, first, the network's outputs and what is sorted or turned into integers; going back
 * from there, the operands of all nodes that only move or combine elements, up to the products, normalisations
 * and windows that the numbers come from (`is_source`): so scores and boxes are computed in float32 from the
 * last product on, and reference points that a decoder refines stay exact from layer to layer. Second, what is
 * computed of integers and of such values alone, going forward: positions beyond 2048 are no halves.
 * Everything else is half. Nodes that only move elements keep their operand's type, so that nothing is converted that
 * could stay where it is.
 */
#include "graph.h"

#include "shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct precision {
  nn_graph *graph;
  nn_dtype half;
  bool *wide; /* by value index */
} precision;

static bool
is_one_of (const nn_node *node, const char *const *names)
{
  for (; *names != NULL; names++)
    if (nn_node_is (node, *names))
      return true;
  return false;
}

static bool
is_float (const nn_value *value)
{
  return value != NULL && value->dtype == NN_F32;
}

/* Operands and results of one type, the product's. */
static bool
is_product (const nn_node *node)
{
  static const char *const names[] = { "Conv", "ConvTranspose", "Attention", "Einsum", NULL };
  return is_one_of (node, names);
}

/* … but for the result, which may be wide. */
static bool
is_matrix_product (const nn_node *node)
{
  static const char *const names[] = { "MatMul", "Gemm", NULL };
  return is_one_of (node, names);
}

/* Where going back ends. A matrix product gives what it is asked for, from operands that are half. */
static bool
is_source (const nn_node *node)
{
  static const char *const names[] = { "AveragePool", "BatchNormalization", "DeformableAttention",
                                       "GlobalAveragePool", "GridSample", "GroupNormalization",
                                       "InstanceNormalization", "LayerNormalization", "MaxPool", "Resize", NULL };
  return is_product (node) || is_matrix_product (node) || is_one_of (node, names);
}

static bool
only_moves (const nn_node *node)
{
  static const char *const names[] = { "Concat", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather",
                                       "GatherElements", "GatherND", "Identity", "Reorder", "Reshape", "Slice",
                                       "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", NULL };
  return is_one_of (node, names);
}

/* Whether the node's operands have to be exact whatever becomes of its results. */
static bool
needs_exact (const nn_node *node)
{
  static const char *const names[] = { "ArgMax", "ArgMin", "TopK", NULL };
  if (is_one_of (node, names))
    return true;
  return nn_node_is (node, "Cast") && node->out[0] != NULL && node->out[0]->dtype != NN_F32;
}

static bool
has_wide_result (const precision *p, const nn_node *node)
{
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL && p->wide[node->out[i]->index])
      return true;
  return false;
}

/* What a source gives is half, unless it is a matrix product, which sums in float32 anyway. */
static bool
can_be_wide (const nn_value *value)
{
  return is_float (value) && (value->producer == NULL || !is_source (value->producer)
                              || is_matrix_product (value->producer));
}

/* Backwards: nodes are in topological order, so one pass does. */
static void
mark_exact (precision *p)
{
  for (int i = 0; i < p->graph->n_outputs; i++)
    p->wide[p->graph->outputs[i]->index] = true;
  for (const nn_node *node = p->graph->last; node != NULL; node = node->prev) {
    bool wide = has_wide_result (p, node), exact = needs_exact (node) || (wide && !is_source (node));
    int first = wide && is_matrix_product (node) ? 3 : 0; /* of it, what is added to the product */
    for (int i = first; i < node->n_in && (exact || first > 0); i++)
      if (can_be_wide (node->in[i]))
        p->wide[node->in[i]->index] = true;
  }
}

/* A result of these operands alone needs no less room than they have. */
static bool
is_of_wide_ones (const precision *p, const nn_node *node)
{
  bool any = false;
  for (int i = 0; i < node->n_in; i++) {
    const nn_value *value = node->in[i];
    if (value == NULL || value->constant != NULL)
      continue;
    if (is_float (value) && !p->wide[value->index])
      return false;
    any = any || value->dtype != NN_BOOL;
  }
  return any;
}

static void
mark_results (precision *p)
{
  for (const nn_node *node = p->graph->first; node != NULL; node = node->next)
    if (!is_source (node) && is_of_wide_ones (p, node))
      for (int i = 0; i < node->n_out; i++)
        if (is_float (node->out[i]))
          p->wide[node->out[i]->index] = true;
}

/* What is half already stays so while it only moves. */
static void
keep_moved (precision *p)
{
  for (const nn_node *node = p->graph->first; node != NULL; node = node->next) {
    bool half = only_moves (node);
    for (int i = 0; i < node->n_in && half; i++)
      half = !is_float (node->in[i]) || (node->in[i]->constant == NULL && !p->wide[node->in[i]->index]);
    for (int i = 0; i < node->n_out && half; i++)
      if (is_float (node->out[i]) && !nn_graph_is_output (p->graph, node->out[i]))
        p->wide[node->out[i]->index] = false;
  }
}

/* The page, unless something other than a product reads it. */
static bool
is_for_products (const nn_graph *graph, const nn_value *input)
{
  int n_reads = 0;
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] == input) {
        if (!is_product (node) && !is_matrix_product (node))
          return false;
        n_reads++;
      }
  return n_reads > 0 && !nn_graph_is_output (graph, input);
}

/* A copy of `value` in another type, computed by a Cast in front of or behind `node`. */
static nn_value *
cast (precision *p, nn_node *before, nn_value *from, nn_value *to)
{
  nn_node *node = nn_graph_add_node (p->graph, before, nn_op_find ("Cast"), to->name, &from, 1, &to, 1);
  return node != NULL ? to : NULL;
}

static nn_value *
new_value (precision *p, const nn_value *like, nn_dtype dtype)
{
  nn_value *value = nn_graph_add_value (p->graph, like->name);
  if (value == NULL)
    return NULL;
  value->dtype = dtype;
  value->rank = like->rank;
  memcpy (value->dim, like->dim, sizeof value->dim);
  return value;
}

/* Operands of products that are wide are converted in front of them; a product that would give a network's output gives
 * it by way of a half. */
static nn_status
cast_around (precision *p, nn_node *node, nn_error *err)
{
  int n_operands = nn_node_is (node, "Attention") ? 3 : nn_node_is (node, "Einsum") ? node->n_in : 2;
  for (int i = 0; i < node->n_in; i++) {
    nn_value *value = node->in[i];
    bool residual = nn_node_is (node, "Conv") && i == 3;
    if (value == NULL || value->constant != NULL || value->dtype != NN_F32 || (i >= n_operands && !residual))
      continue;
    nn_value *half = new_value (p, value, p->half);
    if (half == NULL || cast (p, node, value, half) == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for '%s'", value->name);
    nn_node_set_input (node, i, half);
  }
  if (!is_product (node) || node->out[0]->dtype != NN_F32)
    return NN_OK;
  nn_value *out = node->out[0], *half = new_value (p, out, p->half);
  if (half == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for '%s'", out->name);
  node->out[0] = half;
  half->producer = node;
  out->producer = NULL;
  if (cast (p, node->next, half, out) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for '%s'", out->name);
  return NN_OK;
}

static void
set_types (precision *p)
{
  for (int i = 0; i < p->graph->n_values; i++) {
    nn_value *value = p->graph->values[i];
    if (is_float (value) && value->constant == NULL && !p->wide[i])
      value->dtype = p->half;
  }
}

nn_status
nn_graph_assign_precision (nn_graph *graph, nn_dtype half, nn_error *err)
{
  precision p = { .graph = graph, .half = half };
  if (half == NN_F32)
    return NN_OK;
  p.wide = calloc ((size_t) graph->n_values + 1, sizeof *p.wide);
  if (p.wide == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d values", graph->n_values);
  mark_exact (&p);
  for (int i = 0; i < graph->n_inputs; i++)
    p.wide[graph->inputs[i]->index] = !is_for_products (graph, graph->inputs[i]);
  mark_results (&p);
  keep_moved (&p);
  set_types (&p);
  free (p.wide);
  nn_status status = NN_OK;
  for (nn_node *node = graph->first; node != NULL && status == NN_OK; node = node->next)
    if (is_product (node) || is_matrix_product (node))
      status = cast_around (&p, node, err);
  return status;
}
