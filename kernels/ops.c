/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops.h"

#include "cpu/cpu.h"
#include "graph/shape.h"

#include <string.h>

#define ROW_MAJOR NN_LAYOUT_POLICY_ROW_MAJOR
#define CHANNELS_LAST NN_LAYOUT_POLICY_CHANNELS_LAST
#define FOLLOW NN_LAYOUT_POLICY_FOLLOW

/* A node that the CPU's rewriting makes (cpu/pairs.c); in a file it has no meaning. */
static nn_status
shape_of_no_file (nn_node *node, const nn_graph *graph, nn_error *err)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "ConvPair is not an operator of ONNX");
}

/* Ordered by name. */
static const nn_op ops[] = {
  /* name, operands from … to, layout, shape, cpu, cuda */
  { "Add", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_add, NULL },
  { "AveragePool", 1, 1, CHANNELS_LAST, nn_shape_pool, &nn_cpu_average_pool, NULL },
  { "BatchNormalization", 5, 5, FOLLOW, nn_shape_batch_norm, &nn_cpu_batch_normalization, NULL },
  { "Cast", 1, 1, FOLLOW, nn_shape_cast, &nn_cpu_cast, NULL },
  { "Clip", 1, 3, FOLLOW, nn_shape_clip, &nn_cpu_clip, NULL },
  { "Concat", 1, -1, FOLLOW, nn_shape_concat, &nn_cpu_concat, NULL },
  { "Conv", 2, 4, CHANNELS_LAST, nn_shape_conv, &nn_cpu_conv, NULL },
  { "ConvPair", 4, 6, CHANNELS_LAST, shape_of_no_file, &nn_cpu_conv_pair, NULL },
  { "Div", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_div, NULL },
  { "Dropout", 1, 3, FOLLOW, nn_shape_same, &nn_cpu_copy, NULL },
  { "Flatten", 1, 1, ROW_MAJOR, nn_shape_flatten, &nn_cpu_copy, NULL },
  { "Gather", 2, 2, ROW_MAJOR, nn_shape_gather, &nn_cpu_gather, NULL },
  { "Gelu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_gelu, NULL },
  { "Gemm", 2, 3, ROW_MAJOR, nn_shape_gemm, &nn_cpu_gemm, NULL },
  { "GlobalAveragePool", 1, 1, CHANNELS_LAST, nn_shape_global_pool, &nn_cpu_global_average_pool, NULL },
  { "HardSigmoid", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_hard_sigmoid, NULL },
  { "HardSwish", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_hard_swish, NULL },
  { "Identity", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_copy, NULL },
  { "LeakyRelu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_leaky_relu, NULL },
  { "MatMul", 2, 2, ROW_MAJOR, nn_shape_matmul, &nn_cpu_matmul, NULL },
  { "MaxPool", 1, 1, CHANNELS_LAST, nn_shape_pool, &nn_cpu_max_pool, NULL },
  { "Mul", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_mul, NULL },
  { "Relu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_relu, NULL },
  { "Reorder", 1, 1, FOLLOW, nn_shape_reorder, &nn_cpu_copy, NULL },
  { "Reshape", 2, 2, ROW_MAJOR, nn_shape_reshape, &nn_cpu_copy, NULL },
  { "Resize", 1, 4, CHANNELS_LAST, nn_shape_resize, &nn_cpu_resize, NULL },
  { "Shape", 1, 1, FOLLOW, nn_shape_shape, &nn_cpu_shape, NULL },
  { "Sigmoid", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_sigmoid, NULL },
  { "Silu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_silu, NULL },
  { "Slice", 1, 5, ROW_MAJOR, nn_shape_slice, &nn_cpu_slice, NULL },
  { "Softmax", 1, 1, FOLLOW, nn_shape_softmax, &nn_cpu_softmax, NULL },
  { "Split", 1, 2, FOLLOW, nn_shape_split, &nn_cpu_split, NULL },
  { "Squeeze", 1, 2, ROW_MAJOR, nn_shape_squeeze, &nn_cpu_copy, NULL },
  { "Sub", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_sub, NULL },
  { "Tanh", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_tanh, NULL },
  { "Transpose", 1, 1, ROW_MAJOR, nn_shape_transpose, &nn_cpu_transpose, NULL },
  { "Unsqueeze", 1, 2, ROW_MAJOR, nn_shape_unsqueeze, &nn_cpu_copy, NULL },
};

const nn_op *
nn_op_find (const char *name)
{
  size_t low = 0, high = sizeof ops / sizeof ops[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp (name, ops[middle].name);
    if (order == 0)
      return &ops[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

const nn_op *
nn_op_at (int index)
{
  return index >= 0 && (size_t) index < sizeof ops / sizeof ops[0] ? &ops[index] : NULL;
}
