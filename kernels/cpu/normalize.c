/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Normalisations whose statistics come from the operand: over the last dimensions (Layer), over the
 * pixels of a channel (Instance) or of a group of channels (Group). All memory is row-major.
 */
#include "cpu.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (call->in[0].dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported",
                    nn_dtype_name (call->in[0].dtype));
  return NN_OK;
}

static const float *
floats (const nn_call *call, int index)
{
  return nn_node_has (call->node, index) ? call->in[index].data : NULL;
}

static nn_status
run_layer (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  const nn_simd_math *simd = nn_simd_math_kernels ();
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), x->rank);
  int64_t n = nn_shape_count (x->rank - axis, x->dim + axis), lines = nn_shape_count (axis, x->dim);
  float epsilon = nn_node_float (call->node, "epsilon", 1e-5f);
  const float *scale = floats (call, 1), *bias = floats (call, 2), *from = x->data;
  float *to = call->out[0].data;
  for (int64_t i = 0; i < lines; i++) {
    nn_moments m = simd->moments (n, from + i * n);
    simd->normalize (n, from + i * n, m.mean, 1 / sqrtf (m.variance + epsilon), scale, bias, to + i * n);
  }
  return NN_OK;
}

/* One mean and variance for `together` channels; channel c's scale and bias stand at c / `shared`. */
static void
normalize_channels (const nn_call *call, int64_t together, int64_t shared)
{
  const nn_tensor *x = &call->in[0];
  const nn_simd_math *simd = nn_simd_math_kernels ();
  int64_t channels = x->dim[1], pixels = nn_shape_count (x->rank - 2, x->dim + 2);
  float epsilon = nn_node_float (call->node, "epsilon", 1e-5f);
  const float *scale = floats (call, 1), *bias = floats (call, 2);
  for (int64_t first = 0; first < x->dim[0] * channels; first += together) {
    const float *from = (const float *) x->data + first * pixels;
    float *to = (float *) call->out[0].data + first * pixels;
    nn_moments m = simd->moments (together * pixels, from);
    float factor = 1 / sqrtf (m.variance + epsilon);
    for (int64_t c = 0; c < together; c++) {
      int64_t weight = (first + c) % channels / shared;
      float a = factor * scale[weight], b = bias[weight] - m.mean * a;
      for (int64_t i = 0; i < pixels; i++)
        to[c * pixels + i] = from[c * pixels + i] * a + b;
    }
  }
}

static nn_status
run_instance (const nn_call *call, nn_error *err)
{
  normalize_channels (call, 1, 1);
  return NN_OK;
}

/* Scale and bias are a group's in operator set 18, a channel's from 21 on. */
static nn_status
run_group (const nn_call *call, nn_error *err)
{
  int64_t together = call->in[0].dim[1] / nn_node_int (call->node, "num_groups", 1);
  normalize_channels (call, together, call->in[0].dim[1] / call->in[1].dim[0]);
  return NN_OK;
}

const nn_kernel nn_cpu_layer_normalization = { .prepare = prepare, .run = run_layer };
const nn_kernel nn_cpu_instance_normalization = { .prepare = prepare, .run = run_instance };
const nn_kernel nn_cpu_group_normalization = { .prepare = prepare, .run = run_group };
