/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the operators that move elements share; they have no kernels but those of copy.h. */
#pragma once

#include "../ops.h"

/* Marks the constant operands from `first` on: prepare() has read them, they need not go to the device. */
void nn_cuda_read_parameters (nn_call *call, int first);

/* Where a view begins, in elements, and its strides. */
typedef struct nn_cuda_view {
  int64_t offset, stride[NN_MAX_RANK];
} nn_cuda_view;
