/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv on the device: the launchers of conv.cu (what all ways share, and the one that does everything),
 * conv-implicit.cu, conv-few.cu and conv-depthwise.cu. x is [batch, in_height, in_width, x_pitch] and y [batch,
 * out_height, out_width, y_pitch] in memory where nothing else is said; y = activation (x * w + bias + residual).
 */
#pragma once

#include "../graph/graph.h"
#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One of one dimension has a height of 1. */
typedef struct nn_cuda_conv_shape {
  int64_t batch, groups;
  int64_t in_channels, in_height, in_width;
  int64_t out_channels, out_height, out_width;
  int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t x_pitch, y_pitch, residual_pitch; /* elements from a pixel to the next one: channels and a gap */
} nn_cuda_conv_shape;

typedef struct nn_cuda_conv_data {
  const void *x, *w;
  const void *bias;     /* out_channels float32, NULL: none */
  const void *residual; /* as y but for the pitch, NULL: none */
  void *y;
} nn_cuda_conv_data;

/* Where the elements lie that nn_cuda_launch_conv_any() reads and writes: strides of N, C, H, W (of the weights:
 * K, C of one group, R, S). */
typedef struct nn_cuda_conv_strides {
  int64_t x[4], w[4], bias, residual[4], y[4];
  nn_dtype bias_dtype;
} nn_cuda_conv_strides;

/* ---- conv.cu ---- */

/* [out_channels][pitch] of `dtype` from float32 weights [out_channels, c, kh, kw], where c = in_channels / groups:
 * element (k, (r kw + s) c + i), then zeros up to the pitch. */
void nn_cuda_launch_conv_pack (void *packed, const float *w, const nn_cuda_conv_shape *shape, int64_t pitch,
                               nn_dtype dtype, cudaStream_t stream);

/* y (`rows` of `columns` elements, the next one `pitch` elements on; aligned to 16 bytes, also each row where there are
 * gaps between them) = activation (y) */
void nn_cuda_launch_conv_activate (void *y, int64_t rows, int64_t columns, int64_t pitch, nn_dtype dtype,
                                   const nn_activation *activation, cudaStream_t stream);

/* Numbers between -1 and 1, the same each time: for timing. */
void nn_cuda_launch_conv_noise (void *to, int64_t count, nn_dtype dtype, cudaStream_t stream);

/* Adds to *sum, in device memory, a number that tells the bits of y (laid out as for nn_cuda_launch_conv_activate())
 * from others. */
void nn_cuda_launch_conv_digest (const void *y, int64_t rows, int64_t columns, int64_t pitch, nn_dtype dtype,
                                 unsigned long long *sum, cudaStream_t stream);

/* Any strides, any groups; all of `dtype` but the bias. */
void nn_cuda_launch_conv_any (const nn_cuda_conv_shape *shape, const nn_cuda_conv_strides *strides,
                              const nn_cuda_conv_data *data, nn_dtype dtype, const nn_activation *activation,
                              cudaStream_t stream);

/* ---- conv-implicit.cu: tensor cores; half and bfloat16 ---- */

enum { NN_CUDA_CONV_TILES = 6 };

typedef struct nn_cuda_conv_tile {
  int pixels, channels; /* of y, that one block makes */
  int shared_bytes;
} nn_cuda_conv_tile;

nn_cuda_conv_tile nn_cuda_conv_tile_of (int tile);

/* What a launch of this tile needs once in a process. */
cudaError_t nn_cuda_conv_implicit_set_up (int tile, nn_dtype dtype);

/* Weights as packed, whose pitch is a multiple of 8. Fast where the channels of a group are: then x must be aligned
 * to 16 bytes, each pixel of it. x and y have fewer than 2^31 elements, gaps included. y and residual may be aligned to
 * 2. */
void nn_cuda_launch_conv_implicit (const nn_cuda_conv_shape *shape, const nn_cuda_conv_data *data, int64_t pitch,
                                   nn_dtype dtype, const nn_activation *activation, int tile, cudaStream_t stream);

/* ---- conv-few.cu: few input channels, one group; half and bfloat16 ---- */

#define NN_CUDA_CONV_FEW_MAX_SHARED (96 << 10)

/* What a block needs for this shape, and what a launch of it needs once in a process. */
int nn_cuda_conv_few_shared_bytes (const nn_cuda_conv_shape *shape);
cudaError_t nn_cuda_conv_few_set_up (const nn_cuda_conv_shape *shape, nn_dtype dtype);

/* Weights as packed. No dilation; x without gaps; a multiple of 8 output channels, and of 8 elements in a row of x;
 * everything but the bias aligned to 16 bytes, each pixel of y and the residual too. x, y and the residual have fewer
 * than 2^31 elements, gaps included. */
void nn_cuda_launch_conv_few (const nn_cuda_conv_shape *shape, const nn_cuda_conv_data *data, int64_t pitch,
                              nn_dtype dtype, const nn_activation *activation, int n_multiprocessors,
                              cudaStream_t stream);

/* ---- conv-depthwise.cu: one input channel a group ---- */

enum { NN_CUDA_DEPTHWISE_WAYS = 5 };

/* [kh kw][out_channels] float32 from [out_channels, 1, kh, kw]. */
void nn_cuda_launch_depthwise_pack (float *packed, const float *w, int64_t out_channels, int64_t taps,
                                    cudaStream_t stream);

/* Whether nn_cuda_launch_depthwise_conv() takes a way other than 0, which is any convolution's. */
bool nn_cuda_depthwise_is_fast (const nn_cuda_conv_shape *shape);

/* Ways from 1 on: 2, 4, 1 or 2 neighbours in a row a thread, 8 channels each, the last two with all rows of a 5×5 filter
 * under way at once; everything aligned to 16 bytes, each pixel too. */
void nn_cuda_launch_depthwise_conv (const nn_cuda_conv_shape *shape, const nn_cuda_conv_data *data, nn_dtype dtype,
                                    const nn_activation *activation, int way, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
