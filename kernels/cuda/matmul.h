/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* to[i][j] = factor c[i row_step + j column_step], of m × n. */
void nn_cuda_launch_addend (float *to, const void *c, nn_dtype dtype, float factor, int64_t m, int64_t n,
                            int64_t row_step, int64_t column_step, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
