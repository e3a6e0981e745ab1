/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What looks along one dimension of dense tensors: [outer, n, inner] in memory, of any type but bool. Elements are in
 * the order of numbers, zeros of both signs equal, every NaN beyond infinity. */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nn_lines {
  int64_t outer, n, inner; /* all ≥ 1 */
  const void *x;
  nn_dtype dtype;
} nn_lines;

/* The k first of the order (largest: from its end), of equals the one with the lower index: [outer, k, inner] values,
 * of `dtype` or, if that is floating-point, another such type, and indices. Either may be NULL. */
typedef struct nn_topk {
  nn_lines lines;
  int64_t k; /* 1 … n */
  bool largest;
  void *values;
  nn_dtype values_type;
  int64_t *indices;
} nn_topk;

#define NN_TOPK_ROWS_MOST 4096

/* Fast: inner 1, float32, float16 or bfloat16, k ≤ NN_TOPK_ROWS_MOST. */
void nn_cuda_launch_topk_rows (const nn_topk *t, cudaStream_t stream);
/* Any; takes time proportional to outer · inner · n². */
void nn_cuda_launch_topk_any (const nn_topk *t, cudaStream_t stream);

/* Index of the largest or smallest, the first or last of equals: [outer, inner]. */
void nn_cuda_launch_arg (const nn_lines *lines, bool max, bool last, int64_t *y, cudaStream_t stream);

/* Sums of all before and (unless `exclusive`) with the element; from the end on if `reverse`. Integers wrap. */
void nn_cuda_launch_cumsum (const nn_lines *lines, bool exclusive, bool reverse, void *y, nn_dtype y_type,
                            cudaStream_t stream);

#ifdef __cplusplus
}
#endif
