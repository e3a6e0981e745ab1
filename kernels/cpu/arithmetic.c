/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic beyond the four basic operations (those are in elementwise.c): Pow, Mod, PRelu, and
 * what takes any number of operands. */
#include "cpu.h"
#include "rows.h"
#include "simd.h"

#include <math.h>

static void
run_rows (const nn_call *call, nn_loop_row row, const nn_tensor *a, const nn_tensor *b, const void *arg)
{
  const nn_tensor *in[] = { a, b };
  nn_loop loop;
  nn_loop_init (&loop, &call->out[0], in, 2);
  nn_loop_run (&loop, row, arg);
}

/* ---- Pow ---- */

static double
load (const void *at, nn_dtype dtype)
{
  switch (dtype) {
  case NN_F32:
    return (double) *(const float *) at;
  case NN_F64:
    return *(const double *) at;
  case NN_I64:
    return (double) *(const int64_t *) at;
  default:
    return *(const int32_t *) at;
  }
}

/* What does not fit becomes the smallest integer, as x86 does it. */
static void
store (void *at, nn_dtype dtype, double value)
{
  switch (dtype) {
  case NN_F32:
    *(float *) at = (float) value;
    break;
  case NN_F64:
    *(double *) at = value;
    break;
  case NN_I64:
    *(int64_t *) at = value >= -0x1p63 && value < 0x1p63 ? (int64_t) value : INT64_MIN;
    break;
  default:
    *(int32_t *) at = value > -0x1p31 - 1 && value < 0x1p31 ? (int32_t) value : INT32_MIN;
    break;
  }
}

static bool
is_number (nn_dtype dtype)
{
  return dtype == NN_F32 || dtype == NN_F64 || dtype == NN_I64 || dtype == NN_I32;
}

static nn_status
prepare_pow (nn_call *call, nn_error *err)
{
  nn_dtype base = call->in[0].dtype, exponent = call->in[1].dtype;
  if (!is_number (base) || !is_number (exponent))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%s to the power of %s is not supported", nn_dtype_name (base),
                    nn_dtype_name (exponent));
  return NN_OK;
}

static void
pow_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const nn_call *call = arg;
  nn_dtype base = call->in[0].dtype, exponent = call->in[1].dtype;
  for (int64_t i = 0; i < n; i++)
    store (at[0] + i * stride[0], base,
           pow (load (at[1] + i * stride[1], base), load (at[2] + i * stride[2], exponent)));
}

NN_ROW_BINARY (powf_row, float, float, powf (a, b))

static void
square_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  for (int64_t i = 0; i < n; i++) {
    const float x = NN_AT (const float, 1);
    NN_AT (float, 0) = x * x;
  }
}

static nn_status
run_pow (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *e = &call->in[1];
  bool squares = x->dtype == NN_F32 && nn_tensor_count (e) == 1 && load (e->data, e->dtype) == 2;
  nn_loop_row row = squares ? square_row : x->dtype == NN_F32 && e->dtype == NN_F32 ? powf_row : pow_row;
  run_rows (call, row, x, e, call);
  return NN_OK;
}

const nn_kernel nn_cpu_pow = { .prepare = prepare_pow, .run = run_pow };

/* ---- Mod: of the divisor's sign, or with attribute fmod of the dividend's ---- */

/* x mod 0 is 0 and x mod -1 is not computed: both would be a signal. */
#define INTEGER_MOD(name, type)                                                                              \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    const bool truncated = nn_node_int (arg, "fmod", 0) != 0;                                                \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const type a = NN_AT (const type, 1), b = NN_AT (const type, 2);                                       \
      const type rest = b == 0 || b == -1 ? 0 : a % b;                                                       \
      NN_AT (type, 0) = !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;                  \
    }                                                                                                        \
  }

INTEGER_MOD (mod_i64, int64_t)
INTEGER_MOD (mod_i32, int32_t)
NN_ROW_BINARY (mod_f32, float, float, fmodf (a, b))
NN_ROW_BINARY (mod_f64, double, double, fmod (a, b))

static const nn_loop_row mod_rows[NN_ROWS_SIZE] = {
  [NN_F32] = mod_f32,
  [NN_F64] = mod_f64,
  [NN_I64] = mod_i64,
  [NN_I32] = mod_i32,
};

static nn_status
prepare_mod (nn_call *call, nn_error *err)
{
  nn_dtype dtype = call->in[0].dtype;
  if ((dtype == NN_F32 || dtype == NN_F64) && nn_node_int (call->node, "fmod", 0) == 0)
    return nn_fail (err, NN_ERR_FORMAT, "%s needs attribute 'fmod' = 1", nn_dtype_name (dtype));
  return nn_rows_check (mod_rows, call, 0, err);
}

static nn_status
run_mod (const nn_call *call, nn_error *err)
{
  nn_rows_run (mod_rows, call, 0, call->node);
  return NN_OK;
}

const nn_kernel nn_cpu_mod = { .prepare = prepare_mod, .run = run_mod };

/* ---- PRelu: the slope broadcasts to x ---- */

NN_ROW_BINARY (prelu_f32, float, float, a < 0 ? a * b : a)

static const nn_loop_row prelu_rows[NN_ROWS_SIZE] = { [NN_F32] = prelu_f32 };

static nn_status
prepare_prelu (nn_call *call, nn_error *err)
{
  return nn_rows_check (prelu_rows, call, 0, err);
}

static nn_status
run_prelu (const nn_call *call, nn_error *err)
{
  nn_rows_run (prelu_rows, call, 0, NULL);
  return NN_OK;
}

const nn_kernel nn_cpu_prelu = { .prepare = prepare_prelu, .run = run_prelu };

/* ---- any number of operands: the first two, then each further one with what there is ---- */

/* NaN in either operand is the result. */
#define EXTREMUM(name, op)                                                                                   \
  NN_ROW_BINARY (name##_f32, float, float, a op b || a != a ? a : b)                                         \
  NN_ROW_BINARY (name##_f64, double, double, a op b || a != a ? a : b)                                       \
  NN_ROW_BINARY (name##_i64, int64_t, int64_t, a op b ? a : b)                                               \
  NN_ROW_BINARY (name##_i32, int32_t, int32_t, a op b ? a : b)                                               \
  static const nn_loop_row name##_rows[NN_ROWS_SIZE] = {                                                     \
    [NN_F32] = name##_f32,                                                                                   \
    [NN_F64] = name##_f64,                                                                                   \
    [NN_I64] = name##_i64,                                                                                   \
    [NN_I32] = name##_i32,                                                                                   \
  };

EXTREMUM (max, >)
EXTREMUM (min, <)

NN_ROW_BINARY (sum_f32, float, float, a + b)
NN_ROW_BINARY (sum_f64, double, double, a + b)
static const nn_loop_row sum_rows[NN_ROWS_SIZE] = { [NN_F32] = sum_f32, [NN_F64] = sum_f64 };

static void
run_chain (const nn_call *call, const nn_loop_row *rows)
{
  nn_loop_row row = rows[call->in[0].dtype];
  if (call->node->n_in == 1)
    nn_copy (&call->out[0], &call->in[0]);
  else
    run_rows (call, row, &call->in[0], &call->in[1], NULL);
  for (int i = 2; i < call->node->n_in; i++)
    run_rows (call, row, &call->out[0], &call->in[i], NULL);
}

#define CHAIN_KERNEL(name, rows)                                                                             \
  static nn_status prepare_##name (nn_call *call, nn_error *err)                                             \
  {                                                                                                          \
    return nn_rows_check (rows, call, 0, err);                                                               \
  }                                                                                                          \
  static nn_status run_##name (const nn_call *call, nn_error *err)                                           \
  {                                                                                                          \
    run_chain (call, rows);                                                                                  \
    return NN_OK;                                                                                            \
  }                                                                                                          \
  const nn_kernel nn_cpu_##name = { .prepare = prepare_##name, .run = run_##name };

CHAIN_KERNEL (max, max_rows)
CHAIN_KERNEL (min, min_rows)
CHAIN_KERNEL (sum, sum_rows)

NN_ROW_BINARY (quotient_f32, float, float, a / b)
NN_ROW_BINARY (quotient_f64, double, double, a / b)

static nn_status
run_mean (const nn_call *call, nn_error *err)
{
  float narrow = (float) call->node->n_in;
  double wide = call->node->n_in;
  nn_dtype dtype = call->in[0].dtype;
  nn_tensor count = nn_tensor_make (dtype, 0, NULL, NN_LAYOUT_ROW_MAJOR,
                                    dtype == NN_F32 ? (void *) &narrow : (void *) &wide);
  run_chain (call, sum_rows);
  run_rows (call, dtype == NN_F32 ? quotient_f32 : quotient_f64, &call->out[0], &count, NULL);
  return NN_OK;
}

const nn_kernel nn_cpu_mean = { .prepare = prepare_sum, .run = run_mean };
