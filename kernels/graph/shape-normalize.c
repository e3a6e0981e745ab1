/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

/* Operand `index`: one number of x's type for each of `n`. */
static nn_status
check_vector (const nn_node *node, int index, int64_t n, nn_error *err)
{
  const nn_value *x = node->in[0], *v = node->in[index];
  if (v->dtype != x->dtype || v->rank != 1 || v->dim[0] != n)
    return nn_fail (err, NN_ERR_FORMAT, "operand %d has not %" PRId64 " elements of type %s", index, n,
                    nn_dtype_name (x->dtype));
  return NN_OK;
}

/* Scale and bias have the dimensions that are normalised; dimensions of 1 in front do not matter. */
static nn_status
check_scale (const nn_value *x, int axis, const nn_value *scale, int index, nn_error *err)
{
  int extra = scale->rank - (x->rank - axis);
  bool fits = extra >= 0 && scale->dtype == x->dtype;
  for (int i = 0; i < scale->rank && fits; i++)
    fits = scale->dim[i] == (i < extra ? 1 : x->dim[axis + i - extra]);
  if (!fits)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operand %d has not the shape of the dimensions from %d on",
                    index, axis);
  return NN_OK;
}

nn_status
nn_shape_layer_norm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int axis = nn_shape_axis (nn_node_int (node, "axis", -1), x->rank);
  if (axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  for (int i = 1; i < 3; i++) {
    nn_status status = nn_node_has (node, i) ? check_scale (x, axis, node->in[i], i, err) : NN_OK;
    if (status != NN_OK)
      return status;
  }
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_instance_norm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  if (x->rank < 3)
    return nn_fail (err, NN_ERR_FORMAT, "operand 0 has %d dimensions, expected 3 or more", x->rank);
  nn_status status = check_vector (node, 1, x->dim[1], err);
  if (status == NN_OK)
    status = check_vector (node, 2, x->dim[1], err);
  return status != NN_OK ? status : nn_shape_same (node, graph, err);
}

nn_status
nn_shape_group_norm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t groups = nn_node_int (node, "num_groups", 0);
  if (x->rank < 3 || groups < 1 || x->dim[1] < 1 || x->dim[1] % groups != 0)
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " groups of the channels of %d dimensions", groups,
                    x->rank);
  int64_t weights = graph->opset >= 21 ? x->dim[1] : groups;
  nn_status status = check_vector (node, 1, weights, err);
  if (status == NN_OK)
    status = check_vector (node, 2, weights, err);
  return status != NN_OK ? status : nn_shape_same (node, graph, err);
}
