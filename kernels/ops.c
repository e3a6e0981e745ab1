/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops.h"

#include "cpu/cpu.h"
#include "graph/shape.h"

#include <string.h>

#define ROW_MAJOR NN_LAYOUT_POLICY_ROW_MAJOR
#define CHANNELS_LAST NN_LAYOUT_POLICY_CHANNELS_LAST
#define FOLLOW NN_LAYOUT_POLICY_FOLLOW

/* A node that the fusions (graph/fuse-*.c) or a device's rewriting (cpu/pairs.c, cuda/chains.c) make; in a file
 * it has no meaning. */
static nn_status
shape_of_no_file (nn_node *node, const nn_graph *graph, nn_error *err)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "%s is not an operator of ONNX", node->op->name);
}

/* The kernels of a row. The table is compiled twice, for the engine and for the CUDA backend, a module that is
 * loaded on demand (cuda/backend.c), and each has the kernels of its own device only. */
#ifdef NN_CUDA_MODULE
#include "cuda/cuda.h"
#define ON_CPU(name) NULL, NULL
#define ON_BOTH(name) NULL, &nn_cuda_##name
#define ON_CUDA(name) NULL, &nn_cuda_##name
#else
#define ON_CPU(name) &nn_cpu_##name, NULL
#define ON_BOTH(name) &nn_cpu_##name, NULL
#define ON_CUDA(name) NULL, NULL
#endif

/* Ordered by name. */
static const nn_op ops[] = {
  /* name, operands from … to, layout, shape, kernels */
  { "Abs", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (abs) },
  { "Add", 2, 2, FOLLOW, nn_shape_broadcast, ON_BOTH (add) },
  { "And", 2, 2, FOLLOW, nn_shape_logic, ON_BOTH (and) },
  { "ArgMax", 1, 1, ROW_MAJOR, nn_shape_arg, ON_BOTH (arg_max) },
  { "ArgMin", 1, 1, ROW_MAJOR, nn_shape_arg, ON_BOTH (arg_min) },
  { "Attention", 3, 4, ROW_MAJOR, nn_shape_attention, ON_BOTH (attention) },
  { "AveragePool", 1, 1, CHANNELS_LAST, nn_shape_pool, ON_BOTH (average_pool) },
  { "BatchNormalization", 5, 5, FOLLOW, nn_shape_batch_norm, ON_BOTH (batch_normalization) },
  { "Cast", 1, 1, FOLLOW, nn_shape_cast, ON_BOTH (cast) },
  { "Ceil", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (ceil) },
  { "Chain", 1, 8, FOLLOW, shape_of_no_file, ON_CUDA (chain) },
  { "Clip", 1, 3, FOLLOW, nn_shape_clip, ON_BOTH (clip) },
  { "Concat", 1, -1, FOLLOW, nn_shape_concat, ON_BOTH (concat) },
  { "ConstantOfShape", 1, 1, ROW_MAJOR, nn_shape_constant_of_shape, ON_BOTH (constant_of_shape) },
  { "Conv", 2, 4, CHANNELS_LAST, nn_shape_conv, ON_BOTH (conv) },
  { "ConvPair", 4, 6, CHANNELS_LAST, shape_of_no_file, ON_CPU (conv_pair) },
  { "ConvTranspose", 2, 3, CHANNELS_LAST, nn_shape_conv_transpose, ON_BOTH (conv_transpose) },
  { "Cos", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (cos) },
  { "CumSum", 2, 2, FOLLOW, nn_shape_cumsum, ON_BOTH (cumsum) },
  { "DeformableAttention", 3, 4, ROW_MAJOR, shape_of_no_file, ON_BOTH (deformable_attention) },
  { "DepthToSpace", 1, 1, ROW_MAJOR, nn_shape_depth_to_space, ON_BOTH (depth_to_space) },
  { "Div", 2, 2, FOLLOW, nn_shape_broadcast, ON_BOTH (div) },
  { "Dropout", 1, 3, FOLLOW, nn_shape_dropout, ON_BOTH (copy) },
  { "Einsum", 1, 2, ROW_MAJOR, nn_shape_einsum_result, ON_BOTH (einsum) },
  { "Elu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (elu) },
  { "Equal", 2, 2, FOLLOW, nn_shape_compare, ON_BOTH (equal) },
  { "Erf", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (erf) },
  { "Exp", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (exp) },
  { "Expand", 2, 2, ROW_MAJOR, nn_shape_expand, ON_BOTH (expand) },
  { "Flatten", 1, 1, ROW_MAJOR, nn_shape_flatten, ON_BOTH (copy) },
  { "Floor", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (floor) },
  { "Gather", 2, 2, ROW_MAJOR, nn_shape_gather, ON_BOTH (gather) },
  { "GatherElements", 2, 2, ROW_MAJOR, nn_shape_gather_elements, ON_BOTH (gather_elements) },
  { "GatherND", 2, 2, ROW_MAJOR, nn_shape_gather_nd, ON_BOTH (gather_nd) },
  { "Gelu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (gelu) },
  { "Gemm", 2, 3, ROW_MAJOR, nn_shape_gemm, ON_BOTH (gemm) },
  { "GlobalAveragePool", 1, 1, CHANNELS_LAST, nn_shape_global_pool, ON_BOTH (global_average_pool) },
  { "Greater", 2, 2, FOLLOW, nn_shape_compare, ON_BOTH (greater) },
  { "GreaterOrEqual", 2, 2, FOLLOW, nn_shape_compare, ON_BOTH (greater_or_equal) },
  { "GridSample", 2, 2, CHANNELS_LAST, nn_shape_grid_sample, ON_BOTH (grid_sample) },
  { "GroupNormalization", 3, 3, ROW_MAJOR, nn_shape_group_norm, ON_BOTH (group_normalization) },
  { "HardSigmoid", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (hard_sigmoid) },
  { "HardSwish", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (hard_swish) },
  { "Identity", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (copy) },
  { "InstanceNormalization", 3, 3, ROW_MAJOR, nn_shape_instance_norm, ON_BOTH (instance_normalization) },
  { "IsInf", 1, 1, FOLLOW, nn_shape_test, ON_BOTH (is_inf) },
  { "IsNaN", 1, 1, FOLLOW, nn_shape_test, ON_BOTH (is_nan) },
  { "LayerNormalization", 2, 3, ROW_MAJOR, nn_shape_layer_norm, ON_BOTH (layer_normalization) },
  { "LeakyRelu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (leaky_relu) },
  { "Less", 2, 2, FOLLOW, nn_shape_compare, ON_BOTH (less) },
  { "LessOrEqual", 2, 2, FOLLOW, nn_shape_compare, ON_BOTH (less_or_equal) },
  { "Log", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (log) },
  { "LogSoftmax", 1, 1, FOLLOW, nn_shape_softmax, ON_BOTH (log_softmax) },
  { "MaskedReduce", 1, 2, ROW_MAJOR, shape_of_no_file, ON_BOTH (masked_reduce) },
  { "MatMul", 2, 4, ROW_MAJOR, nn_shape_matmul, ON_BOTH (matmul) },
  { "Max", 1, -1, FOLLOW, nn_shape_broadcast, ON_BOTH (max) },
  { "MaxPool", 1, 1, CHANNELS_LAST, nn_shape_pool, ON_BOTH (max_pool) },
  { "Mean", 1, -1, FOLLOW, nn_shape_broadcast, ON_BOTH (mean) },
  { "Min", 1, -1, FOLLOW, nn_shape_broadcast, ON_BOTH (min) },
  { "Mod", 2, 2, FOLLOW, nn_shape_broadcast, ON_BOTH (mod) },
  { "Mul", 2, 2, FOLLOW, nn_shape_broadcast, ON_BOTH (mul) },
  { "Neg", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (neg) },
  { "NonZero", 1, 1, ROW_MAJOR, nn_shape_non_zero, ON_CPU (non_zero) },
  { "Not", 1, 1, FOLLOW, nn_shape_logic, ON_BOTH (not) },
  { "Or", 2, 2, FOLLOW, nn_shape_logic, ON_BOTH (or) },
  { "PRelu", 2, 2, FOLLOW, nn_shape_prelu, ON_BOTH (prelu) },
  { "Pad", 1, 4, FOLLOW, nn_shape_pad, ON_BOTH (pad) },
  { "Pow", 2, 2, FOLLOW, nn_shape_pow, ON_BOTH (pow) },
  { "Range", 3, 3, ROW_MAJOR, nn_shape_range, ON_BOTH (range) },
  { "Reciprocal", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (reciprocal) },
  { "ReduceL1", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_l1) },
  { "ReduceL2", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_l2) },
  { "ReduceLogSum", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_log_sum) },
  { "ReduceLogSumExp", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_log_sum_exp) },
  { "ReduceMax", 1, 2, ROW_MAJOR, nn_shape_reduce_some, ON_BOTH (reduce_max) },
  { "ReduceMean", 1, 2, ROW_MAJOR, nn_shape_reduce_some, ON_BOTH (reduce_mean) },
  { "ReduceMin", 1, 2, ROW_MAJOR, nn_shape_reduce_some, ON_BOTH (reduce_min) },
  { "ReduceProd", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_prod) },
  { "ReduceSum", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_sum) },
  { "ReduceSumSquare", 1, 2, ROW_MAJOR, nn_shape_reduce, ON_BOTH (reduce_sum_square) },
  { "Relu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (relu) },
  { "Reorder", 1, 1, FOLLOW, nn_shape_reorder, ON_BOTH (copy) },
  { "Reshape", 2, 2, ROW_MAJOR, nn_shape_reshape, ON_BOTH (copy) },
  { "Resize", 1, 4, CHANNELS_LAST, nn_shape_resize, ON_BOTH (resize) },
  { "Round", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (round) },
  { "ScatterElements", 3, 3, ROW_MAJOR, nn_shape_scatter_elements, ON_BOTH (scatter_elements) },
  { "ScatterND", 3, 3, ROW_MAJOR, nn_shape_scatter_nd, ON_BOTH (scatter_nd) },
  { "Selu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (selu) },
  { "Shape", 1, 1, FOLLOW, nn_shape_shape, ON_BOTH (shape) },
  { "Sigmoid", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (sigmoid) },
  { "Sign", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (sign) },
  { "Silu", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (silu) },
  { "Sin", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (sin) },
  { "Size", 1, 1, FOLLOW, nn_shape_size, ON_BOTH (size) },
  { "Slice", 1, 5, ROW_MAJOR, nn_shape_slice, ON_BOTH (slice) },
  { "Softmax", 1, 1, FOLLOW, nn_shape_softmax, ON_BOTH (softmax) },
  { "Softplus", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (softplus) },
  { "SpaceToDepth", 1, 1, ROW_MAJOR, nn_shape_space_to_depth, ON_BOTH (space_to_depth) },
  { "Split", 1, 2, FOLLOW, nn_shape_split, ON_BOTH (split) },
  { "Sqrt", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (sqrt) },
  { "Squeeze", 1, 2, ROW_MAJOR, nn_shape_squeeze, ON_BOTH (copy) },
  { "Sub", 2, 2, FOLLOW, nn_shape_broadcast, ON_BOTH (sub) },
  { "Sum", 1, -1, FOLLOW, nn_shape_broadcast, ON_BOTH (sum) },
  { "Tanh", 1, 1, FOLLOW, nn_shape_same, ON_BOTH (tanh) },
  { "Tile", 2, 2, ROW_MAJOR, nn_shape_tile, ON_BOTH (tile) },
  { "TopK", 1, 2, ROW_MAJOR, nn_shape_topk, ON_BOTH (topk) },
  { "Transpose", 1, 1, ROW_MAJOR, nn_shape_transpose, ON_BOTH (transpose) },
  { "Trilu", 1, 2, ROW_MAJOR, nn_shape_trilu, ON_BOTH (trilu) },
  { "Unsqueeze", 1, 2, ROW_MAJOR, nn_shape_unsqueeze, ON_BOTH (copy) },
  { "Where", 3, 3, FOLLOW, nn_shape_where, ON_BOTH (where) },
  { "Xor", 2, 2, FOLLOW, nn_shape_logic, ON_BOTH (xor) },
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
