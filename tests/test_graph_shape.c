/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shape rules, row by row: the expected shapes are worked out by hand from the ONNX operator
 * specification; "!" stands for a refusal whose message has the text behind it. */
#include "kernels/graph/graph.h"
#include "kernels/ops.h"
#include "nn-check.h"

#include <inttypes.h>
#include <stdlib.h>

#define HUGE_DIM "1099511627776" /* 2^40 */

/* Operands: "2,3" float32 of that shape, "i:…" a constant int64 vector, "f:…" a constant float32
 * vector, "-" left out, "b:2,3" bool and "l:2,3" int64 of that shape. Attributes: "axis=1",
 * "pads=1,1,1,1", "auto_pad=VALID". Results: shapes with ";" between. */
static const struct {
  const char *op, *in, *attrs, *out;
  int opset;
} cases[] = {
  { "Relu", "2,3", "", "2,3", 0 },
  { "Add", "2,3,4 3,1", "", "2,3,4", 0 },
  { "Add", "1,4 3,1", "", "3,4", 0 },
  { "Add", "0,4 1,4", "", "0,4", 0 },
  { "Add", "2,3 3,2", "", "!broadcast", 0 },
  { "Add", "2,3 l:2,3", "", "!int64", 0 },
  { "Mul", HUGE_DIM ",1 1," HUGE_DIM, "", "!larger", 0 },
  { "Cast", "2,3", "to=7", "2,3", 0 },
  { "Cast", "2,3", "to=8", "!type 8", 0 },
  { "Softmax", "2,3", "axis=-2", "2,3", 0 },
  { "Softmax", "2,3", "axis=2", "!axis", 0 },
  { "Softmax", "2,3", "", "2,3", 11 },
  { "Softmax", "2,3,4", "", "!several", 11 },
  { "Clip", "2,3 f:1 f:2", "", "2,3", 0 },
  { "Clip", "2,3 f:", "", "!bound 1", 0 },
  { "Clip", "2,3 - f:1,2", "", "!bound 2", 0 },
  { "Clip", "2,3 i:1", "", "!bound 1", 0 },
  { "BatchNormalization", "2,3,4,4 3 3 3 3", "", "2,3,4,4", 0 },
  { "BatchNormalization", "2,3,4,4 3 3 3 2", "", "!operand 4", 0 },
  { "BatchNormalization", "2,3,4,4 3 l:3 3 3", "", "!operand 2", 0 },
  { "BatchNormalization", "2,3,4,4 3 3 3 3", "training_mode=1", "!statistics", 0 },
  { "BatchNormalization", "3 3 3 3 3", "", "!dimensions", 0 },

  { "Conv", "1,3,8,8 4,3,3,3", "", "1,4,6,6", 0 },
  { "Conv", "1,3,8,8 l:4,3,3,3", "", "!operand 1 is int64", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "pads=1,1,1,1 strides=2,2", "1,4,4,4", 0 },
  { "Conv", "1,3,9,8 4,3,3,2", "pads=0,1,2,0 strides=1,3 dilations=2,1", "1,4,7,3", 0 },
  { "Conv", "2,4,7 6,2,3", "group=2", "2,6,5", 0 },
  { "Conv", "1,3,8,7 4,3,3,3", "auto_pad=SAME_UPPER strides=2,2", "1,4,4,4", 0 },
  { "Conv", "1,3,8,7 4,3,3,3", "auto_pad=SAME_LOWER strides=3,3", "1,4,3,3", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "auto_pad=VALID strides=2,2", "1,4,3,3", 0 },
  { "Conv", "1,3,8,8 4,3,3,3 4", "", "1,4,6,6", 0 },
  { "Conv", "1,3,8,8 4,3,3,3 5", "", "!bias", 0 },
  { "Conv", "1,3,8,8 4,2,3,3", "", "!channels", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "group=0", "!channels", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "group=-1", "!channels", 0 },
  { "Conv", "1,3,2,2 4,3,3,3", "", "!does not fit", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "strides=0,1", "!out of range", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "pads=-1,0,0,0", "!out of range", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "pads=9223372036854775807,0,9223372036854775807,0", "!out of range", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "dilations=9223372036854775807,1", "!out of range", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "kernel_shape=2,2", "!weights", 0 },
  { "Conv", "1,3,8,8 4,3,3,3", "auto_pad=SAME", "!auto_pad", 0 },
  { "Conv", "1,3,8,8 4,3,3", "", "!dimensions", 0 },
  { "Conv", "3,8 4,3", "", "!dimensions", 0 },

  { "MaxPool", "1,3,8,8", "kernel_shape=2,2 strides=2,2", "1,3,4,4", 0 },
  { "MaxPool", "1,3,7,7", "kernel_shape=2,2 strides=2,2", "1,3,3,3", 0 },
  { "MaxPool", "1,3,7,7", "kernel_shape=2,2 strides=2,2 ceil_mode=1", "1,3,4,4", 0 },
  { "MaxPool", "1,1,4,4", "kernel_shape=1,1 strides=3,3 pads=0,0,3,3 ceil_mode=1", "1,1,2,2", 0 },
  { "AveragePool", "1,3,8,8", "kernel_shape=3,3 pads=1,1,1,1", "1,3,8,8", 0 },
  { "MaxPool", "1,3,8,8", "", "!kernel_shape", 0 },
  { "GlobalAveragePool", "2,3,8,7", "", "2,3,1,1", 0 },
  { "GlobalAveragePool", "2,3", "", "!dimensions", 0 },

  { "Resize", "1,3,8,8 - f:1,1,2,2.5", "", "1,3,16,20", 0 },
  { "Resize", "1,3,8,8 - f:1,1,0.5,0.3", "", "1,3,4,2", 0 },
  { "Resize", "1,3,8,8 f:1,1,0.5,0.3", "", "!before operator set 11", 10 },
  { "Resize", "1,3,8,8 - - i:1,3,5,6", "", "1,3,5,6", 0 },
  { "Resize", "1,3,8,8 - f: i:1,3,5,6", "", "1,3,5,6", 0 },
  { "Resize", "1,3,8,8 - f:1,1,2", "", "!scales", 0 },
  { "Resize", "1,3,8,8 - f:1,1,-2,2", "", "!out of range", 0 },
  { "Resize", "1,3,8,8 - f:1,1,1e30,2", "", "!out of range", 0 },
  { "Resize", "1,3,8,8 - f:1,1,nan,2", "", "!out of range", 0 },
  { "Resize", "1,3,8,8 - - i:1,3,5", "", "!3 sizes", 0 },
  { "Resize", "1,0,8,8 - - i:1,0,65536,65536", "", "!larger", 0 },
  { "Resize", "1,3,8,8", "", "!neither", 0 },

  { "Concat", "2,3 2,5 2,0", "axis=1", "2,8", 0 },
  { "Concat", "2,3 2,5", "axis=-1", "2,8", 0 },
  { "Concat", "2,3 3,3", "axis=1", "!dimension 0", 0 },
  { "Concat", "2,3 2,3,1", "axis=1", "!rank", 0 },
  { "Concat", "2,3 2,3", "axis=2", "!axis", 0 },
  { "Concat", "2,3 2,3", "", "!'axis' is missing", 0 },
  { "Concat", "9223372036854775807,0 9223372036854775807,0", "axis=0", "!too large", 0 },

  { "Split", "2,6 i:2,4", "axis=1", "2,2;2,4", 0 },
  { "Split", "7,2", "axis=0", "4,2;3,2", 0 },
  { "Split", "7,2", "axis=0 num_outputs=2", "4,2;3,2", 18 },
  { "Split", "6,2", "split=2,4", "2,2;4,2", 11 },
  { "Split", "2,6 i:2,5", "axis=1", "!sum up to 7", 0 },
  { "Split", "2,6 i:-2,8", "axis=1", "!-2 elements", 0 },
  { "Split", "2,6 i:2,2,2", "axis=1", "!sizes", 0 },
  { "Split", "2,6 l:2", "axis=1", "!constant", 0 },

  { "Reshape", "2,3,4 i:6,4", "", "6,4", 0 },
  { "Reshape", "2,3,4 i:-1,4", "", "6,4", 0 },
  { "Reshape", "2,3,4 i:0,-1", "", "2,12", 0 },
  { "Reshape", "2,3,4 i:0,0,2,-1", "", "2,3,2,2", 0 },
  { "Reshape", "0,3 i:0,9", "allowzero=1", "0,9", 14 },
  { "Reshape", "1 i:", "", "", 0 },
  { "Reshape", "2,3,4 i:5,-1", "", "!do not fit", 0 },
  { "Reshape", "2,3,4 i:25", "", "!do not fit", 0 },
  { "Reshape", "2,3,4 i:-1,-1", "", "!dimension 1", 0 },
  { "Reshape", "2,3,4 i:-2,12", "", "!dimension 0", 0 },
  { "Reshape", "6 i:6,0", "", "!copied", 0 },
  { "Reshape", "0,3 i:0,-1", "allowzero=1", "!do not fit", 14 },
  { "Reshape", "6 i:4294967296,4294967296,-1", "", "!do not fit", 0 },
  { "Reshape", "2,3 l:2", "", "!computed from the input", 0 },
  { "Reshape", "6 i:1,1,1,1,1,1,1,1,6", "", "!9 elements", 0 },

  { "Flatten", "2,3,4", "", "2,12", 0 },
  { "Flatten", "2,3,4", "axis=0", "1,24", 0 },
  { "Flatten", "2,3,4", "axis=-1", "6,4", 0 },
  { "Flatten", "2,3,4", "axis=3", "24,1", 0 },
  { "Flatten", "2,3,4", "axis=4", "!axis", 0 },
  { "Squeeze", "1,3,1", "", "3", 0 },
  { "Squeeze", "1,3,1 i:-1", "", "1,3", 0 },
  { "Squeeze", "1,3,1", "axes=0", "3,1", 11 },
  { "Squeeze", "1,3,1 i:1", "", "!not 1", 0 },
  { "Squeeze", "1,3,1 i:0,-3", "", "!twice", 0 },
  { "Unsqueeze", "3,4 i:0,-1", "", "1,3,4,1", 0 },
  { "Unsqueeze", "3,4", "axes=1", "3,1,4", 11 },
  { "Unsqueeze", "3,4 i:4", "", "!axis 4", 0 },
  { "Unsqueeze", "3,4", "", "!axes", 0 },
  { "Unsqueeze", "1,1,1,1,1,1,1,1 i:0", "", "!more than 8", 0 },
  { "Transpose", "2,3,4", "", "4,3,2", 0 },
  { "Transpose", "2,3,4", "perm=1,2,0", "3,4,2", 0 },
  { "Transpose", "2,3,4", "perm=1,1,0", "!permutation", 0 },
  { "Transpose", "2,3,4", "perm=1,0", "!3 integers", 0 },
  { "Transpose", "2,3,4", "perm=1,0,3", "!permutation", 0 },
  { "Gather", "5,6,7 l:2,3", "axis=1", "5,2,3,7", 0 },
  { "Gather", "5,6 i:1", "", "1,6", 0 },
  { "Gather", "5,6 2", "", "!float32", 0 },
  { "Gather", "5,6 i:1", "axis=2", "!axis", 0 },
  { "Gather", "1,1,1,1,1,1,1,1 l:1,1", "", "!9 dimensions", 0 },

  { "Slice", "10,8 i:2 i:7", "", "5,8", 0 },
  { "Slice", "10,8 i:-3 i:9223372036854775807 i:0", "", "3,8", 0 },
  { "Slice", "10,8 i:1,0 i:9,8 i:0,1 i:3,2", "", "3,4", 0 },
  { "Slice", "10,8 i:-1 i:-9223372036854775808 i:0 i:-1", "", "10,8", 0 },
  { "Slice", "10,8 i:8 i:2 i:0 i:-4", "", "2,8", 0 },
  { "Slice", "10,8 i:5 i:5", "", "0,8", 0 },
  { "Slice", "0,8 i:-1 i:-9223372036854775808 i:0 i:-1", "", "0,8", 0 },
  { "Slice", "10,8 i:1 i:9 i:0 i:-9223372036854775808", "", "0,8", 0 },
  { "Slice", "10,8 i:9 i:1 i:0 i:-9223372036854775808", "", "1,8", 0 },
  { "Slice", "10,8 i:1 i:9 i:0 i:9223372036854775807", "", "1,8", 0 },
  { "Slice", "10,8", "starts=1 ends=3 axes=1", "10,2", 9 },
  { "Slice", "10,8 i:0 i:5 i:0 i:0", "", "!step", 0 },
  { "Slice", "10,8 i:0 i:5 i:2", "", "!axis 2", 0 },
  { "Slice", "10,8 i:0,0 i:5", "", "!length", 0 },

  { "MatMul", "2,3 3,4", "", "2,4", 0 },
  { "MatMul", "5,1,2,3 7,3,4", "", "5,7,2,4", 0 },
  { "MatMul", "3 3,4", "", "4", 0 },
  { "MatMul", "2,3 3", "", "2", 0 },
  { "MatMul", "2,3 4,3", "", "!3 columns times 4 rows", 0 },
  { "MatMul", "2,2,3 3,3,4", "", "!broadcast", 0 },
  { "Gemm", "2,3 3,4 4", "", "2,4", 0 },
  { "Gemm", "3,2 4,3 1,4", "transA=1 transB=1", "2,4", 0 },
  { "Gemm", "2,3 3,4 3", "", "!broadcast", 0 },
  { "Gemm", "2,3 4,3", "", "!rows", 0 },

  { "Equal", "2,1 l:3", "", "!float32", 0 },
  { "Where", "b:2,1 3 4,1,1", "", "4,2,3", 0 },
  { "Where", "2,1 3 3", "", "!not bool", 0 },
  { "And", "b:2,1 b:3", "", "2,3", 0 },
  { "And", "2 2", "", "!not bool", 0 },
  { "Pow", "2,1 i:1,2,3", "", "2,3", 0 },
  { "PRelu", "1,3,4,4 3,1,1", "", "1,3,4,4", 0 },
  { "PRelu", "3 2,3", "", "!slope", 0 },
  { "Expand", "3,1 i:2,1,4", "", "2,3,4", 0 },
  { "Expand", "3,4 i:1", "", "3,4", 0 },
  { "Expand", "3,4 i:2,4", "", "!cannot become 2", 0 },
  { "Expand", "3 i:-1", "", "!cannot become -1", 0 },
  { "Expand", "1 i:" HUGE_DIM "," HUGE_DIM, "", "!larger", 0 },
  { "Expand", "3 l:2", "", "!computed from the input", 0 },
  { "Tile", "2,3 i:2,0", "", "4,0", 0 },
  { "Tile", "2,3 i:2", "", "!1 repeats", 0 },
  { "Tile", "2,3 i:2,-1", "", "!-1 times", 0 },
  { "Tile", "2,3 i:9223372036854775807,1", "", "!times", 0 },
  { "ConstantOfShape", "i:2,0,3", "", "2,0,3", 0 },
  { "ConstantOfShape", "i:-2", "", "!negative", 0 },
  { "ConstantOfShape", "l:2", "", "!computed from the input", 0 },
  { "Range", "i:2 i:9 i:3", "", "3", 0 },
  { "Range", "i:9 i:2 i:-3", "", "3", 0 },
  { "Range", "i:2 i:9 i:-3", "", "0", 0 },
  { "Range", "f:0 f:1 f:0.3", "", "4", 0 },
  { "Range", "i:2 i:9 i:0", "", "!by 0", 0 },
  { "Range", "f:0 f:1 f:0", "", "!by 0", 0 },
  { "Range", "i:-9223372036854775808 i:9223372036854775807 i:1", "", "!range", 0 },
  { "Range", "i:0 i:9223372036854775807 i:1", "", "!larger", 0 },
  { "Range", "i:0 l:1 i:1", "", "!computed from the input", 0 },
  { "Pad", "2,3 i:1,0,0,-2", "", "3,1", 0 },
  { "Pad", "2,3", "pads=1,0,0,2", "3,5", 10 },
  { "Pad", "2,3 i:0,4 - i:-1", "", "2,7", 18 },
  { "Pad", "2,3 i:-2,0,-1,0", "", "!dimension 0", 0 },
  { "Pad", "2,3 i:1,1", "", "!2 pads", 0 },
  { "Pad", "2,3 i:0,2,0,0", "mode=reflect", "2,5", 0 },
  { "Pad", "2,3 i:0,3,0,0", "mode=reflect", "!dimension 1", 0 },
  { "Pad", "0,3 i:1,0,0,0", "mode=edge", "!dimension 0", 0 },
  { "Pad", "2,3 i:1,0,0,0", "mode=odd", "!odd", 0 },
  { "Trilu", "3", "", "!2 or more", 0 },
  { "NonZero", "i:0,4,0,5", "", "1,2", 0 },
  { "NonZero", "3", "", "!computed from the input", 0 },
  { "GatherElements", "5,6 l:2,9", "axis=1", "2,9", 0 },
  { "GatherElements", "5,6 l:6,9", "axis=1", "!dimension 0", 0 },
  { "GatherElements", "5,6 l:5", "axis=1", "!1 dimensions", 0 },
  { "GatherND", "5,6,7 l:2,2", "", "2,7", 0 },
  { "GatherND", "5,6,7 l:5,1", "batch_dims=1", "5,7", 0 },
  { "GatherND", "5,6,7 l:4,1", "batch_dims=1", "!batch dimension 0", 0 },
  { "GatherND", "5,6 l:2,3", "", "!places of 3", 0 },
  { "GatherND", "5,6 l:2,2", "batch_dims=-1", "!places", 0 },
  { "ScatterND", "5,6 l:2,1 2,6", "", "5,6", 0 },
  { "ScatterND", "5,6 l:2,1 2,5", "", "!updates", 0 },
  { "ScatterElements", "5,6 l:2,6 2,6", "", "5,6", 0 },
  { "ScatterElements", "5,6 l:2,6 2,5", "", "!updates", 0 },
  { "TopK", "5,6 i:4", "", "5,4", 0 },
  { "TopK", "5,6", "k=2 axis=0", "2,6", 9 },
  { "TopK", "5,6 i:7", "", "!7 of 6", 0 },
  { "TopK", "5,6 i:-1", "", "!-1 of 6", 0 },
  { "ReduceSum", "2,3,4 i:-1", "", "2,3,1", 0 },
  { "ReduceMax", "2,3,4", "axes=0,2 keepdims=0", "3", 0 },
  { "ReduceMax", "2,0,4", "axes=1", "!empty", 0 },
  { "ReduceSum", "2,0,4 i:1", "keepdims=0", "2,4", 0 },
  { "ReduceSum", "2,3", "noop_with_empty_axes=1", "2,3", 0 },
  { "ArgMax", "2,3,4", "axis=1 keepdims=0", "2,4", 0 },
  { "ArgMax", "2,0", "axis=1", "!empty", 0 },
  { "CumSum", "2,3 i:2", "", "!axis", 0 },
  { "LayerNormalization", "2,3,4 3,4", "axis=1", "2,3,4", 17 },
  { "LayerNormalization", "2,3,4 3", "", "!operand 1", 17 },
  { "GroupNormalization", "2,6,4 3 3", "num_groups=3", "2,6,4", 18 },
  { "GroupNormalization", "2,6,4 6 6", "num_groups=3", "2,6,4", 21 },
  { "GroupNormalization", "2,6,4 4 4", "num_groups=4", "!groups", 18 },
  { "GridSample", "2,3,4,5 2,6,7,2", "", "2,3,6,7", 16 },
  { "GridSample", "2,3,4,5 2,6,7,3", "", "!grid", 16 },
  { "Einsum", "2,3 3,4", "equation=ij,jk->ki", "4,2", 0 },
  { "Einsum", "2,3 4,5", "equation=ij,jk->ki", "!'j'", 0 },
  { "Einsum", "2,3", "equation=...j->j", "!equation", 0 },
  { "Einsum", "1,1,1,1,1,1,1,1 1", "equation=abcdefghi,a->a", "!more than 8", 0 },
  { "ConvTranspose", "1,4,5,5 4,3,2,2", "strides=2,2", "1,3,10,10", 0 },
  { "ConvTranspose", "1,4,5,5 4,3,3,3", "strides=2,2 pads=1,1,1,1 output_padding=1,1", "1,3,10,10", 0 },
  { "ConvTranspose", "1,4,5,5 4,3,2,2", "output_shape=0,3", "!0 positions", 0 },
  { "ConvTranspose", "1,4,5,5 4,3,2,2", "output_shape=-9223372036854775808,3", "!positions", 0 },
  { "ConvTranspose", "1,4,5,5 3,3,2,2", "", "!channels", 0 },
  { "DepthToSpace", "1,8,2,3", "blocksize=2", "1,2,4,6", 0 },
  { "DepthToSpace", "1,6,2,3", "blocksize=2", "!blocks", 0 },
  { "SpaceToDepth", "1,2,4,6", "blocksize=2", "1,8,2,3", 0 },
  { "SpaceToDepth", "1,2,4,6", "blocksize=0", "!blocks", 0 },
};

/* Parses "1,2,3" up to a blank; the count. */
static int
parse_ints (const char *text, int64_t *to)
{
  int n = 0;
  while (*text != '\0' && *text != ' ' && *text != ';') {
    char *end;
    to[n++] = strtoll (text, &end, 10);
    text = *end == ',' ? end + 1 : end;
  }
  return n;
}

static nn_value *
parse_operand (nn_graph *graph, const char *text)
{
  bool constant = strncmp (text, "i:", 2) == 0 || strncmp (text, "f:", 2) == 0;
  nn_dtype dtype = text[0] == 'i' || text[0] == 'l' ? NN_I64 : text[0] == 'b' ? NN_BOOL : NN_F32;
  const char *list = text[0] != '\0' && text[1] == ':' ? text + 2 : text;
  int64_t *ints = nn_graph_alloc (graph, 16 * sizeof *ints), n = 0;
  if (text[0] == '-' && (text[1] == ' ' || text[1] == '\0'))
    return NULL;
  if (text[0] == 'f') {
    float *floats = nn_graph_alloc (graph, 16 * sizeof *floats);
    while (*list != '\0' && *list != ' ') {
      char *end;
      floats[n++] = strtof (list, &end);
      list = *end == ',' ? end + 1 : end;
    }
    nn_tensor tensor = nn_tensor_make (NN_F32, 1, &n, NN_LAYOUT_ROW_MAJOR, floats);
    return nn_graph_add_constant (graph, "f", &tensor);
  }
  n = parse_ints (list, ints);
  if (constant) {
    nn_tensor tensor = nn_tensor_make (dtype, 1, &n, NN_LAYOUT_ROW_MAJOR, ints);
    return nn_graph_add_constant (graph, "i", &tensor);
  }
  nn_value *value = nn_graph_add_value (graph, "x");
  value->dtype = dtype;
  value->rank = (int) n;
  memcpy (value->dim, ints, (size_t) n * sizeof *ints);
  return value;
}

static size_t
parse_attrs (nn_graph *graph, const char *text, nn_attr *attrs)
{
  static const char *const lists[] = { "pads", "strides", "dilations", "kernel_shape", "axes",
                                       "perm", "split",   "starts",    "ends",
                                       "output_shape", "output_padding" };
  static const char *const texts[] = { "auto_pad", "mode", "equation" };
  size_t n = 0;
  while (*text != '\0') {
    nn_attr *attr = &attrs[n++];
    const char *equals = strchr (text, '='), *end = strchr (equals, ' ');
    char *name = nn_graph_strdup (graph, text), *value = nn_graph_strdup (graph, equals + 1);
    int64_t *ints = nn_graph_alloc (graph, 16 * sizeof *ints);
    name[equals - text] = '\0';
    if (end != NULL)
      value[end - equals - 1] = '\0';
    bool is_text = false;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
      is_text = is_text || strcmp (name, texts[i]) == 0;
    *attr = (nn_attr) { .name = name, .type = is_text ? NN_ATTR_STRING : NN_ATTR_INT, .ints = ints, .s = value };
    attr->n = is_text ? 0 : (size_t) parse_ints (value, ints);
    attr->i = ints[0];
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
      if (strcmp (name, lists[i]) == 0)
        attr->type = NN_ATTR_INTS;
    text = end != NULL ? end + 1 : "";
  }
  return n;
}

static void
check_results (const nn_node *node, const char *expected, const char *what)
{
  for (int o = 0; o < node->n_out; o++) {
    int64_t dim[16];
    int rank = parse_ints (expected, dim);
    bool same = rank == node->out[o]->rank;
    for (int d = 0; same && d < rank; d++)
      same = dim[d] == node->out[o]->dim[d];
    CHECK (same, "%s: result %d has rank %d, first dimension %" PRId64, what, o, node->out[o]->rank,
           node->out[o]->dim[0]);
    const char *more = strchr (expected, ';');
    expected = more != NULL ? more + 1 : "";
  }
}

static void
check_case (size_t index)
{
  nn_error err = { 0 };
  nn_graph *graph = nn_graph_new (&err);
  nn_value *in[8], *out[2] = { nn_graph_add_value (graph, "y"), nn_graph_add_value (graph, "z") };
  nn_attr attrs[8];
  int n_in = 0;
  char what[256];
  snprintf (what, sizeof what, "%s (%s) %s", cases[index].op, cases[index].in, cases[index].attrs);
  graph->opset = cases[index].opset != 0 ? cases[index].opset : 13;
  for (const char *at = cases[index].in; at != NULL; at = strchr (at, ' '), at = at != NULL ? at + 1 : NULL)
    in[n_in++] = parse_operand (graph, at);
  const nn_op *op = nn_op_find (cases[index].op);
  nn_node *node = nn_graph_add_node (graph, NULL, op, "n", in, n_in, out, strcmp (op->name, "Split") == 0 ? 2 : 1);
  node->n_attrs = parse_attrs (graph, cases[index].attrs, attrs);
  node->attrs = attrs;
  nn_status status = op->shape (node, graph, &err);
  if (cases[index].out[0] == '!') {
    CHECK (status != NN_OK, "%s: not refused", what);
    CHECK (strstr (err.message, cases[index].out + 1) != NULL, "%s: %s", what, err.message);
  } else {
    CHECK (status == NN_OK, "%s: %s", what, err.message);
    if (status == NN_OK)
      check_results (node, cases[index].out, what);
  }
  nn_graph_free (graph);
}

int
main (void)
{
  size_t n = sizeof cases / sizeof cases[0];
  for (size_t i = 0; i < n; i++)
    check_case (i);
  printf ("%zu shapes\n", n);
  return nn_check_report ("shape rules");
}
