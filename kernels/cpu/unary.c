/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of one element that are no activations (those are in elementwise.c), for the types that
 * ONNX allows and ONNX Runtime has.
 */
#include "cpu.h"
#include "rows.h"
#include "simd.h"

#include <math.h>

#define KERNEL(name, ...)                                                                                    \
  static const nn_loop_row name##_rows[NN_ROWS_SIZE] = { __VA_ARGS__ };                                      \
  static nn_status prepare_##name (nn_call *call, nn_error *err)                                             \
  {                                                                                                          \
    return nn_rows_check (name##_rows, call, 0, err);                                                        \
  }                                                                                                          \
  static nn_status run_##name (const nn_call *call, nn_error *err)                                           \
  {                                                                                                          \
    nn_rows_run (name##_rows, call, 0, call->node);                                                          \
    return NN_OK;                                                                                            \
  }                                                                                                          \
  const nn_kernel nn_cpu_##name = { .prepare = prepare_##name, .run = run_##name };

#define REAL_ROWS(name, f, d)                                                                                \
  NN_ROW_MAP (name##_f32, float, float, f)                                                                   \
  NN_ROW_MAP (name##_f64, double, double, d)

/* A function of the mathematics library, for float32 and float64. */
#define REAL_KERNEL(name, f, d)                                                                              \
  REAL_ROWS (name, f, d)                                                                                     \
  KERNEL (name, [NN_F32] = name##_f32, [NN_F64] = name##_f64)

REAL_KERNEL (log, logf (x), log (x))
REAL_KERNEL (sin, sinf (x), sin (x))
REAL_KERNEL (cos, cosf (x), cos (x))
REAL_KERNEL (reciprocal, 1 / x, 1 / x)
REAL_KERNEL (floor, floorf (x), floor (x))
REAL_KERNEL (ceil, ceilf (x), ceil (x))
/* Halves go to the even neighbour: the default rounding mode, which nobody changes here. */
REAL_KERNEL (round, nearbyintf (x), nearbyint (x))
REAL_KERNEL (softplus, fmaxf (x, 0) + log1pf (expf (-fabsf (x))), fmax (x, 0) + log1p (exp (-fabs (x))))

/* ---- with vectors where memory is contiguous ---- */

typedef void (*vector_map) (int64_t n, const float *x, float *y);

static void
map_vector (vector_map map, int64_t n, char *const *at, const int64_t *stride)
{
  if (stride[0] == sizeof (float) && stride[1] == sizeof (float))
    map (n, (const float *) at[1], (float *) at[0]);
  else
    for (int64_t i = 0; i < n; i++)
      map (1, &NN_AT (const float, 1), &NN_AT (float, 0));
}

#define VECTOR_KERNEL(name, d)                                                                               \
  static void name##_f32 (int64_t n, char *const *at, const int64_t *stride, const void *arg)                \
  {                                                                                                          \
    map_vector (nn_simd_math_kernels ()->name, n, at, stride);                                               \
  }                                                                                                          \
  NN_ROW_MAP (name##_f64, double, double, d)                                                                 \
  KERNEL (name, [NN_F32] = name##_f32, [NN_F64] = name##_f64)

VECTOR_KERNEL (exp, exp (x))
VECTOR_KERNEL (erf, erf (x))
VECTOR_KERNEL (sqrt, sqrt (x))

/* ---- integers too; they wrap around ---- */

#define INTEGER_ROWS(name, wrapped)                                                                          \
  NN_ROW_MAP (name##_i64, int64_t, int64_t, wrapped (uint64_t))                                              \
  NN_ROW_MAP (name##_i32, int32_t, int32_t, wrapped (uint32_t))                                              \
  NN_ROW_MAP (name##_i8, int8_t, int8_t, wrapped (uint8_t))

#define NEGATED(type) -(type) x
#define MAGNITUDE(type) (x < 0 ? -(type) x : (type) x)
#define SIGN(type) ((x > 0) - (x < 0))
#define ALL_ROWS(name)                                                                                       \
  [NN_F32] = name##_f32, [NN_F64] = name##_f64, [NN_I64] = name##_i64, [NN_I32] = name##_i32,                \
  [NN_I8] = name##_i8

REAL_ROWS (neg, -x, -x)
INTEGER_ROWS (neg, NEGATED)
KERNEL (neg, ALL_ROWS (neg))
REAL_ROWS (abs, fabsf (x), fabs (x))
INTEGER_ROWS (abs, MAGNITUDE)
KERNEL (abs, ALL_ROWS (abs))
REAL_ROWS (sign, (x > 0) - (x < 0), (x > 0) - (x < 0))
INTEGER_ROWS (sign, SIGN)
KERNEL (sign, ALL_ROWS (sign))

/* ---- with attributes ---- */

/* Looked up once a row, not for each element. */
#define ATTRIBUTE_KERNEL(name, names, expression)                                                            \
  static void name##_f32 (int64_t n, char *const *at, const int64_t *stride, const void *arg)                \
  {                                                                                                          \
    const nn_node *node = arg;                                                                               \
    names;                                                                                                   \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const float x = NN_AT (const float, 1);                                                                \
      NN_AT (float, 0) = expression;                                                                         \
    }                                                                                                        \
  }                                                                                                          \
  KERNEL (name, [NN_F32] = name##_f32)

#define FLOAT_ATTRIBUTE(name, fallback) const float name = nn_node_float (node, #name, fallback)

ATTRIBUTE_KERNEL (elu, FLOAT_ATTRIBUTE (alpha, 1), x < 0 ? alpha * expm1f (x) : x)
/* The fallbacks are those of the operator's page. */
ATTRIBUTE_KERNEL (selu, FLOAT_ATTRIBUTE (alpha, 1.67326319217681884765625f);
                  FLOAT_ATTRIBUTE (gamma, 1.05070102214813232421875f),
                  gamma *(x > 0 ? x : alpha * expm1f (x)))

/* ---- tests of one element ---- */

NN_ROW_MAP (is_nan_f32, uint8_t, float, x != x)
NN_ROW_MAP (is_nan_f64, uint8_t, double, x != x)
KERNEL (is_nan, [NN_F32] = is_nan_f32, [NN_F64] = is_nan_f64)

#define IS_INF_ROW(name, type)                                                                               \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    const bool up = nn_node_int (arg, "detect_positive", 1) != 0;                                            \
    const bool down = nn_node_int (arg, "detect_negative", 1) != 0;                                          \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const type x = NN_AT (const type, 1);                                                                  \
      NN_AT (uint8_t, 0) = (up && x == (type) INFINITY) || (down && x == (type) -INFINITY);                  \
    }                                                                                                        \
  }

IS_INF_ROW (is_inf_f32, float)
IS_INF_ROW (is_inf_f64, double)
KERNEL (is_inf, [NN_F32] = is_inf_f32, [NN_F64] = is_inf_f64)

NN_ROW_MAP (not_bool, uint8_t, uint8_t, !x)
KERNEL (not, [NN_BOOL] = not_bool)
