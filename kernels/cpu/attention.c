/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention: softmax (scale · q kᵀ + mask) v for each head. The keys and values of all heads are packed
 * first; then blocks of query rows go through both products with their scores in the cache.
 */
#include "cpu.h"
#include "loop.h"
#include "parallel.h"
#include "product.h"

#include "../graph/shape.h"

#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 4 * NN_TILE_ROWS };

typedef struct attention {
  const nn_call *call;
  nn_product keys, values; /* kᵀ and v of one head */
  const nn_simd_math *simd;
  int64_t batch, heads, queries, tokens, size, value_size;
  int64_t blocks; /* of query rows a head */
  float scale;
  float *packed, *scores;                               /* of head 0; of thread 0 */
  int64_t packed_step, value_at, score_step, score_row; /* elements; value_at: behind the head's keys */
} attention;

static int64_t
floats_of (size_t bytes)
{
  return (int64_t)(bytes / sizeof (float));
}

static attention
describe (const nn_call *call)
{
  const nn_tensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
  int64_t heads = nn_node_int (call->node, "q_num_heads", 1);
  attention a = { .call = call,
                  .simd = nn_simd_math_kernels (),
                  .batch = q->dim[0],
                  .heads = heads,
                  .queries = q->dim[1],
                  .tokens = k->dim[1],
                  .size = q->dim[2] / heads,
                  .value_size = v->dim[2] / heads };
  a.keys = (nn_product){ nn_simd_conv_kernels (), a.size, a.tokens };
  a.values = (nn_product){ nn_simd_conv_kernels (), a.tokens, a.value_size };
  a.blocks = (a.queries + BLOCK_ROWS - 1) / BLOCK_ROWS;
  a.scale = nn_node_float (call->node, "scale", 1 / sqrtf ((float)a.size));
  a.value_at = floats_of (nn_product_packed_bytes (&a.keys));
  a.packed_step = a.value_at + floats_of (nn_product_packed_bytes (&a.values));
  a.score_row = (a.tokens + 15) / 16 * 16;
  a.score_step = BLOCK_ROWS * a.score_row;
  a.packed = call->scratch;
  a.scores = a.packed + a.batch * a.heads * a.packed_step;
  return a;
}

static size_t
scratch_bytes (const nn_call *call)
{
  attention a = describe (call);
  return (size_t)(a.batch * a.heads * a.packed_step + nn_cpu_threads () * a.score_step) * sizeof (float);
}

static const float *
head_of (const nn_tensor *tensor, int64_t head, int64_t heads)
{
  int64_t size = tensor->dim[2] / heads;
  return (const float *)tensor->data + head / heads * tensor->stride[0] + head % heads * size;
}

/* Heads `begin` … of all pages: keys, scaled, as columns, then values as rows. */
static void
pack_heads (const void *arg, int64_t begin, int64_t end, int thread)
{
  const attention *a = arg;
  const nn_tensor *k = &a->call->in[1], *v = &a->call->in[2];
  for (int64_t head = begin; head < end; head++) {
    float *to = a->packed + head * a->packed_step;
    nn_product_pack (&a->keys, head_of (k, head, a->heads), 1, k->stride[1], to);
    a->simd->binary (NN_BINARY_MUL, a->value_at, to, 1, &a->scale, 0, to);
    nn_product_pack (&a->values, head_of (v, head, a->heads), v->stride[1], 1, to + a->value_at);
  }
}

/* Adds the mask of `n` rows of one head from row `first` on; it broadcasts to [batch, heads, rows, tokens].
 */
static void
add_mask (const attention *a, int64_t head, int64_t first, int64_t n, float *scores)
{
  const nn_tensor *mask = &a->call->in[3];
  const int64_t index[4] = { head / a->heads, head % a->heads, first, 0 };
  int64_t step[4] = { 0 }, at = 0;
  for (int d = 0; d < mask->rank; d++)
    step[d + 4 - mask->rank] = mask->dim[d] == 1 ? 0 : mask->stride[d];
  for (int d = 0; d < 4; d++)
    at += index[d] * step[d];
  for (int64_t i = 0; i < n; i++, scores += a->score_row)
    a->simd->binary (NN_BINARY_ADD, a->tokens, scores, 1, (const float *)mask->data + at + i * step[2],
                     step[3], scores);
}

/* One block of rows: scores, their softmax without the division, the product with v, the division. */
static void
run_block (const attention *a, int64_t head, int64_t first, float *scores)
{
  const nn_tensor *q = &a->call->in[0], *y = &a->call->out[0];
  const nn_activation none = { NN_ACT_NONE, 0, 0 };
  const float *packed = a->packed + head * a->packed_step;
  float *out = (float *)head_of (y, head, a->heads) + first * y->stride[1], factor[BLOCK_ROWS];
  int64_t n = a->queries - first < BLOCK_ROWS ? a->queries - first : BLOCK_ROWS;
  nn_product_rows rows = { .a = head_of (q, head, a->heads) + first * q->stride[1],
                           .c = scores,
                           .n = n,
                           .a_stride = q->stride[1],
                           .c_stride = a->score_row };
  nn_product_run (&a->keys, packed, NULL, &rows, &none);
  if (nn_node_has (a->call->node, 3))
    add_mask (a, head, first, n, scores);
  for (int64_t i = 0; i < n; i++) {
    float *row = scores + i * a->score_row;
    float sum = a->simd->exp_sum (a->tokens, a->simd->largest (a->tokens, row), row, row);
    factor[i] = sum != 0 ? 1 / sum : 0; /* 0: no tokens */
  }
  rows = (nn_product_rows){
    .a = scores, .c = out, .n = n, .a_stride = a->score_row, .c_stride = y->stride[1]
  };
  nn_product_run (&a->values, packed + a->value_at, NULL, &rows, &none);
  for (int64_t i = 0; i < n; i++, out += y->stride[1])
    a->simd->binary (NN_BINARY_MUL, a->value_size, out, 1, &factor[i], 0, out);
}

static void
run_blocks (const void *arg, int64_t begin, int64_t end, int thread)
{
  const attention *a = arg;
  for (int64_t i = begin; i < end; i++)
    run_block (a, i / a->blocks, i % a->blocks * BLOCK_ROWS, a->scores + thread * a->score_step);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  attention a = describe (call);
  int64_t heads = a.batch * a.heads, both = a.size + a.value_size;
  nn_cpu_share (heads, nn_cpu_least (a.tokens * both), pack_heads, &a);
  nn_cpu_share (heads * a.blocks, nn_cpu_least (BLOCK_ROWS * a.tokens * both), run_blocks, &a);
  return NN_OK;
}

const nn_kernel nn_cpu_attention = { .prepare = nn_cpu_need_floats, .scratch_bytes = scratch_bytes, .run = run };
