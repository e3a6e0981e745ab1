/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel behind nn_backend.find_candidates. Part of the CUDA module. */
#pragma once

#include "candidates.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

void nn_cuda_launch_candidates (const nn_candidates_job *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
