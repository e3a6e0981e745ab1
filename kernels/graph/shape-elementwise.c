/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <string.h>

static nn_status
check_bools (const nn_node *node, nn_error *err)
{
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] == NULL || node->in[i]->dtype != NN_BOOL)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is not bool", i);
  return NN_OK;
}

nn_status
nn_shape_logic (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_status status = check_bools (node, err);
  return status != NN_OK ? status : nn_shape_broadcast (node, graph, err);
}

nn_status
nn_shape_test (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  return nn_shape_set (node, 0, NN_BOOL, x->rank, x->dim, err);
}

/* The exponent may be of another type. */
nn_status
nn_shape_pow (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int rank;
  int64_t dim[NN_MAX_RANK];
  nn_status status = nn_shape_broadcast_dims (node, &rank, dim, err);
  return status != NN_OK ? status : nn_shape_set (node, 0, node->in[0]->dtype, rank, dim, err);
}

nn_status
nn_shape_prelu (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int rank;
  int64_t dim[NN_MAX_RANK];
  nn_status status = nn_shape_broadcast_dims (node, &rank, dim, err);
  if (status != NN_OK)
    return status;
  if (node->in[1]->dtype != x->dtype || rank != x->rank
      || memcmp (dim, x->dim, (size_t) rank * sizeof dim[0]) != 0)
    return nn_fail (err, NN_ERR_FORMAT, "the slope does not broadcast to operand 0");
  return nn_shape_same (node, graph, err);
}
