/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"
#include "loop.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (call->in[0].dtype != NN_F32 || call->in[0].rank < 1)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%s of rank %d is not supported",
                    nn_dtype_name (call->in[0].dtype), call->in[0].rank);
  if (nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank) < 0)
    return nn_fail (err, NN_ERR_FORMAT, "an axis that is not there");
  return NN_OK;
}

static size_t
scratch_bytes (const nn_call *call)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank);
  return (size_t) call->in[0].dim[axis] * sizeof (float);
}

typedef struct line {
  const nn_simd_math *simd;
  int64_t n, x_step, y_step; /* of the axis, in elements */
  float *room;
  bool logarithm;
} line;

static void
softmax_line (const line *l, const float *x, float *y)
{
  float max = x[0];
  for (int64_t i = 0; i < l->n; i++) {
    l->room[i] = x[i * l->x_step];
    max = l->room[i] > max ? l->room[i] : max;
  }
  float sum = l->simd->exp_sum (l->n, max, l->room, l->room);
  for (int64_t i = 0; i < l->n; i++)
    y[i * l->y_step] = l->logarithm ? x[i * l->x_step] - max - logf (sum) : l->room[i] / sum;
}

static void
softmax_lines (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  for (int64_t i = 0; i < n; i++)
    softmax_line (arg, (const float *) (at[1] + i * stride[1]), (float *) (at[0] + i * stride[0]));
}

static void
run_lines (const nn_call *call, bool logarithm)
{
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), call->in[0].rank);
  nn_tensor x = call->in[0], y = call->out[0];
  const nn_tensor *in = &x;
  line l = { nn_simd_math_kernels (), x.dim[axis], x.stride[axis], y.stride[axis], call->scratch,
             logarithm };
  nn_loop loop;
  if (l.n == 0)
    return;
  x.dim[axis] = y.dim[axis] = 1;
  nn_loop_init (&loop, &y, &in, 1);
  nn_loop_run (&loop, softmax_lines, &l);
}

static nn_status
run_softmax (const nn_call *call, nn_error *err)
{
  run_lines (call, false);
  return NN_OK;
}

static nn_status
run_log_softmax (const nn_call *call, nn_error *err)
{
  run_lines (call, true);
  return NN_OK;
}

const nn_kernel nn_cpu_softmax = { .prepare = prepare, .scratch_bytes = scratch_bytes, .run = run_softmax };
const nn_kernel nn_cpu_log_softmax = { .prepare = prepare, .scratch_bytes = scratch_bytes, .run = run_log_softmax };
