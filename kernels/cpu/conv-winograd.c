/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 3×3 convolutions in steps of one by Winograd's F(4×4, 3×3): a quarter of the multiplications. Tiles
 * of 6 × 6 input pixels become 36 positions, each position is one product of matrices (tiles ×
 * inputs by inputs × outputs), and 36 positions become 4 × 4 output pixels. Blocks of tiles, so that
 * what lies between the three steps stays in the cache.
 *
 * The error of float32 is some ten times that of the direct convolution (arXiv:1803.10986), about 1e-5 of
 * the largest result. A NaN or an infinity reaches every pixel of its tile.
 */
#include "conv.h"
#include "parallel.h"
#include "product.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

enum { POSITIONS = 36, TILE = 4 };

/* Of a block's values between the steps, for each thread: with the weights of one position it fits
 * what a core has of second- and third-level cache. */
#define BLOCK_BYTES (4 << 20)

typedef struct winograd {
  nn_conv_shape shape;
  nn_product product;
  float *weights; /* 36 packed matrices of inputs × outputs */
  float *bias;
  int64_t rows, cols, tiles; /* of tiles: down and across an image, in all images */
  int64_t block;             /* tiles of a block, a multiple of NN_TILE_ROWS */
} winograd;

static size_t
matrix_floats (const winograd *w)
{
  return nn_product_packed_bytes (&w->product) / sizeof (float);
}

/* From position to position; not a multiple of a page, or all 36 would lie in one set of the cache. */
static int64_t
in_step (const winograd *w)
{
  return w->block * w->shape.in_channels + 16;
}

static int64_t
out_step (const winograd *w)
{
  return w->block * w->shape.out_channels + 16;
}

/* G g Gᵀ for the filter from `input` to `output`. */
static void
transform_filter (const nn_tensor *weights, int64_t output, int64_t input, float *to, int64_t step)
{
  static const double g[6][3] = { { 1 / 4., 0, 0 },           { -1 / 6., -1 / 6., -1 / 6. },
                                  { -1 / 6., 1 / 6., -1 / 6. }, { 1 / 24., 1 / 12., 1 / 6. },
                                  { 1 / 24., -1 / 12., 1 / 6. }, { 0, 0, 1 } };
  const float *filter
      = (const float *) weights->data + output * weights->stride[0] + input * weights->stride[1];
  double half[6][3];
  for (int i = 0; i < 6; i++)
    for (int x = 0; x < 3; x++) {
      half[i][x] = 0;
      for (int y = 0; y < 3; y++)
        half[i][x] += g[i][y] * (double) filter[y * weights->stride[2] + x * weights->stride[3]];
    }
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++)
      to[(i * 6 + j) * step]
          = (float) (half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2]);
}

/* Output by output, so that what is to be packed needs little room. */
static nn_status
pack_weights (winograd *w, const nn_tensor *weights, nn_error *err)
{
  int64_t inputs = w->shape.in_channels, outputs = w->shape.out_channels, lanes = w->product.simd->lanes;
  int64_t panel = w->product.simd->tile_cols;
  float *filter = malloc ((size_t) (POSITIONS * inputs) * sizeof (float));
  if (filter == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
  for (int64_t o = 0; o < outputs; o++) {
    int64_t first = o / panel * panel, width = outputs - first < panel ? outputs - first : panel;
    for (int64_t i = 0; i < inputs; i++)
      transform_filter (weights, o, i, filter + i, inputs);
    for (int p = 0; p < POSITIONS; p++) {
      float *to = w->weights + (size_t) p * matrix_floats (w) + first * inputs + (o - first);
      for (int64_t i = 0; i < inputs; i++)
        to[i * nn_round_up (width, lanes)] = filter[p * inputs + i];
    }
  }
  free (filter);
  return NN_OK;
}

static void
release (void *shared)
{
  winograd *w = shared;
  free (w->weights);
  free (w->bias);
  free (w);
}

/* Tiles at the edge compute pixels that nobody wants: below half of them the direct way is faster. */
static bool
is_worth_it (const nn_conv_shape *s)
{
  int64_t computed = nn_round_up (s->out_height, TILE) * nn_round_up (s->out_width, TILE);
  return s->out_height * s->out_width * 2 > computed;
}

static bool
can_do (const nn_call *call, const nn_conv_shape *s, int lanes)
{
  nn_tensor x = nn_conv_view (&call->in[0]), y = nn_conv_view (&call->out[0]);
  const nn_node *node = call->node;
  bool residual_fits = true;
  if (nn_node_has (node, 3)) {
    nn_tensor residual = nn_conv_view (&call->in[3]);
    residual_fits = nn_conv_is_channels_last (&residual);
  }
  return s->kh == 3 && s->kw == 3 && s->stride_h == 1 && s->stride_w == 1 && s->dilation_h == 1
         && s->dilation_w == 1 && s->groups == 1 && s->in_channels % lanes == 0 && s->out_channels % lanes == 0
         && node->in[1]->constant != NULL && (!nn_node_has (node, 2) || node->in[2]->constant != NULL)
         && nn_conv_is_channels_last (&x) && nn_conv_is_channels_last (&y) && residual_fits;
}

static void
count_tiles (winograd *w)
{
  const nn_conv_shape *s = &w->shape;
  int64_t tile_bytes = POSITIONS * (s->in_channels + s->out_channels) * (int64_t) sizeof (float);
  int64_t fits = (int64_t) BLOCK_BYTES * nn_cpu_threads () / tile_bytes;
  w->rows = (s->out_height + TILE - 1) / TILE;
  w->cols = (s->out_width + TILE - 1) / TILE;
  w->tiles = s->batch * w->rows * w->cols;
  fits = fits > 0 ? fits : 1; /* so many channels are slow, but must end */
  w->block = nn_round_up (fits < w->tiles ? fits : w->tiles, NN_TILE_ROWS);
}

static nn_status
pack (winograd *w, const nn_call *call, nn_error *err)
{
  int64_t outputs = w->shape.out_channels;
  w->weights = aligned_alloc (64, POSITIONS * matrix_floats (w) * sizeof (float));
  w->bias = calloc ((size_t) outputs, sizeof (float));
  if (w->weights == NULL || w->bias == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
  for (int64_t i = 0; i < outputs && nn_node_has (call->node, 2); i++)
    w->bias[i] = ((const float *) call->in[2].data)[i * call->in[2].stride[0]];
  nn_tensor weights = nn_conv_view (&call->in[1]);
  return pack_weights (w, &weights, err);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  nn_conv_shape shape;
  const nn_simd_conv *simd = nn_simd_conv_kernels ();
  nn_status status = nn_conv_shape_of (call, &shape, err);
  if (status != NN_OK)
    return status;
  if (nn_cpu_chosen () == NN_CPU_CHOICE_DIRECT || !can_do (call, &shape, simd->lanes) || !is_worth_it (&shape))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "not a convolution for Winograd's algorithm");
  winograd *w = calloc (1, sizeof *w);
  if (w == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  w->shape = shape;
  w->product = (nn_product) { simd, shape.in_channels, shape.out_channels };
  count_tiles (w);
  if ((status = pack (w, call, err)) != NN_OK) {
    release (w);
    return status;
  }
  call->shared = w;
  call->packed = 1u << 1 | 1u << 2;
  return NN_OK;
}

/* Zeros for a pixel outside, then both sides of the products. */
static size_t
scratch_bytes (const nn_call *call)
{
  const winograd *w = call->shared;
  int64_t floats = w->shape.in_channels + POSITIONS * (in_step (w) + out_step (w));
  return (size_t) floats * sizeof (float);
}

typedef struct job {
  const winograd *w;
  nn_tensor x, y, residual; /* residual.data NULL: none */
  const float *zeros;
  float *in, *out;
  int64_t first, n; /* tiles of the block */
  nn_activation activation;
} job;

static void
find_tile (const winograd *w, int64_t tile, int64_t *image, int64_t *y, int64_t *x)
{
  *image = tile / (w->rows * w->cols);
  *y = tile / w->cols % w->rows * TILE;
  *x = tile % w->cols * TILE;
}

static void
transform_in (const void *arg, int64_t begin, int64_t end, int thread)
{
  const job *j = arg;
  const winograd *w = j->w;
  const nn_conv_shape *s = &w->shape;
  const float *pixels[POSITIONS];
  for (int64_t t = begin; t < end; t++) {
    int64_t image, top, left;
    find_tile (w, j->first + t, &image, &top, &left);
    const float *from = (const float *) j->x.data + image * j->x.stride[0];
    for (int i = 0; i < POSITIONS; i++) {
      int64_t y = top + i / 6 - s->pad_top, x = left + i % 6 - s->pad_left;
      bool inside = y >= 0 && y < s->in_height && x >= 0 && x < s->in_width;
      pixels[i] = inside ? from + y * j->x.stride[2] + x * j->x.stride[3] : j->zeros;
    }
    w->product.simd->winograd_in (&(nn_winograd_in) { pixels, s->in_channels, in_step (w), j->in + t * s->in_channels });
  }
}

static void
multiply (const void *arg, int64_t begin, int64_t end, int thread)
{
  const job *j = arg;
  const winograd *w = j->w;
  for (int64_t p = begin; p < end; p++) {
    nn_product_rows rows = { .a = j->in + p * in_step (w),
                             .c = j->out + p * out_step (w),
                             .n = j->n,
                             .a_stride = w->shape.in_channels,
                             .c_stride = w->shape.out_channels };
    nn_product_run (&w->product, w->weights + (size_t) p * matrix_floats (w), NULL, &rows,
                    &(nn_activation) { NN_ACT_NONE, 0, 0 });
  }
}

static void
transform_out (const void *arg, int64_t begin, int64_t end, int thread)
{
  const job *j = arg;
  const winograd *w = j->w;
  const nn_conv_shape *s = &w->shape;
  const float *residual = j->residual.data;
  for (int64_t t = begin; t < end; t++) {
    int64_t image, top, left;
    find_tile (w, j->first + t, &image, &top, &left);
    int64_t rows = s->out_height - top, cols = s->out_width - left;
    nn_winograd_out tile = { .from = j->out + t * s->out_channels, .bias = w->bias,
                             .y = (float *) j->y.data + image * j->y.stride[0] + top * j->y.stride[2]
                                  + left * j->y.stride[3],
                             .channels = s->out_channels, .step = out_step (w), .y_row = j->y.stride[2],
                             .y_col = j->y.stride[3], .residual_row = j->residual.stride[2],
                             .residual_col = j->residual.stride[3], .rows = rows < TILE ? (int) rows : TILE,
                             .cols = cols < TILE ? (int) cols : TILE, .activation = j->activation };
    if (residual != NULL)
      tile.residual = residual + image * j->residual.stride[0] + top * tile.residual_row
                      + left * tile.residual_col;
    w->product.simd->winograd_out (&tile);
  }
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const winograd *w = call->shared;
  float *room = call->scratch, *in = room + w->shape.in_channels;
  job j = { .w = w, .x = nn_conv_view (&call->in[0]), .y = nn_conv_view (&call->out[0]), .zeros = room,
            .in = in, .out = in + POSITIONS * in_step (w), .activation = call->node->activation };
  if (nn_node_has (call->node, 3))
    j.residual = nn_conv_view (&call->in[3]);
  memset (room, 0, (size_t) w->shape.in_channels * sizeof *room);
  for (; j.first < w->tiles; j.first += w->block) {
    j.n = w->tiles - j.first < w->block ? w->tiles - j.first : w->block;
    nn_cpu_share (j.n, 4, transform_in, &j);
    nn_cpu_share (POSITIONS, 1, multiply, &j);
    nn_cpu_share (j.n, 4, transform_out, &j);
  }
  return NN_OK;
}

const nn_kernel nn_conv_winograd = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
