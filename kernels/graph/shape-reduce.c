/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

nn_status
nn_shape_reduced_axes (const nn_node *node, unsigned *axes, nn_error *err)
{
  int rank = node->in[0]->rank;
  bool none = nn_node_int (node, "noop_with_empty_axes", 0) != 0;
  return nn_shape_axes (node, 1, rank, none ? 0 : (1u << rank) - 1, axes, err);
}

/* The operand's shape with 1 or nothing in place of the dimensions `axes`. */
static nn_status
set_reduced (nn_node *node, nn_dtype dtype, unsigned axes, nn_error *err)
{
  const nn_value *x = node->in[0];
  bool keep = nn_node_int (node, "keepdims", 1) != 0;
  int64_t dim[NN_MAX_RANK];
  int rank = 0;
  for (int i = 0; i < x->rank; i++)
    if (!(axes & 1u << i))
      dim[rank++] = x->dim[i];
    else if (keep)
      dim[rank++] = 1;
  return nn_shape_set (node, 0, dtype, rank, dim, err);
}

nn_status
nn_shape_reduce (nn_node *node, const nn_graph *graph, nn_error *err)
{
  unsigned axes;
  nn_status status = nn_shape_reduced_axes (node, &axes, err);
  return status != NN_OK ? status : set_reduced (node, node->in[0]->dtype, axes, err);
}

/* Over nothing there is a sum, but no largest element and no mean. */
nn_status
nn_shape_reduce_some (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  unsigned axes;
  nn_status status = nn_shape_reduced_axes (node, &axes, err);
  if (status != NN_OK)
    return status;
  for (int i = 0; i < x->rank; i++)
    if (axes & 1u << i && x->dim[i] == 0)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "over dimension %d, which is empty", i);
  return set_reduced (node, x->dtype, axes, err);
}

/* Attribute "axis" as a dimension that is not empty. */
static nn_status
axis_of (const nn_node *node, int64_t fallback, int *axis, nn_error *err)
{
  const nn_value *x = node->in[0];
  *axis = nn_shape_axis (nn_node_int (node, "axis", fallback), x->rank);
  if (*axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  return NN_OK;
}

nn_status
nn_shape_arg (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int axis;
  nn_status status = axis_of (node, 0, &axis, err);
  if (status == NN_OK && node->in[0]->dim[axis] == 0)
    status = nn_fail (err, NN_ERR_UNSUPPORTED, "over dimension %d, which is empty", axis);
  return status != NN_OK ? status : set_reduced (node, NN_I64, 1u << axis, err);
}

/* K is an operand from opset 10 on, an attribute before. */
nn_status
nn_shape_topk (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t k = nn_node_int (node, "k", -1), dim[NN_MAX_RANK];
  int axis, n = 1;
  nn_status status = axis_of (node, -1, &axis, err);
  if (status == NN_OK && nn_node_has (node, 1))
    status = nn_shape_constant_ints (node, 1, &k, 1, &n, err);
  if (status != NN_OK)
    return status;
  if (n != 1 || k < 0 || k > x->dim[axis])
    return nn_fail (err, NN_ERR_FORMAT, "the best %" PRId64 " of %" PRId64 " elements", k, x->dim[axis]);
  memcpy (dim, x->dim, sizeof dim);
  dim[axis] = k;
  status = nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
  return status != NN_OK ? status : nn_shape_set (node, 1, NN_I64, x->rank, dim, err);
}

nn_status
nn_shape_cumsum_axis (const nn_node *node, int *axis, nn_error *err)
{
  int64_t at;
  int n = 0;
  nn_status status = nn_shape_constant_ints (node, 1, &at, 1, &n, err);
  if (status != NN_OK)
    return status;
  *axis = n == 1 ? nn_shape_axis (at, node->in[0]->rank) : -1;
  if (*axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "the axis is outside the %d dimensions", node->in[0]->rank);
  return NN_OK;
}

nn_status
nn_shape_cumsum (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int axis;
  nn_status status = nn_shape_cumsum_axis (node, &axis, err);
  return status != NN_OK ? status : nn_shape_same (node, graph, err);
}
