/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that compare along one dimension: TopK, ArgMax, ArgMin; and CumSum, which adds along it. */
#include "cpu.h"
#include "loop.h"
#include "rows.h"

#include "../graph/shape.h"

#include <string.h>

/* Doubles in order are their bits in order: as they are, or counted downwards where negative. Both
 * zeros become 0, and every NaN one that lies beyond infinity. */
static int64_t
order_of (double value)
{
  int64_t bits;
  memcpy (&bits, &value, sizeof bits);
  return value != value ? INT64_MAX : bits < 0 ? INT64_MIN - bits : bits;
}

/* A number as an integer of the same order. */
static int64_t
key_of (const void *at, nn_dtype dtype)
{
  switch (dtype) {
  case NN_I64:
    return *(const int64_t *) at;
  case NN_I32:
    return *(const int32_t *) at;
  case NN_U8:
    return *(const uint8_t *) at;
  case NN_I8:
    return *(const int8_t *) at;
  case NN_F64:
    return order_of (*(const double *) at);
  default:
    return order_of ((double) *(const float *) at);
  }
}

static nn_status
prepare_comparable (nn_call *call, nn_error *err)
{
  nn_dtype dtype = call->in[0].dtype;
  if (dtype == NN_F16 || dtype == NN_BOOL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported", nn_dtype_name (dtype));
  return NN_OK;
}

/* One line along the axis, in bytes. */
typedef struct line {
  nn_dtype dtype;
  int64_t n, step;
} line;

static line
line_of (const nn_tensor *tensor, int axis)
{
  return (line){ tensor->dtype, tensor->dim[axis],
                 tensor->stride[axis] * (int64_t) nn_dtype_size (tensor->dtype) };
}

/* ---- TopK: a heap of the best so far with the worst of them on top ---- */

typedef struct candidate {
  int64_t key, index;
} candidate;

typedef struct topk_arg {
  line x, values, indices;
  bool largest, wants_values, wants_indices;
  candidate *heap;
} topk_arg;

/* Of equals the first is better. */
static bool
is_better (const candidate *a, const candidate *b)
{
  return a->key > b->key || (a->key == b->key && a->index < b->index);
}

static void
sink (candidate *heap, int64_t n, int64_t at)
{
  const candidate moved = heap[at];
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && is_better (&heap[child], &heap[child + 1]))
      child++;
    if (!is_better (&moved, &heap[child]))
      break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

/* The k best of the line, best first. */
static void
select_best (const topk_arg *t, const char *x, int64_t k)
{
  candidate *heap = t->heap;
  for (int64_t i = 0; i < t->x.n; i++) {
    int64_t key = key_of (x + i * t->x.step, t->x.dtype);
    candidate next = { t->largest ? key : ~key, i };
    if (i < k) {
      heap[i] = next;
      for (int64_t j = k / 2 - 1; i == k - 1 && j >= 0; j--)
        sink (heap, k, j);
    } else if (is_better (&next, &heap[0])) {
      heap[0] = next;
      sink (heap, k, 0);
    }
  }
  for (int64_t n = k - 1; n > 0; n--) {
    candidate worst = heap[0];
    heap[0] = heap[n];
    heap[n] = worst;
    sink (heap, n, 0);
  }
}

static void
topk_lines (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const topk_arg *t = arg;
  const int64_t k = t->values.n;
  const size_t size = nn_dtype_size (t->x.dtype);
  for (int64_t i = 0; i < n; i++) {
    const char *x = at[2] + i * stride[2];
    select_best (t, x, k);
    for (int64_t j = 0; j < k; j++) {
      int64_t index = t->heap[j].index;
      if (t->wants_values)
        memcpy (at[0] + i * stride[0] + j * t->values.step, x + index * t->x.step, size);
      if (t->wants_indices)
        *(int64_t *) (at[1] + i * stride[1] + j * t->indices.step) = index;
    }
  }
}

static size_t
topk_scratch (const nn_call *call)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank);
  int result = call->node->out[0] != NULL ? 0 : 1;
  return (size_t) call->out[result].dim[axis] * sizeof (candidate);
}

/* In place of a result that is left out the other one is walked over. */
static nn_status
run_topk (const nn_call *call, nn_error *err)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank);
  bool values = call->node->out[0] != NULL, indices = call->node->n_out > 1 && call->node->out[1] != NULL;
  nn_tensor v = call->out[values ? 0 : 1], i = call->out[indices ? 1 : 0], x = call->in[0];
  topk_arg arg = {
    .x = line_of (&x, axis),
    .values = line_of (&v, axis),
    .indices = line_of (&i, axis),
    .largest = nn_node_int (call->node, "largest", 1) != 0,
    .wants_values = values,
    .wants_indices = indices,
    .heap = call->scratch,
  };
  const nn_tensor *in[] = { &i, &x };
  nn_loop loop;
  if (v.dim[axis] == 0)
    return NN_OK;
  v.dim[axis] = i.dim[axis] = x.dim[axis] = 1;
  nn_loop_init (&loop, &v, in, 2);
  nn_loop_run (&loop, topk_lines, &arg);
  return NN_OK;
}

const nn_kernel nn_cpu_topk
    = { .prepare = prepare_comparable, .scratch_bytes = topk_scratch, .run = run_topk };

/* ---- ArgMax, ArgMin ---- */

typedef struct arg_arg {
  line x;
  bool max, last;
} arg_arg;

static int64_t
find_extremum (const arg_arg *a, const char *x)
{
  int64_t best = 0, best_key = 0;
  for (int64_t i = 0; i < a->x.n; i++) {
    int64_t key = key_of (x + i * a->x.step, a->x.dtype);
    key = a->max ? key : ~key;
    if (i == 0 || key > best_key || (a->last && key == best_key)) {
      best = i;
      best_key = key;
    }
  }
  return best;
}

static void
arg_lines (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  for (int64_t i = 0; i < n; i++)
    *(int64_t *) (at[0] + i * stride[0]) = find_extremum (arg, at[1] + i * stride[1]);
}

static void
run_arg (const nn_call *call, bool max)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), call->in[0].rank);
  nn_tensor x = call->in[0];
  arg_arg arg = { line_of (&x, axis), max, nn_node_int (call->node, "select_last_index", 0) != 0 };
  x.dim[axis] = 1;
  /* Without the axis, if it is not kept, the result lies in memory as with it. */
  nn_tensor y = nn_tensor_make (NN_I64, x.rank, x.dim, NN_LAYOUT_ROW_MAJOR, call->out[0].data);
  const nn_tensor *in = &x;
  nn_loop loop;
  nn_loop_init (&loop, &y, &in, 1);
  nn_loop_run (&loop, arg_lines, &arg);
}

static nn_status
run_arg_max (const nn_call *call, nn_error *err)
{
  run_arg (call, true);
  return NN_OK;
}

static nn_status
run_arg_min (const nn_call *call, nn_error *err)
{
  run_arg (call, false);
  return NN_OK;
}

const nn_kernel nn_cpu_arg_max = { .prepare = prepare_comparable, .run = run_arg_max };
const nn_kernel nn_cpu_arg_min = { .prepare = prepare_comparable, .run = run_arg_min };

/* ---- CumSum ---- */

typedef struct cumsum_arg {
  int64_t n, x_step, y_step; /* bytes; the steps are negative from the end on */
  bool exclusive;
} cumsum_arg;

#define CUMSUM_LINES(name, type, wide)                                                                       \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    const cumsum_arg *c = arg;                                                                               \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const char *x = at[1] + i * stride[1] - (c->x_step < 0 ? (c->n - 1) * c->x_step : 0);                  \
      char *y = at[0] + i * stride[0] - (c->y_step < 0 ? (c->n - 1) * c->y_step : 0);                        \
      wide sum = 0;                                                                                          \
      for (int64_t k = 0; k < c->n; k++) {                                                                   \
        wide before = sum;                                                                                   \
        sum += (wide) * (const type *) (x + k * c->x_step);                                                  \
        *(type *) (y + k * c->y_step) = (type) (c->exclusive ? before : sum);                                \
      }                                                                                                      \
    }                                                                                                        \
  }

CUMSUM_LINES (cumsum_f32, float, double)
CUMSUM_LINES (cumsum_f64, double, double)
CUMSUM_LINES (cumsum_i64, int64_t, uint64_t)
CUMSUM_LINES (cumsum_i32, int32_t, uint32_t)

static const nn_loop_row cumsum_rows[NN_ROWS_SIZE] = {
  [NN_F32] = cumsum_f32,
  [NN_F64] = cumsum_f64,
  [NN_I64] = cumsum_i64,
  [NN_I32] = cumsum_i32,
};

static nn_status
prepare_cumsum (nn_call *call, nn_error *err)
{
  return nn_rows_check (cumsum_rows, call, 0, err);
}

static nn_status
run_cumsum (const nn_call *call, nn_error *err)
{
  int axis;
  nn_status status = nn_shape_cumsum_axis (call->node, &axis, err);
  if (status != NN_OK)
    return status;
  nn_tensor x = call->in[0], y = call->out[0];
  int64_t sign = nn_node_int (call->node, "reverse", 0) != 0 ? -1 : 1;
  cumsum_arg arg = { x.dim[axis], sign * line_of (&x, axis).step, sign * line_of (&y, axis).step,
                     nn_node_int (call->node, "exclusive", 0) != 0 };
  const nn_tensor *in = &x;
  nn_loop loop;
  if (arg.n == 0)
    return NN_OK;
  x.dim[axis] = y.dim[axis] = 1;
  nn_loop_init (&loop, &y, &in, 1);
  nn_loop_run (&loop, cumsum_rows[x.dtype], &arg);
  return NN_OK;
}

const nn_kernel nn_cpu_cumsum = { .prepare = prepare_cumsum, .run = run_cumsum };
