/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution without a library, over channels-last memory: a depthwise one goes row by row; any
 * other is a product of matrices whose left side is never written out: each tap of the filter is
 * a set of pointers to the input's pixels (Dukhan, "The Indirect Convolution Algorithm",
 * arXiv:1907.02129).
 */
#include "conv.h"
#include "loop.h"
#include "parallel.h"
#include "simd.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct own_conv {
  nn_conv_shape shape;
  const nn_simd_conv *simd;
  bool depthwise;
  float *weights; /* packed; NULL where they are computed by the network: packed at each run */
  float *bias;    /* padded to whole vectors a group; NULL: as weights */
} own_conv;

static int64_t
packed_columns (const own_conv *conv)
{
  const nn_conv_shape *s = &conv->shape;
  return conv->depthwise ? s->out_channels
                         : s->groups * nn_round_up (s->out_channels / s->groups, conv->simd->lanes);
}

static int64_t
packed_count (const own_conv *conv)
{
  const nn_conv_shape *s = &conv->shape;
  return packed_columns (conv) * s->kh * s->kw * (s->in_channels / s->groups);
}

/* For each group and panel of columns: tap by tap, input by input, the panel's columns. */
static void
pack_weights (const own_conv *conv, const nn_tensor *tensor, float *to)
{
  const nn_conv_shape *s = &conv->shape;
  nn_tensor w = nn_conv_view (tensor);
  int64_t inputs = s->in_channels / s->groups, outputs = s->out_channels / s->groups;
  int64_t groups = conv->depthwise ? 1 : s->groups;
  int64_t columns = conv->depthwise ? s->out_channels : outputs;
  int64_t panel = conv->depthwise ? columns : conv->simd->tile_cols;
  for (int64_t g = 0; g < groups; g++)
    for (int64_t first = 0; first < columns; first += panel) {
      int64_t here = columns - first < panel ? columns - first : panel;
      int64_t width = conv->depthwise ? here : nn_round_up (here, conv->simd->lanes);
      for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++)
          for (int64_t i = 0; i < inputs; i++, to += width)
            for (int64_t j = 0; j < width; j++)
              to[j] = j >= here
                          ? 0
                          : ((const float *) w.data)[(g * outputs + first + j) * w.stride[0] + i * w.stride[1]
                                                    + ky * w.stride[2] + kx * w.stride[3]];
    }
}

static void
pack_bias (const own_conv *conv, const nn_tensor *bias, float *to)
{
  const nn_conv_shape *s = &conv->shape;
  int64_t groups = conv->depthwise ? 1 : s->groups;
  int64_t width = packed_columns (conv) / groups, outputs = s->out_channels / groups;
  for (int64_t g = 0; g < groups; g++)
    for (int64_t j = 0; j < width; j++)
      to[g * width + j] = j < outputs && bias != NULL
                              ? ((const float *) bias->data)[(g * outputs + j) * bias->stride[0]]
                              : 0;
}

static const nn_tensor *
operand (const nn_call *call, int index)
{
  return nn_node_has (call->node, index) ? &call->in[index] : NULL;
}

static bool
is_constant (const nn_call *call, int index)
{
  return operand (call, index) == NULL || call->node->in[index]->constant != NULL;
}

static void
release (void *shared)
{
  own_conv *conv = shared;
  free (conv->weights);
  free (conv->bias);
  free (conv);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  own_conv *conv = calloc (1, sizeof *conv);
  if (conv == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_status status = nn_conv_shape_of (call, &conv->shape, err);
  if (status != NN_OK) {
    free (conv);
    return status;
  }
  const nn_conv_shape *s = &conv->shape;
  conv->simd = nn_simd_conv_kernels ();
  conv->depthwise = s->groups == s->in_channels && s->groups == s->out_channels;
  if (is_constant (call, 1) && is_constant (call, 2)) {
    conv->weights = aligned_alloc (64, (size_t) nn_round_up (packed_count (conv) * 4, 64));
    conv->bias = aligned_alloc (64, (size_t) nn_round_up (packed_columns (conv) * 4, 64));
    if (conv->weights == NULL || conv->bias == NULL) {
      release (conv);
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
    }
    pack_weights (conv, &call->in[1], conv->weights);
    pack_bias (conv, operand (call, 2), conv->bias);
    call->packed = 1u << 1 | 1u << 2;
  }
  call->shared = conv;
  return NN_OK;
}

/* ---- scratch: zeros, for each thread the pointers of one tile, then what had to be copied or packed ---- */

typedef struct layout {
  size_t zeros, pointers, patches, weights, bias, x, residual, y, bytes;
} layout;

static size_t
reserve (size_t *at, bool wanted, int64_t count, size_t size)
{
  size_t offset = *at;
  if (wanted)
    *at += (size_t) nn_round_up (count * (int64_t) size, 64);
  return offset;
}

/* Whether the columns of a window lie one behind the other, so that a tap can be a whole row of
 * the filter: longer products. */
static bool
taps_are_rows (const nn_conv_shape *s, const nn_tensor *x)
{
  return s->groups == 1 && s->dilation_w == 1
         && (x->stride[3] == s->in_channels || !nn_conv_is_channels_last (x));
}

static int64_t
pointers_of_tile (const nn_conv_shape *s)
{
  return s->kh * s->kw * NN_TILE_ROWS;
}

static int64_t
patches_of_tile (const nn_conv_shape *s)
{
  return s->kh * s->kw * s->in_channels * NN_TILE_ROWS;
}

static layout
lay_out (const nn_call *call)
{
  const own_conv *conv = call->shared;
  const nn_conv_shape *s = &conv->shape;
  const nn_tensor *residual = operand (call, 3);
  nn_tensor x = nn_conv_view (&call->in[0]), y = nn_conv_view (&call->out[0]);
  layout l = { 0 };
  size_t at = 0;
  l.zeros = reserve (&at, true, s->kw * s->in_channels, sizeof (float));
  l.pointers = reserve (&at, true, nn_cpu_threads () * pointers_of_tile (s), sizeof (float *));
  l.patches = reserve (&at, taps_are_rows (s, &x), nn_cpu_threads () * patches_of_tile (s), sizeof (float));
  l.weights = reserve (&at, conv->weights == NULL, packed_count (conv), sizeof (float));
  l.bias = reserve (&at, conv->bias == NULL, packed_columns (conv), sizeof (float));
  l.x = reserve (&at, !nn_conv_is_channels_last (&x), nn_tensor_count (&x), sizeof (float));
  l.y = reserve (&at, !nn_conv_is_channels_last (&y), nn_tensor_count (&y), sizeof (float));
  if (residual != NULL) {
    nn_tensor r = nn_conv_view (residual);
    l.residual = reserve (&at, !nn_conv_is_channels_last (&r), nn_tensor_count (&r), sizeof (float));
  }
  l.bytes = at;
  return l;
}

static size_t
scratch_bytes (const nn_call *call)
{
  return lay_out (call).bytes;
}

/* One run: the operands channels-last, weights packed. */
typedef struct job {
  const own_conv *conv;
  nn_tensor x, y, residual; /* residual.data NULL: none */
  const float *weights, *bias, *zeros;
  const float **pointers; /* of thread 0; the others' follow */
  float *patches;
  bool taps_are_rows;
  nn_activation activation;
} job;

static nn_tensor
channels_last (const nn_tensor *tensor, void *room, bool copy)
{
  nn_tensor view = nn_conv_view (tensor);
  if (nn_conv_is_channels_last (&view))
    return view;
  nn_tensor dense = nn_tensor_make (view.dtype, 4, view.dim, NN_LAYOUT_CHANNELS_LAST, room);
  if (copy)
    nn_copy (&dense, &view);
  return dense;
}

/* Copies the window's row `ky` of a pixel, with zeros where it leaves the image. */
static const float *
padded_row (const job *j, const float *image, int64_t y, int64_t x0, float *patch)
{
  const nn_conv_shape *s = &j->conv->shape;
  if (y < 0 || y >= s->in_height)
    return j->zeros;
  for (int64_t kx = 0; kx < s->kw; kx++) {
    int64_t x = x0 + kx;
    bool inside = x >= 0 && x < s->in_width;
    memcpy (patch + kx * s->in_channels, inside ? image + y * j->x.stride[2] + x * s->in_channels : j->zeros,
            (size_t) s->in_channels * sizeof (float));
  }
  return patch;
}

/* What one thread fills for a tile: its pointers, and its rows that reach beyond the image. */
typedef struct workspace {
  const float **pointers;
  float *patches;
} workspace;

/* Where a tap is a row of the filter: one pointer for all its columns. */
static void
point_at_rows (const job *j, const workspace *to, const float *image, int64_t y0, int64_t x0, int i)
{
  const nn_conv_shape *s = &j->conv->shape;
  bool inside = x0 >= 0 && x0 + s->kw <= s->in_width;
  int64_t length = s->kw * s->in_channels;
  for (int64_t ky = 0; ky < s->kh; ky++) {
    int64_t y = y0 + ky * s->dilation_h;
    bool whole = inside && y >= 0 && y < s->in_height;
    to->pointers[ky * NN_TILE_ROWS + i]
        = whole ? image + y * j->x.stride[2] + x0 * s->in_channels
                : padded_row (j, image, y, x0, to->patches + (i * s->kh + ky) * length);
  }
}

static void
point_at_taps (const job *j, const workspace *to, const float *image, int64_t y0, int64_t x0, int i)
{
  const nn_conv_shape *s = &j->conv->shape;
  const float **pointer = to->pointers + i;
  for (int64_t ky = 0; ky < s->kh; ky++)
    for (int64_t kx = 0; kx < s->kw; kx++, pointer += NN_TILE_ROWS) {
      int64_t y = y0 + ky * s->dilation_h, x = x0 + kx * s->dilation_w;
      bool inside = y >= 0 && y < s->in_height && x >= 0 && x < s->in_width;
      *pointer = inside ? image + y * j->x.stride[2] + x * j->x.stride[3] : j->zeros;
    }
}

/* The same for a whole tile of neighbours that leave the image's columns nowhere: steps of one length. */
static bool
point_at_run (const job *j, const workspace *to, const float *image, int64_t y0, int64_t ox)
{
  const nn_conv_shape *s = &j->conv->shape;
  int64_t x0 = ox * s->stride_w - s->pad_left, step = s->stride_w * s->in_channels;
  if (!j->taps_are_rows || ox + NN_TILE_ROWS > s->out_width || x0 < 0
      || x0 + (NN_TILE_ROWS - 1) * s->stride_w + s->kw > s->in_width)
    return false;
  for (int64_t ky = 0; ky < s->kh; ky++) {
    int64_t y = y0 + ky * s->dilation_h;
    bool inside = y >= 0 && y < s->in_height;
    const float *first = inside ? image + y * j->x.stride[2] + x0 * s->in_channels : j->zeros;
    for (int i = 0; i < NN_TILE_ROWS; i++)
      to->pointers[ky * NN_TILE_ROWS + i] = inside ? first + i * step : first;
  }
  return true;
}

/* Fills the tile's pointers from `pixel` on; those beyond the last of `rows` repeat it. */
static void
point_at_pixels (const job *j, const workspace *to, const float *image, int64_t pixel, int64_t rows)
{
  const nn_conv_shape *s = &j->conv->shape;
  int64_t oy = pixel / s->out_width, ox = pixel % s->out_width;
  if (point_at_run (j, to, image, oy * s->stride_h - s->pad_top, ox))
    return;
  for (int i = 0; i < NN_TILE_ROWS; i++) {
    int64_t y0 = oy * s->stride_h - s->pad_top, x0 = ox * s->stride_w - s->pad_left;
    if (j->taps_are_rows)
      point_at_rows (j, to, image, y0, x0, i);
    else
      point_at_taps (j, to, image, y0, x0, i);
    if (i + 1 < rows && ++ox == s->out_width) {
      ox = 0;
      oy++;
    }
  }
}

/* One group of one image: the tiles' parts that stay, and where the group begins. */
typedef struct group_run {
  const job *j;
  const float *image, *weights, *bias, *residual;
  float *y;
  int64_t pixels, outputs, taps, depth;
  bool cached; /* the weights stay in the cache while the pixels go by */
} group_run;

static void
run_tile (const group_run *g, const workspace *space, int64_t pixel, int64_t first)
{
  const job *j = g->j;
  int64_t left = g->outputs - first, tile_cols = j->conv->simd->tile_cols;
  int rows = g->pixels - pixel < NN_TILE_ROWS ? (int) (g->pixels - pixel) : NN_TILE_ROWS;
  nn_tile tile = { .a = space->pointers, .w = g->weights + first * g->depth, .bias = g->bias + first,
                   .residual = g->residual ? g->residual + pixel * j->residual.stride[3] + first : NULL,
                   .c = g->y + pixel * j->y.stride[3] + first, .taps = g->taps, .k = g->depth / g->taps,
                   .c_stride = j->y.stride[3], .residual_stride = j->residual.stride[3], .rows = rows,
                   .cols = (int) (left < tile_cols ? left : tile_cols), .activation = j->activation };
  j->conv->simd->tile (&tile);
}

/* Tiles `begin` … of NN_TILE_ROWS pixels each. */
static void
run_tiles (const void *arg, int64_t begin, int64_t end, int thread)
{
  const group_run *g = arg;
  const job *j = g->j;
  const nn_conv_shape *s = &j->conv->shape;
  workspace space = { .pointers = j->pointers + thread * pointers_of_tile (s) };
  int64_t step = j->conv->simd->tile_cols;
  if (j->taps_are_rows)
    space.patches = j->patches + thread * patches_of_tile (s);
  for (int64_t outer = 0; outer < (g->cached ? 1 : g->outputs); outer += step)
    for (int64_t t = begin; t < end; t++) {
      int64_t pixel = t * NN_TILE_ROWS;
      point_at_pixels (j, &space, g->image, pixel, g->pixels - pixel);
      for (int64_t first = outer; first < (g->cached ? g->outputs : outer + 1); first += step)
        run_tile (g, &space, pixel, first);
    }
}

static void
run_group (const job *j, int64_t n, int64_t group)
{
  const nn_conv_shape *s = &j->conv->shape;
  int64_t inputs = s->in_channels / s->groups, outputs = s->out_channels / s->groups;
  int64_t width = nn_round_up (outputs, j->conv->simd->lanes), depth = s->kh * s->kw * inputs;
  const float *residual = j->residual.data;
  group_run g = { .j = j, .image = (const float *) j->x.data + n * j->x.stride[0] + group * inputs,
                  .weights = j->weights + group * width * depth, .bias = j->bias + group * width,
                  .residual = residual ? residual + n * j->residual.stride[0] + group * outputs : NULL,
                  .y = (float *) j->y.data + n * j->y.stride[0] + group * outputs,
                  .pixels = s->out_height * s->out_width, .outputs = outputs,
                  .taps = j->taps_are_rows ? s->kh : s->kh * s->kw, .depth = depth,
                  .cached = depth * outputs * (int64_t) sizeof (float) <= NN_SIMD_CACHED_BYTES };
  int64_t tiles = (g.pixels + NN_TILE_ROWS - 1) / NN_TILE_ROWS;
  int64_t least = nn_cpu_least (NN_TILE_ROWS * depth * outputs), each = tiles / nn_cpu_threads ();
  /* Large weights are read once a part: as few parts as threads. */
  nn_cpu_share (tiles, g.cached || each < least ? least : each, run_tiles, &g);
}

typedef struct depthwise_run {
  const nn_simd_conv *simd;
  nn_depthwise conv;
} depthwise_run;

static void
run_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const depthwise_run *d = arg;
  nn_depthwise rows = d->conv;
  rows.y += begin * rows.y_row;
  if (rows.residual != NULL)
    rows.residual += begin * rows.residual_row;
  d->simd->depthwise (&rows, begin, end);
}

static void
run_depthwise (const job *j, int64_t n)
{
  const nn_conv_shape *s = &j->conv->shape;
  const float *residual = j->residual.data;
  depthwise_run d = { .simd = j->conv->simd, .conv = {
    .x = (const float *) j->x.data + n * j->x.stride[0], .w = j->weights, .bias = j->bias,
    .residual = residual ? residual + n * j->residual.stride[0] : NULL,
    .y = (float *) j->y.data + n * j->y.stride[0], .channels = s->out_channels,
    .height = s->in_height, .width = s->in_width, .out_height = s->out_height, .out_width = s->out_width,
    .x_row = j->x.stride[2], .x_col = j->x.stride[3], .y_row = j->y.stride[2], .y_col = j->y.stride[3],
    .residual_row = j->residual.stride[2], .residual_col = j->residual.stride[3],
    .kh = s->kh, .kw = s->kw, .stride_h = s->stride_h, .stride_w = s->stride_w,
    .dilation_h = s->dilation_h, .dilation_w = s->dilation_w, .pad_top = s->pad_top, .pad_left = s->pad_left,
    .activation = j->activation } };
  nn_cpu_share (s->out_height, nn_cpu_least (s->out_width * s->out_channels * s->kh * s->kw), run_rows, &d);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const own_conv *conv = call->shared;
  const nn_conv_shape *s = &conv->shape;
  const nn_tensor *residual = operand (call, 3);
  layout l = lay_out (call);
  char *room = call->scratch;
  job j = { .conv = conv,
            .x = channels_last (&call->in[0], room + l.x, true),
            .y = channels_last (&call->out[0], room + l.y, false),
            .weights = conv->weights,
            .bias = conv->bias,
            .zeros = (const float *) (room + l.zeros),
            .pointers = (const float **) (room + l.pointers),
            .patches = (float *) (room + l.patches),
            .activation = call->node->activation };
  memset (room + l.zeros, 0, (size_t) (s->kw * s->in_channels) * sizeof (float));
  j.taps_are_rows = taps_are_rows (s, &j.x);
  if (residual != NULL)
    j.residual = channels_last (residual, room + l.residual, true);
  if (conv->weights == NULL) {
    pack_weights (conv, &call->in[1], (float *) (room + l.weights));
    pack_bias (conv, operand (call, 2), (float *) (room + l.bias));
    j.weights = (const float *) (room + l.weights);
    j.bias = (const float *) (room + l.bias);
  }
  for (int64_t n = 0; n < s->batch; n++)
    for (int64_t group = 0; group < (conv->depthwise ? 1 : s->groups); group++)
      if (conv->depthwise)
        run_depthwise (&j, n);
      else
        run_group (&j, n, group);
  nn_tensor y = nn_conv_view (&call->out[0]);
  if (!nn_conv_is_channels_last (&y))
    nn_copy (&y, &j.y);
  return NN_OK;
}

const nn_kernel nn_conv_direct = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
