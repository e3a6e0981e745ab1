/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusions: one row of the table in fuse.c each. To add one: a function here, a row there, a test
 * in tests/test_graph.py or test_fusions.py that compares with ONNX Runtime and says which operators are left.
 *
 * Nodes of our own that they make, beside those of ONNX:
 *   Conv with operand 3, a residual of the result's shape (shape.h)
 *   MatMul with operand 2, a bias, and operand 3, a residual (shape.h)
 *   DeformableAttention (fuse-deformable.c), MaskedReduce (fuse-mask.c), Silu (graph.h)
 * and nn_node.activation on Conv, MatMul, Gemm and arithmetic.
 */
#pragma once

#include "../ops.h"

/* Looks for its pattern ending at `node` (the last of its nodes in the list) and rewrites it. The
 * new node goes in front of `node`; nodes behind it are left alone. Returns how many nodes
 * vanished, 0 where the pattern is not there, or -1 with `err` set. */
typedef int (*nn_fusion) (nn_graph *graph, nn_node *node, nn_error *err);

int nn_fuse_conv_batch_norm (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_scale (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_bias (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_parallel (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_residual (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_matmul_bias (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_gelu (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_layer_norm (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_attention (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_deformable (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_mask (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_gather_concat (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_gather_rows (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_hard_swish_clip (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_gate (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_activation (nn_graph *graph, nn_node *node, nn_error *err);

/* ---- what patterns ask for ---- */

/* The node that computes the value, if it is an `op` without activation; else NULL. */
nn_node *nn_fuse_producer (const nn_value *value, const char *op);

/* The node that computes operand `index`, if it is an `op` without activation and nobody else reads
 * its (only) result; else NULL. */
nn_node *nn_fuse_sole_producer (const nn_node *node, int index, const char *op);

/* The one float32 element of a constant operand, of any rank. */
bool nn_fuse_scalar (const nn_value *value, float *scalar);

/* The operand of a two-operand node that is not `value`; NULL if neither or both are. */
nn_value *nn_fuse_other (const nn_node *node, const nn_value *value);

/* Both of one type and shape. */
bool nn_fuse_same_shape (const nn_value *a, const nn_value *b);
bool nn_fuse_has_shape (const nn_value *value, int rank, const int64_t *dim);

/* A value of this type and shape, for the result of a new node; NULL with `err` set. */
nn_value *nn_fuse_new_value (nn_graph *graph, const char *name, nn_dtype dtype, int rank, const int64_t *dim,
                             nn_error *err);

/* The value that `value` has its elements from, in the same row-major order, by way of Reshape, Squeeze,
 * Unsqueeze, Flatten or Identity nodes; itself where there are none. */
nn_value *nn_fuse_reshaped_from (nn_value *value);

/* A value with the elements of `value` in the same row-major order and this shape: one that it was reshaped
 * from, or the result of a new Reshape in front of `before`. NULL with `err` set. */
nn_value *nn_fuse_reshape (nn_graph *graph, nn_node *before, nn_value *value, int rank, const int64_t *dim,
                           nn_error *err);

/* Adds a Reshape of `value` in front of `before` that makes `result`, a value with a shape. */
nn_status nn_fuse_reshape_to (nn_graph *graph, nn_node *before, nn_value *value, nn_value *result,
                              nn_error *err);

/* Whether `node` is a Transpose with this permutation of its `rank` dimensions. */
bool nn_fuse_is_transpose (const nn_node *node, int rank, const int *perm);

/* The activation that a node of one operand computes: Relu, LeakyRelu, Clip, Sigmoid … */
bool nn_fuse_activation_of (const nn_node *node, nn_activation *activation);
