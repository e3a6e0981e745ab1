/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shape rules: from the operands' shapes and the attributes to the results' (nn_shape_rule in
 * ops.h). They follow the ONNX operator specification, opset 7 to 20. A rule may rely on the type
 * and all dimensions of every operand being known; it checks everything else, and its arithmetic
 * never overflows. Messages say the cause only: the caller puts the node's name in front.
 */
#pragma once

#include "../ops.h"

/* The first operand's type and shape. Results that a rule does not set are refused where wanted. */
nn_status nn_shape_same (nn_node *node, const nn_graph *graph, nn_error *err);
/* … with a softmax's axis, a Clip's bounds or a BatchNormalization's vectors that fit. */
nn_status nn_shape_softmax (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_clip (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_batch_norm (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_reorder (nn_node *node, const nn_graph *graph, nn_error *err);
/* NumPy's broadcasting of all operands; the first one's type. */
nn_status nn_shape_broadcast (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_compare (nn_node *node, const nn_graph *graph, nn_error *err); /* … bool */
nn_status nn_shape_where (nn_node *node, const nn_graph *graph, nn_error *err);   /* … the second's */
nn_status nn_shape_cast (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_shape (nn_node *node, const nn_graph *graph, nn_error *err);

/* Windows that move over the trailing dimensions. Conv: operands x, w, bias or left out, residual
 * or left out (of the result's shape; ours, see fuse.c). */
nn_status nn_shape_conv (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_pool (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_global_pool (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_resize (nn_node *node, const nn_graph *graph, nn_error *err);

/* Elements that only move. */
nn_status nn_shape_concat (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_split (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_reshape (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_flatten (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_squeeze (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_unsqueeze (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_transpose (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_gather (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_slice (nn_node *node, const nn_graph *graph, nn_error *err);

nn_status nn_shape_matmul (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_gemm (nn_node *node, const nn_graph *graph, nn_error *err);
/* ReduceSum, ReduceMean … (axes as attribute or operand), ArgMax excluded. */
nn_status nn_shape_reduce (nn_node *node, const nn_graph *graph, nn_error *err);

/* ---- what rules and kernels share ---- */

/* How a window moves along one spatial dimension, pads resolved from auto_pad. */
typedef struct nn_window {
  int64_t kernel, stride, dilation;
  int64_t pad_begin, pad_end;
  int64_t out; /* positions */
} nn_window;

/* The windows of a Conv or pool node over its first operand (rank ≥ 3), one a spatial dimension. */
nn_status nn_shape_windows (const nn_node *node, nn_window window[NN_MAX_RANK - 2], nn_error *err);

/* Slice's starts and steps for every dimension of its operand (step 1, start 0 where it is whole);
 * the counts are the result's dimensions. */
nn_status nn_shape_slice_ranges (const nn_node *node, int64_t start[NN_MAX_RANK], int64_t step[NN_MAX_RANK],
                                 int64_t count[NN_MAX_RANK], nn_error *err);

/* Which dimensions a reduction (or Squeeze) goes over: bit i for dimension i. Operand `index` if the
 * node has it, else attribute "axes", else `fallback`. */
nn_status nn_shape_axes (const nn_node *node, int index, int rank, unsigned fallback, unsigned *axes,
                         nn_error *err);

/* The shape that all operands broadcast to. */
nn_status nn_shape_broadcast_dims (const nn_node *node, int *rank, int64_t dim[NN_MAX_RANK], nn_error *err);

/* The type that has this number in TensorProto.DataType; NN_DTYPE_NONE where it is not supported. */
nn_dtype nn_dtype_from_onnx (int64_t type);

/* A negative axis counts from the end; -1 if it is outside the rank. */
int nn_shape_axis (int64_t axis, int rank);

/* The integers (int64 or int32, rank 0 or 1, at most `max`) of an operand that must be constant. */
nn_status nn_shape_constant_ints (const nn_node *node, int index, int64_t *ints, int max, int *n,
                                  nn_error *err);

/* Whether operand `index` is there. */
bool nn_node_has (const nn_node *node, int index);

/* Sets result `index` (nothing if nobody wants it). Fails where dimensions are negative or the
 * result would have more than 2^40 bytes. */
nn_status nn_shape_set (nn_node *node, int index, nn_dtype dtype, int rank, const int64_t *dim,
                        nn_error *err);
