/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Operand and result [rows, n] of floating-point types: y = (x - mean of its row) / √(variance + epsilon) · scale
 * + bias. Scale and bias have n numbers each; or, where `pixels` is not 0, a row is n / pixels of `channels` channels,
 * rows go on where the one before ends, and the numbers for channel c stand at c / shared. */
typedef struct nn_cuda_normalize_args {
  const void *x, *scale, *bias; /* bias: may be NULL */
  void *y;
  nn_dtype x_type, y_type, scale_type, bias_type;
  int64_t rows, n, pixels, channels, shared;
  float epsilon;
} nn_cuda_normalize_args;

/* Nothing may be empty. */
void nn_cuda_launch_normalize (const nn_cuda_normalize_args *args, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
