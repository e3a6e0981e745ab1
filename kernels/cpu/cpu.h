/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPU's kernels, one table an operator (ops.h says what a kernel is). All take any strides;
 * they are fast where the innermost dimension in memory is contiguous. Types: float32 everywhere;
 * Add, Sub, Mul and Div also int32, int64 and float64; what only moves elements takes any type.
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
extern const nn_kernel nn_cpu_matmul, nn_cpu_gemm;
extern const nn_kernel nn_cpu_shape, nn_cpu_cast, nn_cpu_gather, nn_cpu_slice;

/* Joins pairs of convolutions of a fused graph to nodes that only this device has (pairs.c). */
nn_status nn_cpu_pair_convs (nn_graph *graph, nn_error *err);

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
