/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From frames to a network's input on a CUDA device: nn_page_fill() for a whole batch in one launch, equal to it
 * level by level. Part of the CUDA module. */
#pragma once

#include "page.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Work space on the device that is current when it is made, for one thread and that device; keeps filter taps
 * between frames of one size. */
typedef struct nn_page_cuda nn_page_cuda;

nn_page_cuda *nn_page_cuda_new (nn_error *err);
void nn_page_cuda_free (nn_page_cuda *page); /* NULL is fine; waits for what it has enqueued */

/* Enqueues on `stream` what fills the first `n` ≥ 1 pages of `input`: device memory of NN_F32, NN_F16 or NN_BF16,
 * [≥ n,3,H,W], any strides; its other pages stay as they are. frames[i].data are pointers that the device can read
 * (its own memory, or the host's mapped into it); the pixels must stay as they are until the stream has come by.
 * `placements` are n, and filled when the call returns. It waits only where the last call but one is not done yet,
 * and allocates only where sizes grow. */
nn_status nn_page_cuda_fill (nn_page_cuda *page, const nn_frame *frames, int n, const nn_page_spec *spec,
                             const nn_tensor *input, nn_page_placement *placements, cudaStream_t stream, nn_error *err);

#ifdef __cplusplus
}
#endif
