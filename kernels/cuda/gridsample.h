/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nn_grid_padding { NN_GRID_ZEROS, NN_GRID_BORDER, NN_GRID_REFLECTION } nn_grid_padding;

typedef struct nn_grid_sampler {
  nn_grid_padding padding;
  bool linear; /* else nearest */
  bool align_corners;
} nn_grid_sampler;

/* x [N, C, H, W], y [N, C, rows, columns]: floating-point images (image.h); grid [N, rows, columns, 2], any strides:
 * x and y from -1 to 1 for each place of y. Each of its own floating-point type; H, W ≥ 1. */
void nn_cuda_launch_grid_sample (const nn_tensor *x, const nn_tensor *grid, const nn_tensor *y,
                                 const nn_grid_sampler *sampler, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
