/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A convolution's constants as its kernels take them. */
#include "conv-way.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static nn_status
pack_weights (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  const nn_cuda_conv_node *node = arg;
  nn_cuda_launch_conv_pack (packed, elements, &node->shape, nn_cuda_conv_pitch (node), node->dtype, cuda->stream);
  return nn_cuda_launched ("conv-pack", err);
}

static nn_status
pack_depthwise (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  const nn_cuda_conv_shape *s = &((const nn_cuda_conv_node *) arg)->shape;
  nn_cuda_launch_depthwise_pack (packed, elements, s->out_channels, s->kh * s->kw, cuda->stream);
  return nn_cuda_launched ("depthwise-pack", err);
}

/* As a weight of one element a channel: rows of 1, at a pitch of 1. */
static nn_status
pack_bias (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  const nn_cuda_conv_node *node = arg;
  const nn_cuda_conv_shape row = { .groups = 1, .in_channels = 1, .out_channels = node->shape.out_channels,
                                   .kh = 1, .kw = 1 };
  nn_cuda_launch_conv_pack (packed, elements, &row, 1, node->dtype, cuda->stream);
  return nn_cuda_launched ("conv-pack", err);
}

static nn_status
take_weights (const nn_cuda *cuda, const nn_cuda_conv_node *node, const void **packed, nn_error *err)
{
  const nn_cuda_conv_shape *s = &node->shape;
  const int64_t inputs = s->in_channels / s->groups;
  char kind[128];
  snprintf (kind, sizeof kind, "conv krsc %s %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64,
            nn_dtype_name (node->dtype), s->out_channels, s->kh, s->kw, inputs);
  return nn_cuda_store_take (cuda, node->w, (size_t) (s->out_channels * inputs * s->kh * s->kw) * sizeof (float), kind,
                             (size_t) (s->out_channels * nn_cuda_conv_pitch (node)) * nn_dtype_size (node->dtype),
                             pack_weights, node, packed, err);
}

static nn_status
take_filters (const nn_cuda *cuda, const nn_cuda_conv_node *node, const void **packed, nn_error *err)
{
  const nn_cuda_conv_shape *s = &node->shape;
  const size_t bytes = (size_t) (s->out_channels * s->kh * s->kw) * sizeof (float);
  char kind[64];
  snprintf (kind, sizeof kind, "conv rsk %" PRId64 "x%" PRId64, s->out_channels, s->kh * s->kw);
  return nn_cuda_store_take (cuda, node->w, bytes, kind, bytes, pack_depthwise, node, packed, err);
}

static nn_status
take_bias (const nn_cuda *cuda, const nn_cuda_conv_node *node, const void **packed, nn_error *err)
{
  const size_t bytes = (size_t) node->shape.out_channels * sizeof (float);
  return nn_cuda_store_take (cuda, node->bias, bytes, "as it is", bytes, NULL, NULL, packed, err);
}

static nn_status
take_bias_as_x (const nn_cuda *cuda, const nn_cuda_conv_node *node, const void **packed, nn_error *err)
{
  const size_t k = (size_t) node->shape.out_channels;
  float *zeros = node->bias == NULL ? calloc (k, sizeof *zeros) : NULL;
  char kind[64];
  if (node->bias == NULL && zeros == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  snprintf (kind, sizeof kind, "conv bias %s", nn_dtype_name (node->dtype));
  nn_status status = nn_cuda_store_take (cuda, node->bias != NULL ? node->bias : zeros, k * sizeof (float), kind,
                                         k * nn_dtype_size (node->dtype), pack_bias, node, packed, err);
  free (zeros);
  return status;
}

nn_status
nn_cuda_conv_take (const nn_cuda *cuda, const nn_cuda_conv_node *node, unsigned form, const void **packed,
                   nn_error *err)
{
  *packed = NULL;
  switch (form) {
  case NN_CUDA_CONV_WEIGHTS:
    return node->w != NULL ? take_weights (cuda, node, packed, err) : NN_OK;
  case NN_CUDA_CONV_FILTERS:
    return take_filters (cuda, node, packed, err);
  case NN_CUDA_CONV_BIAS:
    return node->bias != NULL ? take_bias (cuda, node, packed, err) : NN_OK;
  case NN_CUDA_CONV_BIAS_AS_X:
    return take_bias_as_x (cuda, node, packed, err);
  }
  return NN_OK;
}
