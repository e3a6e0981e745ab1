/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows and parts that are picked from more than anybody reads: only those are computed. */
#include "fuse.h"
#include "shape.h"

#include <string.h>

static nn_status
no_memory (nn_error *err)
{
  return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
}

/* ---- one part of a Concat ---- */

/* The operand of a Concat that has index `at` of `axis`, if that is all it has. */
static nn_value *
part_at (const nn_node *concat, int axis, int64_t at)
{
  int64_t start = 0;
  for (int i = 0; i < concat->n_in; i++) {
    nn_value *part = concat->in[i];
    if (start == at && part->dim[axis] == 1)
      return part;
    start += part->dim[axis];
  }
  return NULL;
}

int
nn_fuse_gather_concat (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "Gather") || !nn_node_is (node->in[0]->producer, "Concat"))
    return 0;
  const nn_node *concat = node->in[0]->producer;
  int rank = node->in[0]->rank, n, before = graph->n_nodes;
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), rank);
  int64_t at;
  nn_error ignored;
  if (axis < 0 || axis != nn_shape_axis (nn_node_int (concat, "axis", 0), rank)
      || nn_shape_constant_ints (node, 1, &at, 1, &n, &ignored) != NN_OK || n != 1)
    return 0;
  nn_value *part = part_at (concat, axis, at < 0 ? at + node->in[0]->dim[axis] : at);
  if (part == NULL || part->constant != NULL)
    return 0;
  if (nn_fuse_reshape_to (graph, node, part, node->out[0], err) != NN_OK)
    return -1;
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}

/* ---- rows picked from the result of layers that work on each row alone ---- */

typedef struct rows {
  nn_graph *graph;
  nn_node *before;   /* where new nodes go */
  nn_value *indices; /* [batch, rows, 1] */
  nn_error *err;
} rows;

static nn_value *
value_of_rows (const rows *r, const nn_value *like)
{
  const int64_t dim[] = { like->dim[0], r->indices->dim[1], like->dim[2] };
  return nn_fuse_new_value (r->graph, like->name, like->dtype, 3, dim, r->err);
}

static nn_value *
pick (const rows *r, nn_value *from)
{
  nn_value *in[] = { from, r->indices }, *result = value_of_rows (r, from);
  nn_attr *attr = nn_graph_alloc (r->graph, sizeof *attr);
  nn_node *node
      = result != NULL && attr != NULL
            ? nn_graph_add_node (r->graph, r->before, nn_op_find ("GatherND"), from->name, in, 2, &result, 1)
            : NULL;
  if (node == NULL) {
    no_memory (r->err);
    return NULL;
  }
  *attr = (nn_attr){ .name = "batch_dims", .type = NN_ATTR_INT, .i = 1 };
  node->attrs = attr;
  node->n_attrs = 1;
  return result;
}

/* Whether a node makes `value` row by row and for this reader only, from operand `*from` (beside constants).
 */
static bool
is_made_by_row (const nn_value *value, int *from)
{
  const nn_node *node = value->producer;
  *from = 0;
  if (node == NULL || value->n_uses != 1)
    return false;
  if (nn_node_is (node, "Relu"))
    return true;
  if (nn_node_is (node, "MatMul"))
    return node->in[0]->rank == 3 && node->in[1]->constant != NULL && node->in[1]->rank == 2
           && node->n_in <= 3;
  if (!nn_node_is (node, "Add"))
    return false;
  *from = node->in[0]->constant != NULL;
  const nn_value *constant = node->in[1 - *from];
  return constant->constant != NULL && nn_fuse_same_shape (constant, value)
         && nn_fuse_same_shape (node->in[*from], value);
}

/* The rows of `value`, by way of the same node for them alone where that can be. */
static nn_value *
rows_of (const rows *r, nn_value *value)
{
  int from;
  if (!is_made_by_row (value, &from))
    return pick (r, value);
  const nn_node *node = value->producer;
  nn_value *in[3] = { NULL };
  memcpy (in, node->in, (size_t)node->n_in * sizeof in[0]);
  in[from] = rows_of (r, node->in[from]);
  if (in[from] != NULL && nn_node_is (node, "Add"))
    in[1 - from] = pick (r, in[1 - from]);
  nn_value *result = value_of_rows (r, value);
  if (in[from] == NULL || (nn_node_is (node, "Add") && in[1 - from] == NULL) || result == NULL)
    return NULL;
  nn_node *fewer = nn_graph_add_node (r->graph, r->before, node->op, node->name, in, node->n_in, &result, 1);
  if (fewer == NULL) {
    no_memory (r->err);
    return NULL;
  }
  fewer->activation = node->activation;
  return result;
}

/* The indices [batch, rows, 1] of a GatherElements that takes whole rows: they are repeated for each column.
 */
static nn_value *
indices_of_rows (const nn_node *node)
{
  const nn_node *repeat = node->in[1]->producer;
  if (!nn_node_is (repeat, "Tile") && !nn_node_is (repeat, "Expand"))
    return NULL;
  const nn_value *x = node->in[0];
  nn_value *indices = repeat->in[0];
  const int64_t whole[] = { x->dim[0], indices->dim[1], x->dim[2] },
                column[] = { x->dim[0], indices->dim[1], 1 };
  bool fits = indices->constant == NULL && nn_fuse_has_shape (indices, 3, column)
              && nn_fuse_has_shape (node->in[1], 3, whole);
  return fits ? indices : NULL;
}

int
nn_fuse_gather_rows (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "GatherElements") || node->in[0]->rank != 3 || node->in[1]->rank != 3
      || nn_shape_axis (nn_node_int (node, "axis", 0), 3) != 1)
    return 0;
  int before = graph->n_nodes;
  rows r = { graph, node, indices_of_rows (node), err };
  if (r.indices == NULL || r.indices->dtype != NN_I64)
    return 0;
  nn_value *picked = rows_of (&r, node->in[0]);
  if (picked == NULL)
    return -1;
  nn_value *result = node->out[0];
  nn_node *last = picked->producer;
  nn_graph_remove_node (graph, node);
  last->out[0] = result;
  result->producer = last;
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}
