/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that make one element from one (or from one of each operand), with NumPy's
 * broadcasting; and BatchNormalization where it could not be folded into a convolution.
 */
#include "cpu.h"
#include "loop.h"
#include "rows.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>
#include <string.h>

/* ---- one operand ---- */

typedef struct map_arg {
  const nn_simd_math *simd;
  nn_activation first, second; /* the operator's own, then the one fused behind it */
} map_arg;

static void
map_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const map_arg *map = arg;
  float *y = (float *) at[0];
  if (stride[0] == sizeof (float) && stride[1] == sizeof (float)) {
    map->simd->activate (&map->first, n, (const float *) at[1], y);
    if (map->second.kind != NN_ACT_NONE)
      map->simd->activate (&map->second, n, y, y);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    float *to = (float *) (at[0] + i * stride[0]);
    map->simd->activate (&map->first, 1, (const float *) (at[1] + i * stride[1]), to);
    map->simd->activate (&map->second, 1, to, to);
  }
}

static nn_status
need_float (nn_call *call, nn_error *err)
{
  if (call->in[0].dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported",
                    nn_dtype_name (call->in[0].dtype));
  return NN_OK;
}

static void
map (const nn_call *call, nn_activation_kind kind, float alpha, float beta)
{
  const nn_tensor *x = &call->in[0];
  map_arg arg = { nn_simd_math_kernels (), { kind, alpha, beta }, call->node->activation };
  nn_loop loop;
  nn_loop_init (&loop, &call->out[0], &x, 1);
  nn_loop_share (&loop, 4, map_row, &arg);
}

#define MAP_KERNEL(name, kind, alpha, beta)                                           \
  static nn_status run_##name (const nn_call *call, nn_error *err)                    \
  {                                                                                   \
    map (call, kind, alpha, beta);                                                    \
    return NN_OK;                                                                     \
  }                                                                                   \
  const nn_kernel nn_cpu_##name = { .prepare = need_float, .run = run_##name };

#define ATTRIBUTE(name, fallback) nn_node_float (call->node, name, fallback)

MAP_KERNEL (relu, NN_ACT_RELU, 0, 0)
MAP_KERNEL (leaky_relu, NN_ACT_LEAKY_RELU, ATTRIBUTE ("alpha", 0.01f), 0)
MAP_KERNEL (sigmoid, NN_ACT_SIGMOID, 0, 0)
MAP_KERNEL (hard_sigmoid, NN_ACT_HARD_SIGMOID, ATTRIBUTE ("alpha", 0.2f), ATTRIBUTE ("beta", 0.5f))
MAP_KERNEL (hard_swish, NN_ACT_HARD_SWISH, 1 / 6.0f, 0.5f)
MAP_KERNEL (silu, NN_ACT_SILU, 0, 0)
MAP_KERNEL (tanh, NN_ACT_TANH, 0, 0)

static nn_activation_kind
gelu_kind (const nn_node *node)
{
  return strcmp (nn_node_string (node, "approximate", "none"), "tanh") == 0 ? NN_ACT_GELU_TANH : NN_ACT_GELU;
}

MAP_KERNEL (gelu, gelu_kind (call->node), 0, 0)

/* Clip's bounds are operands from opset 11 on, attributes before. */
static float
clip_bound (const nn_call *call, int index, const char *name, float fallback)
{
  if (call->node->n_in > index && call->node->in[index] != NULL)
    return *(const float *) call->in[index].data;
  return nn_node_float (call->node, name, fallback);
}

#define CLIP_ROW(name, type, lowest, highest)                                                                \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    const nn_call *call = arg;                                                                               \
    const type low = nn_node_has (call->node, 1) ? *(const type *) call->in[1].data : (lowest);              \
    const type high = nn_node_has (call->node, 2) ? *(const type *) call->in[2].data : (highest);            \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const type x = NN_AT (const type, 1), above = x < low ? low : x;                                       \
      NN_AT (type, 0) = above > high ? high : above;                                                         \
    }                                                                                                        \
  }

CLIP_ROW (clip_f64, double, -INFINITY, INFINITY)
CLIP_ROW (clip_i64, int64_t, INT64_MIN, INT64_MAX)
CLIP_ROW (clip_i32, int32_t, INT32_MIN, INT32_MAX)
CLIP_ROW (clip_u8, uint8_t, 0, UINT8_MAX)
CLIP_ROW (clip_i8, int8_t, INT8_MIN, INT8_MAX)

static const nn_loop_row clip_rows[NN_ROWS_SIZE] = {
  [NN_F64] = clip_f64, [NN_I64] = clip_i64, [NN_I32] = clip_i32, [NN_U8] = clip_u8, [NN_I8] = clip_i8,
};

static nn_status
prepare_clip (nn_call *call, nn_error *err)
{
  return call->in[0].dtype == NN_F32 ? NN_OK : nn_rows_check (clip_rows, call, 0, err);
}

static nn_status
run_clip (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  nn_loop loop;
  if (x->dtype == NN_F32) {
    map (call, NN_ACT_CLIP, clip_bound (call, 1, "min", -INFINITY), clip_bound (call, 2, "max", INFINITY));
    return NN_OK;
  }
  nn_loop_init (&loop, &call->out[0], &x, 1);
  nn_loop_run (&loop, clip_rows[x->dtype], call);
  return NN_OK;
}

const nn_kernel nn_cpu_clip = { .prepare = prepare_clip, .run = run_clip };

/* ---- two operands ---- */

typedef struct binary_arg {
  const nn_simd_math *simd;
  nn_binary_kind kind;
  nn_activation activation;
} binary_arg;

#define STRIDED(type, op)          \
  for (int64_t i = 0; i < n; i++)  \
    NN_AT (type, 0) = NN_AT (const type, 1) op NN_AT (const type, 2);

/* Integers wrap around, as NumPy's and ONNX Runtime's do; x / 0 is 0, not a signal. */
#define INTEGER_ROW(name, type, wide)                                                                        \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    switch (((const binary_arg *) arg)->kind) {                                                              \
    case NN_BINARY_ADD:                                                                                      \
      STRIDED (wide, +)                                                                                      \
      break;                                                                                                 \
    case NN_BINARY_SUB:                                                                                      \
      STRIDED (wide, -)                                                                                      \
      break;                                                                                                 \
    case NN_BINARY_MUL:                                                                                      \
      STRIDED (wide, *)                                                                                      \
      break;                                                                                                 \
    case NN_BINARY_DIV:                                                                                      \
      for (int64_t i = 0; i < n; i++) {                                                                      \
        type a = NN_AT (const type, 1), b = NN_AT (const type, 2);                                           \
        NN_AT (type, 0) = b == 0 ? 0 : b == -1 ? (type) - (wide) a : a / b;                                  \
      }                                                                                                      \
      break;                                                                                                 \
    }                                                                                                        \
  }

INTEGER_ROW (int64_row, int64_t, uint64_t)
INTEGER_ROW (int32_row, int32_t, uint32_t)

#define FLOAT_SWITCH(kind, type) \
  switch (kind) {                \
    case NN_BINARY_ADD:          \
      STRIDED (type, +)          \
      break;                     \
    case NN_BINARY_SUB:          \
      STRIDED (type, -)          \
      break;                     \
    case NN_BINARY_MUL:          \
      STRIDED (type, *)          \
      break;                     \
    case NN_BINARY_DIV:          \
      STRIDED (type, /)          \
      break;                     \
  }

static void
double_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  FLOAT_SWITCH (((const binary_arg *) arg)->kind, double)
}

static bool
is_simple (int64_t stride)
{
  return stride == 0 || stride == sizeof (float);
}

static void
float_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const binary_arg *binary = arg;
  if (stride[0] == sizeof (float) && is_simple (stride[1]) && is_simple (stride[2])) {
    float *y = (float *) at[0];
    binary->simd->binary (binary->kind, n, (const float *) at[1], stride[1] != 0, (const float *) at[2],
                          stride[2] != 0, y);
    if (binary->activation.kind != NN_ACT_NONE)
      binary->simd->activate (&binary->activation, n, y, y);
    return;
  }
  FLOAT_SWITCH (binary->kind, float)
  for (int64_t i = 0; i < n && binary->activation.kind != NN_ACT_NONE; i++)
    binary->simd->activate (&binary->activation, 1, &NN_AT (const float, 0), &NN_AT (float, 0));
}

static nn_loop_row
binary_row (nn_dtype dtype)
{
  switch (dtype) {
    case NN_F32:
      return float_row;
    case NN_F64:
      return double_row;
    case NN_I64:
      return int64_row;
    case NN_I32:
      return int32_row;
    default:
      return NULL;
  }
}

static nn_status
prepare_binary (nn_call *call, nn_error *err)
{
  const nn_tensor *a = &call->in[0], *b = &call->in[1];
  if (a->dtype != b->dtype || binary_row (a->dtype) == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of types %s and %s are not supported",
                    nn_dtype_name (a->dtype), nn_dtype_name (b->dtype));
  return NN_OK;
}

static void
binary (const nn_call *call, nn_binary_kind kind)
{
  const nn_tensor *in[] = { &call->in[0], &call->in[1] };
  binary_arg arg = { nn_simd_math_kernels (), kind, call->node->activation };
  nn_loop loop;
  nn_loop_init (&loop, &call->out[0], in, 2);
  nn_loop_share (&loop, 1, binary_row (call->in[0].dtype), &arg);
}

#define BINARY_KERNEL(name, kind)                                                     \
  static nn_status run_##name (const nn_call *call, nn_error *err)                    \
  {                                                                                   \
    binary (call, kind);                                                              \
    return NN_OK;                                                                     \
  }                                                                                   \
  const nn_kernel nn_cpu_##name = { .prepare = prepare_binary, .run = run_##name };

BINARY_KERNEL (add, NN_BINARY_ADD)
BINARY_KERNEL (sub, NN_BINARY_SUB)
BINARY_KERNEL (mul, NN_BINARY_MUL)
BINARY_KERNEL (div, NN_BINARY_DIV)

/* ---- BatchNormalization: a scale and a shift for each channel, made at each run in scratch ---- */

static size_t
normalization_scratch (const nn_call *call)
{
  return (size_t) call->in[0].dim[1] * 2 * sizeof (float);
}

static void
scale_shift_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const map_arg *map = arg;
  float *y = (float *) at[0];
  if (stride[0] == sizeof (float) && stride[1] == sizeof (float) && stride[2] == sizeof (float)) {
    map->simd->scale_shift (n, (const float *) at[1], (const float *) at[2], (const float *) at[3], y);
    map->simd->activate (&map->second, n, y, y);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    NN_AT (float, 0) = NN_AT (const float, 1) * NN_AT (const float, 2) + NN_AT (const float, 3);
    map->simd->activate (&map->second, 1, &NN_AT (const float, 0), &NN_AT (float, 0));
  }
}

static nn_status
run_batch_normalization (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  int64_t channels = x->dim[1], dim[NN_MAX_RANK];
  float epsilon = nn_node_float (call->node, "epsilon", 1e-5f);
  const float *gamma = call->in[1].data, *beta = call->in[2].data, *mean = call->in[3].data,
              *var = call->in[4].data;
  float *scale = call->scratch, *shift = scale + channels;
  for (int64_t c = 0; c < channels; c++) {
    scale[c] = gamma[c] / sqrtf (var[c] + epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  for (int i = 0; i < x->rank; i++)
    dim[i] = i == 1 ? channels : 1;
  nn_tensor scales = nn_tensor_make (NN_F32, x->rank, dim, NN_LAYOUT_ROW_MAJOR, scale);
  nn_tensor shifts = nn_tensor_make (NN_F32, x->rank, dim, NN_LAYOUT_ROW_MAJOR, shift);
  const nn_tensor *in[] = { x, &scales, &shifts };
  map_arg arg = { .simd = nn_simd_math_kernels (), .second = call->node->activation };
  nn_loop loop;
  nn_loop_init (&loop, &call->out[0], in, 3);
  nn_loop_share (&loop, 1, scale_shift_row, &arg);
  return NN_OK;
}

const nn_kernel nn_cpu_batch_normalization = {
  .prepare = need_float,
  .scratch_bytes = normalization_scratch,
  .run = run_batch_normalization,
};
