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
/* Refused where the node is told to train, which would leave elements out at random. */
nn_status nn_shape_dropout (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_reorder (nn_node *node, const nn_graph *graph, nn_error *err);
/* NumPy's broadcasting of all operands; the first one's type. */
nn_status nn_shape_broadcast (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_compare (nn_node *node, const nn_graph *graph, nn_error *err); /* … bool */
nn_status nn_shape_where (nn_node *node, const nn_graph *graph, nn_error *err);   /* … the second's */
nn_status nn_shape_logic (nn_node *node, const nn_graph *graph, nn_error *err);   /* … of bools */
nn_status nn_shape_test (nn_node *node, const nn_graph *graph, nn_error *err); /* bool, one an element */
nn_status nn_shape_pow (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_prelu (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_cast (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_shape (nn_node *node, const nn_graph *graph, nn_error *err);

/* Windows that move over the trailing dimensions. Conv: operands x, w, bias or left out, residual
 * or left out (of the result's shape; ours, see fuse.h). */
nn_status nn_shape_conv (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_pool (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_global_pool (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_conv_transpose (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_grid_sample (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_resize (nn_node *node, const nn_graph *graph, nn_error *err);

/* Elements that only move. */
nn_status nn_shape_concat (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_split (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_reshape (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_flatten (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_squeeze (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_unsqueeze (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_transpose (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_slice (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_depth_to_space (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_space_to_depth (nn_node *node, const nn_graph *graph, nn_error *err);

/* … to or from where indices say; the indices themselves are checked when they are used. */
nn_status nn_shape_gather (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_gather_elements (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_gather_nd (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_scatter_elements (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_scatter_nd (nn_node *node, const nn_graph *graph, nn_error *err);

/* … and are repeated, or come out of nothing. */
nn_status nn_shape_constant_of_shape (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_range (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_expand (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_tile (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_pad (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_trilu (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_non_zero (nn_node *node, const nn_graph *graph, nn_error *err); /* constants only */
nn_status nn_shape_size (nn_node *node, const nn_graph *graph, nn_error *err);

/* MatMul: operands a, b, bias or left out (one number a column), residual or left out (of the result's shape);
 * the last two are ours (fuse.h) and come after this rule has run. */
nn_status nn_shape_matmul (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_gemm (nn_node *node, const nn_graph *graph, nn_error *err);
/* Attention as ONNX has it from operator set 23 on, with operands of three dimensions: q [batch, queries,
 * heads · size], k [batch, tokens, heads · size], v [batch, tokens, heads · value size], all row-major, and
 * optionally a float mask that broadcasts to [batch, heads, queries, tokens] and is added to the scores.
 * Attributes q_num_heads, kv_num_heads (the same), scale. The result is [batch, queries, heads · value size]. */
nn_status nn_shape_attention (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_einsum_result (nn_node *node, const nn_graph *graph, nn_error *err);

/* ReduceSum, ReduceProd … (axes as attribute or operand). */
nn_status nn_shape_reduce (nn_node *node, const nn_graph *graph, nn_error *err);
/* … those that need at least one element: ReduceMax, ReduceMin, ReduceMean. */
nn_status nn_shape_reduce_some (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_arg (nn_node *node, const nn_graph *graph, nn_error *err); /* ArgMax, ArgMin */
nn_status nn_shape_topk (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_cumsum (nn_node *node, const nn_graph *graph, nn_error *err);

nn_status nn_shape_layer_norm (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_instance_norm (nn_node *node, const nn_graph *graph, nn_error *err);
nn_status nn_shape_group_norm (nn_node *node, const nn_graph *graph, nn_error *err);

/* ---- what rules and kernels share ---- */

/* One number of a host tensor: of NN_F32 or NN_F64, of NN_I64 or NN_I32. */
double nn_shape_real (const nn_tensor *scalar);
int64_t nn_shape_integer (const nn_tensor *scalar);

/* A Transpose's operand with its dimensions, and their strides, in the result's order. */
nn_tensor nn_shape_transposed (const nn_node *node, const nn_tensor *x);

/* How a window moves along one spatial dimension, pads resolved from auto_pad. */
typedef struct nn_window {
  int64_t kernel, stride, dilation;
  int64_t pad_begin, pad_end;
  int64_t out; /* positions */
} nn_window;

/* The windows of a Conv or pool node over its first operand (rank ≥ 3), one a spatial dimension. */
nn_status nn_shape_windows (const nn_node *node, nn_window window[NN_MAX_RANK - 2], nn_error *err);

/* … of a ConvTranspose, where `out` is the result's extent and pads are what is cut off. */
nn_status nn_shape_transposed_windows (const nn_node *node, nn_window window[NN_MAX_RANK - 2], nn_error *err);

/* Which two neighbours along one dimension a row (or column) of Resize's result is made of. */
typedef struct nn_resize_tap {
  int64_t first, second;
  float weight; /* of the second; 0 for "nearest" */
} nn_resize_tap;

/* Whether a Resize node, of whatever type, is one that kernels do: "nearest" or "linear" over the height and the
 * width of images. For prepare(). */
nn_status nn_shape_resize_check (const nn_call *call, nn_error *err);
bool nn_shape_resize_is_linear (const nn_node *node);
/* One tap for each position of the result along dimension `axis`; reads the scales, so for prepare() only. */
void nn_shape_resize_taps (const nn_call *call, int axis, nn_resize_tap *taps);

/* Slice's starts and steps for every dimension of its operand (step 1, start 0 where it is whole);
 * the counts are the result's dimensions. */
nn_status nn_shape_slice_ranges (const nn_node *node, int64_t start[NN_MAX_RANK], int64_t step[NN_MAX_RANK],
                                 int64_t count[NN_MAX_RANK], nn_error *err);

/* Which dimensions a reduction (or Squeeze) goes over: bit i for dimension i. Operand `index` if the
 * node has it, else attribute "axes", else `fallback`. */
nn_status nn_shape_axes (const nn_node *node, int index, int rank, unsigned fallback, unsigned *axes,
                         nn_error *err);

/* The dimensions that a Reduce… node reduces, as nn_shape_axes() tells them; all if it names none. */
nn_status nn_shape_reduced_axes (const nn_node *node, unsigned *axes, nn_error *err);

/* CumSum's axis, which is an operand. */
nn_status nn_shape_cumsum_axis (const nn_node *node, int *axis, nn_error *err);

/* Pad's elements before and behind each dimension; negative ones are cut off. */
nn_status nn_shape_pads (const nn_node *node, int64_t begin[NN_MAX_RANK], int64_t end[NN_MAX_RANK], nn_error *err);

/* An Einsum's equation, of one or two operands. Each letter stands for one dimension. */
typedef struct nn_einsum {
  int rank[2], n_result, n_sums;
  char letters[2][NN_MAX_RANK + 1], result[NN_MAX_RANK + 1], sums[NN_MAX_RANK + 1]; /* terminated */
  int64_t sum_dim[NN_MAX_RANK]; /* of the letters that are summed over */
} nn_einsum;

nn_status nn_shape_einsum (const nn_node *node, nn_einsum *einsum, nn_error *err);

/* Whether element `i` (in memory order) of a dense tensor is not 0. */
bool nn_shape_is_non_zero (const nn_tensor *tensor, int64_t i);

/* The shape that all operands broadcast to. */
nn_status nn_shape_broadcast_dims (const nn_node *node, int *rank, int64_t dim[NN_MAX_RANK], nn_error *err);

/* The type that has this number in TensorProto.DataType; NN_DTYPE_NONE where it is not supported. */
nn_dtype nn_dtype_from_onnx (int64_t type);

/* A negative axis counts from the end; -1 if it is outside the rank. */
int nn_shape_axis (int64_t axis, int rank);

/* The integers (int64 or int32, rank 0 or 1, at most `max`) of an operand that must be constant. */
nn_status nn_shape_constant_ints (const nn_node *node, int index, int64_t *ints, int max, int *n,
                                  nn_error *err);

/* Bytes of a tensor; -1 where a dimension is negative, where they are more than 2^40, or where the
 * tensor is empty and its other dimensions multiply to more than 2^31: kernels make tables for each
 * dimension, and strides are products of dimensions. */
int64_t nn_shape_bytes (nn_dtype dtype, int rank, const int64_t *dim);

/* Whether operand `index` is there. */
bool nn_node_has (const nn_node *node, int index);

/* Sets result `index` (nothing if nobody wants it). Fails where nn_shape_bytes() does. */
nn_status nn_shape_set (nn_node *node, int index, nn_dtype dtype, int rank, const int64_t *dim,
                        nn_error *err);
