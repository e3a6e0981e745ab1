/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

static nn_status
check_indices (const nn_value *indices, int min_rank, nn_error *err)
{
  if (indices->dtype != NN_I64 && indices->dtype != NN_I32)
    return nn_fail (err, NN_ERR_FORMAT, "the indices are %s", nn_dtype_name (indices->dtype));
  if (indices->rank < min_rank)
    return nn_fail (err, NN_ERR_FORMAT, "the indices have %d dimensions, expected %d or more", indices->rank,
                    min_rank);
  return NN_OK;
}

nn_status
nn_shape_gather (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0], *indices = node->in[1];
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), x->rank), rank = 0;
  int64_t dim[2 * NN_MAX_RANK];
  nn_status status = check_indices (indices, 0, err);
  if (status != NN_OK)
    return status;
  if (axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  for (int i = 0; i < axis; i++)
    dim[rank++] = x->dim[i];
  for (int i = 0; i < indices->rank; i++)
    dim[rank++] = indices->dim[i];
  for (int i = axis + 1; i < x->rank; i++)
    dim[rank++] = x->dim[i];
  return nn_shape_set (node, 0, x->dtype, rank, dim, err);
}

/* The indices reach no further than the operand in the dimensions that they do not index. */
static nn_status
check_elements (const nn_node *node, nn_error *err)
{
  const nn_value *x = node->in[0], *indices = node->in[1];
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), x->rank);
  nn_status status = check_indices (indices, 0, err);
  if (status != NN_OK)
    return status;
  if (axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  if (indices->rank != x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "the indices have %d dimensions, operand 0 %d", indices->rank,
                    x->rank);
  for (int i = 0; i < x->rank; i++)
    if (i != axis && indices->dim[i] > x->dim[i])
      return nn_fail (err, NN_ERR_FORMAT, "dimension %d of the indices is %" PRId64 ", operand 0's %" PRId64,
                      i, indices->dim[i], x->dim[i]);
  return NN_OK;
}

nn_status
nn_shape_gather_elements (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *indices = node->in[1];
  nn_status status = check_elements (node, err);
  return status != NN_OK ? status
                         : nn_shape_set (node, 0, node->in[0]->dtype, indices->rank, indices->dim, err);
}

static nn_status
check_updates (const nn_node *node, int rank, const int64_t *dim, nn_error *err)
{
  const nn_value *updates = node->in[2];
  if (updates->dtype != node->in[0]->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "the updates are %s, operand 0 %s", nn_dtype_name (updates->dtype),
                    nn_dtype_name (node->in[0]->dtype));
  if (updates->rank != rank || memcmp (updates->dim, dim, (size_t) rank * sizeof dim[0]) != 0)
    return nn_fail (err, NN_ERR_FORMAT, "the updates' shape does not fit the indices'");
  return NN_OK;
}

nn_status
nn_shape_scatter_elements (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_status status = check_elements (node, err);
  if (status == NN_OK)
    status = check_updates (node, node->in[1]->rank, node->in[1]->dim, err);
  return status != NN_OK ? status : nn_shape_same (node, graph, err);
}

/* The indices' dimensions but the last, then those of the operand that a place leaves open. */
static nn_status
blocks (const nn_node *node, int batch, int *rank, int64_t dim[2 * NN_MAX_RANK], nn_error *err)
{
  const nn_value *x = node->in[0], *indices = node->in[1];
  nn_status status = check_indices (indices, 1, err);
  if (status != NN_OK)
    return status;
  int64_t depth = indices->dim[indices->rank - 1];
  if (batch < 0 || batch >= indices->rank || depth < 1 || depth > x->rank - batch)
    return nn_fail (err, NN_ERR_FORMAT,
                    "places of %" PRId64 " indices behind %d batch dimensions in %d dimensions", depth, batch,
                    x->rank);
  for (int i = 0; i < batch; i++)
    if (x->dim[i] != indices->dim[i])
      return nn_fail (err, NN_ERR_FORMAT, "batch dimension %d is %" PRId64 " and %" PRId64, i, x->dim[i],
                      indices->dim[i]);
  *rank = 0;
  for (int i = 0; i < indices->rank - 1; i++)
    dim[(*rank)++] = indices->dim[i];
  for (int i = batch + (int) depth; i < x->rank; i++)
    dim[(*rank)++] = x->dim[i];
  return NN_OK;
}

nn_status
nn_shape_gather_nd (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int rank = 0;
  int64_t dim[2 * NN_MAX_RANK], batch = nn_node_int (node, "batch_dims", 0);
  nn_status status = blocks (node, batch >= 0 && batch < NN_MAX_RANK ? (int) batch : -1, &rank, dim, err);
  return status != NN_OK ? status : nn_shape_set (node, 0, node->in[0]->dtype, rank, dim, err);
}

nn_status
nn_shape_scatter_nd (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int rank = 0;
  int64_t dim[2 * NN_MAX_RANK];
  nn_status status = blocks (node, 0, &rank, dim, err);
  if (status == NN_OK)
    status = check_updates (node, rank, dim, err);
  return status != NN_OK ? status : nn_shape_same (node, graph, err);
}
