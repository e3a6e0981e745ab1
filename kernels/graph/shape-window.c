/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

/* Kernel sizes, strides and pads above this are nonsense; below it no sum of them overflows. */
#define MAX_WINDOW ((int64_t) 1 << 14)
#define MAX_EXTENT ((int64_t) 1 << 40)

/* Copies attribute `name` (n integers in min … MAX_WINDOW) or fills in `fallback`. */
static nn_status
window_attr (const nn_node *node, const char *name, int n, int64_t min, int64_t fallback, int64_t *to,
             nn_error *err)
{
  const nn_attr *attr = nn_node_attr (node, name);
  for (int i = 0; i < n; i++)
    to[i] = fallback;
  if (attr == NULL)
    return NN_OK;
  if (attr->type != NN_ATTR_INTS || attr->n != (size_t) n)
    return nn_fail (err, NN_ERR_FORMAT, "attribute '%s' has not %d integers", name, n);
  for (int i = 0; i < n; i++) {
    to[i] = attr->ints[i];
    if (to[i] < min || to[i] > MAX_WINDOW)
      return nn_fail (err, NN_ERR_FORMAT, "attribute '%s' is out of range: %" PRId64, name, to[i]);
  }
  return NN_OK;
}

static nn_status
window_sizes (const nn_node *node, int n, int64_t *kernel, nn_error *err)
{
  nn_status status = window_attr (node, "kernel_shape", n, 1, 0, kernel, err);
  if (status != NN_OK || !nn_node_has (node, 1)) {
    if (status == NN_OK && kernel[0] == 0)
      return nn_fail (err, NN_ERR_FORMAT, "attribute 'kernel_shape' is missing");
    return status;
  }
  const nn_value *weights = node->in[1];
  for (int i = 0; i < n; i++) {
    int64_t size = weights->dim[i + 2];
    if (size < 1 || size > MAX_WINDOW || (kernel[i] != 0 && kernel[i] != size))
      return nn_fail (err, NN_ERR_FORMAT, "kernel size %" PRId64 " does not fit the weights' %" PRId64,
                      kernel[i], size);
    kernel[i] = size;
  }
  return NN_OK;
}

/* SAME: as many positions as the stride allows, padded evenly, the odd one at the end (UPPER) or
 * the beginning (LOWER). */
static void
pad_same (nn_window *w, int64_t extent, int64_t span, bool upper)
{
  w->out = (extent + w->stride - 1) / w->stride;
  int64_t total = (w->out - 1) * w->stride + span - extent;
  if (total < 0)
    total = 0;
  w->pad_begin = upper ? total / 2 : total - total / 2;
  w->pad_end = total - w->pad_begin;
}

static nn_status
count_positions (nn_window *w, int64_t extent, const char *auto_pad, bool ceil_mode, nn_error *err)
{
  int64_t span = (w->kernel - 1) * w->dilation + 1;
  if (extent < 1 || extent > MAX_EXTENT)
    return nn_fail (err, NN_ERR_FORMAT, "nothing to move a window over: dimension %" PRId64, extent);
  if (strcmp (auto_pad, "SAME_UPPER") == 0 || strcmp (auto_pad, "SAME_LOWER") == 0) {
    pad_same (w, extent, span, strcmp (auto_pad, "SAME_UPPER") == 0);
    return NN_OK;
  }
  if (strcmp (auto_pad, "VALID") == 0)
    w->pad_begin = w->pad_end = 0;
  else if (strcmp (auto_pad, "NOTSET") != 0)
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'auto_pad' is '%s'", auto_pad);
  int64_t room = extent + w->pad_begin + w->pad_end - span;
  if (room < 0)
    return nn_fail (err, NN_ERR_FORMAT, "a window of %" PRId64 " does not fit %" PRId64 " with its padding",
                    span, extent);
  w->out = (ceil_mode ? room + w->stride - 1 : room) / w->stride + 1;
  if (ceil_mode && (w->out - 1) * w->stride >= extent + w->pad_begin)
    w->out--; /* the last window may not lie in the padding alone */
  return NN_OK;
}

nn_status
nn_shape_windows (const nn_node *node, nn_window window[NN_MAX_RANK - 2], nn_error *err)
{
  const nn_value *x = node->in[0];
  int n = x->rank - 2;
  int64_t kernel[NN_MAX_RANK], stride[NN_MAX_RANK], dilation[NN_MAX_RANK], pads[2 * NN_MAX_RANK];
  const char *auto_pad = nn_node_string (node, "auto_pad", "NOTSET");
  bool ceil_mode = nn_node_int (node, "ceil_mode", 0) != 0;
  nn_status status;
  if (n < 1)
    return nn_fail (err, NN_ERR_FORMAT, "operand 0 has %d dimensions, expected 3 or more", x->rank);
  if (nn_node_has (node, 1) && node->in[1]->rank != x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "the weights have %d dimensions, the operand %d", node->in[1]->rank,
                    x->rank);
  if ((status = window_sizes (node, n, kernel, err)) != NN_OK ||
      (status = window_attr (node, "strides", n, 1, 1, stride, err)) != NN_OK ||
      (status = window_attr (node, "dilations", n, 1, 1, dilation, err)) != NN_OK ||
      (status = window_attr (node, "pads", 2 * n, 0, 0, pads, err)) != NN_OK)
    return status;
  for (int i = 0; i < n; i++) {
    window[i] = (nn_window){ .kernel = kernel[i],
                             .stride = stride[i],
                             .dilation = dilation[i],
                             .pad_begin = pads[i],
                             .pad_end = pads[i + n] };
    if ((status = count_positions (&window[i], x->dim[i + 2], auto_pad, ceil_mode, err)) != NN_OK)
      return status;
  }
  return NN_OK;
}

/* The result of a window op: N, `channels`, then the positions. */
static nn_status
set_positions (nn_node *node, int64_t channels, nn_error *err)
{
  const nn_value *x = node->in[0];
  nn_window window[NN_MAX_RANK - 2];
  int64_t dim[NN_MAX_RANK] = { x->dim[0], channels };
  nn_status status = nn_shape_windows (node, window, err);
  if (status != NN_OK)
    return status;
  for (int i = 2; i < x->rank; i++)
    dim[i] = window[i - 2].out;
  return nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* The residual must already have the shape that the rule has just found. */
static nn_status
check_residual (const nn_node *node, nn_error *err)
{
  const nn_value *residual = node->in[3], *result = node->out[0];
  if (residual->rank != result->rank ||
      memcmp (residual->dim, result->dim, sizeof result->dim[0] * (size_t) result->rank) != 0)
    return nn_fail (err, NN_ERR_FORMAT, "the residual's shape is not the result's");
  return NN_OK;
}

nn_status
nn_shape_conv (nn_node *node, const nn_graph *graph, nn_error *err)
{
  if (!nn_node_has (node, 1))
    return nn_fail (err, NN_ERR_FORMAT, "the weights are left out");
  const nn_value *x = node->in[0], *w = node->in[1];
  int64_t group = nn_node_int (node, "group", 1);
  if (x->rank < 3 || w->rank != x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "%d dimensions with weights of %d", x->rank, w->rank);
  if (group < 1 || w->dim[0] < 1 || w->dim[0] % group != 0 || x->dim[1] % group != 0 ||
      x->dim[1] / group != w->dim[1])
    return nn_fail (err, NN_ERR_FORMAT,
                    "%" PRId64 " channels in %" PRId64 " groups do not fit weights for %" PRId64
                    " → %" PRId64,
                    x->dim[1], group, w->dim[1], w->dim[0]);
  for (int i = 1; i < node->n_in; i++)
    if (node->in[i] != NULL && node->in[i]->dtype != x->dtype)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is %s, operand 0 %s", i,
                      nn_dtype_name (node->in[i]->dtype), nn_dtype_name (x->dtype));
  if (nn_node_has (node, 2) && (node->in[2]->rank != 1 || node->in[2]->dim[0] != w->dim[0]))
    return nn_fail (err, NN_ERR_FORMAT, "the bias has not %" PRId64 " elements", w->dim[0]);
  nn_status status = set_positions (node, w->dim[0], err);
  return status == NN_OK && nn_node_has (node, 3) ? check_residual (node, err) : status;
}

/* ---- ConvTranspose ---- */

/* Resolves pads from the attribute "output_shape" or SAME, which say how large the result is to be. */
static nn_status
transposed_positions (const nn_node *node, int i, nn_window *w, int64_t extent, int64_t extra, nn_error *err)
{
  const nn_attr *wanted = nn_node_attr (node, "output_shape");
  const char *auto_pad = nn_node_string (node, "auto_pad", "NOTSET");
  bool same = strcmp (auto_pad, "SAME_UPPER") == 0 || strcmp (auto_pad, "SAME_LOWER") == 0;
  if (extent < 1 || extent > MAX_EXTENT)
    return nn_fail (err, NN_ERR_FORMAT, "nothing to move a window over: dimension %" PRId64, extent);
  int64_t whole = (extent - 1) * w->stride + (w->kernel - 1) * w->dilation + 1 + extra;
  if (strcmp (auto_pad, "VALID") == 0)
    w->pad_begin = w->pad_end = 0;
  w->out = wanted != NULL ? wanted->ints[i] : same ? extent * w->stride : whole - w->pad_begin - w->pad_end;
  if (w->out < 1 || w->out > MAX_EXTENT)
    return nn_fail (err, NN_ERR_FORMAT, "a result of %" PRId64 " positions", w->out);
  if (wanted != NULL || same) {
    int64_t total = whole - w->out > 0 ? whole - w->out : 0;
    w->pad_begin = strcmp (auto_pad, "SAME_UPPER") == 0 ? total / 2 : total - total / 2;
    w->pad_end = total - w->pad_begin;
  }
  return NN_OK;
}

nn_status
nn_shape_transposed_windows (const nn_node *node, nn_window window[NN_MAX_RANK - 2], nn_error *err)
{
  const nn_value *x = node->in[0];
  int n = x->rank - 2;
  int64_t kernel[NN_MAX_RANK], stride[NN_MAX_RANK], dilation[NN_MAX_RANK], extra[NN_MAX_RANK], pads[2 * NN_MAX_RANK];
  const nn_attr *wanted = nn_node_attr (node, "output_shape");
  nn_status status;
  if (wanted != NULL && (wanted->type != NN_ATTR_INTS || wanted->n != (size_t) n))
    return nn_fail (err, NN_ERR_FORMAT, "attribute 'output_shape' has not %d integers", n);
  if ((status = window_sizes (node, n, kernel, err)) != NN_OK ||
      (status = window_attr (node, "strides", n, 1, 1, stride, err)) != NN_OK ||
      (status = window_attr (node, "dilations", n, 1, 1, dilation, err)) != NN_OK ||
      (status = window_attr (node, "output_padding", n, 0, 0, extra, err)) != NN_OK ||
      (status = window_attr (node, "pads", 2 * n, 0, 0, pads, err)) != NN_OK)
    return status;
  for (int i = 0; i < n && status == NN_OK; i++) {
    window[i] = (nn_window){ .kernel = kernel[i],
                             .stride = stride[i],
                             .dilation = dilation[i],
                             .pad_begin = pads[i],
                             .pad_end = pads[i + n] };
    status = transposed_positions (node, i, &window[i], x->dim[i + 2], extra[i], err);
  }
  return status;
}

nn_status
nn_shape_conv_transpose (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0], *w = node->in[1];
  int64_t group = nn_node_int (node, "group", 1), dim[NN_MAX_RANK];
  nn_window window[NN_MAX_RANK - 2];
  if (x->rank < 3 || w->rank != x->rank || w->dtype != x->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "%d dimensions with weights of %d", x->rank, w->rank);
  if (group < 1 || w->dim[0] != x->dim[1] || w->dim[0] % group != 0 || w->dim[1] < 1 ||
      __builtin_mul_overflow (w->dim[1], group, &dim[1]))
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " channels in %" PRId64 " groups do not fit weights for %" PRId64,
                    x->dim[1], group, w->dim[0]);
  if (nn_node_has (node, 2)
      && (node->in[2]->rank != 1 || node->in[2]->dim[0] != dim[1] || node->in[2]->dtype != x->dtype))
    return nn_fail (err, NN_ERR_FORMAT, "the bias has not %" PRId64 " elements", dim[1]);
  nn_status status = nn_shape_transposed_windows (node, window, err);
  dim[0] = x->dim[0];
  for (int i = 2; i < x->rank && status == NN_OK; i++)
    dim[i] = window[i - 2].out;
  return status != NN_OK ? status : nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* ---- pools, samples ---- */

/* One result for each place of the grid, whose last dimension are the coordinates. */
nn_status
nn_shape_grid_sample (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0], *grid = node->in[1];
  int64_t dim[NN_MAX_RANK];
  if (x->rank < 3 || grid->rank != x->rank || grid->dim[0] != x->dim[0] || grid->dim[x->rank - 1] != x->rank - 2)
    return nn_fail (err, NN_ERR_FORMAT, "a grid of %d dimensions does not fit an image of %d", grid->rank, x->rank);
  for (int i = 2; i < x->rank; i++)
    if (x->dim[i] < 1 || x->dim[i] > MAX_EXTENT)
      return nn_fail (err, NN_ERR_FORMAT, "dimension %d of the image is %" PRId64, i, x->dim[i]);
  dim[0] = x->dim[0];
  dim[1] = x->dim[1];
  for (int i = 2; i < x->rank; i++)
    dim[i] = grid->dim[i - 1];
  return nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

nn_status
nn_shape_pool (nn_node *node, const nn_graph *graph, nn_error *err)
{
  if (node->n_out > 1 && node->out[1] != NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "its second result (indices) is not supported");
  return set_positions (node, node->in[0]->dim[1], err);
}

nn_status
nn_shape_global_pool (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t dim[NN_MAX_RANK];
  if (x->rank < 3)
    return nn_fail (err, NN_ERR_FORMAT, "operand 0 has %d dimensions, expected 3 or more", x->rank);
  for (int i = 0; i < x->rank; i++)
    dim[i] = i < 2 ? x->dim[i] : 1;
  return nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}
