/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize: the shape rule, and what its kernels share: which modes there are, and from where in the operand each
 * row and column of the result comes.
 */
#include "shape.h"

#include <math.h>
#include <string.h>

#define MAX_EXTENT ((int64_t) 1 << 40)

static nn_status
resize_by_scales (nn_node *node, int index, int64_t dim[NN_MAX_RANK], nn_error *err)
{
  const nn_value *x = node->in[0];
  const nn_tensor *scales = node->in[index]->constant;
  if (scales == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "the scales are computed from the input; only constants can do");
  if (scales->dtype != NN_F32 || scales->rank != 1 || scales->dim[0] != x->rank)
    return nn_fail (err, NN_ERR_FORMAT, "the scales are not %d float32 numbers", x->rank);
  for (int i = 0; i < x->rank; i++) {
    float size = floorf (((const float *) scales->data)[i] * (float) x->dim[i]);
    if (!(size >= 0 && size <= (float) MAX_EXTENT))
      return nn_fail (err, NN_ERR_FORMAT, "scale %d is out of range", i);
    dim[i] = (int64_t) size;
  }
  return NN_OK;
}

static bool
has_elements (const nn_node *node, int index)
{
  return nn_node_has (node, index) && nn_shape_count (node->in[index]->rank, node->in[index]->dim) > 0;
}

nn_status
nn_shape_resize (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *x = node->in[0];
  int64_t dim[NN_MAX_RANK];
  int n = 0;
  nn_status status;
  if (graph->opset <= 10)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "its form before operator set 11 is not supported");
  if (nn_node_attr (node, "axes") != NULL ||
      strcmp (nn_node_string (node, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "attributes 'axes' and 'keep_aspect_ratio_policy' are not supported");
  if (has_elements (node, 3)) {
    status = nn_shape_constant_ints (node, 3, dim, NN_MAX_RANK, &n, err);
    if (status == NN_OK && n != x->rank)
      status = nn_fail (err, NN_ERR_FORMAT, "%d sizes for %d dimensions", n, x->rank);
  } else if (has_elements (node, 2)) {
    status = resize_by_scales (node, 2, dim, err);
  } else {
    status = nn_fail (err, NN_ERR_FORMAT, "neither scales nor sizes are given");
  }
  return status != NN_OK ? status : nn_shape_set (node, 0, x->dtype, x->rank, dim, err);
}

/* ---- what kernels share ---- */

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

/* NaN, which strange scales beside given sizes make, is 0; n - 1 as a float may have been rounded up. */
static int64_t
clamp_index (float index, int64_t n)
{
  return !(index > 0) ? 0 : index >= (float) (n - 1) ? n - 1 : (int64_t) index;
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

/* As the node gives it (operand 2, in opset 10 operand 1), else what the sizes tell. */
static float
scale_of (const nn_call *call, int axis)
{
  int index = call->node->n_in == 2 ? 1 : 2;
  if (nn_node_has (call->node, index) && call->in[index].dtype == NN_F32 && call->in[index].data != NULL
      && nn_tensor_count (&call->in[index]) == call->in[0].rank)
    return ((const float *) call->in[index].data)[axis];
  return (float) call->out[0].dim[axis] / (float) call->in[0].dim[axis];
}

nn_status
nn_shape_resize_check (const nn_call *call, nn_error *err)
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
  if (x->rank != 4 || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1])
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize of other than the height and width of images");
  if (nn_tensor_count (x) == 0 && nn_tensor_count (y) > 0)
    return nn_fail (err, NN_ERR_FORMAT, "nothing to make a result of: the operand is empty");
  return NN_OK;
}

bool
nn_shape_resize_is_linear (const nn_node *node)
{
  return strcmp (nn_node_string (node, "mode", "nearest"), "linear") == 0;
}

void
nn_shape_resize_taps (const nn_call *call, int axis, nn_resize_tap *taps)
{
  const char *transformation = nn_node_string (call->node, "coordinate_transformation_mode", "half_pixel");
  int mode = index_of (nn_node_string (call->node, "nearest_mode", "round_prefer_floor"), roundings);
  bool linear = nn_shape_resize_is_linear (call->node);
  float scale = scale_of (call, axis);
  int64_t in = call->in[0].dim[axis], out = call->out[0].dim[axis];
  for (int64_t i = 0; i < out; i++) {
    float x = in == out ? (float) i : source_of (i, transformation, scale, in, out);
    if (linear) {
      x = !(x > 0) ? 0 : x > (float) (in - 1) ? (float) (in - 1) : x;
      taps[i].first = clamp_index (x, in);
      taps[i].second = taps[i].first + 1 < in ? taps[i].first + 1 : taps[i].first;
      taps[i].weight = x - (float) taps[i].first;
    } else {
      taps[i].first = taps[i].second = clamp_index (round_index (x, (rounding) mode), in);
      taps[i].weight = 0;
    }
  }
}
