/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conv on the CPU: what its implementations share. Operands: x, w, bias or none, residual or none
 * (of the result's shape, added before the activation).
 *
 * An implementation is an nn_kernel whose prepare() returns NN_ERR_UNSUPPORTED for what it cannot
 * do or is not good at; conv.c asks them in turn.
 */
#pragma once

#include "../ops.h"
#include "cpu.h"

typedef struct nn_conv_shape {
  int64_t batch, groups;
  int64_t in_channels, in_height, in_width;
  int64_t out_channels, out_height, out_width;
  int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
} nn_conv_shape;

/* A 1-D convolution is one of height 1. Other ranks: NN_ERR_UNSUPPORTED. */
nn_status nn_conv_shape_of (const nn_call *call, nn_conv_shape *shape, nn_error *err);

/* The tensor as rank 4 (N, C, H, W): rank 3 gets a height of 1. Dimensions of 1 get the strides
 * that they would have in a channels-last tensor. */
nn_tensor nn_conv_view (const nn_tensor *tensor);

/* Whether pixels follow each other at one stride and channels are contiguous. */
bool nn_conv_is_channels_last (const nn_tensor *view);

/* Attribute of a ConvPair: kind, alpha and beta of the activation between its two convolutions. */
#define NN_CONV_PAIR_ACTIVATION "first_activation"

extern const nn_kernel nn_conv_winograd; /* conv-winograd.c: 3×3 in steps of one */
extern const nn_kernel nn_conv_direct;   /* conv-direct.c: any; products of tiles, and depthwise */
