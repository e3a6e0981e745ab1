/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention.h"

#include "floats.h"

#include "../graph/shape.h"

#include <limits.h>
#include <math.h>

/* The last dimension must lie without gaps. */
static bool
heads_of (const nn_tensor *tensor, nn_cuda_heads *heads)
{
  *heads = (nn_cuda_heads){ tensor->data, tensor->dtype, tensor->stride[0], tensor->stride[1] };
  return tensor->dim[2] <= 1 || tensor->stride[2] == 1;
}

static bool
describe (const nn_call *call, nn_cuda_attention_args *a)
{
  const nn_tensor *q = &call->in[0], *k = &call->in[1], *v = &call->in[2];
  const nn_tensor *mask = nn_node_has (call->node, 3) ? &call->in[3] : NULL;
  int64_t heads = nn_node_int (call->node, "q_num_heads", 1), size = q->dim[2] / heads;
  *a = (nn_cuda_attention_args){ .batch = (int) q->dim[0],
                                 .heads = (int) heads,
                                 .queries = (int) q->dim[1],
                                 .tokens = (int) k->dim[1],
                                 .size = (int) size,
                                 .value_size = (int) (v->dim[2] / heads),
                                 .scale = nn_node_float (call->node, "scale", 1 / sqrtf ((float) size)),
                                 .n_multiprocessors = nn_cuda_of (call)->n_multiprocessors };
  if (mask != NULL) {
    a->mask = mask->data;
    a->mask_type = mask->dtype;
    for (int i = 0; i < mask->rank; i++)
      a->mask_step[i + 4 - mask->rank] = mask->dim[i] == 1 ? 0 : mask->stride[i];
  }
  bool fits = k->dim[1] < INT_MAX - 256 && q->dim[1] < INT_MAX - 256 && q->dim[2] < INT_MAX - 256
              && nn_tensor_count (&call->out[0]) / 8 < INT_MAX - 256 && call->out[0].dim[0] * heads < INT_MAX;
  return heads_of (q, &a->q) && heads_of (k, &a->k) && heads_of (v, &a->v) && heads_of (&call->out[0], &a->y) && fits;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  nn_cuda_attention_args args;
  nn_status status = nn_cuda_need_floats (call, err);
  if (status != NN_OK)
    return status;
  if (!describe (call, &args))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of this size or layout are not supported on CUDA");
  return NN_CUDA (nn_cuda_attention_reserve (&args), err);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  nn_cuda_attention_args args;
  if (nn_tensor_count (&call->out[0]) == 0)
    return NN_OK;
  describe (call, &args); /* as in prepare() */
  nn_cuda_launch_attention (&args, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("Attention", err);
}

const nn_kernel nn_cuda_attention = { .prepare = prepare, .run = run };
