/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An operand [batch, tokens, heads · size] of any floating-point type. */
typedef struct nn_cuda_heads {
  void *data;
  nn_dtype dtype;
  int64_t page, row; /* elements from one page and token to the next */
} nn_cuda_heads;

/* y = softmax (scale · q kᵀ + mask) v of each head. The mask (NULL: none) has strides over batch, heads, queries and
 * tokens, some of them 0. */
typedef struct nn_cuda_attention_args {
  nn_cuda_heads q, k, v, y;
  const void *mask;
  nn_dtype mask_type;
  int64_t mask_step[4];
  int batch, heads, queries, tokens, size, value_size; /* batch · heads · queries · (value_size + 127) / 128: int */
  float scale;
  int n_multiprocessors;
} nn_cuda_attention_args;

/* Once for each shape before it is launched, or recorded: what shared memory the kernel will have. */
cudaError_t nn_cuda_attention_reserve (const nn_cuda_attention_args *args);
/* The result may not be empty. */
void nn_cuda_launch_attention (const nn_cuda_attention_args *args, cudaStream_t stream);
void nn_cuda_launch_attention_general (const nn_cuda_attention_args *args, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
