/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages on their way from the program's memory to a network's input. */
#pragma once

#include "../page/page.h"
#include "device.h"

/* Of one session: used by one thread at a time. */
typedef struct nn_cuda_frames nn_cuda_frames;

nn_cuda_frames *nn_cuda_frames_new (const nn_cuda_device *device, cudaStream_t stream, nn_error *err);
void nn_cuda_frames_free (nn_cuda_frames *frames); /* NULL is fine */

/* Enqueues the page kernel for `n` frames, as nn_page_cuda_fill() does. It reads frames where they lie if the device can
 * (memory.h): its own memory, the host's that is registered or its driver's, or any. Others are copied to pinned memory
 * first. Not to be called again before what was enqueued is done. */
nn_status nn_cuda_frames_fill (nn_cuda_frames *frames, const nn_frame *pages, int n, const nn_page_spec *spec,
                               const nn_tensor *input, nn_page_placement *placements, nn_error *err);

/* How many bytes were copied for the frames of the last call; 0 for NULL. */
size_t nn_cuda_frames_staged (const nn_cuda_frames *frames);
