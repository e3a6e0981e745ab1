/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators whose results are larger than their operands, or made of nothing: ConstantOfShape, Range, Expand, Tile,
 * Pad, Trilu, Shape, Size. NonZero is for constants only, which the CPU computes.
 */
#include "fill.h"

#include "../graph/shape.h"
#include "copy.h"
#include "cuda.h"
#include "move.h"

#include <stdlib.h>
#include <string.h>

static nn_status
prepare_parameters (nn_call *call, nn_error *err)
{
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
prepare_parameter (nn_call *call, nn_error *err)
{
  nn_cuda_read_parameters (call, 0);
  return NN_OK;
}

/* ---- ConstantOfShape ---- */

static nn_status
run_constant_of_shape (const nn_call *call, nn_error *err)
{
  static const uint64_t zero = 0;
  const nn_attr *value = nn_node_attr (call->node, "value");
  const nn_tensor *y = &call->out[0];
  const void *element = value != NULL ? value->t->data : (const void *) &zero;
  return nn_cuda_fill (y, element, value != NULL ? value->t->dtype : y->dtype, nn_cuda_of (call)->stream, err);
}

/* ---- Shape, Size: the numbers are known when the launch is recorded ---- */

static nn_status
run_shape (const nn_call *call, nn_error *err)
{
  int rank = call->in[0].rank;
  int64_t start = nn_node_int (call->node, "start", 0);
  start = start < 0 ? start + rank : start;
  start = start < 0 ? 0 : start;
  for (int64_t i = 0; i < call->out[0].dim[0]; i++) {
    nn_tensor one = nn_tensor_part (&call->out[0], 0, i, 1);
    nn_status status = nn_cuda_fill (&one, &call->in[0].dim[start + i], NN_I64, nn_cuda_of (call)->stream, err);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}

static nn_status
run_size (const nn_call *call, nn_error *err)
{
  int64_t count = nn_tensor_count (&call->in[0]);
  return nn_cuda_fill (&call->out[0], &count, NN_I64, nn_cuda_of (call)->stream, err);
}

/* ---- Range ---- */

static nn_status
prepare_range (nn_call *call, nn_error *err)
{
  nn_range *range = calloc (1, sizeof *range);
  nn_dtype dtype = call->in[0].dtype;
  if (range == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a range");
  for (int i = 0; i < 2; i++)
    if (dtype == NN_F32 || dtype == NN_F64)
      range->real[i] = nn_shape_real (&call->in[2 * i]);
    else
      range->whole[i] = nn_shape_integer (&call->in[2 * i]);
  call->shared = range;
  nn_cuda_read_parameters (call, 0);
  return NN_OK;
}

static nn_status
run_range (const nn_call *call, nn_error *err)
{
  nn_range range = *(const nn_range *) call->shared;
  range.count = call->out[0].dim[0];
  range.y = call->out[0].data;
  range.dtype = call->out[0].dtype;
  if (range.count == 0)
    return NN_OK;
  nn_cuda_launch_range (&range, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("fill_range", err);
}

/* ---- Expand, Tile: copies whose operand has strides of 0 ---- */

static nn_status
run_expand (const nn_call *call, nn_error *err)
{
  return nn_cuda_copy_tensor (&call->out[0], &call->in[0], nn_cuda_of (call)->stream, err);
}

/* Each dimension of the result is two: which repetition, and where in it. */
static nn_status
run_tile (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  nn_copies copies = { .stream = nn_cuda_of (call)->stream };
  nn_dims dims = { .n = 2 };
  if (nn_tensor_count (y) == 0)
    return NN_OK;
  for (int i = 0; i < x->rank; i++) {
    dims.dim[dims.rank] = x->dim[i];
    dims.stride[0][dims.rank] = y->stride[i];
    dims.stride[1][dims.rank++] = x->stride[i];
    dims.dim[dims.rank] = y->dim[i] / x->dim[i];
    dims.stride[0][dims.rank++] = y->stride[i] * x->dim[i];
  }
  nn_copies_add (&copies, &dims, y->data, y->dtype, x->data, x->dtype);
  return nn_copies_end (&copies, err);
}

/* ---- Pad ---- */

static nn_pad_mode
pad_mode (const nn_node *node)
{
  const char *mode = nn_node_string (node, "mode", "constant");
  return strcmp (mode, "constant") == 0 ? NN_PAD_CONSTANT
         : strcmp (mode, "edge") == 0   ? NN_PAD_EDGE
         : strcmp (mode, "wrap") == 0   ? NN_PAD_WRAP
                                        : NN_PAD_REFLECT;
}

/* The constant to pad with; one that is computed is read by the kernel. */
static void
find_pad_value (const nn_call *call, nn_padding *pad)
{
  float attribute = nn_node_float (call->node, "value", 0);
  pad->value_type = call->out[0].dtype;
  if (nn_node_has (call->node, 2)) {
    pad->value_type = call->in[2].dtype;
    if (call->node->in[2]->constant != NULL)
      memcpy (&pad->element, call->in[2].data, nn_dtype_size (pad->value_type));
  } else if (nn_node_attr (call->node, "value") != NULL) {
    pad->value_type = NN_F32;
    memcpy (&pad->element, &attribute, sizeof attribute);
  }
}

/* Dimensions that are neither padded nor cut could be joined, which few have. */
static void
set_pad_dims (const nn_call *call, const int64_t *begin, const int64_t *end, nn_padding *pad)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  pad->rank = x->rank;
  for (int i = 0; i < x->rank; i++) {
    int at = i;
    for (; at > 0 && y->stride[i] < pad->y_stride[at - 1]; at--) {
      pad->dim[at] = pad->dim[at - 1];
      pad->begin[at] = pad->begin[at - 1];
      pad->inner[at] = pad->inner[at - 1];
      pad->x_stride[at] = pad->x_stride[at - 1];
      pad->y_stride[at] = pad->y_stride[at - 1];
    }
    pad->dim[at] = nn_divider_make ((uint32_t) y->dim[i]);
    pad->begin[at] = begin[i] > 0 ? begin[i] : 0;
    pad->inner[at] = x->dim[i] + (begin[i] < 0 ? begin[i] : 0) + (end[i] < 0 ? end[i] : 0);
    pad->x_stride[at] = x->stride[i];
    pad->y_stride[at] = y->stride[i];
  }
}

/* Leaves all but the addresses; in `x` how many bytes the cuts go into the operand. */
static nn_status
prepare_pad (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  int64_t begin[NN_MAX_RANK], end[NN_MAX_RANK], cut = 0;
  nn_status status = nn_shape_pads (call->node, begin, end, err);
  if (status != NN_OK)
    return status;
  if (nn_tensor_count (y) > INT32_MAX)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a result of 2^31 elements or more is not supported on CUDA");
  nn_padding *pad = calloc (1, sizeof *pad);
  if (pad == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the pads");
  pad->mode = pad_mode (call->node);
  pad->count = nn_tensor_count (y);
  pad->x_type = x->dtype;
  pad->y_type = y->dtype;
  for (int i = 0; i < x->rank; i++)
    cut += begin[i] < 0 ? -begin[i] * x->stride[i] : 0;
  pad->x = (const void *) (uintptr_t) (cut * (int64_t) nn_dtype_size (x->dtype));
  if (pad->count > 0)
    set_pad_dims (call, begin, end, pad);
  find_pad_value (call, pad);
  call->shared = pad;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run_pad (const nn_call *call, nn_error *err)
{
  nn_padding pad = *(const nn_padding *) call->shared;
  bool computed = nn_node_has (call->node, 2) && call->node->in[2]->constant == NULL;
  if (pad.count == 0)
    return NN_OK;
  pad.x = (const char *) call->in[0].data + (uintptr_t) pad.x;
  pad.y = call->out[0].data;
  pad.value = computed ? call->in[2].data : NULL;
  nn_cuda_launch_pad (&pad, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("pad_elements", err);
}

/* ---- Trilu ---- */

/* Leaves the diagonal, if it is constant. */
static nn_status
prepare_trilu (nn_call *call, nn_error *err)
{
  int64_t *k = calloc (1, sizeof *k);
  if (k == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a number");
  if (nn_node_has (call->node, 1) && call->node->in[1]->constant != NULL)
    *k = *(const int64_t *) call->in[1].data;
  call->shared = k;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run_trilu (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  bool computed = nn_node_has (call->node, 1) && call->node->in[1]->constant == NULL;
  nn_triangle t = { .count = nn_tensor_count (y),
                    .rows = y->dim[y->rank - 2],
                    .columns = y->dim[y->rank - 1],
                    .k = *(const int64_t *) call->shared,
                    .k_at = computed ? call->in[1].data : NULL,
                    .upper = nn_node_int (call->node, "upper", 1) != 0,
                    .x = x->data,
                    .y = y->data,
                    .x_type = x->dtype,
                    .y_type = y->dtype };
  if (t.count == 0)
    return NN_OK;
  nn_cuda_launch_trilu (&t, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("keep_triangle", err);
}

const nn_kernel nn_cuda_constant_of_shape = { .prepare = prepare_parameter, .run = run_constant_of_shape };
const nn_kernel nn_cuda_range = { .prepare = prepare_range, .run = run_range, .release = free };
const nn_kernel nn_cuda_expand = { .prepare = prepare_parameters, .run = run_expand };
const nn_kernel nn_cuda_tile = { .prepare = prepare_parameters, .run = run_tile };
const nn_kernel nn_cuda_pad = { .prepare = prepare_pad, .run = run_pad, .release = free };
const nn_kernel nn_cuda_trilu = { .prepare = prepare_trilu, .run = run_trilu, .release = free };
const nn_kernel nn_cuda_shape = { .run = run_shape };
const nn_kernel nn_cuda_size = { .run = run_size };
