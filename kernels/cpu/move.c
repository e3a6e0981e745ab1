/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that only move elements, of any type. */
#include "cpu.h"
#include "loop.h"

#include "../graph/shape.h"

#include <string.h>

static nn_status
run_concat (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->out[0].rank);
  int64_t start = 0;
  for (int i = 0; i < call->node->n_in; i++) {
    nn_tensor to = nn_tensor_part (&call->out[0], axis, start, call->in[i].dim[axis]);
    if (to.data != call->in[i].data) /* it may have been computed there */
      nn_copy (&to, &call->in[i]);
    start += call->in[i].dim[axis];
  }
  return NN_OK;
}

/* How long a part of Split is whose result nobody wants: as the operand or attribute says, else
 * an equal part. */
static int64_t
unwanted_length (const nn_call *call, int i, int64_t whole)
{
  const nn_attr *attr = nn_node_attr (call->node, "split");
  if (call->node->n_in > 1 && call->node->in[1] != NULL)
    return ((const int64_t *) call->in[1].data)[i];
  return attr ? attr->ints[i] : (whole + call->node->n_out - 1) / call->node->n_out;
}

static nn_status
run_split (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->in[0].rank);
  int64_t start = 0;
  for (int i = 0; i < call->node->n_out; i++) {
    bool wanted = call->node->out[i] != NULL;
    int64_t length = wanted ? call->out[i].dim[axis] : unwanted_length (call, i, call->in[0].dim[axis]);
    nn_tensor from = nn_tensor_part (&call->in[0], axis, start, length);
    if (wanted)
      nn_copy (&call->out[i], &from);
    start += length;
  }
  return NN_OK;
}

/* Reshape and its like: the same elements in the same row-major order. Reorder and Identity: in
 * the same places. */
static nn_status
run_copy (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  bool same_shape = x->rank == y->rank && memcmp (x->dim, y->dim, (size_t) x->rank * sizeof x->dim[0]) == 0;
  if (same_shape) {
    nn_copy (y, x);
    return NN_OK;
  }
  if (!nn_tensor_is_dense (x, NN_LAYOUT_ROW_MAJOR) || !nn_tensor_is_dense (y, NN_LAYOUT_ROW_MAJOR))
    return nn_fail (err, NN_ERR_ARGUMENT, "a reshaped operand is not row-major");
  if (x->data != y->data)
    memcpy (y->data, x->data, nn_tensor_bytes (y));
  return NN_OK;
}

static nn_status
run_transpose (const nn_call *call, nn_error *err)
{
  nn_tensor view = nn_shape_transposed (call->node, &call->in[0]);
  nn_copy (&call->out[0], &view);
  return NN_OK;
}

static nn_status
run_slice (const nn_call *call, nn_error *err)
{
  int64_t start[NN_MAX_RANK], step[NN_MAX_RANK], count[NN_MAX_RANK];
  nn_status status = nn_shape_slice_ranges (call->node, start, step, count, err);
  if (status != NN_OK)
    return status;
  nn_tensor view = call->in[0];
  for (int i = 0; i < view.rank; i++) {
    view = nn_tensor_part (&view, i, start[i], count[i]);
    view.stride[i] *= step[i];
  }
  nn_copy (&call->out[0], &view);
  return NN_OK;
}

static nn_status
run_shape (const nn_call *call, nn_error *err)
{
  int rank = call->in[0].rank;
  int64_t start = nn_node_int (call->node, "start", 0);
  start = start < 0 ? start + rank : start;
  start = start < 0 ? 0 : start;
  for (int64_t i = 0; i < call->out[0].dim[0]; i++)
    ((int64_t *) call->out[0].data)[i] = call->in[0].dim[start + i];
  return NN_OK;
}

/* ---- DepthToSpace, SpaceToDepth: a transposition of height and width cut in blocks ---- */

/* y[n][c][h][i][w][j] of x[n][i][j][c][h][w] (DepthToSpace, DCR), [n][c][i][j][h][w] (CRD); SpaceToDepth
 * is DCR's inverse. `wide` has the larger image. */
static void
move_blocks (const nn_call *call, const nn_tensor *deep, const nn_tensor *wide, bool to_wide)
{
  int64_t b = nn_node_int (call->node, "blocksize", 1);
  bool columns_first = strcmp (nn_node_string (call->node, "mode", "DCR"), "CRD") == 0;
  int64_t n = wide->dim[0], c = wide->dim[1], h = deep->dim[2], w = deep->dim[3];
  nn_tensor to = nn_tensor_make (wide->dtype, 6, (int64_t[]) { n, c, h, b, w, b }, NN_LAYOUT_ROW_MAJOR, wide->data);
  nn_tensor from = to;
  from.data = deep->data;
  int64_t plane = h * w, step_i = columns_first ? b * plane : b * c * plane, step_j = columns_first ? plane : c * plane;
  int64_t stride[6] = { c * b * b * plane, columns_first ? b * b * plane : plane, w, step_i, 1, step_j };
  memcpy (from.stride, stride, sizeof stride);
  if (to_wide)
    nn_copy (&to, &from);
  else
    nn_copy (&from, &to);
}

static nn_status
run_depth_to_space (const nn_call *call, nn_error *err)
{
  move_blocks (call, &call->in[0], &call->out[0], true);
  return NN_OK;
}

static nn_status
run_space_to_depth (const nn_call *call, nn_error *err)
{
  move_blocks (call, &call->out[0], &call->in[0], false);
  return NN_OK;
}

const nn_kernel nn_cpu_concat = { .run = run_concat };
const nn_kernel nn_cpu_split = { .run = run_split };
const nn_kernel nn_cpu_copy = { .run = run_copy };
const nn_kernel nn_cpu_transpose = { .run = run_transpose };
const nn_kernel nn_cpu_slice = { .run = run_slice };
const nn_kernel nn_cpu_shape = { .run = run_shape };
const nn_kernel nn_cpu_depth_to_space = { .run = run_depth_to_space };
const nn_kernel nn_cpu_space_to_depth = { .run = run_space_to_depth };
