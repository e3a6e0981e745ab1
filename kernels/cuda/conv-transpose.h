/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvTranspose of images on the device. */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Strides are of N, C, H, W. */
typedef struct nn_cuda_transposed_conv {
  int64_t batch, groups, inputs, outputs; /* the latter two of one group */
  int64_t in_height, in_width, out_height, out_width;
  int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int64_t x[4], y[4];
} nn_cuda_transposed_conv;

/* [groups][kh][kw][inputs][outputs] from [groups][inputs][outputs][kh][kw], both float32. */
void nn_cuda_launch_conv_transpose_pack (float *packed, const float *w, const nn_cuda_transposed_conv *conv,
                                         cudaStream_t stream);

/* y = transposed convolution of x + bias (NULL: none), which has an element a channel, float32; x and y of `dtype`. */
void nn_cuda_launch_conv_transpose (const nn_cuda_transposed_conv *conv, const void *x, const float *w,
                                    const float *bias, void *y, nn_dtype dtype, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
