/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that only move elements, of any type: one launch of copies a node (16 operands or results of Concat
 * or Split in each).
 */
#include "move.h"

#include "../graph/shape.h"
#include "copy.h"
#include "cuda.h"

#include <stdlib.h>
#include <string.h>

void
nn_cuda_read_parameters (nn_call *call, int first)
{
  for (int i = first; i < call->node->n_in && i < 32; i++)
    if (call->node->in[i] != NULL && call->node->in[i]->constant != NULL)
      call->packed |= 1u << i;
}

/* ---- Concat, Split ---- */

static nn_status
run_concat (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->out[0].rank);
  nn_copies copies = { .stream = nn_cuda_of (call)->stream };
  int64_t start = 0;
  for (int i = 0; i < call->node->n_in; i++) {
    nn_tensor to = nn_tensor_part (&call->out[0], axis, start, call->in[i].dim[axis]);
    nn_copies_add_tensor (&copies, &to, &call->in[i]);
    start += call->in[i].dim[axis];
  }
  return nn_copies_end (&copies, err);
}

/* How long a part of Split is whose result nobody wants: as the operand or attribute says, else an equal part. */
static int64_t
unwanted_length (const nn_call *call, int i, int64_t whole)
{
  const nn_attr *attr = nn_node_attr (call->node, "split");
  if (nn_node_has (call->node, 1))
    return ((const int64_t *) call->in[1].data)[i];
  return attr ? attr->ints[i] : (whole + call->node->n_out - 1) / call->node->n_out;
}

/* Leaves where each part begins. */
static nn_status
prepare_split (nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->in[0].rank);
  int64_t at = 0, *start = malloc ((size_t) call->node->n_out * sizeof *start);
  if (start == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d parts", call->node->n_out);
  for (int i = 0; i < call->node->n_out; i++) {
    bool wanted = call->node->out[i] != NULL;
    start[i] = at;
    at += wanted ? call->out[i].dim[axis] : unwanted_length (call, i, call->in[0].dim[axis]);
  }
  call->shared = start;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run_split (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->in[0].rank);
  const int64_t *start = call->shared;
  nn_copies copies = { .stream = nn_cuda_of (call)->stream };
  for (int i = 0; i < call->node->n_out; i++) {
    if (call->node->out[i] == NULL)
      continue;
    nn_tensor from = nn_tensor_part (&call->in[0], axis, start[i], call->out[i].dim[axis]);
    nn_copies_add_tensor (&copies, &call->out[i], &from);
  }
  return nn_copies_end (&copies, err);
}

/* ---- Reshape and its like, Reorder, Identity ---- */

static nn_status
prepare_copy (nn_call *call, nn_error *err)
{
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

/* The same elements in the same row-major order, or in the same places. */
static nn_status
run_copy (const nn_call *call, nn_error *err)
{
  nn_tensor x = call->in[0], y = call->out[0];
  if (x.rank != y.rank || memcmp (x.dim, y.dim, (size_t) x.rank * sizeof x.dim[0]) != 0) {
    int64_t count = nn_tensor_count (&x);
    if (!nn_tensor_is_dense (&x, NN_LAYOUT_ROW_MAJOR) || !nn_tensor_is_dense (&y, NN_LAYOUT_ROW_MAJOR))
      return nn_fail (err, NN_ERR_ARGUMENT, "a reshaped operand is not row-major");
    x = nn_tensor_make (x.dtype, 1, &count, NN_LAYOUT_ROW_MAJOR, x.data);
    y = nn_tensor_make (y.dtype, 1, &count, NN_LAYOUT_ROW_MAJOR, y.data);
  }
  return nn_cuda_copy_tensor (&y, &x, nn_cuda_of (call)->stream, err);
}

/* ---- Transpose, Slice ---- */

static nn_status
run_transpose (const nn_call *call, nn_error *err)
{
  nn_tensor view = nn_shape_transposed (call->node, &call->in[0]);
  return nn_cuda_copy_tensor (&call->out[0], &view, nn_cuda_of (call)->stream, err);
}

/* Leaves the view. */
static nn_status
prepare_slice (nn_call *call, nn_error *err)
{
  int64_t start[NN_MAX_RANK], step[NN_MAX_RANK], count[NN_MAX_RANK];
  nn_status status = nn_shape_slice_ranges (call->node, start, step, count, err);
  if (status != NN_OK)
    return status;
  nn_cuda_view *view = calloc (1, sizeof *view);
  if (view == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a view");
  for (int i = 0; i < call->in[0].rank; i++) {
    view->offset += start[i] * call->in[0].stride[i];
    view->stride[i] = call->in[0].stride[i] * step[i];
  }
  call->shared = view;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run_slice (const nn_call *call, nn_error *err)
{
  const nn_cuda_view *slice = call->shared;
  nn_tensor view = call->out[0];
  view.dtype = call->in[0].dtype;
  view.data = (char *) call->in[0].data + slice->offset * (int64_t) nn_dtype_size (view.dtype);
  memcpy (view.stride, slice->stride, sizeof view.stride);
  return nn_cuda_copy_tensor (&call->out[0], &view, nn_cuda_of (call)->stream, err);
}

/* ---- DepthToSpace, SpaceToDepth: a transposition of height and width cut in blocks ---- */

/* y[n][c][h][i][w][j] of x[n][i][j][c][h][w] (DepthToSpace, DCR), [n][c][i][j][h][w] (CRD); SpaceToDepth
 * is DCR's inverse. `wide` has the larger image. */
static nn_status
move_blocks (const nn_call *call, const nn_tensor *deep, const nn_tensor *wide, bool to_wide, nn_error *err)
{
  int64_t b = nn_node_int (call->node, "blocksize", 1);
  bool columns_first = strcmp (nn_node_string (call->node, "mode", "DCR"), "CRD") == 0;
  int64_t n = wide->dim[0], c = wide->dim[1], h = deep->dim[2], w = deep->dim[3];
  nn_tensor image = nn_tensor_make (wide->dtype, 6, (int64_t[]) { n, c, h, b, w, b }, NN_LAYOUT_ROW_MAJOR, wide->data);
  nn_tensor blocks = image;
  blocks.dtype = deep->dtype;
  blocks.data = deep->data;
  int64_t plane = h * w, step_i = columns_first ? b * plane : b * c * plane, step_j = columns_first ? plane : c * plane;
  int64_t stride[6] = { c * b * b * plane, columns_first ? b * b * plane : plane, w, step_i, 1, step_j };
  memcpy (blocks.stride, stride, sizeof stride);
  cudaStream_t stream = nn_cuda_of (call)->stream;
  return to_wide ? nn_cuda_copy_tensor (&image, &blocks, stream, err)
                 : nn_cuda_copy_tensor (&blocks, &image, stream, err);
}

static nn_status
run_depth_to_space (const nn_call *call, nn_error *err)
{
  return move_blocks (call, &call->in[0], &call->out[0], true, err);
}

static nn_status
run_space_to_depth (const nn_call *call, nn_error *err)
{
  return move_blocks (call, &call->out[0], &call->in[0], false, err);
}

const nn_kernel nn_cuda_concat = { .run = run_concat };
const nn_kernel nn_cuda_split = { .prepare = prepare_split, .run = run_split, .release = free };
const nn_kernel nn_cuda_copy = { .prepare = prepare_copy, .run = run_copy };
const nn_kernel nn_cuda_transpose = { .run = run_transpose };
const nn_kernel nn_cuda_slice = { .prepare = prepare_slice, .run = run_slice, .release = free };
const nn_kernel nn_cuda_depth_to_space = { .run = run_depth_to_space };
const nn_kernel nn_cuda_space_to_depth = { .run = run_space_to_depth };
