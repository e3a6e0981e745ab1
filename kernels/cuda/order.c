/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that compare along one dimension: TopK, ArgMax, ArgMin; and CumSum, which adds along it. */
#include "order.h"

#include "../graph/shape.h"
#include "floats.h"
#include "move.h"

#include <stdlib.h>

/* The lines of a dense tensor along the axis; `n` of 0 in an empty one. */
static nn_lines
lines_of (const nn_tensor *x, int axis)
{
  nn_lines lines = { .n = x->dim[axis], .inner = x->stride[axis], .x = x->data, .dtype = x->dtype };
  int64_t count = nn_tensor_count (x);
  if (count == 0)
    lines.n = 0;
  else
    lines.outer = count / lines.n / lines.inner;
  return lines;
}

static nn_status
prepare_comparable (nn_call *call, nn_error *err)
{
  nn_dtype dtype = call->in[0].dtype;
  if (dtype == NN_BOOL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported", nn_dtype_name (dtype));
  if (nn_tensor_count (&call->in[0]) > INT32_MAX)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "an operand of 2^31 elements or more is not supported on CUDA");
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

/* ---- TopK ---- */

static nn_status
run_topk (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank);
  bool values = call->node->out[0] != NULL, indices = call->node->n_out > 1 && call->node->out[1] != NULL;
  nn_topk t = { .lines = lines_of (&call->in[0], axis),
                .k = call->out[values ? 0 : 1].dim[axis],
                .largest = nn_node_int (call->node, "largest", 1) != 0,
                .values = values ? call->out[0].data : NULL,
                .values_type = values ? call->out[0].dtype : NN_DTYPE_NONE,
                .indices = indices ? call->out[1].data : NULL };
  if (t.k == 0 || t.lines.n == 0)
    return NN_OK;
  if (t.lines.inner == 1 && nn_cuda_is_float (t.lines.dtype) && t.k <= NN_TOPK_ROWS_MOST)
    nn_cuda_launch_topk_rows (&t, nn_cuda_of (call)->stream);
  else
    nn_cuda_launch_topk_any (&t, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("topk", err);
}

const nn_kernel nn_cuda_topk = { .prepare = prepare_comparable, .run = run_topk };

/* ---- ArgMax, ArgMin ---- */

static nn_status
run_arg (const nn_call *call, bool max, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->in[0].rank);
  nn_lines lines = lines_of (&call->in[0], axis);
  if (lines.n == 0)
    return NN_OK;
  nn_cuda_launch_arg (&lines, max, nn_node_int (call->node, "select_last_index", 0) != 0, call->out[0].data,
                      nn_cuda_of (call)->stream);
  return nn_cuda_launched ("find_extrema", err);
}

static nn_status
run_arg_max (const nn_call *call, nn_error *err)
{
  return run_arg (call, true, err);
}

static nn_status
run_arg_min (const nn_call *call, nn_error *err)
{
  return run_arg (call, false, err);
}

const nn_kernel nn_cuda_arg_max = { .prepare = prepare_comparable, .run = run_arg_max };
const nn_kernel nn_cuda_arg_min = { .prepare = prepare_comparable, .run = run_arg_min };

/* ---- CumSum ---- */

/* Leaves the axis. */
static nn_status
prepare_cumsum (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  bool adds = nn_cuda_is_float (x->dtype) || x->dtype == NN_F64 || x->dtype == NN_I64 || x->dtype == NN_I32;
  int axis;
  nn_status status = nn_shape_cumsum_axis (call->node, &axis, err);
  if (status != NN_OK)
    return status;
  if (!adds)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported", nn_dtype_name (x->dtype));
  for (int d = 0; d < x->rank; d++)
    if (x->dim[d] > 1 && x->stride[d] != call->out[0].stride[d])
      return nn_fail (err, NN_ERR_UNSUPPORTED, "a result in another layout than the operand is not supported on CUDA");
  int *kept = malloc (sizeof *kept);
  if (kept == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a number");
  *kept = axis;
  call->shared = kept;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run_cumsum (const nn_call *call, nn_error *err)
{
  nn_lines lines = lines_of (&call->in[0], *(const int *) call->shared);
  if (lines.n == 0)
    return NN_OK;
  nn_cuda_launch_cumsum (&lines, nn_node_int (call->node, "exclusive", 0) != 0,
                         nn_node_int (call->node, "reverse", 0) != 0, call->out[0].data, call->out[0].dtype,
                         nn_cuda_of (call)->stream);
  return nn_cuda_launched ("sum_lines", err);
}

const nn_kernel nn_cuda_cumsum = { .prepare = prepare_cumsum, .run = run_cumsum, .release = free };
