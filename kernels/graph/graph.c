/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "graph.h"

#include "pool.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>

/* Room in every node for a Conv's residual, so that fusions may add operands in place. */
#define MIN_OPERAND_SLOTS 4

nn_graph *
nn_graph_new (nn_error *err)
{
  nn_pool *pool = nn_pool_new ();
  nn_graph *graph = pool != NULL ? nn_pool_alloc (pool, sizeof *graph, 64) : NULL;
  if (graph == NULL) {
    nn_pool_free (pool);
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a graph");
    return NULL;
  }
  graph->pool = pool;
  if ((graph->weights = nn_weights_new ()) == NULL) {
    nn_pool_free (pool);
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a graph");
    return NULL;
  }
  return graph;
}

void
nn_graph_free (nn_graph *graph)
{
  if (graph == NULL)
    return;
  free (graph->values);
  nn_weights_free (graph->weights);
  nn_pool_free (graph->pool);
}

void *
nn_graph_alloc (nn_graph *graph, size_t bytes)
{
  return nn_pool_alloc (graph->pool, bytes, 64);
}

void *
nn_graph_alloc_weights (nn_graph *graph, size_t bytes)
{
  return bytes >= NN_WEIGHTS_MIN_BYTES ? nn_weights_alloc (graph->weights, bytes)
                                       : nn_graph_alloc (graph, bytes);
}

/* Small structures need no cache line of their own. */
static void *
alloc_packed (nn_graph *graph, size_t bytes)
{
  return nn_pool_alloc (graph->pool, bytes, _Alignof(max_align_t));
}

char *
nn_graph_strdup (nn_graph *graph, const char *text)
{
  size_t size = strlen (text) + 1;
  char *copy = nn_pool_alloc (graph->pool, size, 1);
  if (copy != NULL)
    memcpy (copy, text, size);
  return copy;
}

/* The list of values doubles when its length is a power of two. */
static int
reserve_value (nn_graph *graph)
{
  size_t n = (size_t) graph->n_values;
  if (n > 0 && (n < 16 || (n & (n - 1)) != 0))
    return 1;
  nn_value **grown = realloc (graph->values, (n == 0 ? 16 : 2 * n) * sizeof *grown);
  if (grown == NULL)
    return 0;
  graph->values = grown;
  return 1;
}

nn_value *
nn_graph_add_value (nn_graph *graph, const char *name)
{
  nn_value *value = alloc_packed (graph, sizeof *value);
  if (value == NULL || !reserve_value (graph))
    return NULL;
  value->name = nn_graph_strdup (graph, name);
  if (value->name == NULL)
    return NULL;
  value->rank = -1;
  for (int i = 0; i < NN_MAX_RANK; i++)
    value->dim[i] = NN_DIM_UNKNOWN;
  value->index = graph->n_values;
  graph->values[graph->n_values++] = value;
  return value;
}

nn_value *
nn_graph_add_constant (nn_graph *graph, const char *name, const nn_tensor *tensor)
{
  nn_value *value = nn_graph_add_value (graph, name);
  nn_tensor *copy = value != NULL ? alloc_packed (graph, sizeof *copy) : NULL;
  if (copy == NULL)
    return NULL;
  *copy = *tensor;
  nn_graph_set_constant (graph, value, copy);
  value->dtype = tensor->dtype;
  value->rank = tensor->rank;
  memcpy (value->dim, tensor->dim, sizeof value->dim);
  return value;
}

void
nn_graph_set_constant (nn_graph *graph, nn_value *value, nn_tensor *tensor)
{
  value->constant = tensor;
  nn_weights_hold (graph->weights, tensor->data);
}

/* The tensor is one of ours: const is for the readers. */
static void
release (nn_graph *graph, nn_value *value)
{
  nn_tensor *tensor = (nn_tensor *) (uintptr_t) value->constant;
  nn_weights_drop (graph->weights, tensor->data);
  tensor->data = NULL;
}

void
nn_graph_release_if_unread (nn_graph *graph, nn_value *value)
{
  if (value->constant != NULL && value->constant->data != NULL && value->n_uses == value->n_packed)
    release (graph, value);
}

void
nn_graph_release_unread (nn_graph *graph)
{
  for (int i = 0; i < graph->n_values; i++)
    nn_graph_release_if_unread (graph, graph->values[i]);
}

void
nn_graph_release_operand (nn_graph *graph, nn_value *value)
{
  value->n_packed++;
  nn_graph_release_if_unread (graph, value);
}

static void
link_node (nn_graph *graph, nn_node *node, nn_node *before)
{
  node->next = before;
  node->prev = before != NULL ? before->prev : graph->last;
  if (node->prev != NULL)
    node->prev->next = node;
  else
    graph->first = node;
  if (before != NULL)
    before->prev = node;
  else
    graph->last = node;
  graph->n_nodes++;
}

nn_node *
nn_graph_add_node (nn_graph *graph, nn_node *before, const nn_op *op, const char *name, nn_value *const *in,
                   int n_in, nn_value *const *out, int n_out)
{
  size_t slots = n_in > MIN_OPERAND_SLOTS ? (size_t) n_in : MIN_OPERAND_SLOTS;
  nn_node *node = alloc_packed (graph, sizeof *node);
  if (node == NULL)
    return NULL;
  node->name = nn_graph_strdup (graph, name);
  node->in = alloc_packed (graph, slots * sizeof *node->in);
  node->out = alloc_packed (graph, (size_t) n_out * sizeof *node->out);
  if (node->name == NULL || node->in == NULL || node->out == NULL)
    return NULL;
  node->op = op;
  for (node->n_in = 0; node->n_in < n_in; node->n_in++) {
    node->in[node->n_in] = in[node->n_in];
    if (in[node->n_in] != NULL)
      in[node->n_in]->n_uses++;
  }
  for (node->n_out = 0; node->n_out < n_out; node->n_out++) {
    node->out[node->n_out] = out[node->n_out];
    if (out[node->n_out] != NULL)
      out[node->n_out]->producer = node;
  }
  link_node (graph, node, before);
  return node;
}

void
nn_graph_remove_node (nn_graph *graph, nn_node *node)
{
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != NULL)
      node->in[i]->n_uses--;
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL && node->out[i]->producer == node)
      node->out[i]->producer = NULL;
  if (node->prev != NULL)
    node->prev->next = node->next;
  else
    graph->first = node->next;
  if (node->next != NULL)
    node->next->prev = node->prev;
  else
    graph->last = node->prev;
  graph->n_nodes--;
}

void
nn_node_set_input (nn_node *node, int index, nn_value *value)
{
  while (node->n_in <= index)
    node->in[node->n_in++] = NULL;
  if (node->in[index] != NULL)
    node->in[index]->n_uses--;
  node->in[index] = value;
  if (value != NULL)
    value->n_uses++;
}

nn_tensor
nn_value_tensor (const nn_value *value)
{
  nn_tensor tensor = nn_tensor_make (value->dtype, value->rank, value->dim, value->layout, NULL);
  if (value->is_part)
    memcpy (tensor.stride, value->stride, sizeof value->stride);
  return tensor;
}

static bool
is_one_of (nn_value *const *values, int n, const nn_value *value)
{
  for (int i = 0; i < n; i++)
    if (values[i] == value)
      return true;
  return false;
}

bool
nn_graph_is_input (const nn_graph *graph, const nn_value *value)
{
  return is_one_of (graph->inputs, graph->n_inputs, value);
}

bool
nn_graph_is_output (const nn_graph *graph, const nn_value *value)
{
  return is_one_of (graph->outputs, graph->n_outputs, value);
}

bool
nn_node_is (const nn_node *node, const char *op)
{
  return node != NULL && strcmp (node->op->name, op) == 0;
}

const nn_attr *
nn_node_attr (const nn_node *node, const char *name)
{
  for (size_t i = 0; i < node->n_attrs; i++)
    if (strcmp (node->attrs[i].name, name) == 0)
      return &node->attrs[i];
  return NULL;
}

int64_t
nn_node_int (const nn_node *node, const char *name, int64_t fallback)
{
  const nn_attr *attr = nn_node_attr (node, name);
  return attr != NULL && attr->type == NN_ATTR_INT ? attr->i : fallback;
}

float
nn_node_float (const nn_node *node, const char *name, float fallback)
{
  const nn_attr *attr = nn_node_attr (node, name);
  return attr != NULL && attr->type == NN_ATTR_FLOAT ? attr->f : fallback;
}

const char *
nn_node_string (const nn_node *node, const char *name, const char *fallback)
{
  const nn_attr *attr = nn_node_attr (node, name);
  return attr != NULL && attr->type == NN_ATTR_STRING ? attr->s : fallback;
}

const char *
nn_graph_metadata (const nn_graph *graph, const char *key)
{
  for (const char **at = graph->metadata; at != NULL && at[0] != NULL; at += 2)
    if (strcmp (at[0], key) == 0)
      return at[1];
  return NULL;
}

void
nn_graph_note_change (nn_graph *graph, const char *name, int before)
{
  if (graph->n_nodes == before)
    return;
  nn_change *change = nn_graph_alloc (graph, sizeof *change);
  if (change == NULL)
    return;
  *change = (nn_change){ .name = name, .nodes = graph->n_nodes - before };
  if (graph->last_change != NULL)
    graph->last_change->next = change;
  else
    graph->changes = change;
  graph->last_change = change;
}
