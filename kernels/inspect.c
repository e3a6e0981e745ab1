/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan consists of, and what its nodes cost. */
#include "cpu/conv.h"
#include "cuda/chains.h"
#include "graph/shape.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- operations */

static double
elements (const nn_value *value)
{
  return (double) nn_shape_count (value->rank, value->dim);
}

/* Each element of the result takes one multiply-add for each of its filter's weights. */
static double
flop_of_conv (const nn_node *node)
{
  const nn_value *weights = node->in[1];
  return 2 * elements (node->out[0]) * (double) nn_shape_count (weights->rank - 1, weights->dim + 1);
}

/* The first convolution's result has the size of the second's, and one channel for each of its filters. */
static double
flop_of_conv_pair (const nn_node *node)
{
  const nn_value *first = node->in[1], *second = node->in[3];
  double between = elements (node->out[0]) / (double) second->dim[0] * (double) first->dim[0];
  return 2 * between * (double) nn_shape_count (first->rank - 1, first->dim + 1)
         + 2 * elements (node->out[0]) * (double) second->dim[1];
}

static double
flop_of_product (const nn_node *node)
{
  const nn_value *left = node->in[0];
  int inner = nn_node_int (node, "transA", 0) != 0 ? 0 : left->rank - 1;
  return 2 * elements (node->out[0]) * (double) left->dim[inner];
}

/* Two products: of each query, and of what it makes, with every token. */
static double
flop_of_attention (const nn_node *node)
{
  return 2 * (double) node->in[1]->dim[1] * (elements (node->in[0]) + elements (node->out[0]));
}

static double
flop_of (const nn_node *node)
{
  static const struct {
    const char *op;
    double (*flop) (const nn_node *node);
  } costs[] = {
    { "Attention", flop_of_attention },
    { "Conv", flop_of_conv },
    { "ConvPair", flop_of_conv_pair },
    { "Gemm", flop_of_product },
    { "MatMul", flop_of_product },
  };
  for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
    if (nn_node_is (node, costs[i].op))
      return costs[i].flop (node);
  return 0;
}

/* ---------------------------------------------------------------- fused operations */

static void
append (char *text, size_t size, const char *more)
{
  size_t length = strlen (text);
  snprintf (text + length, size - length, "%s%s", length > 0 ? ", " : "", more);
}

static const char *
activation_name (nn_activation_kind kind)
{
  static const char *const names[] = {
    [NN_ACT_NONE] = "",
    [NN_ACT_RELU] = "Relu",
    [NN_ACT_LEAKY_RELU] = "LeakyRelu",
    [NN_ACT_CLIP] = "Clip",
    [NN_ACT_SIGMOID] = "Sigmoid",
    [NN_ACT_HARD_SIGMOID] = "HardSigmoid",
    [NN_ACT_HARD_SWISH] = "HardSwish",
    [NN_ACT_SILU] = "Silu",
    [NN_ACT_GELU] = "Gelu",
    [NN_ACT_TANH] = "Tanh",
  };
  return (size_t) kind < sizeof names / sizeof names[0] && names[kind] != NULL ? names[kind] : "activation";
}

/* Which operand a node adds to its result before the activation; 0: none. */
static int
residual_operand (const nn_node *node)
{
  bool last_of_four = nn_node_is (node, "Conv") || nn_node_is (node, "MatMul");
  return last_of_four ? 3 : nn_node_is (node, "ConvPair") ? 5 : 0;
}

static void
describe_fused (const nn_node *node, char *text, size_t size)
{
  const nn_attr *between = nn_node_attr (node, NN_CONV_PAIR_ACTIVATION);
  int residual = residual_operand (node);
  snprintf (text, size, "%s", nn_node_is (node, "Chain") ? nn_node_string (node, NN_CHAIN_NAMES, "") : "");
  if (between != NULL && between->floats[0] > 0)
    append (text, size, activation_name ((nn_activation_kind) between->floats[0]));
  if (residual > 0 && nn_node_has (node, residual))
    append (text, size, "Add");
  if (node->activation.kind != NN_ACT_NONE)
    append (text, size, activation_name (node->activation.kind));
}

/* ---------------------------------------------------------------- nodes */

static size_t
bytes_of (const nn_value *value)
{
  return (size_t) nn_shape_count (value->rank, value->dim) * nn_dtype_size (value->dtype);
}

static nn_value_info
info_of (const nn_value *value)
{
  nn_value_info info = { .name = value->name, .dtype = value->dtype, .rank = value->rank };
  memcpy (info.dim, value->dim, sizeof info.dim);
  return info;
}

nn_node_info
nn_plan_node (const nn_plan *plan, int index)
{
  const nn_node *node = nn_plan_step (plan, index);
  nn_node_info info = { .name = node->name, .op = node->op->name, .flop = flop_of (node) };
  describe_fused (node, info.fused, sizeof info.fused);
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != NULL)
      *(node->in[i]->constant != NULL ? &info.weight_bytes : &info.value_bytes) += bytes_of (node->in[i]);
  for (int i = node->n_out - 1; i >= 0; i--)
    if (node->out[i] != NULL) {
      info.value_bytes += bytes_of (node->out[i]);
      info.result = info_of (node->out[i]);
    }
  return info;
}

/* ---------------------------------------------------------------- plans */

size_t
nn_plan_weight_bytes (const nn_plan *plan)
{
  const nn_graph *graph = nn_plan_graph (plan);
  size_t bytes = 0;
  for (int i = 0; i < graph->n_values; i++)
    if (graph->values[i]->constant != NULL && graph->values[i]->n_uses > 0)
      bytes += bytes_of (graph->values[i]);
  return bytes;
}

int
nn_plan_n_changes (const nn_plan *plan)
{
  int n = 0;
  for (const nn_change *change = nn_plan_graph (plan)->changes; change != NULL; change = change->next)
    n++;
  return n;
}

nn_plan_change
nn_plan_change_at (const nn_plan *plan, int index)
{
  const nn_change *change = nn_plan_graph (plan)->changes;
  while (index-- > 0)
    change = change->next;
  return (nn_plan_change){ change->name, change->nodes };
}
