/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A sum of products as a loop nest: every dimension has one stride, in elements, in the result and each operand. */
typedef struct nn_cuda_einsum_loops {
  int n_in, rank, n_sums;
  nn_dtype dtype[3]; /* of the result, then of the operands: floating-point ones each on its own, else all the same */
  int64_t count, dim[NN_MAX_RANK], stride[NN_MAX_RANK][3];  /* of the result */
  int64_t sum_dim[NN_MAX_RANK], sum_stride[NN_MAX_RANK][2]; /* what is summed over */
} nn_cuda_einsum_loops;

void nn_cuda_launch_einsum (const nn_cuda_einsum_loops *loops, void *y, const void *a, const void *b,
                            cudaStream_t stream);

#ifdef __cplusplus
}
#endif
