/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel that fails, as one with a wrong address would: the context is lost. */
#include <cuda_runtime_api.h>

static __global__ void
trap (void)
{
  asm ("trap;");
}

extern "C" cudaError_t
launch_trap (void)
{
  trap<<<1, 1>>> ();
  return cudaDeviceSynchronize ();
}
