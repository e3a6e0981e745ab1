/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Operand and result [outer, n, inner] of floating-point types; y = softmax over n, or its logarithm. */
typedef struct nn_cuda_softmax_args {
  const void *x;
  void *y;
  nn_dtype x_type, y_type;
  int64_t outer, n, inner;
  bool logarithm;
} nn_cuda_softmax_args;

/* Nothing may be empty. */
void nn_cuda_launch_softmax (const nn_cuda_softmax_args *args, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
