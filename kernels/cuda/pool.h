/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A window along one dimension, in pixels; position o starts at o · stride - pad_begin. */
typedef struct nn_pool_axis {
  int kernel, stride, dilation, pad_begin, pad_end;
} nn_pool_axis;

typedef struct nn_pool {
  nn_pool_axis v, h;
  bool maximum;       /* else the average … */
  bool count_padding; /* … over the padding too */
} nn_pool;

/* x [N, C, H, W], y [N, C, positions, positions]: floating-point images (image.h), each of its own type. */
void nn_cuda_launch_pool (const nn_tensor *x, const nn_tensor *y, const nn_pool *pool, cudaStream_t stream);

/* … y [N, C, 1, 1]. */
void nn_cuda_launch_global_average (const nn_tensor *x, const nn_tensor *y, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
