/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>

/* Operands q, k, v of three dimensions, heads side by side in the last one. */
static nn_status
check_heads (const nn_node *node, int64_t heads, nn_error *err)
{
  const nn_value *q = node->in[0], *k = node->in[1], *v = node->in[2];
  for (int i = 0; i < 3; i++)
    if (node->in[i] == NULL || node->in[i]->rank != 3)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "operand %d has not three dimensions", i);
  if (heads < 1 || nn_node_int (node, "kv_num_heads", heads) != heads || q->dim[2] % heads != 0
      || v->dim[2] % heads != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "%" PRId64 " heads do not divide q and v, or are not as many in k", heads);
  if (k->dim[0] != q->dim[0] || v->dim[0] != q->dim[0] || k->dim[2] != q->dim[2] || v->dim[1] != k->dim[1])
    return nn_fail (err, NN_ERR_FORMAT, "q, k and v do not fit each other");
  return NN_OK;
}

static nn_status
check_mask (const nn_node *node, int64_t heads, nn_error *err)
{
  const nn_value *mask = node->in[3];
  const int64_t dim[] = { node->in[0]->dim[0], heads, node->in[0]->dim[1], node->in[1]->dim[1] };
  bool fits = mask->rank <= 4 && mask->dtype == node->in[0]->dtype;
  for (int i = 0; fits && i < mask->rank; i++)
    fits = mask->dim[i] == 1 || mask->dim[i] == dim[i + 4 - mask->rank];
  return fits ? NN_OK
              : nn_fail (err, NN_ERR_UNSUPPORTED, "the mask is no number that is added to each score");
}

nn_status
nn_shape_attention (nn_node *node, const nn_graph *graph, nn_error *err)
{
  int64_t heads = nn_node_int (node, "q_num_heads", 0);
  nn_status status = check_heads (node, heads, err);
  if (status == NN_OK && nn_node_has (node, 3))
    status = check_mask (node, heads, err);
  if (status != NN_OK)
    return status;
  if (nn_node_int (node, "is_causal", 0) != 0 || nn_node_float (node, "softcap", 0) != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "causal or capped scores are not supported");
  const int64_t dim[] = { node->in[0]->dim[0], node->in[0]->dim[1], node->in[2]->dim[2] };
  return nn_shape_set (node, 0, node->in[0]->dtype, 3, dim, err);
}
