/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-way.h"

#include <limits.h>

/* What the kernel counts in 32 bits, and the filters for which its shared memory is made. */
static bool
is_small (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return s->kh <= 7 && s->kw <= 7 && s->stride_h <= 4 && s->stride_w <= 4 && s->pad_left >= 0 && s->pad_left <= 7
         && nn_cuda_conv_x_extent (s) <= INT_MAX && nn_cuda_conv_y_extent (s) <= INT_MAX
         && nn_cuda_conv_residual_extent (conv) <= INT_MAX && s->out_channels <= 1024;
}

/* Rows of x begin at multiples of 16 bytes, and 8 channels of y can be moved at once. */
static bool
is_aligned (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return conv->alignment >= 16 && s->in_width * s->in_channels % 8 == 0 && s->out_channels % 8 == 0;
}

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return conv->is_constant && conv->has_pixels && (conv->dtype == NN_F16 || conv->dtype == NN_BF16)
         && s->groups == 1 && s->x_pitch == s->in_channels && s->in_channels >= 1 && s->in_channels <= 4
         && s->dilation_h == 1 && s->dilation_w == 1 && is_small (conv) && is_aligned (conv);
}

static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  int bytes = nn_cuda_conv_few_shared_bytes (&conv->shape);
  if (bytes > NN_CUDA_CONV_FEW_MAX_SHARED || (size_t) bytes > cuda->shared_bytes)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%d bytes of shared memory", bytes);
  return NN_CUDA (nn_cuda_conv_few_set_up (&conv->shape, conv->dtype), err);
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  nn_cuda_launch_conv_few (&conv->shape, data, nn_cuda_conv_pitch (conv), conv->dtype, &conv->activation,
                           cuda->n_multiprocessors, cuda->stream);
  return nn_cuda_launched ("conv-few", err);
}

const nn_cuda_conv_way nn_cuda_conv_few = {
  .name = "few",
  .own = true,
  .needs = NN_CUDA_CONV_WEIGHTS | NN_CUDA_CONV_BIAS,
  .open = open,
  .prepare = prepare,
  .run = run,
};
