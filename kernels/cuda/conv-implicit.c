/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-way.h"

#include <limits.h>

/* All products of the factors are what nn_shape_bytes() allows; the kernel's indices are of 32 bits. */
static bool
is_small (const nn_cuda_conv_shape *s)
{
  return s->batch * s->in_height * s->in_width * s->in_channels <= INT_MAX
         && s->batch * s->out_height * s->out_width * s->out_channels <= INT_MAX
         && s->out_channels * nn_cuda_conv_pitch (s) <= INT_MAX && s->groups <= UINT16_MAX;
}

/* A variant is a tile. */
static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  bool fits = conv->is_constant && conv->is_dense && (conv->dtype == NN_F16 || conv->dtype == NN_BF16)
              && s->in_channels > 0 && !nn_cuda_conv_is_depthwise (s) && is_small (s)
              && (conv->alignment >= 16 || s->in_channels / s->groups % 8 != 0);
  return fits ? NN_CUDA_CONV_TILES : 0;
}

/* Tiles far larger than the result are left out, but for the smallest. */
static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  nn_cuda_conv_tile tile = nn_cuda_conv_tile_of (variant);
  if ((size_t) tile.shared_bytes > cuda->shared_bytes)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a tile of %d bytes", tile.shared_bytes);
  if (variant < NN_CUDA_CONV_TILES - 1
      && (tile.channels >= 2 * s->out_channels / s->groups + 16
          || tile.pixels >= 2 * s->batch * s->out_height * s->out_width))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a tile that is mostly empty");
  return NN_CUDA (nn_cuda_conv_implicit_set_up (variant, conv->dtype), err);
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  nn_cuda_launch_conv_implicit (&conv->shape, data, nn_cuda_conv_pitch (&conv->shape), conv->dtype, &conv->activation,
                                variant, cuda->stream);
  return nn_cuda_launched ("conv-implicit", err);
}

const nn_cuda_conv_way nn_cuda_conv_implicit = {
  .name = "implicit",
  .own = true,
  .needs = NN_CUDA_CONV_WEIGHTS | NN_CUDA_CONV_BIAS,
  .open = open,
  .prepare = prepare,
  .run = run,
};
