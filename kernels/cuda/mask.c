/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaskedReduce (graph/fuse-mask.c says what it is). */
#include "mask.h"

#include "cuda.h"

#include <string.h>

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (nn_tensor_count (&call->out[0]) > INT32_MAX)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "2^31 results or more are not supported on CUDA");
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const char *reduce = nn_node_string (call->node, "reduce", "count");
  int64_t rows = nn_tensor_count (&call->out[0]);
  if (rows == 0)
    return NN_OK;
  nn_masked m = { .kind = strcmp (reduce, "max") == 0   ? NN_MASKED_MAX
                          : strcmp (reduce, "min") == 0 ? NN_MASKED_MIN
                                                        : NN_MASKED_COUNT,
                  .rows = rows,
                  .places = nn_tensor_count (&call->in[0]) / rows,
                  .x = call->in[0].data,
                  .table = call->node->n_in > 1 ? call->in[1].data : NULL,
                  .y = call->out[0].data,
                  .x_type = call->in[0].dtype,
                  .y_type = call->out[0].dtype,
                  .threshold = nn_node_float (call->node, "threshold", 0),
                  .fill = nn_node_float (call->node, "fill", 0) };
  nn_cuda_launch_masked_reduce (&m, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("masked_rows", err);
}

const nn_kernel nn_cuda_masked_reduce = { .prepare = prepare, .run = run };
