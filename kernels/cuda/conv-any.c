/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever no other way takes: float32 without a library, weights that the network computes, channels that are not
 * last. */
#include "conv-way.h"

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  return 1;
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  const int64_t inputs = s->in_channels / s->groups;
  nn_cuda_conv_strides strides = conv->strides;
  if (conv->has_weights) { /* packed */
    strides.w[0] = nn_cuda_conv_pitch (conv);
    strides.w[1] = 1;
    strides.w[2] = s->kw * inputs;
    strides.w[3] = inputs;
  }
  nn_cuda_launch_conv_any (s, &strides, data, conv->dtype, &conv->activation, cuda->stream);
  return nn_cuda_launched ("conv-any", err);
}

const nn_cuda_conv_way nn_cuda_conv_any = {
  .name = "any",
  .own = true,
  .needs = NN_CUDA_CONV_WEIGHTS | NN_CUDA_CONV_BIAS,
  .open = open,
  .run = run,
};
