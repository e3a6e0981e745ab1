/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reductions over any dimensions. */
#include "reduce.h"

#include "../graph/shape.h"
#include "floats.h"
#include "move.h"

#include <stdlib.h>

static nn_status
check (const nn_call *call, bool integers, nn_error *err)
{
  nn_dtype dtype = call->in[0].dtype;
  bool is_real = nn_cuda_is_float (dtype) || dtype == NN_F64;
  if (!is_real && !(integers && (dtype == NN_I64 || dtype == NN_I32)))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported", nn_dtype_name (dtype));
  if (nn_tensor_count (&call->in[0]) > INT32_MAX || nn_tensor_count (&call->out[0]) > INT32_MAX)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "an operand of 2^31 elements or more is not supported on CUDA");
  return NN_OK;
}

/* What is inside of the reduced dimensions, if these are one, with at most one more around it; else 0. */
static int64_t
inner_of (const nn_dims *kept, const nn_dims *reduced)
{
  if (reduced->rank > 1 || kept->rank > 2)
    return 0;
  int64_t step = reduced->rank == 1 ? reduced->stride[0][0] : 1;
  if (kept->rank == 0 || step == 1)
    return step == 1 && kept->rank <= 1 ? 1 : 0;
  bool inside = kept->stride[0][0] == 1 && kept->dim[0] == step;
  return inside ? step : 0;
}

/* Splits the operand in what the results walk over and the region under each of them. The result lies in memory in the
 * order of the dimensions that are kept, whether it has the others or not. */
static nn_status
prepare (nn_call *call, nn_reduce_kind kind, bool integers, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  unsigned axes;
  nn_dims kept = { .n = 1 }, reduced = { .n = 1 };
  nn_status status = check (call, integers, err);
  if (status == NN_OK)
    status = nn_shape_reduced_axes (call->node, &axes, err);
  if (status != NN_OK)
    return status;
  for (int d = x->rank - 1; d >= 0; d--)
    nn_dims_add (axes & 1u << d ? &reduced : &kept, x->dim[d], (int64_t[NN_WALK_TENSORS]) { x->stride[d] });
  nn_reduction *r = calloc (1, sizeof *r);
  if (r == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a reduction");
  r->kind = kind;
  r->x_type = x->dtype;
  r->y_type = call->out[0].dtype;
  r->results = nn_dims_count (&kept);
  r->count = nn_dims_count (&reduced);
  r->inner = inner_of (&kept, &reduced);
  if (r->results > 0 && r->count > 0) {
    nn_walk_make (&r->outer, &kept); /* checked above: it fits */
    nn_walk_make (&r->region, &reduced);
  }
  call->shared = r;
  nn_cuda_read_parameters (call, 1);
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  nn_reduction r = *(const nn_reduction *) call->shared;
  if (r.results == 0)
    return NN_OK;
  r.x = call->in[0].data;
  r.y = call->out[0].data;
  if (nn_cuda_reduces_fast (&r))
    nn_cuda_launch_reduce_fast (&r, nn_cuda_of (call)->stream);
  else
    nn_cuda_launch_reduce_any (&r, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("reduce", err);
}

#define REDUCE_KERNEL(name, kind, integers)                                                                        \
  static nn_status prepare_##name (nn_call *call, nn_error *err) { return prepare (call, kind, integers, err); }   \
  const nn_kernel nn_cuda_reduce_##name = { .prepare = prepare_##name, .run = run, .release = free };

REDUCE_KERNEL (sum, NN_REDUCE_SUM, true)
REDUCE_KERNEL (mean, NN_REDUCE_MEAN, true)
REDUCE_KERNEL (max, NN_REDUCE_MAX, true)
REDUCE_KERNEL (min, NN_REDUCE_MIN, true)
REDUCE_KERNEL (prod, NN_REDUCE_PROD, true)
REDUCE_KERNEL (l1, NN_REDUCE_L1, true)
REDUCE_KERNEL (l2, NN_REDUCE_L2, false)
REDUCE_KERNEL (sum_square, NN_REDUCE_SUM_SQUARE, true)
REDUCE_KERNEL (log_sum, NN_REDUCE_LOG_SUM, false)
REDUCE_KERNEL (log_sum_exp, NN_REDUCE_LOG_SUM_EXP, false)
