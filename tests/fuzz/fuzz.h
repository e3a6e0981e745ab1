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
