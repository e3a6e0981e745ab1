/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MatMul (with NumPy's broadcasting of the matrices) and Gemm: as products that product.c knows. */
#include "matmul.h"
#include "cuda.h"
#include "product.h"

#include "../graph/shape.h"

#include <stdlib.h>

typedef struct multiplication {
  nn_cuda_product product;
  const void *a;  /* the left side, if it is constant and not float32; of the store */
  bool spreads_c; /* Gemm's third operand goes to the scratch memory first, as float32 of the result's shape */
} multiplication;

static bool
is_matmul (const nn_call *call)
{
  return nn_node_is (call->node, "MatMul");
}

/* ---- operands as stacks of matrices ---- */

static void
insert_dim (nn_tensor *tensor, int at)
{
  for (int i = tensor->rank++; i > at; i--) {
    tensor->dim[i] = tensor->dim[i - 1];
    tensor->stride[i] = tensor->stride[i - 1];
  }
  tensor->dim[at] = 1;
  tensor->stride[at] = 1;
}

/* Rank ≥ 2: a vector has a dimension of 1 added. */
static nn_tensor
as_matrices (const nn_tensor *tensor, bool left)
{
  nn_tensor view = *tensor;
  if (tensor->rank == 1)
    insert_dim (&view, left ? 0 : 1);
  return view;
}

/* The result, or what is added to it: with the dimensions that it does not have for vectors. */
static nn_tensor
as_results (const nn_call *call, const nn_tensor *tensor)
{
  nn_tensor view = *tensor;
  if (call->in[1].rank == 1)
    insert_dim (&view, view.rank);
  if (call->in[0].rank == 1)
    insert_dim (&view, view.rank - 1);
  return view;
}

static nn_tensor
transposed (nn_tensor matrix, bool wanted)
{
  nn_tensor view = matrix;
  if (wanted)
    for (int i = 0; i < 2; i++) {
      view.dim[i] = matrix.dim[1 - i];
      view.stride[i] = matrix.stride[1 - i];
    }
  return view;
}

/* How far apart the matrices of an operand are along dimension `i` of the result's `n`. */
static int64_t
batch_step (const nn_tensor *x, int i, int n)
{
  int dim = i - (n - (x->rank - 2));
  return dim < 0 || x->dim[dim] == 1 ? 0 : x->stride[dim];
}

/* What A is multiplied by in which type: that of the activations, which all have one. */
static nn_status
find_type (const nn_call *call, nn_dtype *dtype, nn_error *err)
{
  *dtype = NN_F32;
  for (int i = 0; i < 2; i++)
    if (call->node->in[i]->constant == NULL)
      *dtype = call->in[i].dtype;
  for (int i = 0; i < 2; i++)
    if (call->in[i].dtype != (call->node->in[i]->constant != NULL ? NN_F32 : *dtype))
      return nn_fail (err, NN_ERR_UNSUPPORTED, "products of %s and %s are not supported on CUDA",
                      nn_dtype_name (call->in[0].dtype), nn_dtype_name (call->in[1].dtype));
  return NN_OK;
}

static int
least (int a, int b)
{
  return a < b ? a : b;
}

static void
set_residual (const nn_call *call, int index, nn_cuda_product_problem *p)
{
  nn_tensor added = as_results (call, &call->in[index]);
  p->residual = added.dtype;
  p->residual_row = added.stride[added.rank - 2];
  p->alignment = least (p->alignment, nn_cuda_alignment (call->node->in[index]));
  for (int i = 0; i < p->n_batch; i++)
    p->batch[i].residual = added.stride[i];
}

/* Everything but what is added. */
static nn_status
set_problem (const nn_call *call, nn_cuda_product_problem *p, nn_error *err)
{
  bool is_gemm = !is_matmul (call);
  nn_value *const *in = call->node->in;
  nn_tensor a = transposed (as_matrices (&call->in[0], true), is_gemm && nn_node_int (call->node, "transA", 0) != 0);
  nn_tensor b = transposed (as_matrices (&call->in[1], false), is_gemm && nn_node_int (call->node, "transB", 0) != 0);
  nn_tensor c = as_results (call, &call->out[0]);
  *p = (nn_cuda_product_problem){
    .m = a.dim[a.rank - 2], .n = b.dim[b.rank - 1], .k = a.dim[a.rank - 1],
    .result = c.dtype, .activation = call->node->activation, .scale = 1,
    .a_row = a.stride[a.rank - 2], .a_column = a.stride[a.rank - 1],
    .b_row = b.stride[b.rank - 2], .b_column = b.stride[b.rank - 1], .d_row = c.stride[c.rank - 2],
    .n_batch = c.rank - 2, .weights = in[1]->constant != NULL ? call->in[1].data : NULL,
    .alignment = least (nn_cuda_alignment (call->node->out[0]),
                        least (nn_cuda_alignment (in[0]), nn_cuda_alignment (in[1]))),
  };
  for (int i = 0; i < p->n_batch; i++)
    p->batch[i] = (nn_cuda_product_batch){ .n = c.dim[i], .d = c.stride[i],
                                           .a = batch_step (&a, i, p->n_batch), .b = batch_step (&b, i, p->n_batch) };
  return find_type (call, &p->dtype, err);
}

/* ---- preparing ---- */

static void
release (void *shared)
{
  multiplication *m = shared;
  nn_cuda_product_release (&m->product);
  nn_cuda_store_give_back (m->a);
  free (m);
}

/* Takes what is constant, and marks it. */
static nn_status
prepare_product (nn_call *call, multiplication *m, const nn_cuda_product_problem *problem, nn_error *err)
{
  const nn_cuda *cuda = nn_cuda_of (call);
  nn_status status = nn_cuda_product_prepare (cuda, problem, &m->product, err);
  if (status == NN_OK && call->node->in[0]->constant != NULL && problem->dtype != NN_F32)
    status = nn_cuda_take_converted (cuda, call->in[0].data, nn_tensor_count (&call->in[0]), problem->dtype, &m->a,
                                     err);
  if (status != NN_OK) {
    release (m);
    return status;
  }
  call->shared = m;
  if (m->a != NULL)
    call->packed |= 1u << 0;
  if (m->product.weights != NULL)
    call->packed |= 1u << 1;
  if (m->product.bias != NULL)
    call->packed |= 1u << 2;
  return NN_OK;
}

static nn_status
prepare_matmul (nn_call *call, nn_error *err)
{
  nn_cuda_product_problem problem;
  nn_status status = set_problem (call, &problem, err);
  if (status != NN_OK)
    return status;
  if (nn_node_has (call->node, 2))
    problem.bias = call->in[2].data;
  if (nn_node_has (call->node, 3))
    set_residual (call, 3, &problem);
  multiplication *m = calloc (1, sizeof *m);
  return m != NULL ? prepare_product (call, m, &problem, err) : nn_fail (err, NN_ERR_MEMORY, "out of memory");
}

static size_t
scratch_bytes (const nn_call *call)
{
  const multiplication *m = call->shared;
  size_t workspace = nn_cuda_product_workspace (&m->product);
  return workspace + (m->spreads_c ? (size_t) nn_tensor_count (&call->out[0]) * sizeof (float) : 0);
}

static nn_status
run_matmul (const nn_call *call, nn_error *err)
{
  const multiplication *m = call->shared;
  const void *added = nn_node_has (call->node, 3) ? call->in[3].data : NULL;
  return nn_cuda_product_run (nn_cuda_of (call), &m->product, m->a != NULL ? m->a : call->in[0].data, call->in[1].data,
                              added, call->out[0].data, call->scratch, err);
}

/* ---- Gemm: alpha a b + beta c ---- */

/* Steps of the third operand in the result's shape. */
static void
find_steps (const nn_tensor *c, int64_t *row, int64_t *column)
{
  *column = c->rank > 0 && c->dim[c->rank - 1] > 1 ? c->stride[c->rank - 1] : 0;
  *row = c->rank > 1 && c->dim[0] > 1 ? c->stride[0] : 0;
}

/* beta c as one number a column, if it is constant and the same for all rows; else *bias is NULL. */
static nn_status
make_bias (const nn_call *call, int64_t n, float beta, float **bias, nn_error *err)
{
  int64_t row, column;
  *bias = NULL;
  find_steps (&call->in[2], &row, &column);
  if (call->node->in[2]->constant == NULL || call->in[2].dtype != NN_F32 || row != 0)
    return NN_OK;
  *bias = malloc ((size_t) (n > 0 ? n : 1) * sizeof **bias);
  if (*bias == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  for (int64_t i = 0; i < n; i++)
    (*bias)[i] = beta * ((const float *) call->in[2].data)[i * column];
  return NN_OK;
}

/* As bias, as residual where it lies, or as residual in the scratch memory. */
static nn_status
set_addend (const nn_call *call, nn_cuda_product_problem *p, multiplication *m, float **bias, nn_error *err)
{
  float beta = nn_node_float (call->node, "beta", 1);
  const nn_tensor *c = &call->in[2];
  if (c->dtype != NN_F32 && c->dtype != NN_F16 && c->dtype != NN_BF16)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "adding %s is not supported on CUDA", nn_dtype_name (c->dtype));
  nn_status status = make_bias (call, p->n, beta, bias, err);
  p->bias = *bias;
  if (status != NN_OK || *bias != NULL)
    return status;
  m->spreads_c = beta != 1 || c->rank != 2 || c->dim[0] != p->m || c->dim[1] != p->n;
  if (!m->spreads_c) {
    set_residual (call, 2, p);
  } else {
    p->residual = NN_F32;
    p->residual_row = p->n;
  }
  return NN_OK;
}

static nn_status
prepare_gemm (nn_call *call, nn_error *err)
{
  nn_cuda_product_problem problem;
  float *bias = NULL;
  multiplication *m;
  nn_status status = set_problem (call, &problem, err);
  if (status != NN_OK)
    return status;
  if ((m = calloc (1, sizeof *m)) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  problem.scale = nn_node_float (call->node, "alpha", 1);
  if (problem.scale == 0)
    problem.k = 0;
  if (nn_node_has (call->node, 2))
    status = set_addend (call, &problem, m, &bias, err);
  if (status == NN_OK)
    status = prepare_product (call, m, &problem, err);
  else
    release (m);
  free (bias);
  return status;
}

static nn_status
run_gemm (const nn_call *call, nn_error *err)
{
  const multiplication *m = call->shared;
  const nn_cuda *cuda = nn_cuda_of (call);
  const void *added = nn_node_has (call->node, 2) ? call->in[2].data : NULL;
  const nn_tensor *y = &call->out[0];
  if (m->spreads_c) {
    float *to = (float *) ((char *) call->scratch + nn_cuda_product_workspace (&m->product));
    int64_t row, column;
    find_steps (&call->in[2], &row, &column);
    nn_cuda_launch_addend (to, added, call->in[2].dtype, nn_node_float (call->node, "beta", 1), y->dim[0], y->dim[1],
                           row, column, cuda->stream);
    nn_status status = nn_cuda_launched ("spread_addend", err);
    if (status != NN_OK)
      return status;
    added = to;
  }
  return nn_cuda_product_run (cuda, &m->product, m->a != NULL ? m->a : call->in[0].data, call->in[1].data, added,
                              y->data, call->scratch, err);
}

const nn_kernel nn_cuda_matmul = {
  .prepare = prepare_matmul,
  .scratch_bytes = scratch_bytes,
  .run = run_matmul,
  .release = release,
};
const nn_kernel nn_cuda_gemm = {
  .prepare = prepare_gemm,
  .scratch_bytes = scratch_bytes,
  .run = run_gemm,
  .release = release,
};
