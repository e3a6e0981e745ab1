/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusions of what surrounds the products in a transformer: bias, GELU, LayerNormalization. */
#include "fuse.h"
#include "shape.h"

#include <math.h>
#include <string.h>

static bool
near (float a, float b)
{
  return fabsf (a - b) <= 1e-5f * fabsf (b);
}

/* Whether a float32 constant is a vector along the last dimension of a result of `n` columns. */
static bool
is_vector (const nn_value *value, int rank, int64_t n)
{
  return value != NULL && value->constant != NULL && value->dtype == NN_F32 && value->rank >= 1
         && value->rank <= rank && value->dim[value->rank - 1] == n && nn_tensor_count (value->constant) == n;
}

/* The same constant with one dimension. */
static nn_value *
as_vector (nn_graph *graph, nn_value *value, nn_error *err)
{
  if (value->rank == 1)
    return value;
  nn_tensor tensor
      = nn_tensor_make (NN_F32, 1, &value->dim[value->rank - 1], NN_LAYOUT_ROW_MAJOR, value->constant->data);
  nn_value *vector = nn_graph_add_constant (graph, value->name, &tensor);
  if (vector == NULL)
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a constant");
  return vector;
}

int
nn_fuse_matmul_bias (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "Add"))
    return 0;
  nn_node *product = nn_fuse_sole_producer (node, 0, "MatMul");
  if (product == NULL)
    product = nn_fuse_sole_producer (node, 1, "MatMul");
  if (product == NULL || product->n_in > 2 || product->in[0]->rank < 2 || product->in[1]->rank < 2)
    return 0;
  nn_value *result = node->out[0], *added = nn_fuse_other (node, product->out[0]);
  if (result->dtype != NN_F32 || result->rank != product->out[0]->rank
      || !is_vector (added, result->rank, result->dim[result->rank - 1]))
    return 0;
  nn_value *bias = as_vector (graph, added, err);
  if (bias == NULL)
    return -1;
  nn_node_set_input (product, 2, bias);
  nn_graph_remove_node (graph, node);
  product->out[0] = result;
  result->producer = product;
  return 1;
}

/* ---- x · (1 + erf (x / √2)) · 1/2, with the three factors in any order ---- */

/* Operand `index`, or the two operands of the Mul that makes it for this node alone. */
static int
factors_of (nn_node *node, int index, nn_value **factors)
{
  nn_node *mul = nn_fuse_sole_producer (node, index, "Mul");
  factors[0] = mul != NULL ? mul->in[0] : node->in[index];
  factors[1] = mul != NULL ? mul->in[1] : NULL;
  return mul != NULL ? 2 : 1;
}

/* x where `value` is 1 + erf (x / √2), else NULL. */
static nn_value *
argument_of_erf (const nn_value *value)
{
  float one, c;
  nn_node *add = value->producer;
  if (!nn_node_is (add, "Add") || value->n_uses != 1)
    return NULL;
  nn_node *erf = nn_fuse_sole_producer (add, 0, "Erf");
  if (erf == NULL)
    erf = nn_fuse_sole_producer (add, 1, "Erf");
  if (erf == NULL || !nn_fuse_scalar (nn_fuse_other (add, erf->out[0]), &one) || one != 1)
    return NULL;
  nn_node *scaled = nn_fuse_sole_producer (erf, 0, "Div");
  if (scaled != NULL)
    return nn_fuse_scalar (scaled->in[1], &c) && near (c, 1.41421356f) ? scaled->in[0] : NULL;
  scaled = nn_fuse_sole_producer (erf, 0, "Mul");
  for (int i = 0; scaled != NULL && i < 2; i++)
    if (nn_fuse_scalar (scaled->in[i], &c) && near (c, 0.707106781f))
      return scaled->in[1 - i];
  return NULL;
}

/* x if these are x, a half and 1 + erf (x / √2). */
static nn_value *
argument_of_gelu (nn_value *const *factor)
{
  nn_value *x = NULL;
  int halves = 0, others = 0;
  float c;
  for (int i = 0; i < 3; i++)
    if (nn_fuse_scalar (factor[i], &c))
      halves += c == 0.5f;
    else if (x == NULL && argument_of_erf (factor[i]) != NULL)
      x = argument_of_erf (factor[i]);
  for (int i = 0; i < 3; i++)
    others += factor[i] == x;
  return halves == 1 && others == 1 ? x : NULL;
}

int
nn_fuse_gelu (nn_graph *graph, nn_node *node, nn_error *err)
{
  nn_value *factor[4], *result = node->out[0];
  if (!nn_node_is (node, "Mul") || node->activation.kind != NN_ACT_NONE)
    return 0;
  int before = graph->n_nodes, n = factors_of (node, 0, factor);
  n += factors_of (node, 1, factor + n);
  nn_value *x = n == 3 ? argument_of_gelu (factor) : NULL;
  if (x == NULL || !nn_fuse_same_shape (x, result))
    return 0;
  if (nn_graph_add_node (graph, node, nn_op_find ("Gelu"), node->name, &x, 1, &result, 1) == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
    return -1;
  }
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}

/* ---- (x - mean) / sqrt (mean of squares + ε) · scale + bias over the last dimension ---- */

/* Whether `node` is the mean of its operand along the last dimension, which is kept. */
static bool
is_mean (const nn_node *node)
{
  unsigned axes;
  nn_error ignored;
  return nn_node_is (node, "ReduceMean") && nn_node_int (node, "keepdims", 1) != 0
         && nn_shape_axes (node, 1, node->in[0]->rank, 0, &axes, &ignored) == NN_OK
         && axes == 1u << (node->in[0]->rank - 1);
}

/* Whether `value` is the square of `of`. */
static bool
is_square (const nn_value *value, const nn_value *of)
{
  float two;
  const nn_node *node = value->producer;
  if (node == NULL || node->n_in != 2 || node->in[0] != of)
    return false;
  return (nn_node_is (node, "Mul") && node->in[1] == of)
         || (nn_node_is (node, "Pow") && nn_fuse_scalar (node->in[1], &two) && two == 2);
}

/* x and ε where `div` is (x - mean (x)) / sqrt (mean ((x - mean (x))²) + ε), else NULL. */
static nn_value *
normalized (const nn_node *div, float *epsilon)
{
  nn_node *root = nn_fuse_sole_producer (div, 1, "Sqrt"), *centred = div->in[0]->producer;
  nn_node *add = root != NULL ? nn_fuse_sole_producer (root, 0, "Add") : NULL;
  if (add == NULL || !nn_node_is (centred, "Sub"))
    return NULL;
  nn_node *variance = nn_fuse_sole_producer (add, 0, "ReduceMean");
  if (variance == NULL)
    variance = nn_fuse_sole_producer (add, 1, "ReduceMean");
  nn_value *x = centred->in[0];
  if (variance == NULL || !nn_fuse_scalar (nn_fuse_other (add, variance->out[0]), epsilon)
      || !is_mean (variance) || !is_square (variance->in[0], centred->out[0]))
    return NULL;
  const nn_node *mean = centred->in[1]->producer;
  return is_mean (mean) && mean->in[0] == x ? x : NULL;
}

static nn_attr *
layer_norm_attrs (nn_graph *graph, float epsilon)
{
  nn_attr *attrs = nn_graph_alloc (graph, 2 * sizeof *attrs);
  if (attrs == NULL)
    return NULL;
  attrs[0] = (nn_attr){ .name = "epsilon", .type = NN_ATTR_FLOAT, .f = epsilon };
  attrs[1] = (nn_attr){ .name = "axis", .type = NN_ATTR_INT, .i = -1 };
  return attrs;
}

int
nn_fuse_layer_norm (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "Add") || node->activation.kind != NN_ACT_NONE)
    return 0;
  nn_node *scaled = nn_fuse_sole_producer (node, 0, "Mul");
  if (scaled == NULL)
    scaled = nn_fuse_sole_producer (node, 1, "Mul");
  nn_node *div = scaled != NULL ? nn_fuse_sole_producer (scaled, 0, "Div") : NULL;
  if (scaled != NULL && div == NULL)
    div = nn_fuse_sole_producer (scaled, 1, "Div");
  float epsilon;
  int before = graph->n_nodes;
  nn_value *x = div != NULL ? normalized (div, &epsilon) : NULL, *result = node->out[0];
  if (x == NULL || x->rank < 1 || !nn_fuse_same_shape (x, result))
    return 0;
  nn_value *scale = nn_fuse_other (scaled, div->out[0]), *bias = nn_fuse_other (node, scaled->out[0]);
  int64_t n = x->dim[x->rank - 1];
  if (!is_vector (scale, x->rank, n) || !is_vector (bias, x->rank, n))
    return 0;
  scale = as_vector (graph, scale, err);
  bias = as_vector (graph, bias, err);
  nn_value *in[] = { x, scale, bias };
  nn_attr *attrs = layer_norm_attrs (graph, epsilon);
  nn_node *fused = scale != NULL && bias != NULL && attrs != NULL ? nn_graph_add_node (
                       graph, node, nn_op_find ("LayerNormalization"), node->name, in, 3, &result, 1)
                                                                  : NULL;
  if (fused == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
    return -1;
  }
  fused->attrs = attrs;
  fused->n_attrs = 2;
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}
