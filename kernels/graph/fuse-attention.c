/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax (scale · q kᵀ + mask) v for several heads, which exporters write as Reshape and Transpose to
 * [batch, heads, tokens, size], two MatMuls with a Softmax between them, and the way back. */
#include "fuse.h"
#include "shape.h"

#include <string.h>

typedef struct attention {
  nn_value *q, *k, *v; /* [batch, tokens, heads, size] */
  nn_value *mask;      /* NULL: none */
  float scale;
} attention;

/* If `node` multiplies by a constant number, applies that to `scale` and returns the other operand. */
static nn_value *
scaled (const nn_node *node, float *scale)
{
  float c;
  if (nn_node_is (node, "Mul"))
    for (int i = 0; i < 2; i++)
      if (nn_fuse_scalar (node->in[i], &c)) {
        *scale *= c;
        return node->in[1 - i];
      }
  if (nn_node_is (node, "Div") && nn_fuse_scalar (node->in[1], &c) && c != 0) {
    *scale /= c;
    return node->in[0];
  }
  return NULL;
}

/* Lets out = in, transposed: dimension i of what `total` describes is dimension total[perm[i]] then. */
static void
compose (const nn_node *transpose, int total[4])
{
  int before[4];
  const nn_attr *perm = nn_node_attr (transpose, "perm");
  for (int i = 0; i < 4; i++)
    before[i] = perm != NULL ? (int)perm->ints[i] : 3 - i;
  for (int i = 0; i < 4; i++)
    total[i] = before[total[i]];
}

/* What `value` is a transposition of by `wanted`, times numbers that go into `scale`; NULL if it is not. */
static nn_value *
untransposed (nn_value *value, const int wanted[4], float *scale)
{
  int total[4] = { 0, 1, 2, 3 };
  while (value->rank == 4 && value->n_uses == 1 && value->producer != NULL
         && value->producer->activation.kind == NN_ACT_NONE) {
    nn_node *node = value->producer;
    nn_value *unscaled = scaled (node, scale);
    if (unscaled == NULL && !nn_node_is (node, "Transpose"))
      break;
    if (unscaled == NULL)
      compose (node, total);
    value = unscaled != NULL ? unscaled : node->in[0];
  }
  return value->rank == 4 && memcmp (total, wanted, sizeof total) == 0 ? value : NULL;
}

/* Passes an Add whose other operand broadcasts to the scores. */
static nn_value *
unmasked (nn_value *scores, nn_value **mask)
{
  nn_node *add = scores->producer;
  if (!nn_node_is (add, "Add") || scores->n_uses != 1 || add->activation.kind != NN_ACT_NONE)
    return scores;
  for (int i = 0; i < 2; i++) {
    nn_value *inner = add->in[i];
    bool computed = inner->producer != NULL && nn_fuse_same_shape (inner, scores) && inner->n_uses == 1;
    if (computed
        && (nn_node_is (inner->producer, "MatMul") || nn_node_is (inner->producer, "Mul")
            || nn_node_is (inner->producer, "Div"))) {
      *mask = add->in[1 - i];
      return inner;
    }
  }
  return scores;
}

/* From the scores back to q and k. */
static bool
match_scores (nn_value *scores, attention *a)
{
  static const int rows[4] = { 0, 2, 1, 3 }, columns[4] = { 0, 2, 3, 1 };
  nn_value *inner;
  scores = unmasked (scores, &a->mask);
  while (scores->n_uses == 1 && scores->producer != NULL && scores->producer->activation.kind == NN_ACT_NONE
         && (inner = scaled (scores->producer, &a->scale)) != NULL)
    scores = inner;
  nn_node *product = scores->producer;
  if (!nn_node_is (product, "MatMul") || scores->n_uses != 1 || product->n_in != 2
      || product->activation.kind != NN_ACT_NONE || scores->dtype != NN_F32)
    return false;
  a->q = untransposed (product->in[0], rows, &a->scale);
  a->k = untransposed (product->in[1], columns, &a->scale);
  return a->q != NULL && a->k != NULL;
}

/* The pattern that ends in `out`, a Transpose to [batch, tokens, heads, size]. */
static bool
match (const nn_node *out, attention *a)
{
  static const int rows[4] = { 0, 2, 1, 3 };
  float none = 1;
  *a = (attention){ .scale = 1 };
  if (!nn_fuse_is_transpose (out, 4, rows))
    return false;
  nn_node *product = nn_fuse_sole_producer (out, 0, "MatMul");
  nn_node *softmax
      = product != NULL && product->n_in == 2 ? nn_fuse_sole_producer (product, 0, "Softmax") : NULL;
  if (softmax == NULL || softmax->in[0]->rank != 4
      || nn_shape_axis (nn_node_int (softmax, "axis", -1), 4) != 3 || !match_scores (softmax->in[0], a))
    return false;
  a->v = untransposed (product->in[1], rows, &none);
  if (a->v == NULL || none != 1)
    return false;
  const int64_t *q = a->q->dim, *k = a->k->dim, *v = a->v->dim; /* MatMul would broadcast batch and heads */
  return q[2] > 0 && q[0] == k[0] && q[0] == v[0] && q[2] == k[2] && q[2] == v[2] && k[1] == v[1];
}

/* [batch, tokens, heads, size] as [batch, tokens, heads · size]. */
static nn_value *
joined (nn_graph *graph, nn_node *before, nn_value *value, nn_error *err)
{
  const int64_t dim[] = { value->dim[0], value->dim[1], value->dim[2] * value->dim[3] };
  return nn_fuse_reshape (graph, before, value, 3, dim, err);
}

static nn_attr *
attributes (nn_graph *graph, const attention *a)
{
  nn_attr *attrs = nn_graph_alloc (graph, 3 * sizeof *attrs);
  if (attrs == NULL)
    return NULL;
  attrs[0] = (nn_attr){ .name = "q_num_heads", .type = NN_ATTR_INT, .i = a->q->dim[2] };
  attrs[1] = (nn_attr){ .name = "kv_num_heads", .type = NN_ATTR_INT, .i = a->q->dim[2] };
  attrs[2] = (nn_attr){ .name = "scale", .type = NN_ATTR_FLOAT, .f = a->scale };
  return attrs;
}

/* The result in front of `node`, as its result [batch, tokens, heads, size]. */
static nn_status
emit (nn_graph *graph, nn_node *node, const attention *a, nn_error *err)
{
  nn_value *result = node->out[0];
  const int64_t dim[] = { result->dim[0], result->dim[1], result->dim[2] * result->dim[3] };
  nn_value *in[] = { joined (graph, node, a->q, err), joined (graph, node, a->k, err),
                     joined (graph, node, a->v, err), a->mask };
  nn_value *whole = nn_fuse_new_value (graph, node->name, NN_F32, 3, dim, err);
  nn_attr *attrs = attributes (graph, a);
  nn_node *fused = in[0] != NULL && in[1] != NULL && in[2] != NULL && whole != NULL && attrs != NULL
                       ? nn_graph_add_node (graph, node, nn_op_find ("Attention"), node->name, in,
                                            a->mask != NULL ? 4 : 3, &whole, 1)
                       : NULL;
  if (fused == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  fused->attrs = attrs;
  fused->n_attrs = 3;
  return nn_fuse_reshape_to (graph, node, whole, result, err);
}

int
nn_fuse_attention (nn_graph *graph, nn_node *node, nn_error *err)
{
  attention a;
  int before = graph->n_nodes;
  if (!match (node, &a))
    return 0;
  if (emit (graph, node, &a, err) != NN_OK)
    return -1;
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}
