/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The elementwise operators, one node each; what they compute stands in program.c. */
#include "floats.h"
#include "program.h"

#include <string.h>

/* Bool is 0 and 1 there. */
static bool
is_float (nn_dtype dtype)
{
  return nn_cuda_is_float (dtype) || dtype == NN_BOOL;
}

static nn_kind
kind_of (const nn_call *call, uint32_t reads)
{
  bool all_floats = is_float (call->out[0].dtype), some_reals = nn_node_is (call->node, "Pow");
  for (int i = 0; i < call->node->n_in; i++) {
    nn_dtype dtype = call->in[i].dtype;
    if ((reads >> i & 1) == 0)
      continue;
    all_floats = all_floats && is_float (dtype);
    some_reals = some_reals || dtype == NN_F64 || nn_cuda_is_float (dtype);
  }
  return all_floats ? NN_KIND_FLOAT : some_reals ? NN_KIND_REAL : NN_KIND_INTEGER;
}

/* A vector along dimension 1 of something of `rank` dimensions. */
static nn_tensor
along_channels (const nn_tensor *vector, int rank)
{
  nn_tensor tensor = { .dtype = vector->dtype, .rank = rank };
  for (int d = 0; d < rank; d++)
    tensor.dim[d] = d == 1 ? vector->dim[0] : 1;
  tensor.stride[1] = vector->stride[0];
  return tensor;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_node *node = call->node;
  const float no_values[NN_PROGRAM_INPUTS] = { 0 };
  nn_tensor in[NN_PROGRAM_INPUTS];
  int reg[NN_PROGRAM_INPUTS] = { 0 }, operand[NN_PROGRAM_INPUTS];
  nn_program program = { 0 };
  if (node->n_in > NN_PROGRAM_INPUTS)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%d operands; at most %d can be on CUDA", node->n_in, NN_PROGRAM_INPUTS);
  uint32_t reads = nn_program_reads (node);
  nn_kind kind = kind_of (call, reads);
  if (!nn_program_knows (node, kind))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported on CUDA",
                    nn_dtype_name (call->in[0].dtype));
  bool has_vectors = nn_node_is (node, "BatchNormalization");
  for (int i = 0; i < node->n_in; i++) {
    if ((reads >> i & 1) != 0) {
      reg[i] = program.n_in;
      operand[program.n_in] = i;
      in[program.n_in++] = has_vectors && i > 0 ? along_channels (&call->in[i], call->in[0].rank) : call->in[i];
    } else if (node->in[i] != NULL && node->in[i]->constant != NULL) {
      call->packed |= 1u << i;
    }
  }
  nn_program_append (&program, node, reg, no_values);
  return nn_program_prepare (call, &program, kind, in, operand, err);
}

#define KERNEL(name) \
  const nn_kernel nn_cuda_##name = { .prepare = prepare, .run = nn_program_run, .release = nn_program_release };

KERNEL (abs)
KERNEL (add)
KERNEL (and)
KERNEL (batch_normalization)
KERNEL (cast)
KERNEL (ceil)
KERNEL (clip)
KERNEL (cos)
KERNEL (div)
KERNEL (elu)
KERNEL (equal)
KERNEL (erf)
KERNEL (exp)
KERNEL (floor)
KERNEL (gelu)
KERNEL (greater)
KERNEL (greater_or_equal)
KERNEL (hard_sigmoid)
KERNEL (hard_swish)
KERNEL (is_inf)
KERNEL (is_nan)
KERNEL (leaky_relu)
KERNEL (less)
KERNEL (less_or_equal)
KERNEL (log)
KERNEL (max)
KERNEL (mean)
KERNEL (min)
KERNEL (mod)
KERNEL (mul)
KERNEL (neg)
KERNEL (not)
KERNEL (or)
KERNEL (pow)
KERNEL (prelu)
KERNEL (reciprocal)
KERNEL (relu)
KERNEL (round)
KERNEL (selu)
KERNEL (sigmoid)
KERNEL (sign)
KERNEL (silu)
KERNEL (sin)
KERNEL (softplus)
KERNEL (sqrt)
KERNEL (sub)
KERNEL (sum)
KERNEL (tanh)
KERNEL (where)
KERNEL (xor)
