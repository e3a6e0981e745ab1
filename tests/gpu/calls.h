/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the GPU test programs do with a call that fails: say so, and end with status 1. */
#pragma once

#include "kernels/status.h"

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>

static inline void
check_cuda (cudaError_t result, const char *what)
{
  if (result == cudaSuccess)
    return;
  printf ("%s: %s\n", what, cudaGetErrorString (result));
  exit (1);
}
#define CUDA(call) check_cuda (call, #call)

static inline void
check_status (nn_status status, const nn_error *err)
{
  if (status == NN_OK)
    return;
  printf ("%s\n", err->message);
  exit (1);
}
