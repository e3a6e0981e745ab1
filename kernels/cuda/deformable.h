/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NN_CUDA_MAX_MAPS = 8 };

/* An operand [batch, rows, …] of any floating-point type; what a row holds lies without gaps. */
typedef struct nn_cuda_rows {
  const void *data;
  nn_dtype dtype;
  int64_t page, row; /* elements from one page and row to the next */
} nn_cuda_rows;

/* graph/fuse-deformable.c says what it is. `end` is the number of points in a map and those before it. */
typedef struct nn_cuda_deformable_args {
  nn_cuda_rows values, positions, weights, boxes; /* boxes.data NULL: none */
  const float *scales;                            /* one a point, with boxes */
  void *y;                                        /* [batch, queries, heads · size] */
  nn_dtype y_type;
  int64_t batch, queries; /* batch · queries · heads, 2 · heads · points and the values of a page: int */
  int heads, size, points, maps;
  int height[NN_CUDA_MAX_MAPS], width[NN_CUDA_MAX_MAPS], end[NN_CUDA_MAX_MAPS];
  bool softmax;
} nn_cuda_deformable_args;

/* Nothing may be empty but the points. */
void nn_cuda_launch_deformable (const nn_cuda_deformable_args *args, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
