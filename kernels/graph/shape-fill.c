/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Pads beyond this are nonsense; below it no sum of them overflows. */
#define MAX_PAD ((int64_t) 1 << 40)

nn_status
nn_shape_constant_of_shape (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_attr *value = nn_node_attr (node, "value");
  int64_t dim[NN_MAX_RANK];
  int n = 0;
  nn_status status = nn_shape_constant_ints (node, 0, dim, NN_MAX_RANK, &n, err);
  if (status != NN_OK)
    return status;
  if (value != NULL && (value->type != NN_ATTR_TENSOR || nn_tensor_count (value->t) != 1))
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'value' is no tensor of one element");
  return nn_shape_set (node, 0, value != NULL ? value->t->dtype : NN_F32, n, dim, err);
}

/* ---- Range ---- */

static nn_status
count_real (double start, double limit, double delta, int64_t *n, nn_error *err)
{
  double count = ceil ((limit - start) / delta);
  if (!(count < 0x1p40))
    return nn_fail (err, NN_ERR_FORMAT, "a range from %g to %g by %g", start, limit, delta);
  *n = count > 0 ? (int64_t) count : 0;
  return NN_OK;
}

static nn_status
count_integers (int64_t start, int64_t limit, int64_t delta, int64_t *n, nn_error *err)
{
  int64_t distance;
  if (delta == 0 || delta == INT64_MIN || __builtin_sub_overflow (limit, start, &distance))
    return nn_fail (err, NN_ERR_FORMAT, "a range from %" PRId64 " to %" PRId64 " by %" PRId64, start, limit,
                    delta);
  bool empty = distance == 0 || (distance < 0) != (delta < 0);
  *n = empty ? 0 : (distance - (delta < 0 ? -1 : 1)) / delta + 1;
  return NN_OK;
}

double
nn_shape_real (const nn_tensor *scalar)
{
  return scalar->dtype == NN_F32 ? (double) *(const float *) scalar->data : *(const double *) scalar->data;
}

int64_t
nn_shape_integer (const nn_tensor *scalar)
{
  return scalar->dtype == NN_I64 ? *(const int64_t *) scalar->data : *(const int32_t *) scalar->data;
}

nn_status
nn_shape_range (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_tensor *part[3];
  nn_dtype dtype = node->in[0]->dtype;
  int64_t n = 0;
  for (int i = 0; i < 3; i++) {
    part[i] = node->in[i]->constant;
    if (part[i] == NULL)
      return nn_fail (err, NN_ERR_UNSUPPORTED,
                      "operand %d ('%s') is computed from the input; only constants can do", i,
                      node->in[i]->name);
    if (part[i]->dtype != dtype || nn_tensor_count (part[i]) != 1)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is not one %s number", i, nn_dtype_name (dtype));
  }
  nn_status status;
  if (dtype == NN_F32 || dtype == NN_F64)
    status = count_real (nn_shape_real (part[0]), nn_shape_real (part[1]), nn_shape_real (part[2]), &n, err);
  else if (dtype == NN_I64 || dtype == NN_I32)
    status = count_integers (nn_shape_integer (part[0]), nn_shape_integer (part[1]), nn_shape_integer (part[2]), &n, err);
  else
    status = nn_fail (err, NN_ERR_UNSUPPORTED, "a range of %s is not supported", nn_dtype_name (dtype));
  return status != NN_OK ? status : nn_shape_set (node, 0, dtype, 1, &n, err);
}

/* ---- Expand, Tile ---- */

/* Broadcasts both ways: the result may have dimensions of the operand where the shape has 1. */
nn_status
nn_shape_expand (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t shape[NN_MAX_RANK], dim[NN_MAX_RANK];
  int n = 0;
  nn_status status = nn_shape_constant_ints (node, 1, shape, NN_MAX_RANK, &n, err);
  if (status != NN_OK)
    return status;
  int rank = n > x->rank ? n : x->rank;
  for (int i = 0; i < rank; i++) {
    int64_t have = i < rank - x->rank ? 1 : x->dim[i - (rank - x->rank)];
    int64_t want = i < rank - n ? 1 : shape[i - (rank - n)];
    if (have != want && have != 1 && want != 1)
      return nn_fail (err, NN_ERR_FORMAT, "dimension %d of %" PRId64 " cannot become %" PRId64, i, have,
                      want);
    dim[i] = have == 1 ? want : have;
  }
  return nn_shape_set (node, 0, x->dtype, rank, dim, err);
}

nn_status
nn_shape_tile (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t repeats[NN_MAX_RANK], dim[NN_MAX_RANK];
  int n = 0;
  nn_status status = nn_shape_constant_ints (node, 1, repeats, NN_MAX_RANK, &n, err);
  if (status == NN_OK && n != x->rank)
    status = nn_fail (err, NN_ERR_FORMAT, "%d repeats for %d dimensions", n, x->rank);
  for (int i = 0; i < n && status == NN_OK; i++)
    if (repeats[i] < 0 || __builtin_mul_overflow (x->dim[i], repeats[i], &dim[i]))
      status
          = nn_fail (err, NN_ERR_FORMAT, "dimension %d is to be repeated %" PRId64 " times", i, repeats[i]);
  return status != NN_OK ? status : nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* ---- Pad ---- */

/* The list of pads: operand 1 from opset 11 on, an attribute before. */
static nn_status
pad_list (const nn_node *node, int64_t *pads, int *n, nn_error *err)
{
  const nn_attr *attr = nn_node_attr (node, "pads");
  if (attr == NULL || nn_node_has (node, 1))
    return nn_shape_constant_ints (node, 1, pads, 2 * NN_MAX_RANK, n, err);
  if (attr->type != NN_ATTR_INTS || attr->n > 2 * NN_MAX_RANK)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'pads' is no list of at most %d integers",
                    2 * NN_MAX_RANK);
  memcpy (pads, attr->ints, attr->n * sizeof *pads);
  *n = (int) attr->n;
  return NN_OK;
}

nn_status
nn_shape_pads (const nn_node *node, int64_t begin[NN_MAX_RANK], int64_t end[NN_MAX_RANK], nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t pads[2 * NN_MAX_RANK], axes[NN_MAX_RANK];
  int n = 0, n_axes = x->rank;
  for (int i = 0; i < x->rank; i++) {
    axes[i] = i;
    begin[i] = end[i] = 0;
  }
  nn_status status = pad_list (node, pads, &n, err);
  if (status == NN_OK && nn_node_has (node, 3))
    status = nn_shape_constant_ints (node, 3, axes, NN_MAX_RANK, &n_axes, err);
  if (status != NN_OK)
    return status;
  if (n != 2 * n_axes)
    return nn_fail (err, NN_ERR_FORMAT, "%d pads for %d dimensions", n, n_axes);
  for (int i = 0; i < n_axes; i++) {
    int axis = nn_shape_axis (axes[i], x->rank);
    if (axis < 0)
      return nn_fail (err, NN_ERR_FORMAT, "axis %" PRId64 " is outside the %d dimensions", axes[i], x->rank);
    begin[axis] = pads[i];
    end[axis] = pads[i + n_axes];
    if (begin[axis] < -MAX_PAD || begin[axis] > MAX_PAD || end[axis] < -MAX_PAD || end[axis] > MAX_PAD)
      return nn_fail (err, NN_ERR_LIMIT, "dimension %d is padded by %" PRId64 " and %" PRId64, axis,
                      begin[axis], end[axis]);
  }
  return NN_OK;
}

/* What is not filled with a constant comes from the inner elements: there must be enough of them. */
static nn_status
check_pad (const char *mode, int axis, int64_t inner, int64_t begin, int64_t end, nn_error *err)
{
  int64_t most = begin > end ? begin : end;
  bool reflects = strcmp (mode, "reflect") == 0;
  if (strcmp (mode, "constant") == 0 || most <= 0)
    return NN_OK;
  if (!reflects && strcmp (mode, "edge") != 0 && strcmp (mode, "wrap") != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "mode '%s' is not supported", mode);
  if (inner < 1 || (reflects && most > inner - 1))
    return nn_fail (err, NN_ERR_FORMAT, "mode '%s' cannot pad dimension %d of %" PRId64 " by %" PRId64, mode,
                    axis, inner, most);
  return NN_OK;
}

static nn_status
check_pad_value (const nn_node *node, nn_error *err)
{
  nn_dtype dtype = node->in[0]->dtype;
  if (nn_node_has (node, 2)
      && (node->in[2]->dtype != dtype || nn_shape_count (node->in[2]->rank, node->in[2]->dim) != 1))
    return nn_fail (err, NN_ERR_FORMAT, "the value to pad with is not one %s number", nn_dtype_name (dtype));
  if (nn_node_attr (node, "value") != NULL && dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "attribute 'value' with %s is not supported",
                    nn_dtype_name (dtype));
  return NN_OK;
}

nn_status
nn_shape_pad (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  const char *mode = nn_node_string (node, "mode", "constant");
  int64_t begin[NN_MAX_RANK], end[NN_MAX_RANK], dim[NN_MAX_RANK];
  nn_status status = check_pad_value (node, err);
  if (status == NN_OK)
    status = nn_shape_pads (node, begin, end, err);
  for (int i = 0; i < x->rank && status == NN_OK; i++) {
    int64_t inner = x->dim[i] + (begin[i] < 0 ? begin[i] : 0) + (end[i] < 0 ? end[i] : 0);
    if (inner < 0
        || __builtin_add_overflow (inner, (begin[i] > 0 ? begin[i] : 0) + (end[i] > 0 ? end[i] : 0), &dim[i]))
      status = nn_fail (err, NN_ERR_FORMAT,
                        "dimension %d of %" PRId64 " cannot be padded by %" PRId64 " and %" PRId64, i,
                        x->dim[i], begin[i], end[i]);
    else
      status = check_pad (mode, i, inner, begin[i], end[i], err);
  }
  return status != NN_OK ? status : nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* ---- Trilu, NonZero, Size ---- */

nn_status
nn_shape_trilu (nn_node *node, const nn_graph *graph, nn_error *err)
{
  if (node->in[0]->rank < 2)
    return nn_fail (err, NN_ERR_FORMAT, "operand 0 has %d dimensions, expected 2 or more", node->in[0]->rank);
  if (nn_node_has (node, 1)
      && (node->in[1]->dtype != NN_I64 || nn_shape_count (node->in[1]->rank, node->in[1]->dim) != 1))
    return nn_fail (err, NN_ERR_FORMAT, "operand 1 is not one int64 number");
  return nn_shape_same (node, graph, err);
}

bool
nn_shape_is_non_zero (const nn_tensor *tensor, int64_t i)
{
  switch (tensor->dtype) {
  case NN_F32:
    return ((const float *) tensor->data)[i] != 0;
  case NN_F64:
    return ((const double *) tensor->data)[i] != 0;
  case NN_I64:
    return ((const int64_t *) tensor->data)[i] != 0;
  case NN_I32:
    return ((const int32_t *) tensor->data)[i] != 0;
  case NN_F16:
    return (((const uint16_t *) tensor->data)[i] & 0x7fff) != 0;
  default:
    return ((const uint8_t *) tensor->data)[i] != 0;
  }
}

nn_status
nn_shape_non_zero (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_tensor *x = node->in[0]->constant;
  int64_t found = 0;
  if (x == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "operand 0 ('%s') is computed from the input, so the result has no shape",
                    node->in[0]->name);
  for (int64_t i = 0; i < nn_tensor_count (x); i++)
    found += nn_shape_is_non_zero (x, i);
  return nn_shape_set (node, 0, NN_I64, 2, (int64_t[]){ x->rank, found }, err);
}

nn_status
nn_shape_size (nn_node *node, const nn_graph *graph, nn_error *err)
{
  return nn_shape_set (node, 0, NN_I64, 0, NULL, err);
}
