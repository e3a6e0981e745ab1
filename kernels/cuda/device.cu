/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cuda_runtime_api.h>

__global__ void
nn_probe (void)
{
}

extern "C" cudaError_t
nn_cuda_has_code (void)
{
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes (&attributes, nn_probe);
}
