/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaskedReduce (graph/fuse-mask.c says what it is). */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nn_masked_kind { NN_MASKED_MAX, NN_MASKED_MIN, NN_MASKED_COUNT } nn_masked_kind;

/* [rows, places] → [rows]: of floating-point type, or int64 for the count. */
typedef struct nn_masked {
  nn_masked_kind kind;
  int64_t rows, places; /* ≥ 1 */
  const void *x;
  const float *table; /* [places] */
  void *y;
  nn_dtype x_type, y_type;
  float threshold, fill;
} nn_masked;

void nn_cuda_launch_masked_reduce (const nn_masked *m, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
