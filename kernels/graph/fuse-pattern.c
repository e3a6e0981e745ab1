/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fusions of transformers ask for: shapes, and values that differ by their shape only. */
#include "fuse.h"

#include <string.h>

nn_node *
nn_fuse_producer (const nn_value *value, const char *op)
{
  nn_node *node = value->producer;
  return nn_node_is (node, op) && node->activation.kind == NN_ACT_NONE ? node : NULL;
}

bool
nn_fuse_has_shape (const nn_value *value, int rank, const int64_t *dim)
{
  return value->rank == rank && memcmp (value->dim, dim, (size_t)rank * sizeof *dim) == 0;
}

bool
nn_fuse_same_shape (const nn_value *a, const nn_value *b)
{
  return a->dtype == b->dtype && nn_fuse_has_shape (a, b->rank, b->dim);
}

nn_value *
nn_fuse_new_value (nn_graph *graph, const char *name, nn_dtype dtype, int rank, const int64_t *dim,
                   nn_error *err)
{
  nn_value *value = nn_graph_add_value (graph, name);
  if (value == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a value");
    return NULL;
  }
  value->dtype = dtype;
  value->rank = rank;
  memcpy (value->dim, dim, (size_t)rank * sizeof *dim);
  return value;
}

static bool
only_reshapes (const nn_node *node)
{
  static const char *const ops[] = { "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity" };
  for (size_t i = 0; node != NULL && i < sizeof ops / sizeof ops[0]; i++)
    if (nn_node_is (node, ops[i]))
      return true;
  return false;
}

nn_value *
nn_fuse_reshaped_from (nn_value *value)
{
  while (only_reshapes (value->producer))
    value = value->producer->in[0];
  return value;
}

static nn_value *
shape_constant (nn_graph *graph, const char *name, int rank, const int64_t *dim)
{
  int64_t n = rank, *data = nn_graph_alloc (graph, sizeof *dim * NN_MAX_RANK);
  if (data == NULL)
    return NULL;
  memcpy (data, dim, (size_t)rank * sizeof *dim);
  nn_tensor tensor = nn_tensor_make (NN_I64, 1, &n, NN_LAYOUT_ROW_MAJOR, data);
  return nn_graph_add_constant (graph, name, &tensor);
}

nn_value *
nn_fuse_reshape (nn_graph *graph, nn_node *before, nn_value *value, int rank, const int64_t *dim,
                 nn_error *err)
{
  nn_value *found = value;
  while (!nn_fuse_has_shape (found, rank, dim) && only_reshapes (found->producer))
    found = found->producer->in[0];
  if (nn_fuse_has_shape (found, rank, dim))
    return found;
  nn_value *result = nn_fuse_new_value (graph, value->name, value->dtype, rank, dim, err);
  return result != NULL && nn_fuse_reshape_to (graph, before, value, result, err) == NN_OK ? result : NULL;
}

nn_status
nn_fuse_reshape_to (nn_graph *graph, nn_node *before, nn_value *value, nn_value *result, nn_error *err)
{
  nn_value *shape = shape_constant (graph, value->name, result->rank, result->dim);
  nn_value *in[] = { value, shape };
  if (shape == NULL
      || nn_graph_add_node (graph, before, nn_op_find ("Reshape"), value->name, in, 2, &result, 1) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  return NN_OK;
}

bool
nn_fuse_is_transpose (const nn_node *node, int rank, const int *perm)
{
  const nn_attr *attr = node != NULL ? nn_node_attr (node, "perm") : NULL;
  if (!nn_node_is (node, "Transpose") || node->in[0]->rank != rank)
    return false;
  for (int i = 0; i < rank; i++)
    if ((attr != NULL ? attr->ints[i] : rank - 1 - i) != perm[i])
      return false;
  return true;
}
