/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which two neighbours along one dimension a result is made of, and their weights. */
typedef struct nn_cuda_resize_tap {
  int first, second;
  float weight[2]; /* 1 and 0 for "nearest" */
} nn_cuda_resize_tap;

/* x [N, C, H, W], y [N, C, rows, columns]: floating-point images (image.h), each of its own type. The taps are
 * device memory, one a row and one a column of y. */
void nn_cuda_launch_resize (const nn_tensor *x, const nn_tensor *y, const nn_cuda_resize_tap *rows,
                            const nn_cuda_resize_tap *columns, bool linear, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
