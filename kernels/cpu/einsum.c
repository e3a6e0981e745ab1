/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum of one or two operands as a loop nest: every letter is a dimension with one stride in each
 * operand. Written for the small products that exporters make of position tables.
 */
#include "cpu.h"
#include "loop.h"

#include "../graph/shape.h"

/* The letters that are summed over. */
typedef struct sums {
  int n_in, rank;
  int64_t dim[NN_MAX_RANK], stride[NN_MAX_RANK][2]; /* bytes */
} sums;

#define PRODUCTS(name, type, wide)                                                                           \
  static wide name##_sum (const sums *s, int d, const char *const *at)                                       \
  {                                                                                                          \
    if (d == s->rank)                                                                                        \
      return s->n_in == 1 ? (wide) * (const type *) at[0]                                                    \
                          : (wide) * (const type *) at[0] * (wide) * (const type *) at[1];                   \
    wide sum = 0;                                                                                            \
    for (int64_t i = 0; i < s->dim[d]; i++)                                                                  \
      sum += name##_sum (s, d + 1,                                                                           \
                         (const char *const[]){ at[0] + i * s->stride[d][0], at[1] + i * s->stride[d][1] }); \
    return sum;                                                                                              \
  }                                                                                                          \
  static void name##_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)                \
  {                                                                                                          \
    for (int64_t i = 0; i < n; i++)                                                                          \
      *(type *) (at[0] + i * stride[0]) = (type) name##_sum (                                                \
          arg, 0, (const char *const[]){ at[1] + i * stride[1], at[2] + i * stride[2] });                    \
  }

PRODUCTS (f32, float, double)
PRODUCTS (f64, double, double)
PRODUCTS (i64, int64_t, uint64_t)
PRODUCTS (i32, int32_t, uint32_t)

static nn_loop_row
row_of (nn_dtype dtype)
{
  switch (dtype) {
  case NN_F32:
    return f32_row;
  case NN_F64:
    return f64_row;
  case NN_I64:
    return i64_row;
  case NN_I32:
    return i32_row;
  default:
    return NULL;
  }
}

/* A letter's stride in operand `i`, in elements: where it is there twice, along the diagonal. */
static int64_t
stride_of (const nn_einsum *e, const nn_tensor *x, int i, char letter)
{
  int64_t stride = 0;
  for (int d = 0; d < e->rank[i]; d++)
    if (e->letters[i][d] == letter)
      stride += x->stride[d];
  return stride;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (row_of (call->in[0].dtype) == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported",
                    nn_dtype_name (call->in[0].dtype));
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const nn_tensor *y = &call->out[0];
  int n_in = call->node->n_in;
  nn_einsum e;
  nn_status status = nn_shape_einsum (call->node, &e, err);
  if (status != NN_OK)
    return status;
  sums s = { .n_in = n_in, .rank = e.n_sums };
  nn_tensor views[2];
  for (int i = 0; i < 2; i++) {
    const nn_tensor *x = &call->in[i < n_in ? i : 0];
    int64_t size = (int64_t) nn_dtype_size (x->dtype);
    views[i] = *y;
    views[i].data = x->data;
    for (int d = 0; d < y->rank; d++)
      views[i].stride[d] = stride_of (&e, x, i < n_in ? i : 0, e.result[d]);
    for (int d = 0; d < e.n_sums; d++) {
      s.dim[d] = e.sum_dim[d];
      s.stride[d][i] = stride_of (&e, x, i < n_in ? i : 0, e.sums[d]) * size;
    }
  }
  const nn_tensor *in[] = { &views[0], &views[1] };
  nn_loop loop;
  nn_loop_init (&loop, y, in, 2);
  nn_loop_run (&loop, row_of (y->dtype), &s);
  return NN_OK;
}

const nn_kernel nn_cpu_einsum = { .prepare = prepare, .run = run };
