/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

#define MAX_BLOCK 1024 /* its square does not overflow */

nn_status
nn_shape_concat (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), x->rank);
  int64_t dim[NN_MAX_RANK], total = 0;
  if (axis < 0 || nn_node_attr (node, "axis") == NULL)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is missing or outside the %d dimensions", x->rank);
  memcpy (dim, x->dim, sizeof dim);
  for (int i = 0; i < node->n_in; i++) {
    const nn_value *part = node->in[i];
    if (part == NULL || part->rank != x->rank || part->dtype != x->dtype)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d differs from operand 0 in type or rank", i);
    for (int d = 0; d < x->rank; d++)
      if (d != axis && part->dim[d] != x->dim[d])
        return nn_fail (err, NN_ERR_FORMAT, "operand %d differs from operand 0 in dimension %d", i, d);
    if (__builtin_add_overflow (total, part->dim[axis], &total))
      return nn_fail (err, NN_ERR_LIMIT, "the result is too large");
  }
  dim[axis] = total;
  return nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* Sizes of Split's parts: operand 1 (opset 13), attribute "split", or equal ones, where only the
 * last may be smaller. */
static nn_status
split_part (const nn_node *node, int part, int64_t extent, int64_t *size, nn_error *err)
{
  const nn_attr *attr = nn_node_attr (node, "split");
  if (nn_node_has (node, 1)) {
    const nn_tensor *sizes = node->in[1]->constant;
    if (sizes == NULL || sizes->dtype != NN_I64 || sizes->rank != 1 || sizes->dim[0] != node->n_out)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "the sizes are not %d constant int64 numbers", node->n_out);
    *size = ((const int64_t *) sizes->data)[part];
    return NN_OK;
  }
  if (attr != NULL) {
    if (attr->type != NN_ATTR_INTS || attr->n != (size_t) node->n_out)
      return nn_fail (err, NN_ERR_FORMAT, "attribute 'split' has not %d integers", node->n_out);
    *size = attr->ints[part];
    return NN_OK;
  }
  if (nn_node_int (node, "num_outputs", node->n_out) != node->n_out)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'num_outputs' is not %d", node->n_out);
  int64_t each = extent / node->n_out + (extent % node->n_out != 0);
  int64_t left = extent - each * part;
  *size = left < each ? left : each;
  return NN_OK;
}

nn_status
nn_shape_split (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), x->rank);
  int64_t dim[NN_MAX_RANK], total = 0;
  if (axis < 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  memcpy (dim, x->dim, sizeof dim);
  for (int i = 0; i < node->n_out; i++) {
    nn_status status = split_part (node, i, x->dim[axis], &dim[axis], err);
    if (status == NN_OK && (dim[axis] < 0 || __builtin_add_overflow (total, dim[axis], &total)))
      status = nn_fail (err, NN_ERR_FORMAT, "part %d has %" PRId64 " elements", i, dim[axis]);
    if (status == NN_OK)
      status = nn_shape_set (node, i, x->dtype, x->rank, dim, err);
    if (status != NN_OK)
      return status;
  }
  if (total != x->dim[axis])
    return nn_fail (err, NN_ERR_FORMAT, "the parts sum up to %" PRId64 ", not %" PRId64, total, x->dim[axis]);
  return NN_OK;
}

/* Turns the requested dimensions (0: copy, -1: what is left) into the result's. */
static nn_status
resolve_reshape (const nn_value *x, int n, int64_t *dim, bool allow_zero, nn_error *err)
{
  int64_t have = nn_shape_count (x->rank, x->dim), rest;
  int open = -1;
  for (int i = 0; i < n; i++) {
    if (dim[i] == 0 && !allow_zero) {
      if (i >= x->rank)
        return nn_fail (err, NN_ERR_FORMAT, "dimension %d is to be copied from %d dimensions", i, x->rank);
      dim[i] = x->dim[i];
    }
    if (dim[i] < -1 || (dim[i] == -1 && open >= 0))
      return nn_fail (err, NN_ERR_FORMAT, "dimension %d is %" PRId64, i, dim[i]);
    if (dim[i] == -1)
      open = i;
  }
  if (open >= 0)
    dim[open] = 1;
  rest = nn_shape_count (n, dim);
  if (open >= 0 && rest > 0 && have % rest == 0) {
    dim[open] = have / rest;
    return NN_OK;
  }
  if (open >= 0 || rest != have)
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " elements do not fit the shape", have);
  return NN_OK;
}

nn_status
nn_shape_reshape (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int64_t dim[NN_MAX_RANK];
  int n = 0;
  nn_status status = nn_shape_constant_ints (node, 1, dim, NN_MAX_RANK, &n, err);
  if (status == NN_OK)
    status = resolve_reshape (node->in[0], n, dim, nn_node_int (node, "allowzero", 0) != 0, err);
  return status != NN_OK ? status : nn_shape_set (node, 0, node->in[0]->dtype, n, dim, err);
}

nn_status
nn_shape_flatten (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t at = nn_node_int (node, "axis", 1);
  if (at < 0)
    at += x->rank;
  if (at < 0 || at > x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'axis' is outside the %d dimensions", x->rank);
  int64_t dim[2] = { nn_shape_count ((int) at, x->dim), nn_shape_count (x->rank - (int) at, x->dim + at) };
  return nn_shape_set (node, 0, x->dtype, 2, dim, err);
}

nn_status
nn_shape_squeeze (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  unsigned ones = 0, axes;
  int64_t dim[NN_MAX_RANK];
  int rank = 0;
  for (int i = 0; i < x->rank; i++)
    if (x->dim[i] == 1)
      ones |= 1u << i;
  nn_status status = nn_shape_axes (node, 1, x->rank, ones, &axes, err);
  if (status != NN_OK)
    return status;
  if (axes & ~ones)
    return nn_fail (err, NN_ERR_FORMAT, "a dimension to drop is not 1");
  for (int i = 0; i < x->rank; i++)
    if (!(axes & 1u << i))
      dim[rank++] = x->dim[i];
  return nn_shape_set (node, 0, x->dtype, rank, dim, err);
}

/* How many new dimensions an Unsqueeze has; -1 where the axes are missing. */
static int
count_axes (const nn_node *node)
{
  const nn_attr *attr = nn_node_attr (node, "axes");
  int64_t n = nn_node_has (node, 1) ? nn_shape_count (node->in[1]->rank, node->in[1]->dim)
              : attr != NULL        ? (int64_t) attr->n
                                    : -1;
  return n > NN_MAX_RANK ? NN_MAX_RANK + 1 : (int) n;
}

nn_status
nn_shape_unsqueeze (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int added = count_axes (node), rank = x->rank + added, from = 0;
  unsigned axes;
  int64_t dim[NN_MAX_RANK];
  if (added < 0 || rank > NN_MAX_RANK)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "the axes are missing or make more than %d dimensions",
                    NN_MAX_RANK);
  nn_status status = nn_shape_axes (node, 1, rank, 0, &axes, err);
  if (status != NN_OK)
    return status;
  for (int i = 0; i < rank; i++)
    dim[i] = axes & 1u << i ? 1 : x->dim[from++];
  return nn_shape_set (node, 0, x->dtype, rank, dim, err);
}

nn_tensor
nn_shape_transposed (const nn_node *node, const nn_tensor *x)
{
  const nn_attr *perm = nn_node_attr (node, "perm");
  nn_tensor view = *x;
  for (int i = 0; i < x->rank; i++) {
    int64_t from = perm != NULL ? perm->ints[i] : x->rank - 1 - i;
    view.dim[i] = x->dim[from];
    view.stride[i] = x->stride[from];
  }
  return view;
}

nn_status
nn_shape_transpose (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  const nn_attr *perm = nn_node_attr (node, "perm");
  unsigned seen = 0;
  int64_t dim[NN_MAX_RANK];
  if (perm != NULL && (perm->type != NN_ATTR_INTS || perm->n != (size_t) x->rank))
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'perm' has not %d integers", x->rank);
  for (int i = 0; i < x->rank; i++) {
    int64_t from = perm != NULL ? perm->ints[i] : x->rank - 1 - i;
    if (from < 0 || from >= x->rank || (seen & 1u << from))
      return nn_fail (err, NN_ERR_FORMAT, "attribute 'perm' is no permutation");
    seen |= 1u << from;
    dim[i] = x->dim[from];
  }
  return nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* Blocks of channels become pixels, or the other way round. */
nn_status
nn_shape_depth_to_space (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  const char *mode = nn_node_string (node, "mode", "DCR");
  int64_t b = nn_node_int (node, "blocksize", 0);
  if (x->rank != 4 || b < 1 || b > MAX_BLOCK || x->dim[1] % (b * b) != 0)
    return nn_fail (err, NN_ERR_FORMAT, "blocks of %" PRId64 " of an operand of %d dimensions", b, x->rank);
  if (strcmp (mode, "DCR") != 0 && strcmp (mode, "CRD") != 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'mode' is '%s'", mode);
  int64_t dim[4] = { x->dim[0], x->dim[1] / (b * b), 0, 0 };
  if (__builtin_mul_overflow (x->dim[2], b, &dim[2]) || __builtin_mul_overflow (x->dim[3], b, &dim[3]))
    return nn_fail (err, NN_ERR_LIMIT, "the result is too large");
  return nn_shape_set (node, 0, x->dtype, 4, dim, err);
}

nn_status
nn_shape_space_to_depth (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t b = nn_node_int (node, "blocksize", 0), channels;
  if (x->rank != 4 || b < 1 || b > MAX_BLOCK || x->dim[2] % b != 0 || x->dim[3] % b != 0)
    return nn_fail (err, NN_ERR_FORMAT, "blocks of %" PRId64 " of an operand of %d dimensions", b, x->rank);
  if (__builtin_mul_overflow (x->dim[1], b * b, &channels))
    return nn_fail (err, NN_ERR_LIMIT, "the result is too large");
  return nn_shape_set (node, 0, x->dtype, 4, (int64_t[]) { x->dim[0], channels, x->dim[2] / b, x->dim[3] / b }, err);
}

/* One list of Slice: operand `index` (opset 10), else attribute `name`. *n is 0 where it is left out. */
static nn_status
slice_list (const nn_node *node, int index, const char *name, int64_t *list, int *n, nn_error *err)
{
  const nn_attr *attr = nn_node_attr (node, name);
  *n = 0;
  if (nn_node_has (node, index))
    return nn_shape_constant_ints (node, index, list, NN_MAX_RANK, n, err);
  if (attr == NULL)
    return NN_OK;
  if (attr->type != NN_ATTR_INTS || attr->n > NN_MAX_RANK)
    return nn_fail (err, NN_ERR_FORMAT, "attribute '%s' is no list of at most %d integers", name,
                    NN_MAX_RANK);
  memcpy (list, attr->ints, attr->n * sizeof *list);
  *n = (int) attr->n;
  return NN_OK;
}

/* A step as long as the dimension takes one element like a longer one, which no stride could hold. */
static int64_t
clamp_step (int64_t step, int64_t extent)
{
  int64_t longest = extent > 1 ? extent : 1;
  return step > longest ? longest : step < -longest ? -longest : step;
}

/* Limits of one dimension as ONNX has them: negative from the end, then clamped to what the
 * direction allows. */
static nn_status
slice_one (int64_t extent, int64_t start, int64_t end, int64_t step, int64_t *from, int64_t *count,
           nn_error *err)
{
  if (step == 0)
    return nn_fail (err, NN_ERR_FORMAT, "a step of 0");
  if (extent == 0) {
    *from = *count = 0;
    return NN_OK;
  }
  int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
  start = start < 0 ? start + extent : start;
  end = end < 0 ? end + extent : end;
  start = start < 0 ? 0 : start > high ? high : start;
  end = end < low ? low : end > high ? high : end;
  *from = start;
  if (step > 0)
    *count = end > start ? (end - start - 1) / step + 1 : 0;
  else
    *count = start > end ? (start - end - 1) / -step + 1 : 0;
  return NN_OK;
}

nn_status
nn_shape_slice_ranges (const nn_node *node, int64_t start[NN_MAX_RANK], int64_t step[NN_MAX_RANK],
                       int64_t count[NN_MAX_RANK], nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t starts[NN_MAX_RANK], ends[NN_MAX_RANK], axes[NN_MAX_RANK], steps[NN_MAX_RANK];
  int n, n_ends, n_axes, n_steps;
  nn_status status;
  if ((status = slice_list (node, 1, "starts", starts, &n, err)) != NN_OK ||
      (status = slice_list (node, 2, "ends", ends, &n_ends, err)) != NN_OK ||
      (status = slice_list (node, 3, "axes", axes, &n_axes, err)) != NN_OK ||
      (status = slice_list (node, 4, "steps", steps, &n_steps, err)) != NN_OK)
    return status;
  if (n_ends != n || (n_axes != n && n_axes != 0) || (n_steps != n && n_steps != 0) || n > x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "starts, ends, axes and steps differ in length");
  for (int i = 0; i < x->rank; i++) {
    start[i] = 0;
    step[i] = 1;
    count[i] = x->dim[i];
  }
  for (int i = 0; i < n; i++) {
    int axis = nn_shape_axis (n_axes > 0 ? axes[i] : i, x->rank);
    if (axis < 0)
      return nn_fail (err, NN_ERR_FORMAT, "axis %" PRId64 " is outside the %d dimensions", axes[i], x->rank);
    step[axis] = n_steps > 0 ? clamp_step (steps[i], x->dim[axis]) : 1;
    status = slice_one (x->dim[axis], starts[i], ends[i], step[axis], &start[axis], &count[axis], err);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}

nn_status
nn_shape_slice (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int64_t start[NN_MAX_RANK], step[NN_MAX_RANK], count[NN_MAX_RANK];
  nn_status status = nn_shape_slice_ranges (node, start, step, count, err);
  return status != NN_OK ? status : nn_shape_set (node, 0, node->in[0]->dtype, node->in[0]->rank, count, err);
}
