/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a program goes over its tensors, and in which kernel. */
#include "program.h"

#include "../cpu/loop.h"

#include <stdlib.h>
#include <string.h>

/* Of one node, for all sessions. */
typedef struct prepared {
  nn_program program;
  nn_kind kind;
  bool is_step; /* as nn_cuda_launch_step() wants it */
  nn_loop loop; /* without data */
  nn_dtype dtype[NN_WALK_MAX];
  int operand[NN_PROGRAM_INPUTS];
} prepared;

/* Whether step k is an activation of an input; then its result takes the input's place in *reg. */
static bool
activates (const nn_program *program, int k, int input, int *reg)
{
  const nn_step *s = &program->step[k];
  bool does = k < program->n_steps && s->function < NN_FUNCTION_ABS && s->a == input;
  if (does)
    *reg = program->n_in + k;
  return does;
}

static bool
is_step (const nn_program *program)
{
  int a = 0, b = 1, k = 0;
  for (int i = 0; i < 2 && program->n_in == 2; i++)
    k += activates (program, k, i, i == 0 ? &a : &b);
  const nn_step *s = &program->step[k];
  bool is_where = s->function == NN_FUNCTION_WHERE, is_pair = !is_where && s->function >= NN_FUNCTION_ADD;
  bool in_order = is_where ? s->c == 0 && s->a == 1 && s->b == 2 : s->a == a && (!is_pair || s->b == b);
  bool activated = program->n_steps == k + 2 && s[1].function < NN_FUNCTION_ABS && s[1].a == program->n_in + k;
  return in_order && program->n_in == (is_where ? 3 : is_pair ? 2 : 1) && (program->n_steps == k + 1 || activated);
}

nn_status
nn_program_prepare (nn_call *call, const nn_program *program, nn_kind kind, const nn_tensor *in, const int *operand,
                    nn_error *err)
{
  const nn_tensor *tensors[NN_PROGRAM_INPUTS];
  prepared *p = calloc (1, sizeof *p);
  if (p == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a program");
  p->program = *program;
  p->kind = kind;
  p->is_step = is_step (program);
  p->dtype[0] = call->out[0].dtype;
  for (int i = 0; i < program->n_in; i++) {
    tensors[i] = &in[i];
    p->dtype[i + 1] = in[i].dtype;
    p->operand[i] = operand[i];
  }
  nn_loop_init (&p->loop, &call->out[0], tensors, program->n_in);
  call->shared = p;
  return NN_OK;
}

void
nn_program_release (void *shared)
{
  free (shared);
}

/* ---- groups ---- */

static int64_t
count_of (const nn_loop *loop)
{
  int64_t n = 1;
  for (int d = 0; d < loop->rank; d++)
    n *= loop->dim[d];
  return n;
}

static bool
is_aligned (const nn_loop *loop, int t, int64_t bytes)
{
  bool aligned = (uintptr_t) loop->data[t] % (uintptr_t) bytes == 0;
  for (int d = 1; d < loop->rank; d++)
    aligned = aligned && loop->stride[d][t] % bytes == 0;
  return aligned;
}

/* Whether all tensors have groups of `group` elements side by side, or repeat one element along the group. */
static bool
has_groups (const nn_loop *loop, const nn_dtype *dtype, int group)
{
  if (loop->dim[0] % group != 0)
    return false;
  for (int t = 0; t < loop->n; t++) {
    int64_t size = (int64_t) nn_dtype_size (dtype[t]), bytes = group * size < 16 ? group * size : 16;
    if (t > 0 && loop->stride[0][t] == 0)
      continue;
    if (loop->stride[0][t] != size || !is_aligned (loop, t, bytes))
      return false;
  }
  return true;
}

/* The largest there is that leaves every multiprocessor something to do. */
static int
choose_group (const nn_cuda *cuda, const prepared *p, const nn_loop *loop)
{
  const int sizes[] = { p->is_step ? NN_STEP_GROUP : NN_PROGRAM_GROUP, NN_PROGRAM_GROUP };
  int64_t least = (int64_t) cuda->n_multiprocessors * NN_PROGRAM_THREADS / 2, n = count_of (loop);
  for (int i = 0; i < 2 && p->kind == NN_KIND_FLOAT; i++)
    if (n / sizes[i] >= least && has_groups (loop, p->dtype, sizes[i]))
      return sizes[i];
  return 1;
}

/* ---- launches ---- */

static nn_divisor
divisor_of (int64_t size)
{
  nn_divisor by = { .size = (uint32_t) size };
  while (((uint64_t) 1 << by.shift) < by.size)
    by.shift++;
  by.factor = (uint32_t) (((((uint64_t) 1 << by.shift) - by.size) << 32) / by.size + 1);
  return by;
}

static nn_walk
walk_of (const nn_loop *loop, const nn_dtype *dtype, int group)
{
  nn_walk walk = { .n = loop->n, .rank = loop->rank, .groups = (uint32_t) (count_of (loop) / group) };
  for (int d = 0; d < loop->rank; d++) {
    walk.dim[d] = divisor_of (d == 0 ? loop->dim[0] / group : loop->dim[d]);
    for (int t = 0; t < loop->n; t++)
      walk.stride[d][t] = loop->stride[d][t] * (d == 0 ? group : 1);
  }
  for (int t = 0; t < loop->n; t++) {
    walk.data[t] = loop->data[t];
    walk.dtype[t] = dtype[t];
    walk.repeats[t] = loop->stride[0][t] == 0;
  }
  return walk;
}

static void
launch (const nn_cuda *cuda, const prepared *p, const nn_walk *walk, int group)
{
  int most = 16 * cuda->n_multiprocessors;
  uint32_t needed = (walk->groups - 1) / NN_PROGRAM_THREADS + 1;
  int blocks = needed < (uint32_t) most ? (int) needed : most;
  if (p->kind == NN_KIND_REAL)
    nn_cuda_launch_reals (walk, &p->program, blocks, cuda->stream);
  else if (p->kind == NN_KIND_INTEGER)
    nn_cuda_launch_integers (walk, &p->program, blocks, cuda->stream);
  else if (group == NN_STEP_GROUP)
    nn_cuda_launch_step (walk, &p->program, blocks, cuda->stream);
  else
    nn_cuda_launch_program (walk, &p->program, group, blocks, cuda->stream);
}

/* The first half of the outermost dimension, or with `second` the rest. */
static nn_loop
half_of (const nn_loop *loop, bool second)
{
  nn_loop half = *loop;
  int d = loop->rank - 1;
  int64_t middle = loop->dim[d] / 2 / NN_STEP_GROUP * NN_STEP_GROUP;
  middle = middle > 0 ? middle : loop->dim[d] / 2;
  half.dim[d] = second ? loop->dim[d] - middle : middle;
  for (int t = 0; t < loop->n && second; t++)
    half.data[t] += middle * loop->stride[d][t];
  return half;
}

/* Where the kernels' numbers of 32 bits are too few, in halves. */
static nn_status
run (const nn_cuda *cuda, const prepared *p, const nn_loop *loop, nn_error *err)
{
  int group = choose_group (cuda, p, loop);
  if (count_of (loop) / group > INT32_MAX) {
    nn_loop first = half_of (loop, false), second = half_of (loop, true);
    nn_status status = run (cuda, p, &first, err);
    return status != NN_OK ? status : run (cuda, p, &second, err);
  }
  nn_walk walk = walk_of (loop, p->dtype, group);
  launch (cuda, p, &walk, group);
  return nn_cuda_launched ("elementwise", err);
}

nn_status
nn_program_run (const nn_call *call, nn_error *err)
{
  const prepared *p = call->shared;
  nn_loop loop = p->loop;
  loop.data[0] = call->out[0].data;
  for (int i = 0; i < p->program.n_in; i++)
    loop.data[i + 1] = call->in[p->operand[i]].data;
  return count_of (&loop) > 0 ? run (nn_cuda_of (call), p, &loop, err) : NN_OK;
}
