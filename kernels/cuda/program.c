/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floats.h"
#include "program.h"

#include "../graph/fuse.h"
#include "../graph/shape.h"

#include <string.h>

/* ---- the operators ---- */

#define FLOAT NN_KIND_FLOAT
#define REAL (NN_KIND_FLOAT | NN_KIND_REAL)
#define ANY (REAL | NN_KIND_INTEGER)

/* Those of one operand whose function depends on attributes or operands have 0; those of two operands take more where
 * the operator does. */
static const struct {
  const char *op;
  int function;
  unsigned kinds;
} functions[] = {
  { "Abs", NN_FUNCTION_ABS, ANY },
  { "Add", NN_FUNCTION_ADD, ANY },
  { "And", NN_FUNCTION_AND, ANY },
  { "BatchNormalization", 0, FLOAT },
  { "Cast", 0, ANY },
  { "Ceil", NN_FUNCTION_CEIL, REAL },
  { "Clip", 0, ANY },
  { "Cos", NN_FUNCTION_COS, REAL },
  { "Div", NN_FUNCTION_DIV, ANY },
  { "Elu", NN_FUNCTION_ELU, FLOAT },
  { "Equal", NN_FUNCTION_EQUAL, ANY },
  { "Erf", NN_FUNCTION_ERF, REAL },
  { "Exp", NN_FUNCTION_EXP, REAL },
  { "Floor", NN_FUNCTION_FLOOR, REAL },
  { "Gelu", 0, FLOAT },
  { "Greater", NN_FUNCTION_GREATER, ANY },
  { "GreaterOrEqual", NN_FUNCTION_GREATER_OR_EQUAL, ANY },
  { "HardSigmoid", 0, FLOAT },
  { "HardSwish", 0, FLOAT },
  { "IsInf", NN_FUNCTION_IS_INF, REAL },
  { "IsNaN", NN_FUNCTION_IS_NAN, REAL },
  { "LeakyRelu", 0, FLOAT },
  { "Less", NN_FUNCTION_LESS, ANY },
  { "LessOrEqual", NN_FUNCTION_LESS_OR_EQUAL, ANY },
  { "Log", NN_FUNCTION_LOG, REAL },
  { "Max", NN_FUNCTION_MAX, ANY },
  { "Mean", NN_FUNCTION_ADD, REAL },
  { "Min", NN_FUNCTION_MIN, ANY },
  { "Mod", NN_FUNCTION_MOD, ANY },
  { "Mul", NN_FUNCTION_MUL, ANY },
  { "Neg", NN_FUNCTION_NEG, ANY },
  { "Not", NN_FUNCTION_NOT, FLOAT },
  { "Or", NN_FUNCTION_OR, ANY },
  { "PRelu", NN_FUNCTION_PRELU, FLOAT },
  { "Pow", NN_FUNCTION_POW, REAL },
  { "Reciprocal", NN_FUNCTION_RECIPROCAL, REAL },
  { "Relu", 0, FLOAT },
  { "Round", NN_FUNCTION_ROUND, REAL },
  { "Selu", NN_FUNCTION_SELU, FLOAT },
  { "Sigmoid", 0, FLOAT },
  { "Sign", NN_FUNCTION_SIGN, ANY },
  { "Silu", 0, FLOAT },
  { "Sin", NN_FUNCTION_SIN, REAL },
  { "Softplus", NN_FUNCTION_SOFTPLUS, REAL },
  { "Sqrt", NN_FUNCTION_SQRT, REAL },
  { "Sub", NN_FUNCTION_SUB, ANY },
  { "Sum", NN_FUNCTION_ADD, REAL },
  { "Tanh", 0, FLOAT },
  { "Where", NN_FUNCTION_WHERE, ANY },
  { "Xor", NN_FUNCTION_XOR, ANY },
};

static int
find (const nn_node *node)
{
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
    if (nn_node_is (node, functions[i].op))
      return (int) i;
  return -1;
}

bool
nn_program_knows (const nn_node *node, nn_kind kind)
{
  int row = find (node);
  if (row < 0 || (functions[row].kinds & (unsigned) kind) == 0)
    return false;
  /* Which sign the rest of real numbers has must be said. */
  return functions[row].function != NN_FUNCTION_MOD || kind == NN_KIND_INTEGER || nn_node_int (node, "fmod", 0) != 0;
}

/* ---- what depends on constants ---- */

static bool
is_square (const nn_node *node)
{
  float exponent;
  nn_dtype dtype = node->in[0]->dtype;
  return nn_node_is (node, "Pow") && nn_cuda_is_float (dtype)
         && nn_fuse_scalar (node->in[1], &exponent) && exponent == 2;
}

static bool
is_activation (const nn_node *node, nn_activation *activation)
{
  if (nn_node_is (node, "Gelu")) {
    bool exact = strcmp (nn_node_string (node, "approximate", "none"), "tanh") != 0;
    *activation = (nn_activation){ .kind = exact ? NN_ACT_GELU : NN_ACT_GELU_TANH };
    return true;
  }
  return nn_fuse_activation_of (node, activation);
}

uint32_t
nn_program_reads (const nn_node *node)
{
  nn_activation activation;
  uint32_t all = 0;
  if (is_square (node) || is_activation (node, &activation))
    return 1;
  for (int i = 0; i < node->n_in && i < 32; i++)
    if (node->in[i] != NULL)
      all |= 1u << i;
  return all;
}

/* ---- steps ---- */

static int
add (nn_program *program, int function, int a, int b, float alpha, float beta)
{
  if (program->n_steps < NN_PROGRAM_STEPS)
    program->step[program->n_steps] = (nn_step){ (uint8_t) function, (uint8_t) a, (uint8_t) b, 0, alpha, beta };
  return program->n_in + program->n_steps++;
}

/* The first two operands, then each further one with what there is. */
static int
fold (nn_program *program, int function, const nn_node *node, const int *reg, const float *value)
{
  int result = reg[0];
  if (node->n_in == 1)
    return add (program, NN_ACT_NONE, result, 0, 0, 0);
  for (int i = 1; i < node->n_in; i++)
    result = add (program, function, result, reg[i], value[0], value[i]);
  return nn_node_is (node, "Mean") ? add (program, NN_FUNCTION_DIV, result, NN_STEP_VALUE, 0, (float) node->n_in)
                                   : result;
}

/* x scale + shift, of vectors for the channels: scale = gamma / √(variance + ε), shift = beta - mean scale. */
static int
normalize (nn_program *program, const nn_node *node, const int *reg)
{
  enum { X, GAMMA, BETA, MEAN, VARIANCE };
  float epsilon = nn_node_float (node, "epsilon", 1e-5f);
  int scale = add (program, NN_FUNCTION_ADD, reg[VARIANCE], NN_STEP_VALUE, 0, epsilon);
  scale = add (program, NN_FUNCTION_SQRT, scale, 0, 0, 0);
  scale = add (program, NN_FUNCTION_DIV, reg[GAMMA], scale, 0, 0);
  int shift = add (program, NN_FUNCTION_MUL, reg[MEAN], scale, 0, 0);
  shift = add (program, NN_FUNCTION_SUB, reg[BETA], shift, 0, 0);
  int scaled = add (program, NN_FUNCTION_MUL, reg[X], scale, 0, 0);
  return add (program, NN_FUNCTION_ADD, scaled, shift, 0, 0);
}

static int
clip (nn_program *program, const nn_node *node, const int *reg, const float *value)
{
  int result = reg[0];
  if (nn_node_has (node, 1))
    result = add (program, NN_FUNCTION_MAX, result, reg[1], 0, value[1]);
  if (nn_node_has (node, 2))
    result = add (program, NN_FUNCTION_MIN, result, reg[2], 0, value[2]);
  return result;
}

static int
cast_function (const nn_node *node)
{
  enum { ONNX_FLOAT16 = 10 };
  if (node->out[0]->dtype == NN_BOOL)
    return NN_FUNCTION_NON_ZERO;
  return nn_node_int (node, "to", 0) == ONNX_FLOAT16 ? NN_FUNCTION_HALF : NN_ACT_NONE;
}

/* One step of one operand. */
static int
map (nn_program *program, int function, const nn_node *node, int reg)
{
  float alpha = 0, beta = 0;
  if (nn_node_is (node, "Elu")) {
    alpha = nn_node_float (node, "alpha", 1);
  } else if (nn_node_is (node, "Selu")) {
    alpha = nn_node_float (node, "alpha", 1.67326319217681884765625f);
    beta = nn_node_float (node, "gamma", 1.05070102214813232421875f);
  } else if (nn_node_is (node, "IsInf")) {
    alpha = nn_node_int (node, "detect_positive", 1) != 0;
    beta = nn_node_int (node, "detect_negative", 1) != 0;
  }
  return add (program, function, reg, 0, alpha, beta);
}

/* Without the activation that is fused into the node. */
static int
append (nn_program *program, const nn_node *node, const int *reg, const float *value)
{
  nn_activation activation;
  int function = functions[find (node)].function;
  if (is_activation (node, &activation))
    return add (program, (int) activation.kind, reg[0], 0, activation.alpha, activation.beta);
  if (is_square (node))
    return add (program, NN_FUNCTION_SQUARE, reg[0], 0, 0, 0);
  if (nn_node_is (node, "BatchNormalization"))
    return normalize (program, node, reg);
  if (nn_node_is (node, "Clip"))
    return clip (program, node, reg, value);
  if (nn_node_is (node, "Cast"))
    return add (program, cast_function (node), reg[0], 0, 0, 0);
  if (function == NN_FUNCTION_WHERE) {
    int result = add (program, function, reg[1], reg[2], value[1], value[2]);
    if (result < program->n_in + NN_PROGRAM_STEPS)
      program->step[result - program->n_in].c = (uint8_t) reg[0];
    return result;
  }
  if (function == NN_FUNCTION_MOD && nn_node_int (node, "fmod", 0) != 0)
    function = NN_FUNCTION_REST;
  return function < NN_FUNCTION_ADD ? map (program, function, node, reg[0])
                                    : fold (program, function, node, reg, value);
}

int
nn_program_append (nn_program *program, const nn_node *node, const int *reg, const float *value)
{
  const nn_activation *a = &node->activation;
  int result = append (program, node, reg, value);
  return a->kind == NN_ACT_NONE ? result : add (program, (int) a->kind, result, 0, a->alpha, a->beta);
}
