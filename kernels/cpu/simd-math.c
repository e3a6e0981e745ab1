/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simd-level.h"

#include <math.h>

static inline float
sigmoid (float x)
{
  return 1.0f / (1.0f + exp_approx (-x));
}

/* tanh's rational approximation (Eigen's ptanh): odd polynomial of degree 13 over one of degree 6, for |x|
 * < 9. */
static inline float
tanh_approx (float value)
{
  float x = clamp_between (value, -7.90531110763549805f, 7.90531110763549805f);
  float s = x * x;
  float p = -2.76076847742355e-16f;
  p = p * s + 2.00018790482477e-13f;
  p = p * s + -8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return x * p / q;
}

#define MAP(expression)                \
  for (int64_t i = 0; i < n; i++) {    \
    const float v = x[i];              \
    y[i] = (expression);               \
  }                                    \
  break

static void
activate (const nn_activation *activation, int64_t n, const float *x, float *y)
{
  const float alpha = activation->alpha, beta = activation->beta;
  switch (activation->kind) {
    case NN_ACT_RELU:
      MAP (v < 0 ? 0 : v);
    case NN_ACT_LEAKY_RELU:
      MAP (v < 0 ? alpha * v : v);
    case NN_ACT_CLIP:
      MAP (clamp_between (v, alpha, beta));
    case NN_ACT_SIGMOID:
      MAP (sigmoid (v));
    case NN_ACT_HARD_SIGMOID:
      MAP (clamp_between (alpha * v + beta, 0, 1));
    case NN_ACT_HARD_SWISH:
      MAP (v * clamp_between (alpha * v + beta, 0, 1));
    case NN_ACT_SILU:
      MAP (v * sigmoid (v));
    case NN_ACT_GELU:
      MAP (0.5f * v * (1.0f + erff (v * 0.707106781186547524f)));
    case NN_ACT_TANH:
      MAP (tanh_approx (v));
    case NN_ACT_NONE:
      MAP (v);
  }
}

/* One loop for each pair of steps, so that the compiler sees constants. */
#define BINARY(op)                                            \
  if (step_a && step_b)                                       \
    for (int64_t i = 0; i < n; i++)                           \
      y[i] = a[i] op b[i];                                    \
  else if (step_a)                                            \
    for (int64_t i = 0; i < n; i++)                           \
      y[i] = a[i] op *b;                                      \
  else                                                        \
    for (int64_t i = 0; i < n; i++)                           \
      y[i] = *a op b[step_b * i];                             \
  break

static void
binary (nn_binary_kind kind, int64_t n, const float *a, int64_t step_a, const float *b, int64_t step_b,
        float *y)
{
  switch (kind) {
    case NN_BINARY_ADD:
      BINARY (+);
    case NN_BINARY_SUB:
      BINARY (-);
    case NN_BINARY_MUL:
      BINARY (*);
    case NN_BINARY_DIV:
      BINARY (/);
  }
}

static void
scale_shift (int64_t n, const float *x, const float *scale, const float *shift, float *y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] = x[i] * scale[i] + shift[i];
}

static void
accumulate (int64_t n, const float *x, float *sum)
{
  for (int64_t i = 0; i < n; i++)
    sum[i] += x[i];
}

static void
maximum (int64_t n, const float *x, float *max)
{
  for (int64_t i = 0; i < n; i++)
    max[i] = max[i] >= x[i] || max[i] != max[i] ? max[i] : x[i];
}

static float
exp_sum (int64_t n, float shift, const float *x, float *y)
{
  float sum = 0;
  for (int64_t i = 0; i < n; i++)
    y[i] = exp_approx (x[i] - shift);
  for (int64_t i = 0; i < n; i++)
    sum += y[i];
  return sum;
}

const nn_simd_math NN_SIMD_TABLE (math) = {
  .activate = activate,
  .binary = binary,
  .scale_shift = scale_shift,
  .accumulate = accumulate,
  .maximum = maximum,
  .exp_sum = exp_sum,
};
