/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "softmax.h"

#include "floats.h"

#include "../graph/shape.h"

/* Whether operand and result lie the same way, without gaps. */
static bool
alike (const nn_tensor *x, const nn_tensor *y)
{
  return (nn_tensor_is_dense (x, NN_LAYOUT_ROW_MAJOR) && nn_tensor_is_dense (y, NN_LAYOUT_ROW_MAJOR))
         || (nn_tensor_is_dense (x, NN_LAYOUT_CHANNELS_LAST) && nn_tensor_is_dense (y, NN_LAYOUT_CHANNELS_LAST));
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  nn_status status = nn_cuda_need_floats (call, err);
  if (status != NN_OK)
    return status;
  if (nn_shape_axis (nn_node_int (call->node, "axis", -1), x->rank) < 0)
    return nn_fail (err, NN_ERR_FORMAT, "an axis that is not there");
  if (!alike (x, y))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operand and result lie differently, which is not supported on CUDA");
  return NN_OK;
}

/* Where all lies without gaps, what is nearer together than the elements of a line is `inner`. */
static nn_status
run (const nn_call *call, bool logarithm, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), x->rank);
  int64_t count = nn_tensor_count (x);
  if (count == 0)
    return NN_OK;
  nn_cuda_softmax_args args = { .x = x->data,
                                .y = call->out[0].data,
                                .x_type = x->dtype,
                                .y_type = call->out[0].dtype,
                                .n = x->dim[axis],
                                .inner = x->dim[axis] > 1 ? x->stride[axis] : 1,
                                .logarithm = logarithm };
  args.outer = count / (args.n * args.inner);
  nn_cuda_launch_softmax (&args, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("softmax", err);
}

static nn_status
run_softmax (const nn_call *call, nn_error *err)
{
  return run (call, false, err);
}

static nn_status
run_log_softmax (const nn_call *call, nn_error *err)
{
  return run (call, true, err);
}

const nn_kernel nn_cuda_softmax = { .prepare = prepare, .run = run_softmax };
const nn_kernel nn_cuda_log_softmax = { .prepare = prepare, .run = run_log_softmax };
