/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GridSample of images: "linear" and "nearest", with zeros, the border's or mirrored pixels outside.
 * Coordinates are computed as ONNX Runtime does, so that both fall on the same side of a boundary.
 */
#include "cpu.h"
#include "loop.h"

#include <math.h>
#include <string.h>

typedef enum padding { PADDING_ZEROS, PADDING_BORDER, PADDING_REFLECTION } padding;

/* Along one dimension of the image. */
typedef struct side {
  int64_t n;
  float low, high; /* coordinates outside lie in the padding */
} side;

typedef struct sampler {
  padding padding;
  bool linear, align_corners;
  side x, y;
} sampler;

/* The two neighbours of a coordinate; -1 for one that is 0. */
typedef struct neighbours {
  int64_t at[2];
  float weight[2];
} neighbours;

static nn_status
read_attributes (const nn_node *node, sampler *s, nn_error *err)
{
  static const char *const paddings[] = { "zeros", "border", "reflection" };
  const char *mode = nn_node_string (node, "mode", "linear");
  const char *padding_mode = nn_node_string (node, "padding_mode", "zeros");
  int found = -1;
  for (int i = 0; i < 3; i++)
    if (strcmp (padding_mode, paddings[i]) == 0)
      found = i;
  s->linear = strcmp (mode, "linear") == 0 || strcmp (mode, "bilinear") == 0;
  s->align_corners = nn_node_int (node, "align_corners", 0) != 0;
  s->padding = (padding) found;
  if ((!s->linear && strcmp (mode, "nearest") != 0) || found < 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "mode '%s' with padding_mode '%s' is not supported", mode,
                    padding_mode);
  return NN_OK;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  sampler ignored;
  if (call->in[0].dtype != NN_F32 || call->in[1].dtype != NN_F32 || call->in[0].rank != 4)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "only float32 images of rank 4 are supported, not %s of rank %d",
                    nn_dtype_name (call->in[0].dtype), call->in[0].rank);
  return read_attributes (call->node, &ignored, err);
}

static side
side_of (const sampler *s, int64_t n)
{
  return s->align_corners ? (side){ n, 0, (float) n - 1 } : (side){ n, -0.5f, (float) n - 0.5f };
}

/* Mirrors a coordinate at both ends as often as needed. */
static float
reflect (float at, float low, float high)
{
  float range = high - low;
  if (range <= 0)
    return low;
  float beyond = at < low ? low - at : at - high;
  float times = floorf (beyond / range), rest = beyond - times * range;
  bool even = fmodf (times, 2) == 0;
  return (at < low) == even ? low + rest : high - rest;
}

/* -1 … 1 to pixels. */
static float
to_pixels (const sampler *s, const side *along, float at)
{
  float n = (float) along->n;
  return s->align_corners ? (at + 1) / 2 * (n - 1) : ((at + 1) * n - 1) / 2;
}

/* The pixel at a whole coordinate; -1 where it is 0. NaN is outside. */
static int64_t
pixel_at (const sampler *s, const side *along, float at)
{
  float last = (float) (along->n - 1);
  if (at >= 0 && at <= last && (int64_t) at < along->n) /* `last` may have been rounded up */
    return (int64_t) at;
  if (s->padding == PADDING_ZEROS || at != at)
    return -1;
  if (s->padding == PADDING_REFLECTION && isfinite (at))
    at = reflect (at, along->low, along->high);
  return at <= 0 ? 0 : at >= last ? along->n - 1 : (int64_t) at;
}

static neighbours
neighbours_of (const sampler *s, const side *along, float at)
{
  at = to_pixels (s, along, at);
  if (!s->linear)
    at = nearbyintf (at);
  if (s->padding == PADDING_BORDER)
    at = at < 0 ? 0 : at > (float) (along->n - 1) ? (float) (along->n - 1) : at;
  else if (s->padding == PADDING_REFLECTION && isfinite (at) && (at < along->low || at > along->high))
    at = reflect (at, along->low, along->high);
  if (!s->linear)
    return (neighbours){ { pixel_at (s, along, at), -1 }, { 1, 0 } };
  float first = floorf (at), weight = at - first;
  return (neighbours){ { pixel_at (s, along, first), pixel_at (s, along, first + 1) },
                       { 1 - weight, weight } };
}

static void
add_pixel (int64_t channels, float weight, const float *from, int64_t from_step, float *to, int64_t to_step)
{
  if (from_step == 1 && to_step == 1)
    for (int64_t c = 0; c < channels; c++)
      to[c] += weight * from[c];
  else
    for (int64_t c = 0; c < channels; c++)
      to[c * to_step] += weight * from[c * from_step];
}

/* All channels of one place of the grid, from up to four pixels of the image. */
static void
sample (const sampler *s, const nn_tensor *x, const float *image, float gx, float gy, const nn_tensor *y,
        float *to)
{
  neighbours h = neighbours_of (s, &s->x, gx), v = neighbours_of (s, &s->y, gy);
  for (int64_t c = 0; c < x->dim[1]; c++)
    to[c * y->stride[1]] = 0;
  for (int k = 0; k < 4; k++) {
    int64_t row = v.at[k / 2], column = h.at[k % 2];
    if (row >= 0 && column >= 0)
      add_pixel (x->dim[1], v.weight[k / 2] * h.weight[k % 2],
                 image + row * x->stride[2] + column * x->stride[3], x->stride[1], to, y->stride[1]);
  }
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *grid = &call->in[1], *y = &call->out[0];
  sampler s;
  nn_status status = read_attributes (call->node, &s, err);
  if (status != NN_OK)
    return status;
  s.x = side_of (&s, x->dim[3]);
  s.y = side_of (&s, x->dim[2]);
  for (int64_t n = 0; n < y->dim[0]; n++)
    for (int64_t i = 0; i < y->dim[2]; i++)
      for (int64_t j = 0; j < y->dim[3]; j++) {
        const float *at
            = (const float *) grid->data + n * grid->stride[0] + i * grid->stride[1] + j * grid->stride[2];
        sample (&s, x, (const float *) x->data + n * x->stride[0], at[0], at[grid->stride[3]], y,
                (float *) y->data + n * y->stride[0] + i * y->stride[2] + j * y->stride[3]);
      }
  return NN_OK;
}

const nn_kernel nn_cpu_grid_sample = { .prepare = prepare, .run = run };
