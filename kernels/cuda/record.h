/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recording a run into a CUDA graph whose nodes depend on each other as the network's do. Captured as it is, a stream
 * chains all that is enqueued on it; here it is told before each step what to wait for, so that branches of the network
 * run side by side: one page alone does not fill a GPU. */
#pragma once

#include "cuda.h"

typedef struct nn_cuda_recorder nn_cuda_recorder;

/* For one capture of `stream`. */
nn_cuda_recorder *nn_cuda_recorder_new (cudaStream_t stream, nn_error *err);
void nn_cuda_recorder_free (nn_cuda_recorder *recorder); /* NULL is fine */

/* nn_backend.depend(): what is enqueued from now on is step `step`. */
nn_status nn_cuda_recorder_depend (nn_cuda_recorder *recorder, int step, const int *before, int n, nn_error *err);

/* What `steps` enqueue on the stream, `times` over, as a graph that is ready to launch. */
nn_status nn_cuda_record (cudaStream_t stream, nn_status (*steps) (void *arg, nn_error *err), void *arg, int times,
                          cudaGraphExec_t *exec, nn_error *err);
