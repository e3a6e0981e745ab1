/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuse.h"


/* In this order: a Conv takes its scale, bias and residual before its activation. */
static const struct {
  const char *name;
  nn_fusion fuse;
} fusions[] = {
  { "BatchNormalization into the Conv before", nn_fuse_conv_batch_norm },
  { "Mul by one number a channel into the Conv before", nn_fuse_conv_scale },
  { "Add of one number a channel into the Conv before", nn_fuse_conv_bias },
  { "Conv of one point into the Conv beside it", nn_fuse_conv_parallel },
  { "Add of one number a column into the MatMul before", nn_fuse_matmul_bias },
  { "x (1 + erf (x / √2)) / 2 to Gelu", nn_fuse_gelu },
  { "mean, variance, scale and bias to LayerNormalization", nn_fuse_layer_norm },
  { "products and softmax of heads to Attention", nn_fuse_attention },
  { "GridSample of several levels to DeformableAttention", nn_fuse_deformable },
  { "reduction of a mask to MaskedReduce", nn_fuse_mask },
  { "x clip (x + a, 0, c) / c to HardSwish", nn_fuse_hard_swish_clip },
  { "x sigmoid (x) to Silu, x hardsigmoid (x) to HardSwish", nn_fuse_gate },
  { "Add of two activations into the Conv or MatMul before", nn_fuse_residual },
  { "one part of a Concat to that part", nn_fuse_gather_concat },
  { "rows picked before they are computed", nn_fuse_gather_rows },
  { "activation into the node before", nn_fuse_activation },
};

nn_node *
nn_fuse_sole_producer (const nn_node *node, int index, const char *op)
{
  if (index >= node->n_in || node->in[index] == NULL || node->in[index]->n_uses != 1)
    return NULL;
  nn_node *producer = node->in[index]->producer;
  if (!nn_node_is (producer, op) || producer->n_out != 1 || producer->activation.kind != NN_ACT_NONE)
    return NULL;
  return producer;
}

bool
nn_fuse_scalar (const nn_value *value, float *scalar)
{
  if (value == NULL || value->constant == NULL || value->dtype != NN_F32 ||
      nn_tensor_count (value->constant) != 1)
    return false;
  *scalar = *(const float *) value->constant->data;
  return true;
}

nn_value *
nn_fuse_other (const nn_node *node, const nn_value *value)
{
  if (node->n_in != 2 || (node->in[0] == value) == (node->in[1] == value))
    return NULL;
  return node->in[0] == value ? node->in[1] : node->in[0];
}

int
nn_graph_fuse (nn_graph *graph, nn_error *err)
{
  int before = graph->n_nodes;
  for (size_t i = 0; i < sizeof fusions / sizeof fusions[0]; i++) {
    int before_this = graph->n_nodes;
    for (nn_node *node = graph->first, *next; node != NULL; node = next) {
      next = node->next;
      if (fusions[i].fuse (graph, node, err) < 0) {
        nn_fail_in (err, "%s (%s)", node->name, fusions[i].name);
        return -1;
      }
    }
    nn_graph_note_change (graph, fusions[i].name, before_this);
  }
  nn_graph_release_unread (graph);
  return before - graph->n_nodes;
}
