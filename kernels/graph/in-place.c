/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that may lie where their node's residual lies: an element of a product's residual is read by what writes
 * the result's element in its place, just before. Of a residual network's largest values this halves the room. */
#include "graph.h"

#include <stdlib.h>

static nn_value *
root_of (nn_value *value)
{
  return value->view_of != NULL ? value->view_of : value;
}

/* The position of the last node that reads or writes the memory of each value that has its own; `end` for what the
 * outputs lie in. */
static void
find_last_uses (const nn_graph *graph, int *last)
{
  int position = 0;
  for (const nn_node *node = graph->first; node != NULL; node = node->next, position++) {
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] != NULL)
        last[root_of (node->in[i])->index] = position;
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != NULL)
        last[root_of (node->out[i])->index] = position;
  }
  for (int i = 0; i < graph->n_outputs; i++)
    last[root_of (graph->outputs[i])->index] = position;
}

static bool
have_same_elements (const nn_value *a, const nn_value *b)
{
  if (a->dtype != b->dtype || a->rank != b->rank || a->layout != b->layout || a->is_part || b->is_part)
    return false;
  for (int i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i])
      return false;
  return true;
}

/* The residual whose memory the node's result can have; NULL: there is none. */
static nn_value *
residual_of (const nn_graph *graph, const nn_node *node, int position, const int *last)
{
  bool has = (nn_node_is (node, "Conv") || nn_node_is (node, "MatMul")) && node->n_in > 3 && node->in[3] != NULL;
  nn_value *value = has ? node->in[3] : NULL;
  if (value == NULL || value->constant != NULL || node->out[0]->view_of != NULL
      || !have_same_elements (value, node->out[0]))
    return NULL;
  nn_value *root = root_of (value);
  for (int i = 0; i < 3; i++) /* the other operands are read out of order */
    if (node->in[i] != NULL && root_of (node->in[i]) == root)
      return NULL;
  return last[root->index] == position && root->constant == NULL && !nn_graph_is_input (graph, root) ? value : NULL;
}

nn_status
nn_graph_reuse_residuals (nn_graph *graph, nn_error *err)
{
  int *last = calloc ((size_t) graph->n_values + 1, sizeof *last);
  if (last == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d values", graph->n_values);
  find_last_uses (graph, last);
  int position = 0;
  for (nn_node *node = graph->first; node != NULL; node = node->next, position++) {
    nn_value *residual = residual_of (graph, node, position, last);
    if (residual == NULL)
      continue;
    nn_value *out = node->out[0], *root = root_of (residual);
    /* Views of the result are views of that memory from now on. */
    for (int i = 0; i < graph->n_values; i++)
      if (graph->values[i]->view_of == out) {
        graph->values[i]->view_of = root;
        graph->values[i]->view_offset += residual->view_offset;
        root->n_uses++;
        out->n_uses--;
      }
    out->view_of = root;
    out->view_offset = residual->view_offset;
    root->n_uses++;
    last[root->index] = last[out->index];
  }
  free (last);
  return NN_OK;
}
