/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matmul.h"

#include "dtype.cuh"

static __global__ void
spread_addend (float *to, const void *c, nn_dtype dtype, float factor, int64_t count, int64_t n, int64_t row_step,
               int64_t column_step)
{
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < count; i += (int64_t) gridDim.x * blockDim.x)
    to[i] = factor * nn_load (c, i / n * row_step + i % n * column_step, dtype);
}

extern "C" void
nn_cuda_launch_addend (float *to, const void *c, nn_dtype dtype, float factor, int64_t m, int64_t n, int64_t row_step,
                       int64_t column_step, cudaStream_t stream)
{
  int64_t count = m * n, blocks = (count + 255) / 256;
  if (count > 0)
    spread_addend<<<(unsigned) (blocks < 65536 ? blocks : 65536), 256, 0, stream>>> (to, c, dtype, factor, count, n,
                                                                                   row_step, column_step);
}
