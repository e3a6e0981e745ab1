/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MatMul (with NumPy's broadcasting of the matrices) and Gemm, tile by tile. */
#include "cpu.h"
#include "loop.h"
#include "product.h"

#include "../graph/shape.h"

#include <stdlib.h>

typedef struct multiplication {
  nn_product product;
  int64_t rows;
  float *packed; /* the right side, if it is one constant matrix; else NULL: packed at each run */
  float *bias;   /* padded as `packed` is; NULL: none */
} multiplication;

static size_t
row_bytes (int64_t n)
{
  return (size_t) (n * (int64_t) sizeof (float) + 63) / 64 * 64;
}

/* An operand as a stack of matrices: rank ≥ 2, a vector with a dimension of 1 added. */
static nn_tensor
as_matrices (const nn_tensor *tensor, bool left)
{
  nn_tensor view = *tensor;
  if (tensor->rank == 1) {
    view.rank = 2;
    view.dim[left ? 1 : 0] = tensor->dim[0];
    view.stride[left ? 1 : 0] = tensor->stride[0];
    view.dim[left ? 0 : 1] = 1;
    view.stride[left ? 0 : 1] = 0;
  }
  return view;
}

static nn_tensor
transposed (const nn_tensor *matrix, bool wanted)
{
  nn_tensor view = *matrix;
  if (wanted) {
    view.dim[0] = matrix->dim[1];
    view.dim[1] = matrix->dim[0];
    view.stride[0] = matrix->stride[1];
    view.stride[1] = matrix->stride[0];
  }
  return view;
}

static bool
is_matmul (const nn_call *call)
{
  return nn_node_is (call->node, "MatMul");
}

/* Gemm's attributes; a MatMul that has them too is shaped without (shape-linear.c). */
static bool
is_transposed (const nn_call *call, const char *attribute)
{
  return !is_matmul (call) && nn_node_int (call->node, attribute, 0) != 0;
}

static nn_tensor
left_operand (const nn_call *call)
{
  nn_tensor a = as_matrices (&call->in[0], true);
  return transposed (&a, is_transposed (call, "transA"));
}

static nn_tensor
right_operand (const nn_call *call)
{
  nn_tensor b = as_matrices (&call->in[1], false);
  return transposed (&b, is_transposed (call, "transB"));
}

/* Of a MatMul that the fusions gave one: a vector of the result's columns. */
static bool
has_bias (const nn_call *call)
{
  return is_matmul (call) && nn_node_has (call->node, 2);
}

/* What is added to the result, of its shape. */
static const nn_tensor *
residual (const nn_call *call)
{
  return is_matmul (call) && nn_node_has (call->node, 3) ? &call->in[3] : NULL;
}

static void
release (void *shared)
{
  multiplication *m = shared;
  free (m->packed);
  free (m->bias);
  free (m);
}

static nn_status
pack (multiplication *m, const nn_call *call, const nn_tensor *b, nn_error *err)
{
  int64_t columns = nn_product_packed_columns (&m->product);
  if (call->node->in[1]->constant != NULL && b->rank == 2) {
    m->packed = aligned_alloc (64, nn_product_packed_bytes (&m->product) + 64);
    if (m->packed == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
    nn_product_pack (&m->product, b->data, b->stride[0], b->stride[1], m->packed);
  }
  if (!has_bias (call))
    return NN_OK;
  m->bias = calloc ((size_t) columns, sizeof *m->bias);
  if (m->bias == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
  for (int64_t i = 0; i < m->product.columns; i++)
    m->bias[i] = ((const float *) call->in[2].data)[i * call->in[2].stride[0]];
  return NN_OK;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (call->in[0].dtype != NN_F32 || call->in[1].dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "products of %s and %s are not supported",
                    nn_dtype_name (call->in[0].dtype), nn_dtype_name (call->in[1].dtype));
  nn_tensor a = left_operand (call), b = right_operand (call);
  multiplication *m = calloc (1, sizeof *m);
  if (m == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  m->product = (nn_product) { nn_simd_conv_kernels (), a.dim[a.rank - 1], b.dim[b.rank - 1] };
  m->rows = a.dim[a.rank - 2];
  nn_status status = pack (m, call, &b, err);
  if (status != NN_OK) {
    release (m);
    return status;
  }
  call->shared = m;
  if (m->packed != NULL)
    call->packed |= 1u << 1;
  if (m->bias != NULL)
    call->packed |= 1u << 2;
  return NN_OK;
}

/* The same place of the residual as `c` is of the result; both are dense. */
static void
add_residual (const nn_call *call, nn_product_rows *rows)
{
  const nn_tensor *added = residual (call);
  if (added == NULL)
    return;
  rows->residual = (const float *) added->data + (rows->c - (const float *) call->out[0].data);
  rows->residual_stride = rows->c_stride;
}

/* Scratch: b packed, then a copied where its rows are not contiguous. */
static size_t
scratch_bytes (const nn_call *call)
{
  const multiplication *m = call->shared;
  return nn_product_packed_bytes (&m->product) + row_bytes (m->rows * m->product.inner);
}

static const float *
contiguous_rows (const multiplication *m, const float *a, int64_t row_step, int64_t column_step, float *room,
                 int64_t *a_row)
{
  int64_t inner = m->product.inner;
  *a_row = row_step;
  if (column_step == 1 || inner == 1)
    return a;
  for (int64_t i = 0; i < m->rows; i++)
    for (int64_t k = 0; k < inner; k++)
      room[i * inner + k] = a[i * row_step + k * column_step];
  *a_row = inner;
  return room;
}

typedef struct batch_arg {
  const nn_call *call;
  const nn_tensor *a, *b;
  nn_activation activation;
} batch_arg;

/* One product for each element of the broadcast batch dimensions. */
static void
multiply_batch (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const batch_arg *batch = arg;
  const multiplication *m = batch->call->shared;
  const nn_product *product = &m->product;
  const nn_tensor *a = batch->a, *b = batch->b;
  float *packed = batch->call->scratch, *room = packed + nn_product_packed_bytes (product) / sizeof (float);
  for (int64_t i = 0; i < n; i++) {
    nn_product_rows rows
        = { .c = (float *) (at[0] + i * stride[0]), .n = m->rows, .c_stride = product->columns };
    rows.a = contiguous_rows (m, (const float *) (at[1] + i * stride[1]), a->stride[a->rank - 2],
                              a->stride[a->rank - 1], room, &rows.a_stride);
    if (m->packed == NULL)
      nn_product_pack (product, (const float *) (at[2] + i * stride[2]), b->stride[b->rank - 2],
                       b->stride[b->rank - 1], packed);
    add_residual (batch->call, &rows);
    nn_product_share (product, m->packed ? m->packed : packed, m->bias, &rows, &batch->activation);
  }
}

static void
multiply_all (const nn_call *call, const nn_tensor *out, const nn_activation *activation)
{
  nn_tensor a = left_operand (call), b = right_operand (call);
  batch_arg arg = { call, &a, &b, *activation };
  nn_tensor batch_a = a, batch_b = b, batch_c = *out;
  const nn_tensor *in[] = { &batch_a, &batch_b };
  nn_loop loop;
  batch_a.rank -= 2;
  batch_b.rank -= 2;
  batch_c.rank -= (call->in[0].rank > 1) + (call->in[1].rank > 1);
  nn_loop_init (&loop, &batch_c, in, 2);
  nn_loop_run (&loop, multiply_batch, &arg);
}

/* One constant matrix times a dense stack of rows: one product. */
static bool
multiply_stack (const nn_call *call)
{
  const multiplication *m = call->shared;
  const nn_tensor *a = &call->in[0], *c = &call->out[0];
  if (m->packed == NULL || m->product.inner == 0 || !nn_tensor_is_dense (a, NN_LAYOUT_ROW_MAJOR)
      || !nn_tensor_is_dense (c, NN_LAYOUT_ROW_MAJOR))
    return false;
  nn_product_rows rows = { .a = a->data, .c = c->data, .n = nn_tensor_count (a) / m->product.inner,
                           .a_stride = m->product.inner, .c_stride = m->product.columns };
  add_residual (call, &rows);
  nn_product_share (&m->product, m->packed, m->bias, &rows, &call->node->activation);
  return true;
}

static nn_status
run_matmul (const nn_call *call, nn_error *err)
{
  if (!multiply_stack (call))
    multiply_all (call, &call->out[0], &call->node->activation);
  return NN_OK;
}

/* ---- Gemm: alpha a b + beta c ---- */

typedef struct finish {
  float alpha, beta;
} finish;

static void
finish_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const finish *f = arg;
  for (int64_t i = 0; i < n; i++) {
    float *y = (float *) (at[0] + i * stride[0]);
    *y = f->alpha * *y + f->beta * *(const float *) (at[1] + i * stride[1]);
  }
}

static nn_status
run_gemm (const nn_call *call, nn_error *err)
{
  static const float zero = 0;
  finish f = { nn_node_float (call->node, "alpha", 1), nn_node_float (call->node, "beta", 1) };
  nn_tensor nothing = nn_tensor_make (NN_F32, 0, NULL, NN_LAYOUT_ROW_MAJOR, (void *) &zero);
  const nn_tensor *y = &call->out[0], *c = nn_node_has (call->node, 2) ? &call->in[2] : &nothing;
  nn_loop loop;
  multiply_all (call, y, &(nn_activation) { NN_ACT_NONE, 0, 0 });
  nn_loop_init (&loop, y, &c, 1);
  nn_loop_run (&loop, finish_row, &f);
  if (call->node->activation.kind != NN_ACT_NONE)
    nn_simd_math_kernels ()->activate (&call->node->activation, nn_tensor_count (y), y->data, y->data);
  return NN_OK;
}

const nn_kernel nn_cpu_matmul = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run_matmul,
  .release = release,
};
const nn_kernel nn_cpu_gemm = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run_gemm,
  .release = release,
};
