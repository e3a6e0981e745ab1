/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that move elements from or to where indices say (indexed.h tells what becomes of those outside). */
#include "indexed.h"

#include "../graph/shape.h"
#include "copy.h"
#include "cuda.h"

#include <stdlib.h>
#include <string.h>

static int64_t
product (const nn_tensor *tensor, int from, int to)
{
  return to > from ? nn_shape_count (to - from, tensor->dim + from) : 1;
}

static nn_status
too_large (nn_error *err)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "indices into or for 2^31 elements or more are not supported on CUDA");
}

/* From nothing there is nothing to gather; on the CPU any index fails. */
static nn_status
clear (const nn_call *call, nn_error *err)
{
  const nn_tensor *y = &call->out[0];
  return NN_CUDA (cudaMemsetAsync (y->data, 0, nn_tensor_bytes (y), nn_cuda_of (call)->stream), err);
}

/* ---- Gather, GatherND ---- */

/* `first`: the dimension of x that the first index of a place is for. */
static nn_places
find_places (const nn_tensor *x, const nn_tensor *indices, int first, int depth)
{
  nn_places p = { .indices = indices->data, .dtype = indices->dtype, .depth = depth };
  for (int d = 0; d < depth; d++)
    p.dim[d] = x->dim[first + d];
  p.batch = product (x, first, first + depth);
  return p;
}

/* Bytes of the largest unit that blocks of `bytes` and both addresses are multiples of. */
static int
unit_width (int64_t bytes, const void *a, const void *b)
{
  uintptr_t all = (uintptr_t) bytes | (uintptr_t) a | (uintptr_t) b | 16;
  return (int) (all & -all);
}

/* `n` places, `block` elements each, in units as large as they can be. */
static nn_status
gather (const nn_call *call, nn_places *p, int64_t n, int64_t n_in_batch, int64_t block, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  int64_t size = (int64_t) nn_dtype_size (x->dtype);
  int width = x->dtype == y->dtype ? unit_width (block * size, x->data, y->data) : 0;
  int64_t units = width > 0 ? block * size / width : block;
  if (n == 0 || block == 0)
    return NN_OK;
  if (nn_tensor_count (x) == 0)
    return clear (call, err);
  p->per_batch = nn_divider_make ((uint32_t) n_in_batch);
  p->block = nn_divider_make ((uint32_t) units);
  p->count = (uint32_t) (n * units);
  nn_cuda_launch_gather (p, y->data, y->dtype, x->data, x->dtype, width, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("gather_blocks", err);
}

/* Counts of units fit 32 bits if those of elements do. */
static nn_status
prepare_gather (nn_call *call, nn_error *err)
{
  return nn_tensor_count (&call->out[0]) > INT32_MAX || nn_tensor_count (&call->in[1]) > INT32_MAX ? too_large (err)
                                                                                                   : NN_OK;
}

static nn_status
run_gather (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *indices = &call->in[1];
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), x->rank);
  int64_t n = nn_tensor_count (indices);
  nn_places p = find_places (x, indices, axis, 1);
  p.repeats = true;
  return gather (call, &p, product (x, 0, axis) * n, n, product (x, axis + 1, x->rank), err);
}

static nn_status
run_gather_nd (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *indices = &call->in[1];
  int batch = (int) nn_node_int (call->node, "batch_dims", 0), last = indices->rank - 1;
  int depth = (int) indices->dim[last];
  nn_places p = find_places (x, indices, batch, depth);
  return gather (call, &p, product (indices, 0, last), product (indices, batch, last),
                 product (x, batch + depth, x->rank), err);
}

/* ---- ScatterND ---- */

/* How elements are combined, if that can be with this type. */
static nn_status
find_combination (const nn_call *call, nn_combination *how, nn_error *err)
{
  static const char *const names[] = { "none", "add", "mul", "min", "max" };
  const char *name = nn_node_string (call->node, "reduction", "none");
  nn_dtype dtype = call->in[0].dtype;
  bool calculates = dtype != NN_U8 && dtype != NN_I8 && dtype != NN_BOOL;
  for (int i = NN_REPLACE; i <= NN_MAX; i++)
    if (strcmp (name, names[i]) == 0 && (i == NN_REPLACE || calculates)) {
      *how = (nn_combination) i;
      return NN_OK;
    }
  return nn_fail (err, NN_ERR_UNSUPPORTED, "reduction '%s' of %s is not supported", name, nn_dtype_name (dtype));
}

static nn_status
prepare_scatter_nd (nn_call *call, nn_error *err)
{
  nn_combination ignored;
  if (nn_tensor_count (&call->in[2]) > INT32_MAX || nn_tensor_count (&call->in[1]) > INT32_MAX
      || nn_tensor_count (&call->out[0]) > INT32_MAX)
    return too_large (err);
  return find_combination (call, &ignored, err);
}

static int64_t
owners_of (const nn_call *call)
{
  const nn_tensor *indices = &call->in[1];
  return product (&call->out[0], 0, (int) indices->dim[indices->rank - 1]);
}

static size_t
scatter_nd_scratch (const nn_call *call)
{
  bool replaces = strcmp (nn_node_string (call->node, "reduction", "none"), "none") == 0;
  return replaces ? (size_t) owners_of (call) * sizeof (int32_t) : 0;
}

static nn_status
run_scatter_nd (const nn_call *call, nn_error *err)
{
  const nn_tensor *y = &call->out[0], *indices = &call->in[1], *updates = &call->in[2];
  const int last = indices->rank - 1, depth = (int) indices->dim[last];
  int64_t n = product (indices, 0, last), block = product (y, depth, y->rank);
  nn_combination how;
  nn_status status = find_combination (call, &how, err);
  if (status == NN_OK)
    status = nn_cuda_copy_tensor (y, &call->in[0], nn_cuda_of (call)->stream, err);
  if (status != NN_OK || n == 0 || nn_tensor_count (y) == 0)
    return status;
  nn_places p = find_places (y, indices, 0, depth);
  p.per_batch = nn_divider_make ((uint32_t) n);
  p.block = nn_divider_make ((uint32_t) block);
  p.count = (uint32_t) (n * block);
  nn_cuda_launch_scatter (&p, y->data, y->dtype, updates->data, updates->dtype, how, call->scratch, owners_of (call),
                          nn_cuda_of (call)->stream);
  return nn_cuda_launched ("scatter", err);
}

/* ---- GatherElements, ScatterElements ---- */

/* Leaves how to walk over the indices (without the axis, if `lines`) beside y and the third tensor, which is moved
 * from: x, whose axis stands still, or the updates. */
static nn_status
prepare_picks (nn_call *call, const nn_tensor *from, bool lines, nn_error *err)
{
  const nn_tensor *y = &call->out[0], *indices = &call->in[1], *whole = lines ? y : from;
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), y->rank);
  nn_dims dims = { .n = 3 };
  nn_picks *picks = calloc (1, sizeof *picks);
  if (picks == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for indices");
  for (int d = y->rank - 1; d >= 0; d--)
    if (d != axis || !lines)
      nn_dims_add (&dims, indices->dim[d],
                   (int64_t[]) { y->stride[d], indices->stride[d], d == axis ? 0 : from->stride[d] });
  picks->extent = whole->dim[axis];
  picks->step = whole->stride[axis];
  picks->length = indices->dim[axis];
  picks->index_step = indices->stride[axis];
  picks->update_step = from->stride[axis];
  picks->index_type = indices->dtype;
  picks->x_type = from->dtype;
  picks->y_type = y->dtype;
  picks->count = (uint32_t) nn_dims_count (&dims);
  call->shared = picks;
  return nn_tensor_count (indices) == 0 || nn_walk_make (&picks->walk, &dims) ? NN_OK : too_large (err);
}

static nn_status
prepare_gather_elements (nn_call *call, nn_error *err)
{
  return prepare_picks (call, &call->in[0], false, err);
}

static nn_status
run_gather_elements (const nn_call *call, nn_error *err)
{
  nn_picks picks = *(const nn_picks *) call->shared;
  if (nn_tensor_count (&call->out[0]) == 0)
    return NN_OK;
  if (nn_tensor_count (&call->in[0]) == 0)
    return clear (call, err);
  picks.y = call->out[0].data;
  picks.indices = call->in[1].data;
  picks.x = call->in[0].data;
  nn_cuda_launch_gather_elements (&picks, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("gather_elements", err);
}

static nn_status
prepare_scatter_elements (nn_call *call, nn_error *err)
{
  nn_combination ignored;
  nn_status status = find_combination (call, &ignored, err);
  return status != NN_OK ? status : prepare_picks (call, &call->in[2], true, err);
}

static nn_status
run_scatter_elements (const nn_call *call, nn_error *err)
{
  nn_picks picks = *(const nn_picks *) call->shared;
  cudaStream_t stream = nn_cuda_of (call)->stream;
  nn_combination how;
  nn_status status = find_combination (call, &how, err);
  if (status == NN_OK)
    status = nn_cuda_copy_tensor (&call->out[0], &call->in[0], stream, err);
  if (status != NN_OK || nn_tensor_count (&call->in[1]) == 0 || nn_tensor_count (&call->out[0]) == 0)
    return status;
  picks.y = call->out[0].data;
  picks.indices = call->in[1].data;
  picks.x = call->in[2].data;
  nn_cuda_launch_scatter_elements (&picks, how, stream);
  return nn_cuda_launched ("scatter_lines", err);
}

const nn_kernel nn_cuda_gather = { .prepare = prepare_gather, .run = run_gather };
const nn_kernel nn_cuda_gather_elements
    = { .prepare = prepare_gather_elements, .run = run_gather_elements, .release = free };
const nn_kernel nn_cuda_gather_nd = { .prepare = prepare_gather, .run = run_gather_nd };
const nn_kernel nn_cuda_scatter_elements
    = { .prepare = prepare_scatter_elements, .run = run_scatter_elements, .release = free };
const nn_kernel nn_cuda_scatter_nd
    = { .prepare = prepare_scatter_nd, .scratch_bytes = scatter_nd_scratch, .run = run_scatter_nd };
