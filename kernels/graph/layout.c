/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "graph.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct layouts {
  nn_graph *graph;
  const nn_op *reorder;
  nn_value **copy; /* by index: the same value in the other layout, once somebody needed it */
  bool *decided;   /* by index: graph inputs take the layout of their first reader */
  int n;
  nn_error *err;
} layouts;

static bool
has_layout (const nn_value *value)
{
  return value != NULL && value->constant == NULL && value->rank == 4;
}

static nn_layout
wanted_layout (const layouts *l, const nn_node *node)
{
  if (node->op->layout == NN_LAYOUT_POLICY_CHANNELS_LAST)
    return NN_LAYOUT_CHANNELS_LAST;
  if (node->op->layout == NN_LAYOUT_POLICY_FOLLOW)
    for (int i = 0; i < node->n_in; i++)
      if (has_layout (node->in[i]))
        return node->in[i]->layout;
  return NN_LAYOUT_ROW_MAJOR;
}

/* Adds "Reorder" right in front of `before`, so the copy lives no longer than it must. */
static nn_value *
add_copy (layouts *l, nn_value *value, nn_layout layout, nn_node *before)
{
  char name[256];
  snprintf (name, sizeof name, "%.240s:%s", value->name, layout == NN_LAYOUT_CHANNELS_LAST ? "nhwc" : "nchw");
  nn_value *copy = nn_graph_add_value (l->graph, name);
  if (copy == NULL || nn_graph_add_node (l->graph, before, l->reorder, name, &value, 1, &copy, 1) == NULL)
    return NULL;
  copy->dtype = value->dtype;
  copy->rank = value->rank;
  for (int i = 0; i < value->rank; i++)
    copy->dim[i] = value->dim[i];
  copy->layout = layout;
  return copy;
}

/* `value` in `layout`, for a reader at `before` (NULL: the network's end). */
static nn_value *
in_layout (layouts *l, nn_value *value, nn_layout layout, nn_node *before)
{
  if (value->index < l->n && !l->decided[value->index]) {
    value->layout = layout;
    l->decided[value->index] = true;
  }
  if (value->layout == layout)
    return value;
  if (l->copy[value->index] == NULL)
    l->copy[value->index] = add_copy (l, value, layout, before);
  return l->copy[value->index];
}

static nn_status
assign_node (layouts *l, nn_node *node)
{
  nn_layout layout = wanted_layout (l, node);
  for (int i = 0; i < node->n_in; i++) {
    if (!has_layout (node->in[i]))
      continue;
    nn_value *value = in_layout (l, node->in[i], layout, node);
    if (value == NULL)
      return nn_fail (l->err, NN_ERR_MEMORY, "out of memory for the layout of '%s'", node->in[i]->name);
    if (value != node->in[i])
      nn_node_set_input (node, i, value);
  }
  for (int i = 0; i < node->n_out; i++)
    if (has_layout (node->out[i]))
      node->out[i]->layout = layout;
  return NN_OK;
}

static nn_status
assign_outputs (layouts *l)
{
  for (int i = 0; i < l->graph->n_outputs; i++) {
    nn_value *output = l->graph->outputs[i];
    nn_value *value = has_layout (output) ? in_layout (l, output, NN_LAYOUT_ROW_MAJOR, NULL) : output;
    if (value == NULL)
      return nn_fail (l->err, NN_ERR_MEMORY, "out of memory for the layout of '%s'", output->name);
    if (value == output)
      continue;
    output->n_uses--;
    value->n_uses++;
    l->graph->outputs[i] = value;
  }
  return NN_OK;
}

nn_status
nn_graph_assign_layouts (nn_graph *graph, nn_error *err)
{
  size_t n = (size_t) graph->n_values;
  layouts l = { .graph = graph, .reorder = nn_op_find ("Reorder"), .n = (int) n, .err = err };
  l.copy = calloc (n + 1, sizeof *l.copy);
  l.decided = calloc (n + 1, sizeof *l.decided);
  nn_status status = NN_OK;
  if (l.copy == NULL || l.decided == NULL)
    status = nn_fail (err, NN_ERR_MEMORY, "out of memory for the layouts");
  for (size_t i = 0; status == NN_OK && i < n; i++) {
    bool is_input = graph->values[i]->producer == NULL && graph->values[i]->constant == NULL;
    l.decided[i] = !is_input;
  }
  for (nn_node *node = graph->first; status == NN_OK && node != NULL; node = node->next)
    status = assign_node (&l, node);
  if (status == NN_OK)
    status = assign_outputs (&l);
  free (l.copy);
  free (l.decided);
  return status;
}
