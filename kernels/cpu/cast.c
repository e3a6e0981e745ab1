/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"
#include "loop.h"
#include "rows.h"

#include <math.h>

/* IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
static float
from_half (uint16_t half)
{
  int exponent = half >> 10 & 31, fraction = half & 1023;
  float value = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                : exponent == 0 ? ldexpf ((float) fraction, -24)
                                : ldexpf ((float) (fraction + 1024), exponent - 25);
  return half & 0x8000 ? -value : value;
}

/* To the nearest, halfway to the even one, as the default rounding mode has it. */
static uint16_t
to_half (float value)
{
  uint16_t sign = signbit (value) ? 0x8000 : 0;
  float size = fabsf (value);
  if (value != value)
    return 0x7e00;
  if (size >= 65520)
    return sign | 0x7c00;
  int exponent = size < 0x1p-14f ? -14 : ilogbf (size);
  int fraction = (int) nearbyintf (ldexpf (size, 10 - exponent));
  return (uint16_t) (sign | (fraction + (size < 0x1p-14f ? 0 : (exponent + 14) << 10)));
}

/* Both ways go through a type that holds every value of the others: double for what may have a
 * fraction, int64_t for integers. */
static double
load_real (const void *at, nn_dtype dtype)
{
  if (dtype == NN_F16)
    return (double) from_half (*(const uint16_t *) at);
  return dtype == NN_F64 ? *(const double *) at : (double) *(const float *) at;
}

static int64_t
load_integer (const void *at, nn_dtype dtype)
{
  switch (dtype) {
    case NN_I64:
      return *(const int64_t *) at;
    case NN_I32:
      return *(const int32_t *) at;
    case NN_I8:
      return *(const int8_t *) at;
    default:
      return *(const uint8_t *) at;
  }
}

static void
store_integer (void *at, nn_dtype dtype, int64_t value)
{
  switch (dtype) {
    case NN_F64:
      *(double *) at = (double) value;
      break;
    case NN_F32:
      *(float *) at = (float) value;
      break;
    case NN_F16:
      *(uint16_t *) at = to_half ((float) value);
      break;
    case NN_I64:
      *(int64_t *) at = value;
      break;
    case NN_I32:
      *(int32_t *) at = (int32_t) value;
      break;
    case NN_BOOL:
      *(uint8_t *) at = value != 0;
      break;
    default:
      *(uint8_t *) at = (uint8_t) value;
      break;
  }
}

static bool
is_real (nn_dtype dtype)
{
  return dtype == NN_F32 || dtype == NN_F64 || dtype == NN_F16;
}

/* Towards zero; what does not fit (NaN too) becomes the smallest integer, as x86 does it. */
static int64_t
truncate (double value)
{
  return value >= -0x1p63 && value < 0x1p63 ? (int64_t) value : INT64_MIN;
}

static void
store_real (void *at, nn_dtype dtype, double value)
{
  if (dtype == NN_F64)
    *(double *) at = value;
  else if (dtype == NN_F32)
    *(float *) at = (float) value;
  else if (dtype == NN_F16)
    *(uint16_t *) at = to_half ((float) value);
  else if (dtype == NN_BOOL)
    *(uint8_t *) at = value != 0;
  else
    store_integer (at, dtype, truncate (value));
}

typedef struct cast_arg {
  nn_dtype to, from;
} cast_arg;

static void
cast_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const cast_arg *cast = arg;
  for (int64_t i = 0; i < n; i++) {
    void *to = at[0] + i * stride[0];
    const void *from = at[1] + i * stride[1];
    if (is_real (cast->from))
      store_real (to, cast->to, load_real (from, cast->from));
    else
      store_integer (to, cast->to, load_integer (from, cast->from));
  }
}

/* Masks are large and are cast back and forth. */
NN_ROW_MAP (mask_row, float, uint8_t, x)
NN_ROW_MAP (unmask_row, uint8_t, float, x != 0)

static nn_loop_row
row_of (const cast_arg *cast)
{
  if (cast->from == NN_BOOL && cast->to == NN_F32)
    return mask_row;
  return cast->from == NN_F32 && cast->to == NN_BOOL ? unmask_row : cast_row;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  cast_arg arg = { call->out[0].dtype, x->dtype };
  nn_loop loop;
  nn_loop_init (&loop, &call->out[0], &x, 1);
  nn_loop_run (&loop, row_of (&arg), &arg);
  return NN_OK;
}

const nn_kernel nn_cpu_cast = { .run = run };
