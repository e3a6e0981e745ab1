/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>

/* Batch dimensions broadcast; a vector operand gets a dimension that the result does not keep. */
nn_status
nn_shape_matmul (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *a = node->in[0], *b = node->in[1];
  int64_t dim[NN_MAX_RANK];
  if (a->rank < 1 || b->rank < 1)
    return nn_fail (err, NN_ERR_FORMAT, "a scalar operand");
  if (a->dtype != b->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
  int64_t inner_b = b->rank == 1 ? b->dim[0] : b->dim[b->rank - 2];
  if (a->dim[a->rank - 1] != inner_b)
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " columns times %" PRId64 " rows", a->dim[a->rank - 1],
                    inner_b);
  int batch_a = a->rank > 2 ? a->rank - 2 : 0, batch_b = b->rank > 2 ? b->rank - 2 : 0;
  int rank = batch_a > batch_b ? batch_a : batch_b;
  for (int i = 0; i < rank; i++) {
    int ia = i - (rank - batch_a), ib = i - (rank - batch_b);
    int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
    if (da != db && da != 1 && db != 1)
      return nn_fail (err, NN_ERR_FORMAT, "batch dimensions %" PRId64 " and %" PRId64 " do not broadcast", da,
                      db);
    dim[i] = da == 1 ? db : da;
  }
  if (a->rank > 1)
    dim[rank++] = a->dim[a->rank - 2];
  if (b->rank > 1)
    dim[rank++] = b->dim[b->rank - 1];
  return nn_shape_set (node, 0, a->dtype, rank, dim, err);
}

nn_status
nn_shape_gemm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *a = node->in[0], *b = node->in[1];
  if (a->rank != 2 || b->rank != 2)
    return nn_fail (err, NN_ERR_FORMAT, "operands of %d and %d dimensions, expected 2", a->rank, b->rank);
  if (a->dtype != b->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
  int ta = nn_node_int (node, "transA", 0) != 0, tb = nn_node_int (node, "transB", 0) != 0;
  if (a->dim[!ta] != b->dim[tb])
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " columns times %" PRId64 " rows", a->dim[!ta],
                    b->dim[tb]);
  int64_t dim[2] = { a->dim[ta], b->dim[!tb] };
  if (nn_node_has (node, 2)) {
    const nn_value *c = node->in[2];
    if (c->dtype != a->dtype)
      return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
    for (int i = 0; i < c->rank; i++)
      if (c->rank > 2 || (c->dim[i] != 1 && c->dim[i] != dim[i + 2 - c->rank]))
        return nn_fail (err, NN_ERR_FORMAT, "operand 2 does not broadcast to the product");
  }
  return nn_shape_set (node, 0, a->dtype, 2, dim, err);
}

nn_status
nn_shape_reduce (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  bool keep = nn_node_int (node, "keepdims", 1) != 0;
  unsigned all = nn_node_int (node, "noop_with_empty_axes", 0) != 0 ? 0 : (1u << x->rank) - 1, axes;
  int64_t dim[NN_MAX_RANK];
  int rank = 0;
  nn_status status = nn_shape_axes (node, 1, x->rank, all, &axes, err);
  if (status != NN_OK)
    return status;
  for (int i = 0; i < x->rank; i++)
    if (!(axes & 1u << i))
      dim[rank++] = x->dim[i];
    else if (keep)
      dim[rank++] = 1;
  return nn_shape_set (node, 0, x->dtype, rank, dim, err);
}
