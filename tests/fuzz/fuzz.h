/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets share. They abort() where the engine breaks a promise that no sanitizer
 * sees. */
#pragma once

#include "kernels/onnx/onnx.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A refusal has a status and a message. */
static inline void
fuzz_check_error (const nn_error *err)
{
  if (err->status == NN_OK || err->message[0] == '\0')
    __builtin_trap ();
}

/* A graph of the bytes after all passes for the CPU, its open dimensions 2; NULL with `err` set if it
 * is refused, or would need more than `arena_limit` bytes. Close `onnx` after it, unless it is NULL. */
nn_graph *fuzz_plan (nn_onnx *onnx, const uint8_t *data, size_t size, size_t arena_limit, nn_error *err);
