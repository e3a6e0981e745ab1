/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reductions of dense tensors. Floating-point numbers are added up in float32 (float64 in float64) in an order that
 * depends on the shape alone; integers wrap around. */
#pragma once

#include "walk.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nn_reduce_kind {
  NN_REDUCE_SUM,
  NN_REDUCE_MEAN,
  NN_REDUCE_MAX,
  NN_REDUCE_MIN,
  NN_REDUCE_PROD,
  NN_REDUCE_L1,
  NN_REDUCE_L2,
  NN_REDUCE_SUM_SQUARE,
  NN_REDUCE_LOG_SUM,
  NN_REDUCE_LOG_SUM_EXP,
} nn_reduce_kind;

typedef struct nn_reduction {
  nn_reduce_kind kind;
  const void *x;
  void *y;
  nn_dtype x_type, y_type; /* the same, or both of float32, float16 and bfloat16 */
  int64_t results, count;  /* how many, and of how many elements each */
  int64_t inner;           /* of [outer, count, inner] in memory; 0: walk */
  nn_walk outer, region;   /* operand 0: x, for each result and each of its elements */
} nn_reduction;

/* Fast: inner ≥ 1 and count ≥ 1, float32, float16 or bfloat16, not PROD, L1, LOG_SUM_EXP. */
bool nn_cuda_reduces_fast (const nn_reduction *r);
void nn_cuda_launch_reduce_fast (const nn_reduction *r, cudaStream_t stream);

/* Any, also int64, int32 and float64, by its walks. */
void nn_cuda_launch_reduce_any (const nn_reduction *r, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
