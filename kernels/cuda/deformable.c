/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deformable.h"

#include "floats.h"

#include "../graph/shape.h"

#include <limits.h>

/* The operand's pages and rows; its other dimensions must lie without gaps. */
static bool
rows_of (const nn_tensor *tensor, nn_cuda_rows *rows)
{
  int64_t expected = 1;
  for (int i = tensor->rank - 1; i > 1; i--) {
    if (tensor->dim[i] != 1 && tensor->stride[i] != expected)
      return false;
    expected *= tensor->dim[i];
  }
  *rows = (nn_cuda_rows){ tensor->data, tensor->dtype, tensor->stride[0], tensor->stride[1] };
  return true;
}

static bool
describe (const nn_call *call, nn_cuda_deformable_args *a)
{
  const nn_node *node = call->node;
  const nn_attr *heights = nn_node_attr (node, "heights"), *widths = nn_node_attr (node, "widths");
  const nn_attr *points = nn_node_attr (node, "points");
  const nn_tensor *in = call->in;
  int64_t heads = nn_node_int (node, "heads", 1);
  *a = (nn_cuda_deformable_args){ .scales = call->shared,
                                  .y = call->out[0].data,
                                  .y_type = call->out[0].dtype,
                                  .batch = in[0].dim[0],
                                  .queries = in[2].dim[1],
                                  .heads = (int) heads,
                                  .size = (int) (in[0].dim[2] / heads),
                                  .points = (int) in[2].dim[3],
                                  .maps = (int) points->n,
                                  .softmax = nn_node_int (node, "softmax", 0) != 0 };
  if (points->n > NN_CUDA_MAX_MAPS || in[0].dim[1] > INT_MAX || in[0].dim[2] > INT_MAX
      || 2 * heads * in[2].dim[3] > INT_MAX || a->batch * a->queries * heads > INT_MAX - 128)
    return false;
  for (int i = 0; i < a->maps; i++) {
    a->height[i] = (int) heights->ints[i];
    a->width[i] = (int) widths->ints[i];
    a->end[i] = (i > 0 ? a->end[i - 1] : 0) + (int) points->ints[i];
  }
  return rows_of (&in[0], &a->values) && rows_of (&in[1], &a->positions) && rows_of (&in[2], &a->weights)
         && (!nn_node_has (node, 3) || rows_of (&in[3], &a->boxes));
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_attr *scales = nn_node_attr (call->node, "scales");
  nn_cuda_deformable_args args;
  nn_status status = nn_cuda_need_floats (call, err);
  const void *packed = NULL;
  if (status != NN_OK)
    return status;
  if (!describe (call, &args))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of this size or layout are not supported on CUDA");
  if (scales != NULL && scales->n > 0)
    status = nn_cuda_store_take (nn_cuda_of (call), scales->floats, scales->n * sizeof (float), "float32",
                                 scales->n * sizeof (float), NULL, NULL, &packed, err);
  call->shared = (void *) packed;
  return status;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  nn_cuda_deformable_args args;
  if (nn_tensor_count (&call->out[0]) == 0)
    return NN_OK;
  describe (call, &args); /* as in prepare() */
  nn_cuda_launch_deformable (&args, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("DeformableAttention", err);
}

static void
release (void *shared)
{
  nn_cuda_store_give_back (shared);
}

const nn_kernel nn_cuda_deformable_attention = { .prepare = prepare, .run = run, .release = release };
