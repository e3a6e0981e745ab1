/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPU's kernels, one table an operator (ops.h says what a kernel is). All take any strides;
 * they are fast where the innermost dimension in memory is contiguous. Types: float32 everywhere;
 * arithmetic, comparisons and reductions also int32, int64 and float64 where ONNX has them; what only
 * moves elements takes any type. A kernel's table of row functions tells exactly (rows.h).
 */
#pragma once

#include "../ops.h"

extern const nn_kernel nn_cpu_add, nn_cpu_sub, nn_cpu_mul, nn_cpu_div;
extern const nn_kernel nn_cpu_relu, nn_cpu_leaky_relu, nn_cpu_clip, nn_cpu_sigmoid, nn_cpu_hard_sigmoid;
extern const nn_kernel nn_cpu_hard_swish, nn_cpu_silu, nn_cpu_gelu, nn_cpu_tanh;
extern const nn_kernel nn_cpu_batch_normalization;
extern const nn_kernel nn_cpu_concat, nn_cpu_split, nn_cpu_copy, nn_cpu_transpose;
extern const nn_kernel nn_cpu_conv, nn_cpu_conv_pair;
extern const nn_kernel nn_cpu_global_average_pool, nn_cpu_average_pool, nn_cpu_max_pool;
extern const nn_kernel nn_cpu_resize;
extern const nn_kernel nn_cpu_softmax;
extern const nn_kernel nn_cpu_attention, nn_cpu_deformable_attention, nn_cpu_masked_reduce;
extern const nn_kernel nn_cpu_matmul, nn_cpu_gemm;
extern const nn_kernel nn_cpu_shape, nn_cpu_cast, nn_cpu_gather, nn_cpu_slice;

extern const nn_kernel nn_cpu_exp, nn_cpu_log, nn_cpu_sqrt, nn_cpu_erf, nn_cpu_sin, nn_cpu_cos;
extern const nn_kernel nn_cpu_abs, nn_cpu_neg, nn_cpu_sign, nn_cpu_reciprocal;
extern const nn_kernel nn_cpu_floor, nn_cpu_ceil, nn_cpu_round;
extern const nn_kernel nn_cpu_softplus, nn_cpu_elu, nn_cpu_selu, nn_cpu_prelu;
extern const nn_kernel nn_cpu_is_nan, nn_cpu_is_inf;
extern const nn_kernel nn_cpu_pow, nn_cpu_mod, nn_cpu_max, nn_cpu_min, nn_cpu_sum, nn_cpu_mean;
extern const nn_kernel nn_cpu_equal, nn_cpu_greater, nn_cpu_greater_or_equal, nn_cpu_less;
extern const nn_kernel nn_cpu_less_or_equal, nn_cpu_and, nn_cpu_or, nn_cpu_xor, nn_cpu_not, nn_cpu_where;
extern const nn_kernel nn_cpu_reduce_sum, nn_cpu_reduce_mean, nn_cpu_reduce_max, nn_cpu_reduce_min;
extern const nn_kernel nn_cpu_reduce_prod, nn_cpu_reduce_l1, nn_cpu_reduce_l2, nn_cpu_reduce_sum_square;
extern const nn_kernel nn_cpu_reduce_log_sum, nn_cpu_reduce_log_sum_exp;
extern const nn_kernel nn_cpu_arg_max, nn_cpu_arg_min, nn_cpu_topk, nn_cpu_cumsum;
extern const nn_kernel nn_cpu_gather_elements, nn_cpu_gather_nd, nn_cpu_scatter_elements, nn_cpu_scatter_nd;
extern const nn_kernel nn_cpu_constant_of_shape, nn_cpu_range, nn_cpu_expand, nn_cpu_tile, nn_cpu_pad;
extern const nn_kernel nn_cpu_trilu, nn_cpu_non_zero, nn_cpu_size;
extern const nn_kernel nn_cpu_depth_to_space, nn_cpu_space_to_depth;
extern const nn_kernel nn_cpu_layer_normalization, nn_cpu_instance_normalization, nn_cpu_group_normalization;
extern const nn_kernel nn_cpu_log_softmax, nn_cpu_grid_sample, nn_cpu_einsum, nn_cpu_conv_transpose;

/* Joins pairs of convolutions of a fused graph to nodes that only this device has (pairs.c). */
nn_status nn_cpu_pair_convs (nn_graph *graph, nn_error *err);

/* A prepare() that is done when all operands are float32. */
nn_status nn_cpu_need_floats (nn_call *call, nn_error *err);

/* For tests: which implementation the plans made from now on use where there are several. Not
 * to be changed while another thread makes a plan. */
typedef enum nn_cpu_choice {
  NN_CPU_CHOICE_BEST,     /* what measures best for each node, with the best instructions there are */
  NN_CPU_CHOICE_DIRECT,   /* the same without Winograd's convolutions */
  NN_CPU_CHOICE_LESSER,   /* as BEST with the next instruction set below the best, if there is one */
  NN_CPU_CHOICE_PORTABLE, /* as BEST with the instructions that every processor of the kind has */
} nn_cpu_choice;

void nn_cpu_choose (nn_cpu_choice choice);
nn_cpu_choice nn_cpu_chosen (void);
