/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver, libcuda.so.1, with one GPU whose memory is the host's under addresses that the CPU cannot use: for tests of
 * who reads what where. libgstcuda finds it with LD_LIBRARY_PATH. */
#pragma once

#include <stdint.h>

/* In each address of the GPU's memory; without it, it is the host's. */
#define FAKE_CUDA_BIT ((uintptr_t) 1 << 60)

/* How often the primary context is held. */
int fake_cuda_n_retained (void);
