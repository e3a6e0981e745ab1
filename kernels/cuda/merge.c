/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "merge.h"

#include "../ops.h"
#include "../graph/shape.h"

#include <string.h>

/* A result with more elements than this takes more memory, since it lives until the last part is read, than reading
 * the operand once saves time. */
#define MAX_ELEMENTS ((int64_t) 1 << 24)

enum { MAX_PARTS = 8 };

static bool
is_mergeable (const nn_graph *graph, const nn_node *node)
{
  if (!nn_node_is (node, "MatMul") || node->activation.kind != NN_ACT_NONE || nn_node_has (node, 3)
      || node->in[0]->constant != NULL || node->in[0]->rank != 3 || node->in[0]->dtype != NN_F32)
    return false;
  return node->in[1]->constant != NULL && node->in[1]->rank == 2
         && (!nn_node_has (node, 2) || node->in[2]->constant != NULL) && nn_graph_takes_rows (graph, node->out[0]);
}

static int64_t
columns_of (const nn_node *node)
{
  return node->in[1]->dim[1];
}

/* The products of node's operand, itself the first of them; returns how many. */
static int
find_parts (const nn_graph *graph, nn_node *node, nn_node *parts[MAX_PARTS])
{
  if (!is_mergeable (graph, node))
    return 0;
  int64_t elements = 0;
  int n = 0;
  for (nn_node *other = node; other != NULL && n < MAX_PARTS; other = other->next) {
    if (other->n_in < 2 || other->in[0] != node->in[0] || !is_mergeable (graph, other))
      continue;
    elements += nn_shape_count (other->out[0]->rank, other->out[0]->dim);
    if (elements > MAX_ELEMENTS)
      break;
    parts[n++] = other;
  }
  return n;
}

/* A constant of these dimensions, with its memory. */
static nn_value *
new_constant (nn_graph *graph, const char *name, nn_dtype dtype, int rank, const int64_t *dim)
{
  nn_tensor tensor = nn_tensor_make (dtype, rank, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  tensor.data = nn_graph_alloc_weights (graph, nn_tensor_bytes (&tensor));
  return tensor.data != NULL ? nn_graph_add_constant (graph, name, &tensor) : NULL;
}

/* Side by side: `rows` rows of all the matrices at operand `index`; zeros where a product has none. */
static nn_value *
join_constants (nn_graph *graph, nn_node *const *parts, int n, int index, int64_t rows)
{
  int64_t columns = 0, first = 0;
  for (int i = 0; i < n; i++)
    columns += columns_of (parts[i]);
  const int64_t dim[] = { rows, columns };
  int skipped = index == 2; /* a bias has no rows */
  nn_value *joined
    = new_constant (graph, parts[0]->in[1]->name, NN_F32, 2 - skipped, dim + skipped);
  if (joined == NULL)
    return NULL;
  float *to = joined->constant->data;
  for (int i = 0; i < n; first += columns_of (parts[i++])) {
    if (!nn_node_has (parts[i], index))
      continue;
    const float *from = parts[i]->in[index]->constant->data;
    size_t width = (size_t) columns_of (parts[i]);
    for (int64_t row = 0; row < rows; row++)
      memcpy (to + row * columns + first, from + row * (int64_t) width, width * sizeof *to);
  }
  return joined;
}

static nn_value *
new_lengths (nn_graph *graph, nn_node *const *parts, int n)
{
  nn_value *lengths = new_constant (graph, parts[0]->name, NN_I64, 1, (const int64_t[]){ n });
  for (int i = 0; lengths != NULL && i < n; i++)
    ((int64_t *) lengths->constant->data)[i] = columns_of (parts[i]);
  return lengths;
}

/* The one product's result. */
static nn_value *
new_result (nn_graph *graph, const nn_node *first, int64_t columns)
{
  nn_value *result = nn_graph_add_value (graph, first->out[0]->name);
  if (result == NULL)
    return NULL;
  result->dtype = first->out[0]->dtype;
  result->rank = first->out[0]->rank;
  memcpy (result->dim, first->out[0]->dim, sizeof result->dim);
  result->dim[result->rank - 1] = columns;
  return result;
}

/* The Split that stands behind the one product, both in front of the first part; NULL: no memory. */
static nn_node *
add_nodes (nn_graph *graph, nn_node *const *parts, int n)
{
  bool has_bias = false;
  nn_value *outs[MAX_PARTS];
  for (int i = 0; i < n; i++) {
    has_bias = has_bias || nn_node_has (parts[i], 2);
    outs[i] = parts[i]->out[0];
  }
  nn_value *weights = join_constants (graph, parts, n, 1, parts[0]->in[1]->dim[0]);
  nn_value *bias = has_bias ? join_constants (graph, parts, n, 2, 1) : NULL;
  nn_value *lengths = new_lengths (graph, parts, n);
  nn_value *result = weights != NULL ? new_result (graph, parts[0], weights->dim[1]) : NULL;
  nn_attr *axis = nn_graph_alloc (graph, sizeof *axis);
  if (result == NULL || lengths == NULL || axis == NULL || (has_bias && bias == NULL))
    return NULL;
  *axis = (nn_attr){ .name = "axis", .type = NN_ATTR_INT, .i = -1 };
  nn_value *in[] = { parts[0]->in[0], weights, bias }, *cut[] = { result, lengths };
  nn_node *product = nn_graph_add_node (graph, parts[0], nn_op_find ("MatMul"), parts[0]->name, in, has_bias ? 3 : 2,
                                        &result, 1);
  nn_node *split = product != NULL ? nn_graph_add_node (graph, parts[0], nn_op_find ("Split"), parts[0]->name, cut, 2,
                                                        outs, n) : NULL;
  if (split != NULL) {
    split->attrs = axis;
    split->n_attrs = 1;
  }
  return split;
}

static void
remove_part (nn_graph *graph, nn_node *node)
{
  nn_graph_remove_node (graph, node);
  for (int i = 1; i < node->n_in; i++)
    if (node->in[i] != NULL)
      nn_graph_release_if_unread (graph, node->in[i]);
}

nn_status
nn_cuda_merge_products (nn_graph *graph, nn_error *err)
{
  nn_node *parts[MAX_PARTS];
  for (nn_node *node = graph->first; node != NULL; node = node->next) {
    int n = find_parts (graph, node, parts);
    if (n < 2)
      continue;
    node = add_nodes (graph, parts, n);
    if (node == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for products that become one");
    for (int i = 0; i < n; i++)
      remove_part (graph, parts[i]);
  }
  return NN_OK;
}
