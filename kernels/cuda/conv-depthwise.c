/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-way.h"

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  if (!conv->is_constant || !conv->has_pixels || !nn_cuda_conv_is_depthwise (s))
    return 0;
  return conv->alignment >= 16 && nn_cuda_depthwise_is_fast (s) ? NN_CUDA_DEPTHWISE_WAYS : 1;
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  nn_cuda_launch_depthwise_conv (&conv->shape, data, conv->dtype, &conv->activation, variant, cuda->stream);
  return nn_cuda_launched ("conv-depthwise", err);
}

const nn_cuda_conv_way nn_cuda_conv_depthwise = {
  .name = "depthwise",
  .own = true,
  .needs = NN_CUDA_CONV_FILTERS | NN_CUDA_CONV_BIAS,
  .open = open,
  .run = run,
};
