/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reductions over any dimensions. Floating-point numbers are added up in double precision and always
 * in the same order; integers wrap around.
 */
#include "cpu.h"
#include "loop.h"

#include "../graph/shape.h"

#include <math.h>

typedef enum reduction {
  REDUCE_SUM, /* up to REDUCE_MIN: fast where float32 lies side by side */
  REDUCE_MEAN,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_PROD,
  REDUCE_L1,
  REDUCE_L2,
  REDUCE_SUM_SQUARE,
  REDUCE_LOG_SUM,
  REDUCE_LOG_SUM_EXP,
} reduction;

/* What one result is made of: the reduced dimensions of the operand, outermost first; rank ≥ 1. */
typedef struct region {
  reduction kind;
  nn_dtype dtype;
  int rank;
  int64_t dim[NN_MAX_RANK], stride[NN_MAX_RANK]; /* bytes */
  int64_t count;
} region;

/* The next innermost row; false after the last one. */
static bool
next_row (const region *r, int64_t *index, const char **at)
{
  for (int d = r->rank - 2; d >= 0; d--) {
    *at += r->stride[d];
    if (++index[d] < r->dim[d])
      return true;
    *at -= r->dim[d] * r->stride[d];
    index[d] = 0;
  }
  return false;
}

/* ---- floating point ---- */

static double
load_real (const void *at, nn_dtype dtype)
{
  return dtype == NN_F64 ? *(const double *) at : (double) *(const float *) at;
}

/* NaN wins: no comparison holds for it. `shift` is the region's maximum. */
static double
take_real (reduction kind, double so_far, double x, double shift)
{
  switch (kind) {
  case REDUCE_MAX:
    return so_far >= x || so_far != so_far ? so_far : x;
  case REDUCE_MIN:
    return so_far <= x || so_far != so_far ? so_far : x;
  case REDUCE_PROD:
    return so_far * x;
  case REDUCE_L1:
    return so_far + fabs (x);
  case REDUCE_L2:
  case REDUCE_SUM_SQUARE:
    return so_far + x * x;
  case REDUCE_LOG_SUM_EXP:
    return so_far + exp (x - shift);
  default:
    return so_far + x;
  }
}

/* Eight sums side by side, so that additions need not wait for each other. */
static double
sum_floats (int64_t n, const float *x)
{
  double part[8] = { 0 };
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++)
      part[k] += (double) x[i + k];
  for (; i < n; i++)
    part[i % 8] += (double) x[i];
  return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

/* Eight extrema side by side; NaN stays. */
static double
extremum_of_floats (int64_t n, const float *x, bool max)
{
  float part[8], best;
  for (int k = 0; k < 8; k++)
    part[k] = x[0];
  for (int64_t i = 0; i < n; i++) {
    float *p = &part[i % 8];
    *p = (max ? *p >= x[i] : *p <= x[i]) || *p != *p ? *p : x[i];
  }
  best = part[0];
  for (int k = 1; k < 8; k++)
    best = (max ? best >= part[k] : best <= part[k]) || best != best ? best : part[k];
  return (double) best;
}

/* The fast ways for float32 that lies side by side. */
static double
take_floats (reduction kind, double so_far, int64_t n, const float *x)
{
  if (kind == REDUCE_MAX || kind == REDUCE_MIN)
    return take_real (kind, so_far, extremum_of_floats (n, x, kind == REDUCE_MAX), 0);
  return so_far + sum_floats (n, x);
}

static double
walk_real (const region *r, reduction kind, const char *at, double start, double shift)
{
  int64_t index[NN_MAX_RANK] = { 0 };
  const int64_t n = r->dim[r->rank - 1], step = r->stride[r->rank - 1];
  bool plain = kind <= REDUCE_MIN || kind == REDUCE_LOG_SUM;
  bool fast = plain && r->dtype == NN_F32 && step == sizeof (float);
  double so_far = start;
  if (r->count == 0)
    return start;
  do {
    if (fast)
      so_far = take_floats (kind, so_far, n, (const float *) at);
    for (int64_t i = 0; i < n && !fast; i++)
      so_far = take_real (kind, so_far, load_real (at + i * step, r->dtype), shift);
  } while (next_row (r, index, &at));
  return so_far;
}

static double
reduce_real (const region *r, const char *at)
{
  double shift;
  switch (r->kind) {
  case REDUCE_MAX:
    return walk_real (r, r->kind, at, -INFINITY, 0);
  case REDUCE_MIN:
    return walk_real (r, r->kind, at, INFINITY, 0);
  case REDUCE_PROD:
    return walk_real (r, r->kind, at, 1, 0);
  case REDUCE_MEAN:
    return walk_real (r, r->kind, at, 0, 0) / (double) r->count;
  case REDUCE_L2:
    return sqrt (walk_real (r, r->kind, at, 0, 0));
  case REDUCE_LOG_SUM:
    return log (walk_real (r, r->kind, at, 0, 0));
  case REDUCE_LOG_SUM_EXP:
    shift = walk_real (r, REDUCE_MAX, at, -INFINITY, 0);
    shift = isinf (shift) ? 0 : shift;
    return log (walk_real (r, r->kind, at, 0, shift)) + shift;
  default:
    return walk_real (r, r->kind, at, 0, 0);
  }
}

/* ---- integers ---- */

static int64_t
take_integer (reduction kind, int64_t so_far, int64_t x)
{
  uint64_t a = (uint64_t) so_far, b = (uint64_t) x;
  switch (kind) {
  case REDUCE_MAX:
    return so_far >= x ? so_far : x;
  case REDUCE_MIN:
    return so_far <= x ? so_far : x;
  case REDUCE_PROD:
    return (int64_t) (a * b);
  case REDUCE_L1:
    return (int64_t) (a + (x < 0 ? -b : b));
  case REDUCE_SUM_SQUARE:
    return (int64_t) (a + b * b);
  default:
    return (int64_t) (a + b);
  }
}

static int64_t
reduce_integer (const region *r, const char *at)
{
  int64_t index[NN_MAX_RANK] = { 0 };
  const int64_t n = r->dim[r->rank - 1], step = r->stride[r->rank - 1];
  int64_t so_far = r->kind == REDUCE_PROD  ? 1
                   : r->kind == REDUCE_MAX ? INT64_MIN
                   : r->kind == REDUCE_MIN ? INT64_MAX
                                           : 0;
  if (r->count == 0)
    return so_far;
  do
    for (int64_t i = 0; i < n; i++) {
      const void *x = at + i * step;
      so_far
          = take_integer (r->kind, so_far, r->dtype == NN_I64 ? *(const int64_t *) x : *(const int32_t *) x);
    }
  while (next_row (r, index, &at));
  return r->kind == REDUCE_MEAN ? so_far / r->count : so_far;
}

/* ---- the operators ---- */

static void
reduce_results (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const region *r = arg;
  for (int64_t i = 0; i < n; i++) {
    void *y = at[0] + i * stride[0];
    const char *x = at[1] + i * stride[1];
    if (r->dtype == NN_F32)
      *(float *) y = (float) reduce_real (r, x);
    else if (r->dtype == NN_F64)
      *(double *) y = reduce_real (r, x);
    else if (r->dtype == NN_I64)
      *(int64_t *) y = reduce_integer (r, x);
    else
      *(int32_t *) y = (int32_t) reduce_integer (r, x);
  }
}

static bool
is_integer (nn_dtype dtype)
{
  return dtype == NN_I64 || dtype == NN_I32;
}

static nn_status
check (const nn_call *call, bool integers, nn_error *err)
{
  nn_dtype dtype = call->in[0].dtype;
  if (dtype == NN_F32 || dtype == NN_F64 || (integers && is_integer (dtype)))
    return NN_OK;
  return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported", nn_dtype_name (dtype));
}

/* Splits the operand in what the results walk over, of rank and order of x with 1 in place of what
 * is reduced, and the region under each of them. */
static nn_status
split (const nn_call *call, nn_tensor *outer, region *r, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  unsigned axes;
  nn_status status = nn_shape_reduced_axes (call->node, &axes, err);
  if (status != NN_OK)
    return status;
  *outer = *x;
  r->dtype = x->dtype;
  r->rank = 0;
  r->count = 1;
  for (int d = 0; d < x->rank; d++) {
    if (!(axes & 1u << d))
      continue;
    outer->dim[d] = 1;
    r->count *= x->dim[d];
    r->dim[r->rank] = x->dim[d];
    r->stride[r->rank++] = x->stride[d] * (int64_t) nn_dtype_size (x->dtype);
  }
  if (r->rank == 0) {
    r->dim[0] = 1;
    r->stride[r->rank++] = 0;
  }
  return NN_OK;
}

static nn_status
reduce (const nn_call *call, reduction kind, nn_error *err)
{
  nn_tensor outer;
  region r = { .kind = kind };
  nn_status status = split (call, &outer, &r, err);
  if (status != NN_OK)
    return status;
  /* The result without the dimensions that it may not keep lies in memory as with them. */
  nn_tensor y
      = nn_tensor_make (call->out[0].dtype, outer.rank, outer.dim, NN_LAYOUT_ROW_MAJOR, call->out[0].data);
  const nn_tensor *in = &outer;
  nn_loop loop;
  nn_loop_init (&loop, &y, &in, 1);
  nn_loop_run (&loop, reduce_results, &r);
  return NN_OK;
}

#define REDUCE_KERNEL(name, kind, integers)                                                                  \
  static nn_status prepare_##name (nn_call *call, nn_error *err) { return check (call, integers, err); }     \
  static nn_status run_##name (const nn_call *call, nn_error *err) { return reduce (call, kind, err); }      \
  const nn_kernel nn_cpu_reduce_##name = { .prepare = prepare_##name, .run = run_##name };

REDUCE_KERNEL (sum, REDUCE_SUM, true)
REDUCE_KERNEL (mean, REDUCE_MEAN, true)
REDUCE_KERNEL (max, REDUCE_MAX, true)
REDUCE_KERNEL (min, REDUCE_MIN, true)
REDUCE_KERNEL (prod, REDUCE_PROD, true)
REDUCE_KERNEL (l1, REDUCE_L1, true)
REDUCE_KERNEL (l2, REDUCE_L2, false)
REDUCE_KERNEL (sum_square, REDUCE_SUM_SQUARE, true)
REDUCE_KERNEL (log_sum, REDUCE_LOG_SUM, false)
REDUCE_KERNEL (log_sum_exp, REDUCE_LOG_SUM_EXP, false)
