/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A 1×1 convolution in steps of one is a product: pixels × input channels times input × output channels. */
#include "conv-way.h"
#include "product.h"

#include <stdlib.h>

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return conv->is_constant && conv->has_pixels && s->groups == 1 && s->kh == 1 && s->kw == 1 && s->stride_h == 1
         && s->stride_w == 1 && s->in_channels > 0 && s->batch > 0 && s->out_height == s->in_height
         && s->out_width == s->in_width && s->pad_top == 0 && s->pad_left == 0;
}

static void
release (void *state)
{
  nn_cuda_product_release (state);
  free (state);
}

static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  const nn_cuda_product_problem problem
      = { .m = s->batch * s->out_height * s->out_width, .n = s->out_channels, .k = s->in_channels,
          .dtype = conv->dtype, .result = conv->dtype, .residual = conv->has_residual ? conv->dtype : NN_DTYPE_NONE,
          .activation = conv->activation, .a_row = s->x_pitch, .a_column = 1, .b_row = 1,
          .b_column = s->in_channels, .d_row = s->y_pitch,
          .residual_row = conv->has_residual ? s->residual_pitch : s->y_pitch, .weights = conv->w, .bias = conv->bias,
          .alignment = conv->alignment };
  nn_cuda_product *product = calloc (1, sizeof *product);
  if (product == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if (nn_cuda_product_prepare (cuda, &problem, product, err) != NN_OK) {
    release (product);
    return err->status;
  }
  *state = product;
  return NN_OK;
}

static size_t
scratch_bytes (const void *state)
{
  return nn_cuda_product_workspace (state);
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  return nn_cuda_product_run (cuda, state, data->x, NULL, data->residual, data->y, scratch, err);
}

const nn_cuda_conv_way nn_cuda_conv_product = {
  .name = "product",
  .own = true, /* it heeds the choice itself */
  .open = open,
  .prepare = prepare,
  .release = release,
  .scratch_bytes = scratch_bytes,
  .run = run,
};
