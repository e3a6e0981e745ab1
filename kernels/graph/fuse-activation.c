/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuse.h"
#include "shape.h"

#include <math.h>
#include <string.h>

/* Clip's bounds are operands from opset 11 on, attributes before. */
static bool
clip_bound (const nn_node *node, int index, const char *name, float fallback, float *bound)
{
  if (nn_node_has (node, index))
    return nn_fuse_scalar (node->in[index], bound);
  *bound = nn_node_float (node, name, fallback);
  return true;
}

static bool
clip_bounds (const nn_node *node, float *low, float *high)
{
  return clip_bound (node, 1, "min", -INFINITY, low) && clip_bound (node, 2, "max", INFINITY, high);
}

bool
nn_fuse_activation_of (const nn_node *node, nn_activation *activation)
{
  static const struct {
    const char *op;
    nn_activation_kind kind;
    float alpha, beta; /* where the attributes are left out */
  } kinds[] = {
    { "Relu", NN_ACT_RELU, 0, 0 },
    { "LeakyRelu", NN_ACT_LEAKY_RELU, 0.01f, 0 },
    { "Sigmoid", NN_ACT_SIGMOID, 0, 0 },
    { "HardSigmoid", NN_ACT_HARD_SIGMOID, 0.2f, 0.5f },
    { "HardSwish", NN_ACT_HARD_SWISH, 1 / 6.0f, 0.5f },
    { "Silu", NN_ACT_SILU, 0, 0 },
    { "Tanh", NN_ACT_TANH, 0, 0 },
  };
  if (nn_node_is (node, "Clip")) {
    activation->kind = NN_ACT_CLIP;
    return clip_bounds (node, &activation->alpha, &activation->beta);
  }
  if (nn_node_is (node, "Gelu")) {
    activation->kind = NN_ACT_GELU;
    return strcmp (nn_node_string (node, "approximate", "none"), "none") == 0;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (nn_node_is (node, kinds[i].op)) {
      activation->kind = kinds[i].kind;
      activation->alpha = nn_node_float (node, "alpha", kinds[i].alpha);
      activation->beta = nn_node_float (node, "beta", kinds[i].beta);
      return true;
    }
  return false;
}

/* Operators whose kernels apply nn_node.activation to their float32 result. */
static bool
takes_activation (const nn_node *node)
{
  static const char *const ops[] = { "Conv", "MatMul", "Gemm", "BatchNormalization",
                                     "Add",  "Sub",    "Mul",  "Div" };
  if (node == NULL || node->n_out != 1 || node->activation.kind != NN_ACT_NONE ||
      node->out[0]->dtype != NN_F32)
    return false;
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
    if (nn_node_is (node, ops[i]))
      return true;
  return false;
}

int
nn_fuse_activation (nn_graph *graph, nn_node *node, nn_error *err)
{
  nn_activation activation = { NN_ACT_NONE, 0, 0 };
  nn_value *result = node->out[0];
  if (node->activation.kind != NN_ACT_NONE || !nn_fuse_activation_of (node, &activation))
    return 0;
  nn_node *producer = node->in[0]->producer;
  if (node->in[0]->n_uses != 1 || !takes_activation (producer))
    return 0;
  nn_graph_remove_node (graph, node);
  producer->activation = activation;
  producer->out[0] = result;
  result->producer = producer;
  return 1;
}

/* Puts one node `op` of operand x in place of `last`, whose result it computes. */
static nn_node *
replace_by (nn_graph *graph, nn_node *last, const nn_op *op, nn_value *x, nn_error *err)
{
  nn_value *result = last->out[0];
  nn_node *node = nn_graph_add_node (graph, last, op, last->name, &x, 1, &result, 1);
  if (node == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
    return NULL;
  }
  nn_graph_remove_node (graph, last);
  return node;
}

/* HardSwish as ONNX has it is x clip (x / 6 + 1 / 2, 0, 1); exporters round the sixth. */
static bool
is_hard_swish (float alpha, float beta)
{
  return fabsf (alpha - 1 / 6.0f) < 1e-6f && beta == 0.5f;
}

/* Finds k = clip (x + 3, 0, 6) behind operand `index` of `mul`, whose other operand is x. */
static nn_node *
shifted_clip (const nn_node *mul, int index, nn_node **add, float *shift, float *high)
{
  float low;
  nn_node *clip = nn_fuse_sole_producer (mul, index, "Clip");
  *add = clip != NULL ? nn_fuse_sole_producer (clip, 0, "Add") : NULL;
  if (*add == NULL || !clip_bounds (clip, &low, high) || low != 0)
    return NULL;
  const nn_value *constant = nn_fuse_other (*add, mul->in[1 - index]);
  return nn_fuse_scalar (constant, shift) && constant->rank <= mul->in[1 - index]->rank ? clip : NULL;
}

/* Whether `node` divides its operand 0 by `divisor`. */
static bool
divides_by (const nn_node *node, float divisor)
{
  float c;
  if (nn_node_is (node, "Div"))
    return nn_fuse_scalar (node->in[1], &c) && c == divisor;
  return nn_node_is (node, "Mul") && nn_fuse_scalar (node->in[1], &c) && fabsf (c * divisor - 1) < 1e-6f;
}

int
nn_fuse_hard_swish_clip (nn_graph *graph, nn_node *node, nn_error *err)
{
  const nn_op *op = nn_op_find ("HardSwish");
  nn_node *mul =
      nn_node_is (node, "Div") || nn_node_is (node, "Mul") ? nn_fuse_sole_producer (node, 0, "Mul") : NULL;
  for (int i = 0; mul != NULL && op != NULL && i < 2; i++) {
    float shift, high;
    nn_node *add, *clip = shifted_clip (mul, i, &add, &shift, &high);
    nn_value *x = mul->in[1 - i];
    if (clip == NULL || !divides_by (node, high) || !is_hard_swish (1 / high, shift / high) ||
        node->out[0]->rank != x->rank)
      continue;
    if (replace_by (graph, node, op, x, err) == NULL)
      return -1;
    nn_graph_remove_node (graph, mul);
    nn_graph_remove_node (graph, clip);
    nn_graph_remove_node (graph, add);
    return 3;
  }
  return 0;
}

/* x times a gate of x. */
int
nn_fuse_gate (nn_graph *graph, nn_node *node, nn_error *err)
{
  static const struct {
    const char *gate, *op;
  } gates[] = { { "Sigmoid", "Silu" }, { "HardSigmoid", "HardSwish" } };
  if (!nn_node_is (node, "Mul"))
    return 0;
  for (int k = 0; k < 4; k++) {
    int i = k / 2;
    const nn_op *op = nn_op_find (gates[k % 2].op);
    nn_node *gate = nn_fuse_sole_producer (node, i, gates[k % 2].gate);
    nn_activation a;
    if (op == NULL || gate == NULL || gate->in[0] != node->in[1 - i] || !nn_fuse_activation_of (gate, &a))
      continue;
    if (a.kind == NN_ACT_HARD_SIGMOID && !is_hard_swish (a.alpha, a.beta))
      continue;
    if (replace_by (graph, node, op, gate->in[0], err) == NULL)
      return -1;
    nn_graph_remove_node (graph, gate);
    return 1;
  }
  return 0;
}
