/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MaskedReduce (graph/fuse-mask.c says what it is), row by row. */
#include "cpu.h"
#include "parallel.h"
#include "simd.h"

#include <string.h>

typedef struct masked {
  const nn_simd_math *simd;
  const float *x, *table;
  void *y;
  int64_t places; /* a row */
  float threshold, fill;
  enum { MAX, MIN, COUNT } reduce;
} masked;

static void
reduce_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const masked *m = arg;
  for (int64_t row = begin; row < end; row++) {
    const float *x = m->x + row * m->places;
    if (m->reduce == MAX)
      ((float *)m->y)[row] = m->simd->masked_largest (m->places, x, m->threshold, m->table, m->fill);
    else if (m->reduce == MIN)
      ((float *)m->y)[row] = m->simd->masked_smallest (m->places, x, m->threshold, m->table, m->fill);
    else
      ((int64_t *)m->y)[row] = m->simd->count_above (m->places, x, m->threshold);
  }
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const char *reduce = nn_node_string (call->node, "reduce", "count");
  int64_t rows = nn_tensor_count (&call->out[0]);
  if (rows == 0)
    return NN_OK;
  masked m = { .simd = nn_simd_math_kernels (),
               .x = call->in[0].data,
               .y = call->out[0].data,
               .table = call->node->n_in > 1 ? call->in[1].data : NULL,
               .places = nn_tensor_count (&call->in[0]) / rows,
               .threshold = nn_node_float (call->node, "threshold", 0),
               .fill = nn_node_float (call->node, "fill", 0),
               .reduce = strcmp (reduce, "max") == 0   ? MAX
                         : strcmp (reduce, "min") == 0 ? MIN
                                                       : COUNT };
  nn_cpu_share (rows, nn_cpu_least (m.places), reduce_rows, &m);
  return NN_OK;
}

const nn_kernel nn_cpu_masked_reduce = { .run = run };
