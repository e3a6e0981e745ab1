/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize over height and width: "nearest" with any rounding, "linear" without antialiasing, each
 * with the coordinate transformations of ONNX that need no region of interest.
 */
#include "conv.h"
#include "parallel.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which two neighbours a result's row (or column) is made of. */
typedef struct tap {
  int64_t first, second;
  float weight; /* of the second; 0 for "nearest" */
} tap;

typedef struct resize {
  bool linear;
  tap *rows, *columns; /* one allocation */
} resize;

typedef enum rounding { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, ROUND_FLOOR, ROUND_CEIL } rounding;

static const char *const transformations[]
    = { "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric", NULL };
static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL };

static int
index_of (const char *text, const char *const *list)
{
  for (int i = 0; list[i] != NULL; i++)
    if (strcmp (text, list[i]) == 0)
      return i;
  return -1;
}

/* Where in the operand a result's position lies. The formulas are those of the operator's page. */
static float
source_of (int64_t at, const char *transformation, float scale, int64_t in, int64_t out)
{
  float x = (float) at;
  if (strcmp (transformation, "asymmetric") == 0)
    return x / scale;
  if (strcmp (transformation, "align_corners") == 0)
    return out == 1 ? 0 : x * (float) (in - 1) / (float) (out - 1);
  if (strcmp (transformation, "pytorch_half_pixel") == 0)
    return out > 1 ? (x + 0.5f) / scale - 0.5f : 0;
  if (strcmp (transformation, "half_pixel_symmetric") == 0) {
    float adjust = (float) out / (scale * (float) in), centre = (float) in / 2;
    return centre * (1 - adjust) + (x + 0.5f) / scale - 0.5f;
  }
  return (x + 0.5f) / scale - 0.5f;
}

static int64_t
clamp_index (float index, int64_t n)
{
  return index < 0 ? 0 : index > (float) (n - 1) ? n - 1 : (int64_t) index;
}

static float
round_index (float x, rounding mode)
{
  switch (mode) {
    case ROUND_PREFER_FLOOR:
      return ceilf (x - 0.5f);
    case ROUND_PREFER_CEIL:
      return floorf (x + 0.5f);
    case ROUND_FLOOR:
      return floorf (x);
    default:
      return ceilf (x);
  }
}

static void
fill_taps (tap *taps, const nn_node *node, bool linear, float scale, int64_t in, int64_t out)
{
  const char *transformation = nn_node_string (node, "coordinate_transformation_mode", "half_pixel");
  int mode = index_of (nn_node_string (node, "nearest_mode", "round_prefer_floor"), roundings);
  for (int64_t i = 0; i < out; i++) {
    float x = in == out ? (float) i : source_of (i, transformation, scale, in, out);
    if (linear) {
      x = x < 0 ? 0 : x > (float) (in - 1) ? (float) (in - 1) : x;
      taps[i].first = (int64_t) x;
      taps[i].second = taps[i].first + 1 < in ? taps[i].first + 1 : taps[i].first;
      taps[i].weight = x - (float) taps[i].first;
    } else {
      taps[i].first = taps[i].second = clamp_index (round_index (x, (rounding) mode), in);
      taps[i].weight = 0;
    }
  }
}

/* As the node gives it (operand 2, in opset 10 operand 1), else what the sizes tell. */
static float
scale_of (const nn_call *call, int axis)
{
  int index = call->node->n_in == 2 ? 1 : 2;
  if (nn_node_has (call->node, index) && call->in[index].dtype == NN_F32
      && nn_tensor_count (&call->in[index]) == call->in[0].rank)
    return ((const float *) call->in[index].data)[axis];
  return (float) call->out[0].dim[axis] / (float) call->in[0].dim[axis];
}

static nn_status
check (const nn_call *call, nn_error *err)
{
  const nn_node *node = call->node;
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  const char *mode = nn_node_string (node, "mode", "nearest");
  const char *transformation = nn_node_string (node, "coordinate_transformation_mode", "half_pixel");
  const char *nearest = nn_node_string (node, "nearest_mode", "round_prefer_floor");
  if (strcmp (mode, "nearest") != 0 && strcmp (mode, "linear") != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize with mode '%s' is not supported", mode);
  if (index_of (transformation, transformations) < 0 || index_of (nearest, roundings) < 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize with '%s', '%s' is not supported", transformation,
                    nearest);
  if (nn_node_int (node, "antialias", 0) != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize with antialias is not supported");
  if (x->dtype != NN_F32 || x->rank != 4 || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1])
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize of other than the height and width of float32 images");
  return NN_OK;
}

static void
release (void *shared)
{
  resize *made = shared;
  free (made->rows);
  free (made);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  nn_status status = check (call, err);
  if (status != NN_OK)
    return status;
  resize *made = calloc (1, sizeof *made);
  tap *taps = calloc ((size_t) (y->dim[2] + y->dim[3]), sizeof *taps);
  if (made == NULL || taps == NULL) {
    free (made);
    free (taps);
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  }
  made->linear = strcmp (nn_node_string (call->node, "mode", "nearest"), "linear") == 0;
  made->rows = taps;
  made->columns = taps + y->dim[2];
  fill_taps (made->rows, call->node, made->linear, scale_of (call, 2), x->dim[2], y->dim[2]);
  fill_taps (made->columns, call->node, made->linear, scale_of (call, 3), x->dim[3], y->dim[3]);
  call->shared = made;
  return NN_OK;
}

static void
copy_channels (int64_t n, const float *from, int64_t from_step, float *to, int64_t to_step)
{
  if (from_step == 1 && to_step == 1)
    memcpy (to, from, (size_t) n * sizeof (float));
  else
    for (int64_t c = 0; c < n; c++)
      to[c * to_step] = from[c * from_step];
}

/* The channels of one pixel from its four neighbours. */
static void
blend (int64_t n, const float *const *from, int64_t from_step, float wx, float wy, float *to, int64_t to_step)
{
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  float w00 = (1 - wy) * (1 - wx), w01 = (1 - wy) * wx, w10 = wy * (1 - wx), w11 = wy * wx;
  for (int64_t i = 0; i < n; i++)
    to[i * to_step]
        = w00 * a[i * from_step] + w01 * b[i * from_step] + w10 * c[i * from_step] + w11 * d[i * from_step];
}

static void
resize_row (const resize *made, const nn_tensor *x, const nn_tensor *y, int64_t n, int64_t oy)
{
  const tap *v = &made->rows[oy];
  const float *image = (const float *) x->data + n * x->stride[0];
  const float *top = image + v->first * x->stride[2], *bottom = image + v->second * x->stride[2];
  float *to = (float *) y->data + n * y->stride[0] + oy * y->stride[2];
  for (int64_t ox = 0; ox < y->dim[3]; ox++, to += y->stride[3]) {
    const tap *h = &made->columns[ox];
    int64_t left = h->first * x->stride[3], right = h->second * x->stride[3];
    const float *corners[4] = { top + left, top + right, bottom + left, bottom + right };
    if (made->linear)
      blend (x->dim[1], corners, x->stride[1], h->weight, v->weight, to, y->stride[1]);
    else
      copy_channels (x->dim[1], corners[0], x->stride[1], to, y->stride[1]);
  }
}

static void
resize_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const nn_call *call = arg;
  int64_t height = call->out[0].dim[2];
  for (int64_t i = begin; i < end; i++)
    resize_row (call->shared, &call->in[0], &call->out[0], i / height, i % height);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const nn_tensor *y = &call->out[0];
  nn_cpu_share (y->dim[0] * y->dim[2], nn_cpu_least (y->dim[1] * y->dim[3]), resize_rows, call);
  return NN_OK;
}

const nn_kernel nn_cpu_resize = { .prepare = prepare, .run = run, .release = release };
