/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvPair: a depthwise convolution, then a 1×1 one, in bands of rows: what lies between them is
 * one band that stays in the second-level cache. Operands: x, the first one's weights and bias,
 * the second one's weights and bias, residual; biases and residual may be left out.
 */
#include "conv.h"
#include "parallel.h"
#include "product.h"

#include "../graph/shape.h"

#include <stdlib.h>

enum { X, FIRST_WEIGHTS, FIRST_BIAS, SECOND_WEIGHTS, SECOND_BIAS, RESIDUAL };

/* Of the band between the two: with the rows that it is made of and the second one's weights it
 * fits 512 KB, which is a small second-level cache today. */
enum { BAND_BYTES = 128 * 1024 };

typedef struct pair {
  nn_conv_shape shape; /* of the first */
  nn_product product;  /* the second */
  nn_activation between;
  int64_t band_rows;
  float *first, *first_bias, *second, *second_bias; /* packed; one allocation */
} pair;

static void
release (void *shared)
{
  pair *p = shared;
  free (p->first);
  free (p);
}

static nn_status
check (const nn_call *call, nn_error *err)
{
  nn_tensor x = nn_conv_view (&call->in[X]), y = nn_conv_view (&call->out[0]);
  bool good = nn_conv_is_channels_last (&x) && nn_conv_is_channels_last (&y);
  if (nn_node_has (call->node, RESIDUAL)) {
    nn_tensor residual = nn_conv_view (&call->in[RESIDUAL]);
    good = good && nn_conv_is_channels_last (&residual);
  }
  return good ? NN_OK : nn_fail (err, NN_ERR_UNSUPPORTED, "operands that are not channels-last");
}

static void
copy_bias (const nn_call *call, int index, float *to)
{
  const nn_tensor *bias = &call->in[index];
  for (int64_t i = 0; nn_node_has (call->node, index) && i < bias->dim[0]; i++)
    to[i] = ((const float *) bias->data)[i * bias->stride[0]];
}

static nn_status
pack (pair *p, const nn_call *call, nn_error *err)
{
  const nn_conv_shape *s = &p->shape;
  const nn_tensor *first = &call->in[FIRST_WEIGHTS], *second = &call->in[SECOND_WEIGHTS];
  size_t channels = (size_t) s->in_channels, taps = (size_t) (s->kh * s->kw);
  size_t columns = (size_t) nn_product_packed_columns (&p->product);
  size_t second_floats = nn_product_packed_bytes (&p->product) / sizeof (float);
  p->first = calloc (taps * channels + channels + second_floats + columns, sizeof (float));
  if (p->first == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
  p->first_bias = p->first + taps * channels;
  p->second = p->first_bias + channels;
  p->second_bias = p->second + second_floats;
  for (int64_t ky = 0; ky < s->kh; ky++)
    for (int64_t kx = 0; kx < s->kw; kx++)
      for (int64_t c = 0; c < s->in_channels; c++)
        p->first[(ky * s->kw + kx) * s->in_channels + c]
            = ((const float *)
                   first->data)[c * first->stride[0] + ky * first->stride[2] + kx * first->stride[3]];
  nn_product_pack (&p->product, second->data, second->stride[1], second->stride[0], p->second);
  copy_bias (call, FIRST_BIAS, p->first_bias);
  copy_bias (call, SECOND_BIAS, p->second_bias);
  return NN_OK;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_attr *between = nn_node_attr (call->node, NN_CONV_PAIR_ACTIVATION);
  nn_status status = check (call, err);
  if (status != NN_OK)
    return status;
  pair *p = calloc (1, sizeof *p);
  if (p == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if ((status = nn_conv_shape_of (call, &p->shape, err)) == NN_OK) {
    int64_t row_bytes = p->shape.out_width * p->shape.in_channels * (int64_t) sizeof (float);
    int64_t fits = BAND_BYTES / row_bytes, share = p->shape.out_height / nn_cpu_threads ();
    p->band_rows = fits > share ? share : fits;
    p->band_rows = (p->band_rows + 1) / 2 * 2; /* the depthwise kernel likes two rows at once */
    p->band_rows += p->band_rows == 0 ? 2 : 0;
    p->between
        = (nn_activation) { (nn_activation_kind) between->floats[0], between->floats[1], between->floats[2] };
    p->product = (nn_product) { nn_simd_conv_kernels (), p->shape.in_channels, call->out[0].dim[1] };
    status = pack (p, call, err);
  }
  if (status != NN_OK) {
    release (p);
    return status;
  }
  call->shared = p;
  call->packed = 1u << FIRST_WEIGHTS | 1u << FIRST_BIAS | 1u << SECOND_WEIGHTS | 1u << SECOND_BIAS;
  return NN_OK;
}

static int64_t
band_floats (const pair *p)
{
  return p->band_rows * p->shape.out_width * p->shape.in_channels;
}

/* A band for each thread. */
static size_t
scratch_bytes (const nn_call *call)
{
  return (size_t) (nn_cpu_threads () * band_floats (call->shared)) * sizeof (float);
}

static nn_depthwise
first_of (const pair *p, const nn_tensor *x, int64_t n, float *band)
{
  const nn_conv_shape *s = &p->shape;
  return (nn_depthwise) { .x = (const float *) x->data + n * x->stride[0],
                         .w = p->first,
                         .bias = p->first_bias,
                         .y = band,
                         .channels = s->in_channels,
                         .height = s->in_height,
                         .width = s->in_width,
                         .out_height = s->out_height,
                         .out_width = s->out_width,
                         .x_row = x->stride[2],
                         .x_col = x->stride[3],
                         .y_row = s->out_width * s->in_channels,
                         .y_col = s->in_channels,
                         .kh = s->kh,
                         .kw = s->kw,
                         .stride_h = s->stride_h,
                         .stride_w = s->stride_w,
                         .dilation_h = s->dilation_h,
                         .dilation_w = s->dilation_w,
                         .pad_top = s->pad_top,
                         .pad_left = s->pad_left,
                         .activation = p->between };
}

typedef struct job {
  const pair *p;
  nn_tensor x, y, residual; /* residual.data NULL: none */
  float *bands;
  int64_t bands_an_image;
  nn_activation activation;
} job;

static void
run_bands (const void *arg, int64_t begin, int64_t end, int thread)
{
  const job *j = arg;
  const pair *p = j->p;
  const nn_conv_shape *s = &p->shape;
  const float *residual = j->residual.data;
  float *band = j->bands + thread * band_floats (p);
  for (int64_t b = begin; b < end; b++) {
    int64_t n = b / j->bands_an_image, row = b % j->bands_an_image * p->band_rows;
    int64_t last = row + p->band_rows < s->out_height ? row + p->band_rows : s->out_height;
    int64_t pixel = row * s->out_width;
    nn_depthwise first = first_of (p, &j->x, n, band);
    nn_product_rows rows = { .a = band,
                             .c = (float *) j->y.data + n * j->y.stride[0] + pixel * j->y.stride[3],
                             .n = (last - row) * s->out_width,
                             .a_stride = s->in_channels,
                             .residual_stride = j->residual.stride[3],
                             .c_stride = j->y.stride[3] };
    if (residual != NULL)
      rows.residual = residual + n * j->residual.stride[0] + pixel * j->residual.stride[3];
    p->product.simd->depthwise (&first, row, last);
    nn_product_run (&p->product, p->second, p->second_bias, &rows, &j->activation);
  }
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const pair *p = call->shared;
  job j = { .p = p, .x = nn_conv_view (&call->in[X]), .y = nn_conv_view (&call->out[0]),
            .bands = call->scratch, .activation = call->node->activation,
            .bands_an_image = (p->shape.out_height + p->band_rows - 1) / p->band_rows };
  if (nn_node_has (call->node, RESIDUAL))
    j.residual = nn_conv_view (&call->in[RESIDUAL]);
  nn_cpu_share (p->shape.batch * j.bands_an_image, 1, run_bands, &j);
  return NN_OK;
}

const nn_kernel nn_cpu_conv_pair = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
