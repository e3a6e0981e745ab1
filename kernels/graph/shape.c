/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

#define MAX_BYTES ((int64_t) 1 << 40)
#define MAX_EMPTY_EXTENT ((int64_t) 1 << 31)

bool
nn_node_has (const nn_node *node, int index)
{
  return index < node->n_in && node->in[index] != NULL;
}

int
nn_shape_axis (int64_t axis, int rank)
{
  if (axis < -rank || axis >= rank)
    return -1;
  return (int) (axis < 0 ? axis + rank : axis);
}

int64_t
nn_shape_bytes (nn_dtype dtype, int rank, const int64_t *dim)
{
  int64_t bytes = nn_shape_count (rank, dim), extent = nn_shape_extent (rank, dim);
  if (bytes < 0 || extent < 0 || (bytes == 0 && extent > MAX_EMPTY_EXTENT) ||
      __builtin_mul_overflow (bytes, (int64_t) nn_dtype_size (dtype), &bytes))
    return -1;
  return bytes <= MAX_BYTES ? bytes : -1;
}

nn_status
nn_shape_set (nn_node *node, int index, nn_dtype dtype, int rank, const int64_t *dim, nn_error *err)
{
  if (index >= node->n_out || node->out[index] == NULL)
    return NN_OK;
  if (rank > NN_MAX_RANK)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a result of %d dimensions (at most %d)", rank, NN_MAX_RANK);
  if (nn_shape_bytes (dtype, rank, dim) < 0)
    return nn_fail (err, NN_ERR_LIMIT, "the result's shape is negative or larger than %" PRId64 " bytes",
                    MAX_BYTES);
  nn_value *value = node->out[index];
  value->dtype = dtype;
  value->rank = rank;
  for (int i = 0; i < rank; i++)
    value->dim[i] = dim[i];
  return NN_OK;
}

nn_status
nn_shape_constant_ints (const nn_node *node, int index, int64_t *ints, int max, int *n, nn_error *err)
{
  if (!nn_node_has (node, index))
    return nn_fail (err, NN_ERR_FORMAT, "operand %d is missing", index);
  const nn_tensor *tensor = node->in[index]->constant;
  if (tensor == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "operand %d ('%s') is computed from the input; only constants can do", index,
                    node->in[index]->name);
  if (tensor->dtype != NN_I64 && tensor->dtype != NN_I32)
    return nn_fail (err, NN_ERR_FORMAT, "operand %d is %s, not int64", index, nn_dtype_name (tensor->dtype));
  int64_t count = nn_tensor_count (tensor);
  if (tensor->rank > 1 || count > max)
    return nn_fail (err, NN_ERR_FORMAT, "operand %d has %" PRId64 " elements, expected at most %d", index,
                    count, max);
  for (int64_t i = 0; i < count; i++)
    ints[i] =
        tensor->dtype == NN_I64 ? ((const int64_t *) tensor->data)[i] : ((const int32_t *) tensor->data)[i];
  *n = (int) count;
  return NN_OK;
}

/* The attribute's integers, if it is there as such. */
static nn_status
attr_ints (const nn_attr *attr, int64_t *ints, int max, int *n, nn_error *err)
{
  if (attr->type != NN_ATTR_INTS)
    return nn_fail (err, NN_ERR_FORMAT, "attribute '%s' is not a list of integers", attr->name);
  if (attr->n > (size_t) max)
    return nn_fail (err, NN_ERR_FORMAT, "attribute '%s' has %zu elements, expected at most %d", attr->name,
                    attr->n, max);
  memcpy (ints, attr->ints, attr->n * sizeof *ints);
  *n = (int) attr->n;
  return NN_OK;
}

nn_status
nn_shape_axes (const nn_node *node, int index, int rank, unsigned fallback, unsigned *axes, nn_error *err)
{
  int64_t list[NN_MAX_RANK];
  int n = 0;
  const nn_attr *attr = nn_node_attr (node, "axes");
  if (!nn_node_has (node, index) && attr == NULL) {
    *axes = fallback;
    return NN_OK;
  }
  nn_status status = nn_node_has (node, index)
                         ? nn_shape_constant_ints (node, index, list, NN_MAX_RANK, &n, err)
                         : attr_ints (attr, list, NN_MAX_RANK, &n, err);
  if (status != NN_OK)
    return status;
  *axes = n == 0 ? fallback : 0;
  for (int i = 0; i < n; i++) {
    int axis = nn_shape_axis (list[i], rank);
    if (axis < 0)
      return nn_fail (err, NN_ERR_FORMAT, "axis %" PRId64 " is outside the %d dimensions", list[i], rank);
    if (*axes & 1u << axis)
      return nn_fail (err, NN_ERR_FORMAT, "axis %d is given twice", axis);
    *axes |= 1u << axis;
  }
  return NN_OK;
}

nn_status
nn_shape_same (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  return nn_shape_set (node, 0, x->dtype, x->rank, x->dim, err);
}

/* Before opset 13 all dimensions from the axis on were one, and the axis was 1 where left out. */
nn_status
nn_shape_softmax (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int axis = nn_shape_axis (nn_node_int (node, "axis", graph->opset < 13 ? 1 : -1), x->rank);
  if (axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  if (graph->opset < 13 && axis != x->rank - 1)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "over several dimensions at once (operator set %" PRId64 ")",
                    graph->opset);
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_clip (nn_node *node, const nn_graph *graph, nn_error *err)
{
  for (int i = 1; i < node->n_in; i++) {
    const nn_value *bound = node->in[i];
    if (bound != NULL &&
        (bound->dtype != node->in[0]->dtype || nn_shape_count (bound->rank, bound->dim) != 1))
      return nn_fail (err, NN_ERR_FORMAT, "bound %d is not one %s number", i,
                      nn_dtype_name (node->in[0]->dtype));
  }
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_batch_norm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  if (x->rank < 2)
    return nn_fail (err, NN_ERR_FORMAT, "operand 0 has %d dimensions, expected 2 or more", x->rank);
  for (int i = 1; i < 5; i++) {
    const nn_value *v = node->in[i];
    if (v->dtype != x->dtype || v->rank != 1 || v->dim[0] != x->dim[1])
      return nn_fail (err, NN_ERR_FORMAT, "operand %d has not %" PRId64 " elements of type %s", i, x->dim[1],
                      nn_dtype_name (x->dtype));
  }
  if (nn_node_int (node, "training_mode", 0) != 0 || nn_node_int (node, "spatial", 1) == 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "statistics of the batch or of each element are not supported");
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_dropout (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_tensor *training = nn_node_has (node, 2) ? node->in[2]->constant : NULL;
  bool trains = nn_node_has (node, 2) && (training == NULL || training->dtype != NN_BOOL ||
                                          nn_tensor_count (training) != 1 || *(const uint8_t *) training->data != 0);
  if (trains)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operand 2 does not say that this is no training");
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_reorder (nn_node *node, const nn_graph *graph, nn_error *err)
{
  return nn_shape_same (node, graph, err);
}

nn_status
nn_shape_broadcast_dims (const nn_node *node, int *rank, int64_t dim[NN_MAX_RANK], nn_error *err)
{
  *rank = 0;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] != NULL && node->in[i]->rank > *rank)
      *rank = node->in[i]->rank;
  for (int d = 0; d < *rank; d++)
    dim[d] = 1;
  for (int i = 0; i < node->n_in; i++) {
    const nn_value *x = node->in[i];
    for (int d = 0; x != NULL && d < x->rank; d++) {
      int64_t *to = &dim[d + *rank - x->rank];
      if (x->dim[d] != 1 && *to != 1 && *to != x->dim[d])
        return nn_fail (err, NN_ERR_FORMAT,
                        "shapes do not broadcast: dimension %d is %" PRId64 " and %" PRId64,
                        d + *rank - x->rank, *to, x->dim[d]);
      if (x->dim[d] != 1)
        *to = x->dim[d];
    }
  }
  return NN_OK;
}

static nn_status
broadcast_to (nn_node *node, nn_dtype dtype, nn_error *err)
{
  int rank;
  int64_t dim[NN_MAX_RANK];
  nn_status status = nn_shape_broadcast_dims (node, &rank, dim, err);
  return status != NN_OK ? status : nn_shape_set (node, 0, dtype, rank, dim, err);
}

/* Arithmetic wants operands of one type. */
static nn_status
check_same_type (const nn_node *node, int first, nn_error *err)
{
  for (int i = first; i < node->n_in; i++) {
    if (node->in[i] == NULL)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is left out", i);
    if (node->in[i]->dtype != node->in[first]->dtype)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is %s, operand %d %s", i,
                      nn_dtype_name (node->in[i]->dtype), first, nn_dtype_name (node->in[first]->dtype));
  }
  return NN_OK;
}

nn_status
nn_shape_broadcast (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_status status = check_same_type (node, 0, err);
  return status != NN_OK ? status : broadcast_to (node, node->in[0]->dtype, err);
}

nn_status
nn_shape_compare (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_status status = check_same_type (node, 0, err);
  return status != NN_OK ? status : broadcast_to (node, NN_BOOL, err);
}

nn_status
nn_shape_where (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_status status = check_same_type (node, 1, err);
  if (status != NN_OK)
    return status;
  if (node->in[0] == NULL || node->in[0]->dtype != NN_BOOL)
    return nn_fail (err, NN_ERR_FORMAT, "the condition is not bool");
  return broadcast_to (node, node->in[1]->dtype, err);
}

nn_dtype
nn_dtype_from_onnx (int64_t type)
{
  static const nn_dtype dtypes[] = {
    [1] = NN_F32, [2] = NN_U8,   [3] = NN_I8,   [6] = NN_I32,
    [7] = NN_I64, [9] = NN_BOOL, [10] = NN_F16, [11] = NN_F64,
  };
  return type >= 0 && type < (int64_t) (sizeof dtypes / sizeof dtypes[0]) ? dtypes[type] : NN_DTYPE_NONE;
}

nn_status
nn_shape_cast (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t to = nn_node_int (node, "to", 0);
  nn_dtype dtype = nn_dtype_from_onnx (to);
  if (dtype == NN_DTYPE_NONE)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "element type %" PRId64 " is not supported", to);
  return nn_shape_set (node, 0, dtype, x->rank, x->dim, err);
}

/* start and end (opset 15) count like slices: negative from the end, clamped. */
static int64_t
clamp_index (int64_t index, int64_t n)
{
  if (index < 0)
    index += n;
  return index < 0 ? 0 : index > n ? n : index;
}

nn_status
nn_shape_shape (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int rank = node->in[0]->rank;
  int64_t start = clamp_index (nn_node_int (node, "start", 0), rank);
  int64_t end = clamp_index (nn_node_int (node, "end", rank), rank);
  int64_t count = end > start ? end - start : 0;
  return nn_shape_set (node, 0, NN_I64, 1, &count, err);
}
