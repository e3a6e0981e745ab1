/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the program's memory reaches a GPU. */
#pragma once

#include "../backend.h"

#include <cuda_runtime_api.h>

extern const nn_memory_backend nn_cuda_memory;

/* By the device's attributes, never by trying: a read that fails takes all plans of the process along. For tests,
 * DOCLAYOUT_CUDA_MEMORY_PATH names another: `direct` has memory that is registered read through the host's address,
 * and copies other, since the device cannot read it after all; `staged` copies all memory of the host. */
nn_memory_path nn_cuda_memory_path (int index);

/* What the driver tells of a device; 0 where it does not know the question. */
int nn_cuda_attribute (int index, enum cudaDeviceAttr what);

/* Whether the device itself reads any memory of the process. */
bool nn_cuda_reads_pageable (int index);
