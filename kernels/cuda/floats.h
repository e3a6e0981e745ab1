/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kernels of floating-point operands ask in prepare(). */
#pragma once

#include "cuda.h"

static inline bool
nn_cuda_is_float (nn_dtype dtype)
{
  return dtype == NN_F32 || dtype == NN_F16 || dtype == NN_BF16;
}

/* Whether the first result and all operands that are there have floating-point elements. */
static inline nn_status
nn_cuda_need_floats (const nn_call *call, nn_error *err)
{
  if (!nn_cuda_is_float (call->out[0].dtype))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a result of type %s is not supported on CUDA",
                    nn_dtype_name (call->out[0].dtype));
  for (int i = 0; i < call->node->n_in; i++)
    if (call->node->in[i] != NULL && !nn_cuda_is_float (call->in[i].dtype))
      return nn_fail (err, NN_ERR_UNSUPPORTED, "operand %d of type %s is not supported on CUDA", i,
                      nn_dtype_name (call->in[i].dtype));
  return NN_OK;
}
