/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "postpone.h"

#include "../graph/fuse.h"
#include "../graph/shape.h"

/* Smaller results stay in the GPU's cache between two kernels, and such products our own kernels make best, which apply
 * any activation at no cost. Beyond, a library's kernels are faster, and what they leave to do is a pass through
 * memory. */
#define MIN_ELEMENTS ((int64_t) 1 << 22)

/* The operator that computes an activation on its own; NULL where a library applies it, or there is none. */
static const nn_op *
operator_of (nn_activation_kind kind)
{
  switch (kind) {
  case NN_ACT_LEAKY_RELU:
    return nn_op_find ("LeakyRelu");
  case NN_ACT_SIGMOID:
    return nn_op_find ("Sigmoid");
  case NN_ACT_HARD_SIGMOID:
    return nn_op_find ("HardSigmoid");
  case NN_ACT_HARD_SWISH:
    return nn_op_find ("HardSwish");
  case NN_ACT_SILU:
    return nn_op_find ("Silu");
  case NN_ACT_GELU:
    return nn_op_find ("Gelu");
  case NN_ACT_TANH:
    return nn_op_find ("Tanh");
  default:
    return NULL;
  }
}

/* Of those that may be part of a chain (chains.c), the ones that read convolutions. */
static bool
is_elementwise (const nn_node *node)
{
  return nn_node_is (node, "Add") || nn_node_is (node, "Sub") || nn_node_is (node, "Mul") || nn_node_is (node, "Div");
}

/* The convolution that makes `value`, if its activation can wait for `reader`, which alone reads it. */
static nn_node *
find_conv (const nn_node *reader, const nn_value *value)
{
  nn_node *conv = value != NULL && value->n_uses == 1 ? value->producer : NULL;
  return nn_node_is (conv, "Conv") && operator_of (conv->activation.kind) != NULL
                 && nn_node_int (conv, "group", 1) == 1 && value->dtype == NN_F32
                 && nn_fuse_same_shape (value, reader->out[0])
                 && nn_shape_count (value->rank, value->dim) > MIN_ELEMENTS
             ? conv
             : NULL;
}

/* Its activation becomes a node in front of the reader. */
static nn_status
postpone (nn_graph *graph, nn_node *reader, nn_node *conv, nn_error *err)
{
  const nn_activation a = conv->activation;
  nn_value *result = conv->out[0];
  nn_value *sum = nn_fuse_new_value (graph, result->name, result->dtype, result->rank, result->dim, err);
  nn_attr *attrs = nn_graph_alloc (graph, 2 * sizeof *attrs);
  if (sum == NULL || attrs == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  attrs[0] = (nn_attr){ .name = "alpha", .type = NN_ATTR_FLOAT, .f = a.alpha };
  attrs[1] = (nn_attr){ .name = "beta", .type = NN_ATTR_FLOAT, .f = a.beta };
  conv->out[0] = sum;
  sum->producer = conv;
  conv->activation = (nn_activation){ NN_ACT_NONE, 0, 0 };
  nn_node *node = nn_graph_add_node (graph, reader, operator_of (a.kind), conv->name, &sum, 1, &result, 1);
  if (node == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  node->attrs = attrs;
  node->n_attrs = 2;
  return NN_OK;
}

nn_status
nn_cuda_postpone_activations (nn_graph *graph, nn_error *err)
{
  for (nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_in && is_elementwise (node); i++) {
      nn_node *conv = find_conv (node, node->in[i]);
      if (conv != NULL && postpone (graph, node, conv, err) != NN_OK)
        return err->status;
    }
  return NN_OK;
}
