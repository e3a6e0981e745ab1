/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pool.h"

#include "../graph/shape.h"
#include "cuda.h"
#include "image.h"

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  if (!nn_image_is_good (x) || !nn_image_is_good (&call->out[0]))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "pooling of %s of rank %d, or of its size, is not supported on CUDA",
                    nn_dtype_name (x->dtype), x->rank);
  return NN_OK;
}

static nn_pool_axis
axis_of (const nn_window *window)
{
  return (nn_pool_axis) { .kernel = (int) window->kernel,
                          .stride = (int) window->stride,
                          .dilation = (int) window->dilation,
                          .pad_begin = (int) window->pad_begin,
                          .pad_end = (int) window->pad_end };
}

static nn_status
run_windows (const nn_call *call, bool maximum, nn_error *err)
{
  nn_window window[NN_MAX_RANK - 2];
  nn_status status = nn_shape_windows (call->node, window, err);
  if (status != NN_OK)
    return status;
  nn_tensor x = nn_image_of (&call->in[0]), y = nn_image_of (&call->out[0]);
  nn_pool pool = { .v = { .kernel = 1, .stride = 1, .dilation = 1 },
                   .h = axis_of (&window[call->in[0].rank - 3]),
                   .maximum = maximum,
                   .count_padding = nn_node_int (call->node, "count_include_pad", 0) != 0 };
  if (call->in[0].rank == 4)
    pool.v = axis_of (&window[0]);
  if (nn_tensor_count (&y) == 0)
    return NN_OK;
  nn_cuda_launch_pool (&x, &y, &pool, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("pool", err);
}

static nn_status
run_maximum (const nn_call *call, nn_error *err)
{
  return run_windows (call, true, err);
}

static nn_status
run_average (const nn_call *call, nn_error *err)
{
  return run_windows (call, false, err);
}

static nn_status
run_global_average (const nn_call *call, nn_error *err)
{
  nn_tensor x = nn_image_of (&call->in[0]), y = nn_image_of (&call->out[0]);
  if (nn_tensor_count (&y) == 0)
    return NN_OK;
  nn_cuda_launch_global_average (&x, &y, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("global_average", err);
}

const nn_kernel nn_cuda_max_pool = { .prepare = prepare, .run = run_maximum };
const nn_kernel nn_cuda_average_pool = { .prepare = prepare, .run = run_average };
const nn_kernel nn_cuda_global_average_pool = { .prepare = prepare, .run = run_global_average };
