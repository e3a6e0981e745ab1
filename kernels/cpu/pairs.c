/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a depthwise convolution and the 1×1 convolution behind it into one node, "ConvPair", whose
 * kernel (conv-pair.c) never writes the large value between them to memory.
 */
#include "conv.h"

#include "../graph/shape.h"

#include <string.h>

static bool
is_plain_conv (const nn_node *node)
{
  return nn_node_is (node, "Conv") && node->in[0]->rank == 4
         && node->in[0]->dtype == NN_F32 && node->in[1]->constant != NULL
         && (!nn_node_has (node, 2) || node->in[2]->constant != NULL);
}

static bool
is_depthwise (const nn_node *node)
{
  return is_plain_conv (node) && !nn_node_has (node, 3) && node->in[1]->dim[1] == 1
         && node->in[1]->dim[0] == node->in[0]->dim[1]
         && nn_node_int (node, "group", 1) == node->in[0]->dim[1] && node->out[0]->n_uses == 1;
}

static bool
is_pointwise (const nn_node *node, nn_error *err)
{
  nn_window window[NN_MAX_RANK - 2];
  if (!is_plain_conv (node) || nn_node_int (node, "group", 1) != 1
      || nn_shape_windows (node, window, err) != NN_OK)
    return false;
  for (int i = 0; i < 2; i++)
    if (window[i].kernel != 1 || window[i].stride != 1 || window[i].pad_begin != 0 || window[i].pad_end != 0)
      return false;
  return true;
}

/* The first one's attributes, and its activation as one more. */
static nn_status
set_attributes (nn_graph *graph, nn_node *pair, const nn_node *first, nn_error *err)
{
  nn_attr *attrs = nn_graph_alloc (graph, (first->n_attrs + 1) * sizeof *attrs);
  float *activation = nn_graph_alloc (graph, 3 * sizeof *activation);
  if (attrs == NULL || activation == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for attributes");
  if (first->n_attrs > 0)
    memcpy (attrs, first->attrs, first->n_attrs * sizeof *attrs);
  activation[0] = (float) first->activation.kind;
  activation[1] = first->activation.alpha;
  activation[2] = first->activation.beta;
  attrs[first->n_attrs]
      = (nn_attr){ .name = NN_CONV_PAIR_ACTIVATION, .type = NN_ATTR_FLOATS, .floats = activation, .n = 3 };
  pair->attrs = attrs;
  pair->n_attrs = first->n_attrs + 1;
  return NN_OK;
}

static nn_status
join (nn_graph *graph, nn_node *first, nn_node *second, nn_error *err)
{
  nn_value *in[6] = { first->in[0],
                      first->in[1],
                      nn_node_has (first, 2) ? first->in[2] : NULL,
                      second->in[1],
                      nn_node_has (second, 2) ? second->in[2] : NULL,
                      nn_node_has (second, 3) ? second->in[3] : NULL };
  nn_value *result = second->out[0];
  nn_activation activation = second->activation;
  nn_node *pair = nn_graph_add_node (graph, second, nn_op_find ("ConvPair"), second->name, in, 6, &result, 1);
  if (pair == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  pair->activation = activation;
  nn_status status = set_attributes (graph, pair, first, err);
  nn_graph_remove_node (graph, second);
  nn_graph_remove_node (graph, first);
  return status;
}

nn_status
nn_cpu_pair_convs (nn_graph *graph, nn_error *err)
{
  for (nn_node *node = graph->first, *next; node != NULL; node = next) {
    nn_error ignored;
    nn_node *first = node->in != NULL && node->n_in > 0 && node->in[0] != NULL ? node->in[0]->producer : NULL;
    next = node->next;
    if (!is_pointwise (node, &ignored) || !is_depthwise (first))
      continue;
    nn_status status = join (graph, first, node, err);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}
