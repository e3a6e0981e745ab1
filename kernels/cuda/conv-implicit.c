/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-way.h"

#include <limits.h>

enum { MOST_PIXELS = 128 }; /* of a tile, which the last one may reach beyond y */

/* All products of the factors are what nn_shape_bytes() allows; the kernel's indices are of 32 bits. */
static bool
is_small (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return nn_cuda_conv_x_extent (s) <= INT_MAX && nn_cuda_conv_y_extent (s) <= INT_MAX - MOST_PIXELS
         && s->out_channels * nn_cuda_conv_pitch (conv) <= INT_MAX && s->groups <= UINT16_MAX;
}

/* A variant is a tile. */
static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  bool fits = conv->is_constant && conv->has_pixels && (conv->dtype == NN_F16 || conv->dtype == NN_BF16)
              && s->in_channels > 0 && !nn_cuda_conv_is_depthwise (s) && is_small (conv)
              && (conv->alignment >= 16 || s->in_channels / s->groups % 8 != 0);
  return fits ? NN_CUDA_CONV_TILES : 0;
}

/* Whether it can be the fastest one: not mostly empty, not so large that most of the GPU has nothing to do, not so
 * small that it is loads that take the time. */
static bool
is_promising (const nn_cuda *cuda, const nn_cuda_conv_shape *s, int variant, const nn_cuda_conv_tile *tile)
{
  const int64_t pixels = s->batch * s->out_height * s->out_width, channels = s->out_channels / s->groups;
  const int64_t blocks = (pixels + tile->pixels - 1) / tile->pixels * s->groups
                         * ((channels + tile->channels - 1) / tile->channels);
  const bool smallest = variant == NN_CUDA_CONV_TILES - 1;
  if (!smallest && (tile->channels >= 2 * channels + 16 || tile->pixels >= 2 * pixels))
    return false;
  if (tile->pixels * tile->channels >= 128 * 64)
    return blocks >= cuda->n_multiprocessors / 2;
  return tile->channels > 32 || channels <= 32 || blocks <= 32 * cuda->n_multiprocessors;
}

static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  nn_cuda_conv_tile tile = nn_cuda_conv_tile_of (variant);
  if ((size_t) tile.shared_bytes > cuda->shared_bytes || !is_promising (cuda, &conv->shape, variant, &tile))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a tile of %d × %d", tile.pixels, tile.channels);
  return NN_CUDA (nn_cuda_conv_implicit_set_up (variant, conv->dtype), err);
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  nn_cuda_launch_conv_implicit (&conv->shape, data, nn_cuda_conv_pitch (conv), conv->dtype, &conv->activation,
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
