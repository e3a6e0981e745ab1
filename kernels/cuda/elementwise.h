/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementwise operators: each is a short program that every element goes through on its own. A node is a program
 * of a step or a few (program.c), a chain of nodes one of many (chains.c).
 */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one step computes. The functions of one operand begin with the activations: nn_activation_kind as it is, and
 * NN_ACT_NONE passes its operand on. `alpha` and `beta` are the step's. */
typedef enum nn_function {
  NN_FUNCTION_ABS = 16,
  NN_FUNCTION_CEIL,
  NN_FUNCTION_COS,
  NN_FUNCTION_ELU,      /* x < 0 ? alpha (e^x - 1) : x */
  NN_FUNCTION_ERF,
  NN_FUNCTION_EXP,
  NN_FUNCTION_FLOOR,
  NN_FUNCTION_HALF,     /* rounded to float16, to infinity if too large */
  NN_FUNCTION_IS_INF,   /* alpha, beta: whether +∞, -∞ count */
  NN_FUNCTION_IS_NAN,
  NN_FUNCTION_LOG,
  NN_FUNCTION_NEG,
  NN_FUNCTION_NON_ZERO,
  NN_FUNCTION_NOT,
  NN_FUNCTION_RECIPROCAL,
  NN_FUNCTION_ROUND,
  NN_FUNCTION_SELU,     /* beta (x > 0 ? x : alpha (e^x - 1)) */
  NN_FUNCTION_SIGN,
  NN_FUNCTION_SIN,
  NN_FUNCTION_SOFTPLUS,
  NN_FUNCTION_SQRT,
  NN_FUNCTION_SQUARE,

  NN_FUNCTION_ADD, /* the first of two operands */
  NN_FUNCTION_AND,
  NN_FUNCTION_DIV,
  NN_FUNCTION_EQUAL,
  NN_FUNCTION_GREATER,
  NN_FUNCTION_GREATER_OR_EQUAL,
  NN_FUNCTION_LESS,
  NN_FUNCTION_LESS_OR_EQUAL,
  NN_FUNCTION_MAX,
  NN_FUNCTION_MIN,
  NN_FUNCTION_MOD,      /* of integers: of the divisor's sign */
  NN_FUNCTION_MUL,
  NN_FUNCTION_OR,
  NN_FUNCTION_POW,
  NN_FUNCTION_PRELU,
  NN_FUNCTION_REST,     /* of integers: of the dividend's sign */
  NN_FUNCTION_SUB,
  NN_FUNCTION_XOR,

  NN_FUNCTION_WHERE, /* c ? a : b */
} nn_function;

#define NN_PROGRAM_INPUTS 8
#define NN_PROGRAM_STEPS 16
#define NN_STEP_VALUE 255

/* Operands are registers: first those of the inputs, then one for each step's result. NN_STEP_VALUE stands for the
 * number `alpha` as operand a and `beta` as operand b. */
typedef struct nn_step {
  uint8_t function, a, b, c;
  float alpha, beta;
} nn_step;

/* The last step's result is the program's. */
typedef struct nn_program {
  int n_in, n_steps;
  nn_step step[NN_PROGRAM_STEPS];
} nn_program;

#define NN_WALK_MAX (1 + NN_PROGRAM_INPUTS)

/* Division by a constant of numbers below 2^31: (n · factor / 2^32 + n) >> shift. */
typedef struct nn_divisor {
  uint32_t size, factor, shift;
} nn_divisor;

/* Tensors of one shape side by side: the result, then the inputs. Dimension 0 is the innermost one; the walk goes
 * over groups of neighbours along it, which lie side by side or are one repeated element. */
typedef struct nn_walk {
  int n, rank;
  uint32_t groups;                          /* < 2^31 */
  nn_divisor dim[NN_MAX_RANK];              /* dimension 0 counted in groups */
  int64_t stride[NN_MAX_RANK][NN_WALK_MAX]; /* bytes; of dimension 0 from group to group */
  char *data[NN_WALK_MAX];
  nn_dtype dtype[NN_WALK_MAX];
  bool repeats[NN_WALK_MAX];                /* the same element for the whole group */
} nn_walk;

/* In float32: tensors of NN_F32, NN_F16, NN_BF16 and NN_BOOL, in groups of 4 (aligned to 16 bytes or, if that is less,
 * their size) or of 1. */
void nn_cuda_launch_program (const nn_walk *walk, const nn_program *program, int group, int blocks,
                             cudaStream_t stream);
/* The same in groups of 8 for a program that is mostly one step, which reads the inputs in their order (Where: c, a, b).
 * An activation may follow it; if it is one of two operands, activations of one input each may stand in front of it, the
 * first input's first. 1 to 3 inputs. */
void nn_cuda_launch_step (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream);
/* In float64 and in int64: tensors of any types (of integers only), in groups of 1. */
void nn_cuda_launch_reals (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream);
void nn_cuda_launch_integers (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream);

#define NN_PROGRAM_THREADS 128 /* of a block; each takes a group at a time */
#define NN_PROGRAM_GROUP 4
#define NN_STEP_GROUP 8

#ifdef __cplusplus
}
#endif
