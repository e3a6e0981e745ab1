/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Choices among implementations that were made by timing, kept on disk: $XDG_CACHE_HOME/gst-doclayout/, one file
 * a device, driver, cuDNN and cuBLASLt version. A key names the whole problem (operator, shapes, types, what is
 * fused), so that the file serves every model; what a choice says is the kernel's business, and a kernel takes one
 * only if it would make it itself (a damaged or foreign file changes nothing but the time of the next start).
 */
#pragma once

#include "cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of the device that `cuda` names; never fails: without a file it starts empty, and without memory it is NULL, which
 * all functions take. */
nn_tuning *nn_tuning_open (const nn_cuda *cuda);
void nn_tuning_close (nn_tuning *tuning); /* writes what is new: a whole file, put in place at once */

/* `choice` of `size` bytes gets the choice for `key`, if there is one. */
bool nn_tuning_find (const nn_tuning *tuning, const char *key, char *choice, size_t size);
/* Both without tabs and line ends. */
void nn_tuning_keep (nn_tuning *tuning, const char *key, const char *choice);

/* The median time in ms of run(arg), which enqueues on cuda->stream, after one run to warm up; of one run alone where
 * that is far behind `best_ms`, the best so far. A failure of run() is returned. */
nn_status nn_tuning_time (const nn_cuda *cuda, nn_status (*run) (void *arg, nn_error *err), void *arg, float best_ms,
                          float *ms, nn_error *err);

#ifdef __cplusplus
}
#endif
