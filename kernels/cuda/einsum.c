/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum: as products of matrices (product.c) where the letters can be sorted so, else as a loop nest. */
#include "einsum.h"
#include "floats.h"
#include "product.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct einsum {
  bool is_product;
  int left;                   /* the operand that is A; the other one is B */
  nn_cuda_product product;
  const void *constant[2];    /* operands in the products' type; of the store */
  nn_cuda_einsum_loops loops; /* where it is no product */
} einsum;

/* A letter's stride in an operand, in elements: where it is there twice, along the diagonal; 0 where it is not. */
static int64_t
stride_of (const nn_call *call, const nn_einsum *e, int operand, char letter)
{
  int64_t stride = 0;
  for (int d = 0; d < e->rank[operand]; d++)
    if (e->letters[operand][d] == letter)
      stride += call->in[operand].stride[d];
  return stride;
}

static void
set_loops (const nn_call *call, const nn_einsum *e, nn_cuda_einsum_loops *loops)
{
  const nn_tensor *y = &call->out[0];
  *loops = (nn_cuda_einsum_loops){ .n_in = call->node->n_in, .rank = y->rank, .n_sums = e->n_sums,
                                   .dtype = { y->dtype }, .count = nn_tensor_count (y) };
  for (int d = 0; d < y->rank; d++) {
    loops->dim[d] = y->dim[d];
    loops->stride[d][0] = y->stride[d];
  }
  for (int d = 0; d < e->n_sums; d++)
    loops->sum_dim[d] = e->sum_dim[d];
  for (int i = 0; i < loops->n_in; i++) {
    loops->dtype[1 + i] = call->in[i].dtype;
    for (int d = 0; d < y->rank; d++)
      loops->stride[d][1 + i] = stride_of (call, e, i, e->result[d]);
    for (int d = 0; d < e->n_sums; d++)
      loops->sum_stride[d][i] = stride_of (call, e, i, e->sums[d]);
  }
}

/* ---- as a product ---- */

/* Adjacent dimensions of the result, or of the sum, that A, B and D go through in one stride each. */
typedef struct span {
  int64_t n, a, b, d;
} span;

static bool
join (span *outer, const span *inner)
{
  if (outer->n != 1 && inner->n != 1
      && (outer->a != inner->a * inner->n || outer->b != inner->b * inner->n || outer->d != inner->d * inner->n))
    return false;
  int64_t n = outer->n * inner->n;
  if (inner->n != 1)
    *outer = *inner;
  outer->n = n;
  return true;
}

/* Whether each letter is in a term at most once, and what is summed over is in both. */
static bool
is_plain (const nn_einsum *e)
{
  for (int i = 0; i < 2; i++)
    for (const char *at = e->letters[i]; *at != '\0'; at++)
      if (strchr (at + 1, *at) != NULL)
        return false;
  for (const char *at = e->sums; *at != '\0'; at++)
    if (strchr (e->letters[0], *at) == NULL || strchr (e->letters[1], *at) == NULL)
      return false;
  return true;
}

static bool
find_inner (const nn_call *call, const nn_einsum *e, int left, span *inner)
{
  *inner = (span){ 1, 1, 1, 0 };
  for (int i = 0; i < e->n_sums; i++) {
    span next = { e->sum_dim[i], stride_of (call, e, left, e->sums[i]), stride_of (call, e, 1 - left, e->sums[i]), 0 };
    if (!join (inner, &next))
      return false;
  }
  return true;
}

/* The result's dimensions, joined where A, B and D allow it; returns how many. */
static int
find_spans (const nn_call *call, const nn_einsum *e, int left, span spans[NN_MAX_RANK])
{
  const nn_tensor *y = &call->out[0];
  int n = 0;
  for (int d = 0; d < y->rank; d++) {
    span next = { y->dim[d], stride_of (call, e, left, e->result[d]), stride_of (call, e, 1 - left, e->result[d]),
                  y->stride[d] };
    if (next.n == 1)
      continue;
    bool alike = n > 0 && (next.a != 0) == (spans[n - 1].a != 0) && (next.b != 0) == (spans[n - 1].b != 0);
    if (!alike || !join (&spans[n - 1], &next))
      spans[n++] = next;
  }
  return n;
}

/* Columns are the last dimensions, if only B has them; rows the last that only A has; all others are batches. */
static bool
set_problem (const nn_call *call, const nn_einsum *e, int left, nn_cuda_product_problem *p)
{
  span spans[NN_MAX_RANK], inner, row = { 1, 0, 0, 0 }, column;
  int n = find_spans (call, e, left, spans), at = n - 2;
  if (n == 0 || spans[n - 1].a != 0 || spans[n - 1].d != 1 || !find_inner (call, e, left, &inner))
    return false;
  column = spans[--n];
  while (at >= 0 && spans[at].b != 0)
    at--;
  if (at >= 0) {
    row = spans[at];
    memmove (&spans[at], &spans[at + 1], (size_t) (--n - at) * sizeof spans[0]);
  }
  if (n > NN_CUDA_PRODUCT_MAX_BATCH)
    return false;
  *p = (nn_cuda_product_problem){ .m = row.n, .n = column.n, .k = inner.n, .result = call->out[0].dtype,
                                  .activation = call->node->activation, .scale = 1, .a_row = row.a,
                                  .a_column = inner.a, .b_row = inner.b, .b_column = column.b, .d_row = row.d,
                                  .n_batch = n, .alignment = nn_cuda_alignment (call->node->out[0]) };
  for (int i = 0; i < n; i++)
    p->batch[i] = (nn_cuda_product_batch){ .n = spans[i].n, .a = spans[i].a, .b = spans[i].b, .d = spans[i].d };
  return true;
}

/* Operands that are constant take the type of the other one. */
static nn_status
take_operands (const nn_call *call, einsum *s, nn_cuda_product_problem *p, nn_error *err)
{
  nn_value *const *in = call->node->in;
  p->dtype = call->in[in[0]->constant != NULL ? 1 : 0].dtype;
  for (int i = 0; i < 2; i++) {
    int alignment = nn_cuda_alignment (in[i]);
    p->alignment = alignment < p->alignment ? alignment : p->alignment;
    if (in[i]->constant == NULL || call->in[i].dtype == p->dtype)
      continue;
    nn_status status = nn_cuda_take_converted (nn_cuda_of (call), call->in[i].data, nn_tensor_count (&call->in[i]),
                                               p->dtype, &s->constant[i], err);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}

static bool
can_multiply (const nn_call *call)
{
  if (call->node->n_in != 2 || nn_tensor_count (&call->out[0]) == 0)
    return false;
  for (int i = 0; i < 2; i++)
    if (!nn_cuda_is_float (call->in[i].dtype) || (call->node->in[i]->constant != NULL && call->in[i].dtype != NN_F32))
      return false;
  return call->in[0].dtype == call->in[1].dtype || call->node->in[0]->constant != NULL
         || call->node->in[1]->constant != NULL;
}

/* ---- the kernel ---- */

static void
release (void *shared)
{
  einsum *s = shared;
  nn_cuda_product_release (&s->product);
  for (int i = 0; i < 2; i++)
    nn_cuda_store_give_back (s->constant[i]);
  free (s);
}

static nn_status
prepare_as (nn_call *call, const nn_einsum *e, einsum *s, nn_error *err)
{
  nn_cuda_product_problem problem;
  nn_status status = NN_OK;
  for (int left = 0; left < 2 && !s->is_product && can_multiply (call) && is_plain (e); left++) {
    s->left = left;
    s->is_product = set_problem (call, e, left, &problem);
  }
  if (!s->is_product) {
    set_loops (call, e, &s->loops);
    return NN_OK;
  }
  status = take_operands (call, s, &problem, err);
  return status != NN_OK ? status : nn_cuda_product_prepare (nn_cuda_of (call), &problem, &s->product, err);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  nn_dtype dtype = call->out[0].dtype;
  nn_einsum e;
  nn_status status = nn_shape_einsum (call->node, &e, err);
  if (status != NN_OK)
    return status;
  if (!nn_cuda_is_float (dtype) && dtype != NN_F64 && dtype != NN_I64 && dtype != NN_I32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported on CUDA", nn_dtype_name (dtype));
  einsum *s = calloc (1, sizeof *s);
  if (s == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  status = prepare_as (call, &e, s, err);
  if (status != NN_OK) {
    release (s);
    return status;
  }
  call->shared = s;
  for (unsigned i = 0; i < 2; i++)
    if (s->constant[i] != NULL)
      call->packed |= 1u << i;
  return NN_OK;
}

static size_t
scratch_bytes (const nn_call *call)
{
  const einsum *s = call->shared;
  return s->is_product ? nn_cuda_product_workspace (&s->product) : 0;
}

static const void *
operand (const nn_call *call, int i)
{
  const einsum *s = call->shared;
  return s->constant[i] != NULL ? s->constant[i] : call->in[i].data;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const einsum *s = call->shared;
  const nn_cuda *cuda = nn_cuda_of (call);
  void *y = call->out[0].data;
  if (s->is_product)
    return nn_cuda_product_run (cuda, &s->product, operand (call, s->left), operand (call, 1 - s->left), NULL, y,
                                call->scratch, err);
  nn_cuda_launch_einsum (&s->loops, y, call->in[0].data, s->loops.n_in > 1 ? call->in[1].data : NULL, cuda->stream);
  return nn_cuda_launched ("sum_products", err);
}

const nn_kernel nn_cuda_einsum = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
