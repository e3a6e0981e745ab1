/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops.h"

#include "cpu/cpu.h"
#include "graph/shape.h"

#include <string.h>

#define ROW_MAJOR NN_LAYOUT_POLICY_ROW_MAJOR
#define CHANNELS_LAST NN_LAYOUT_POLICY_CHANNELS_LAST
#define FOLLOW NN_LAYOUT_POLICY_FOLLOW

/* A node that the fusions (graph/fuse-*.c) or the CPU's rewriting (cpu/pairs.c) make; in a file it has
 * no meaning. */
static nn_status
shape_of_no_file (nn_node *node, const nn_graph *graph, nn_error *err)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "%s is not an operator of ONNX", node->op->name);
}

/* Ordered by name. */
static const nn_op ops[] = {
  /* name, operands from … to, layout, shape, cpu, cuda */
  { "Abs", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_abs, NULL },
  { "Add", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_add, NULL },
  { "And", 2, 2, FOLLOW, nn_shape_logic, &nn_cpu_and, NULL },
  { "ArgMax", 1, 1, ROW_MAJOR, nn_shape_arg, &nn_cpu_arg_max, NULL },
  { "ArgMin", 1, 1, ROW_MAJOR, nn_shape_arg, &nn_cpu_arg_min, NULL },
  { "Attention", 3, 4, ROW_MAJOR, nn_shape_attention, &nn_cpu_attention, NULL },
  { "AveragePool", 1, 1, CHANNELS_LAST, nn_shape_pool, &nn_cpu_average_pool, NULL },
  { "BatchNormalization", 5, 5, FOLLOW, nn_shape_batch_norm, &nn_cpu_batch_normalization, NULL },
  { "Cast", 1, 1, FOLLOW, nn_shape_cast, &nn_cpu_cast, NULL },
  { "Ceil", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_ceil, NULL },
  { "Clip", 1, 3, FOLLOW, nn_shape_clip, &nn_cpu_clip, NULL },
  { "Concat", 1, -1, FOLLOW, nn_shape_concat, &nn_cpu_concat, NULL },
  { "ConstantOfShape", 1, 1, ROW_MAJOR, nn_shape_constant_of_shape, &nn_cpu_constant_of_shape, NULL },
  { "Conv", 2, 4, CHANNELS_LAST, nn_shape_conv, &nn_cpu_conv, NULL },
  { "ConvPair", 4, 6, CHANNELS_LAST, shape_of_no_file, &nn_cpu_conv_pair, NULL },
  { "ConvTranspose", 2, 3, CHANNELS_LAST, nn_shape_conv_transpose, &nn_cpu_conv_transpose, NULL },
  { "Cos", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_cos, NULL },
  { "CumSum", 2, 2, FOLLOW, nn_shape_cumsum, &nn_cpu_cumsum, NULL },
  { "DeformableAttention", 3, 4, ROW_MAJOR, shape_of_no_file, &nn_cpu_deformable_attention, NULL },
  { "DepthToSpace", 1, 1, ROW_MAJOR, nn_shape_depth_to_space, &nn_cpu_depth_to_space, NULL },
  { "Div", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_div, NULL },
  { "Dropout", 1, 3, FOLLOW, nn_shape_dropout, &nn_cpu_copy, NULL },
  { "Einsum", 1, 2, ROW_MAJOR, nn_shape_einsum_result, &nn_cpu_einsum, NULL },
  { "Elu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_elu, NULL },
  { "Equal", 2, 2, FOLLOW, nn_shape_compare, &nn_cpu_equal, NULL },
  { "Erf", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_erf, NULL },
  { "Exp", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_exp, NULL },
  { "Expand", 2, 2, ROW_MAJOR, nn_shape_expand, &nn_cpu_expand, NULL },
  { "Flatten", 1, 1, ROW_MAJOR, nn_shape_flatten, &nn_cpu_copy, NULL },
  { "Floor", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_floor, NULL },
  { "Gather", 2, 2, ROW_MAJOR, nn_shape_gather, &nn_cpu_gather, NULL },
  { "GatherElements", 2, 2, ROW_MAJOR, nn_shape_gather_elements, &nn_cpu_gather_elements, NULL },
  { "GatherND", 2, 2, ROW_MAJOR, nn_shape_gather_nd, &nn_cpu_gather_nd, NULL },
  { "Gelu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_gelu, NULL },
  { "Gemm", 2, 3, ROW_MAJOR, nn_shape_gemm, &nn_cpu_gemm, NULL },
  { "GlobalAveragePool", 1, 1, CHANNELS_LAST, nn_shape_global_pool, &nn_cpu_global_average_pool, NULL },
  { "Greater", 2, 2, FOLLOW, nn_shape_compare, &nn_cpu_greater, NULL },
  { "GreaterOrEqual", 2, 2, FOLLOW, nn_shape_compare, &nn_cpu_greater_or_equal, NULL },
  { "GridSample", 2, 2, CHANNELS_LAST, nn_shape_grid_sample, &nn_cpu_grid_sample, NULL },
  { "GroupNormalization", 3, 3, ROW_MAJOR, nn_shape_group_norm, &nn_cpu_group_normalization, NULL },
  { "HardSigmoid", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_hard_sigmoid, NULL },
  { "HardSwish", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_hard_swish, NULL },
  { "Identity", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_copy, NULL },
  { "InstanceNormalization", 3, 3, ROW_MAJOR, nn_shape_instance_norm, &nn_cpu_instance_normalization, NULL },
  { "IsInf", 1, 1, FOLLOW, nn_shape_test, &nn_cpu_is_inf, NULL },
  { "IsNaN", 1, 1, FOLLOW, nn_shape_test, &nn_cpu_is_nan, NULL },
  { "LayerNormalization", 2, 3, ROW_MAJOR, nn_shape_layer_norm, &nn_cpu_layer_normalization, NULL },
  { "LeakyRelu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_leaky_relu, NULL },
  { "Less", 2, 2, FOLLOW, nn_shape_compare, &nn_cpu_less, NULL },
  { "LessOrEqual", 2, 2, FOLLOW, nn_shape_compare, &nn_cpu_less_or_equal, NULL },
  { "Log", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_log, NULL },
  { "LogSoftmax", 1, 1, FOLLOW, nn_shape_softmax, &nn_cpu_log_softmax, NULL },
  { "MaskedReduce", 1, 2, ROW_MAJOR, shape_of_no_file, &nn_cpu_masked_reduce, NULL },
  { "MatMul", 2, 4, ROW_MAJOR, nn_shape_matmul, &nn_cpu_matmul, NULL },
  { "Max", 1, -1, FOLLOW, nn_shape_broadcast, &nn_cpu_max, NULL },
  { "MaxPool", 1, 1, CHANNELS_LAST, nn_shape_pool, &nn_cpu_max_pool, NULL },
  { "Mean", 1, -1, FOLLOW, nn_shape_broadcast, &nn_cpu_mean, NULL },
  { "Min", 1, -1, FOLLOW, nn_shape_broadcast, &nn_cpu_min, NULL },
  { "Mod", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_mod, NULL },
  { "Mul", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_mul, NULL },
  { "Neg", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_neg, NULL },
  { "NonZero", 1, 1, ROW_MAJOR, nn_shape_non_zero, &nn_cpu_non_zero, NULL },
  { "Not", 1, 1, FOLLOW, nn_shape_logic, &nn_cpu_not, NULL },
  { "Or", 2, 2, FOLLOW, nn_shape_logic, &nn_cpu_or, NULL },
  { "PRelu", 2, 2, FOLLOW, nn_shape_prelu, &nn_cpu_prelu, NULL },
  { "Pad", 1, 4, FOLLOW, nn_shape_pad, &nn_cpu_pad, NULL },
  { "Pow", 2, 2, FOLLOW, nn_shape_pow, &nn_cpu_pow, NULL },
  { "Range", 3, 3, ROW_MAJOR, nn_shape_range, &nn_cpu_range, NULL },
  { "Reciprocal", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_reciprocal, NULL },
  { "ReduceL1", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_l1, NULL },
  { "ReduceL2", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_l2, NULL },
  { "ReduceLogSum", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_log_sum, NULL },
  { "ReduceLogSumExp", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_log_sum_exp, NULL },
  { "ReduceMax", 1, 2, ROW_MAJOR, nn_shape_reduce_some, &nn_cpu_reduce_max, NULL },
  { "ReduceMean", 1, 2, ROW_MAJOR, nn_shape_reduce_some, &nn_cpu_reduce_mean, NULL },
  { "ReduceMin", 1, 2, ROW_MAJOR, nn_shape_reduce_some, &nn_cpu_reduce_min, NULL },
  { "ReduceProd", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_prod, NULL },
  { "ReduceSum", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_sum, NULL },
  { "ReduceSumSquare", 1, 2, ROW_MAJOR, nn_shape_reduce, &nn_cpu_reduce_sum_square, NULL },
  { "Relu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_relu, NULL },
  { "Reorder", 1, 1, FOLLOW, nn_shape_reorder, &nn_cpu_copy, NULL },
  { "Reshape", 2, 2, ROW_MAJOR, nn_shape_reshape, &nn_cpu_copy, NULL },
  { "Resize", 1, 4, CHANNELS_LAST, nn_shape_resize, &nn_cpu_resize, NULL },
  { "Round", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_round, NULL },
  { "ScatterElements", 3, 3, ROW_MAJOR, nn_shape_scatter_elements, &nn_cpu_scatter_elements, NULL },
  { "ScatterND", 3, 3, ROW_MAJOR, nn_shape_scatter_nd, &nn_cpu_scatter_nd, NULL },
  { "Selu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_selu, NULL },
  { "Shape", 1, 1, FOLLOW, nn_shape_shape, &nn_cpu_shape, NULL },
  { "Sigmoid", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_sigmoid, NULL },
  { "Sign", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_sign, NULL },
  { "Silu", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_silu, NULL },
  { "Sin", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_sin, NULL },
  { "Size", 1, 1, FOLLOW, nn_shape_size, &nn_cpu_size, NULL },
  { "Slice", 1, 5, ROW_MAJOR, nn_shape_slice, &nn_cpu_slice, NULL },
  { "Softmax", 1, 1, FOLLOW, nn_shape_softmax, &nn_cpu_softmax, NULL },
  { "Softplus", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_softplus, NULL },
  { "SpaceToDepth", 1, 1, ROW_MAJOR, nn_shape_space_to_depth, &nn_cpu_space_to_depth, NULL },
  { "Split", 1, 2, FOLLOW, nn_shape_split, &nn_cpu_split, NULL },
  { "Sqrt", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_sqrt, NULL },
  { "Squeeze", 1, 2, ROW_MAJOR, nn_shape_squeeze, &nn_cpu_copy, NULL },
  { "Sub", 2, 2, FOLLOW, nn_shape_broadcast, &nn_cpu_sub, NULL },
  { "Sum", 1, -1, FOLLOW, nn_shape_broadcast, &nn_cpu_sum, NULL },
  { "Tanh", 1, 1, FOLLOW, nn_shape_same, &nn_cpu_tanh, NULL },
  { "Tile", 2, 2, ROW_MAJOR, nn_shape_tile, &nn_cpu_tile, NULL },
  { "TopK", 1, 2, ROW_MAJOR, nn_shape_topk, &nn_cpu_topk, NULL },
  { "Transpose", 1, 1, ROW_MAJOR, nn_shape_transpose, &nn_cpu_transpose, NULL },
  { "Trilu", 1, 2, ROW_MAJOR, nn_shape_trilu, &nn_cpu_trilu, NULL },
  { "Unsqueeze", 1, 2, ROW_MAJOR, nn_shape_unsqueeze, &nn_cpu_copy, NULL },
  { "Where", 3, 3, FOLLOW, nn_shape_where, &nn_cpu_where, NULL },
  { "Xor", 2, 2, FOLLOW, nn_shape_logic, &nn_cpu_xor, NULL },
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
