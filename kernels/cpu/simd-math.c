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

/* An odd polynomial of degree 13 over one of degree 8, as Eigen and XLA have it, for |x| < 4, where erf
 * is 1 in single precision. */
static inline float
erf_approx (float value)
{
  float x = clamp_between (value, -4, 4);
  float s = x * x;
  float p = -2.72614225801306e-10f;
  p = p * s + 2.77068142495902e-08f;
  p = p * s + -2.10102402082508e-06f;
  p = p * s + -5.69250639462346e-05f;
  p = p * s + -7.34990630326855e-04f;
  p = p * s + -2.95459980854025e-03f;
  p = p * s + -1.60960333262415e-02f;
  float q = -1.45660718464996e-05f;
  q = q * s + -2.13374055278905e-04f;
  q = q * s + -1.68282697438203e-03f;
  q = q * s + -7.37332916720468e-03f;
  q = q * s + -1.42647390514189e-02f;
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
      MAP (0.5f * v * (1.0f + erf_approx (v * 0.707106781186547524f)));
    case NN_ACT_GELU_TANH:
      MAP (0.5f * v * (1.0f + tanh_approx (0.797884560802865356f * (v + 0.044715f * v * v * v))));
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
add_scaled (int64_t n, float factor, const float *x, float *sum)
{
  for (int64_t i = 0; i < n; i++)
    sum[i] += factor * x[i];
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

/* Of lanes side by side, so that each waits for none of the others. */
enum { SIDE_BY_SIDE = 4 * LANES };

static float
largest (int64_t n, const float *x)
{
  float part[SIDE_BY_SIDE], max = -INFINITY;
  int64_t i = 0;
  for (int k = 0; k < SIDE_BY_SIDE; k++)
    part[k] = -INFINITY;
  for (; i + SIDE_BY_SIDE <= n; i += SIDE_BY_SIDE)
    for (int k = 0; k < SIDE_BY_SIDE; k++)
      part[k] = x[i + k] > part[k] ? x[i + k] : part[k];
  for (; i < n; i++)
    max = x[i] > max ? x[i] : max;
  for (int k = 0; k < SIDE_BY_SIDE; k++)
    max = part[k] > max ? part[k] : max;
  return max;
}

static inline float
chosen (float x, float threshold, float table, float fill)
{
  return x > threshold ? table : fill;
}

#define MASKED(name, first, better)                                                                      \
  static float name (int64_t n, const float *x, float threshold, const float *table, float fill)         \
  {                                                                                                      \
    float part[SIDE_BY_SIDE], best = first;                                                              \
    int64_t i = 0;                                                                                       \
    for (int k = 0; k < SIDE_BY_SIDE; k++)                                                               \
      part[k] = first;                                                                                   \
    for (; i + SIDE_BY_SIDE <= n; i += SIDE_BY_SIDE)                                                     \
      for (int k = 0; k < SIDE_BY_SIDE; k++) {                                                           \
        float v = chosen (x[i + k], threshold, table[i + k], fill);                                      \
        part[k] = v better part[k] ? v : part[k];                                                        \
      }                                                                                                  \
    for (; i < n; i++) {                                                                                 \
      float v = chosen (x[i], threshold, table[i], fill);                                                \
      best = v better best ? v : best;                                                                   \
    }                                                                                                    \
    for (int k = 0; k < SIDE_BY_SIDE; k++)                                                               \
      best = part[k] better best ? part[k] : best;                                                       \
    return best;                                                                                         \
  }

MASKED (masked_largest, -INFINITY, >)
MASKED (masked_smallest, INFINITY, <)

static int64_t
count_above (int64_t n, const float *x, float threshold)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++)
    count += x[i] > threshold;
  return count;
}

static float
exp_sum (int64_t n, float shift, const float *x, float *y)
{
  float part[SIDE_BY_SIDE] = { 0 }, sum = 0;
  int64_t i = 0;
  for (int64_t k = 0; k < n; k++)
    y[k] = exp_approx (x[k] - shift);
  for (; i + SIDE_BY_SIDE <= n; i += SIDE_BY_SIDE)
    for (int k = 0; k < SIDE_BY_SIDE; k++)
      part[k] += y[i + k];
  for (; i < n; i++)
    sum += y[i];
  for (int k = 0; k < SIDE_BY_SIDE; k++)
    sum += part[k];
  return sum;
}

static void
weighted_sum (int64_t n, int64_t rows, const float *const *row, const float *weight, float *y)
{
  int64_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    vec sum = { 0 }, next = { 0 };
    for (int64_t k = 0; k < rows; k++) {
      sum += weight[k] * *(const vec *) (row[k] + i);
      next += weight[k] * *(const vec *) (row[k] + i + LANES);
    }
    *(vec *) (y + i) = sum;
    *(vec *) (y + i + LANES) = next;
  }
  for (; i < n; i++) {
    y[i] = 0;
    for (int64_t k = 0; k < rows; k++)
      y[i] += weight[k] * row[k][i];
  }
}

/* exp_approx() saturates: above there is a little that is finite yet, below only denormal numbers. */
static void
exp_all (int64_t n, const float *x, float *y)
{
  for (int64_t i = 0; i < n; i++) {
    float v = x[i], e = exp_approx (v);
    e = v > 88.7228394f ? INFINITY : v > 88.3762626f ? exp_approx (v - 1) * 2.71828182845904524f : e;
    y[i] = v < -87.3365447f ? 0 : e;
  }
}

static void
erf_all (int64_t n, const float *x, float *y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] = erf_approx (x[i]);
}

static void
sqrt_all (int64_t n, const float *x, float *y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] = __builtin_sqrtf (x[i]);
}

/* Sums of 16 columns side by side; blocks are short enough for single precision, and their sums are
 * added up in double. */
enum { COLUMNS = 16, BLOCK = 64 * COLUMNS };

static double
sum_of (int64_t n, const float *x, float shift, bool squares)
{
  double total = 0;
  for (int64_t start = 0; start < n; start += BLOCK) {
    int64_t end = start + BLOCK < n ? start + BLOCK : n, i = start;
    float part[COLUMNS] = { 0 };
    for (; i + COLUMNS <= end; i += COLUMNS)
      for (int k = 0; k < COLUMNS; k++) {
        float v = x[i + k] - shift;
        part[k] += squares ? v * v : v;
      }
    for (int k = 0; i < end; i++, k++)
      part[k] += squares ? (x[i] - shift) * (x[i] - shift) : x[i] - shift;
    for (int k = 0; k < COLUMNS; k++)
      total += (double) part[k];
  }
  return total;
}

static nn_moments
moments (int64_t n, const float *x)
{
  nn_moments m = { .mean = (float) (sum_of (n, x, 0, false) / (double) n) };
  m.variance = (float) (sum_of (n, x, m.mean, true) / (double) n);
  return m;
}

static void
normalize (int64_t n, const float *x, float mean, float factor, const float *scale, const float *bias, float *y)
{
  if (bias != NULL)
    for (int64_t i = 0; i < n; i++)
      y[i] = (x[i] - mean) * factor * scale[i] + bias[i];
  else
    for (int64_t i = 0; i < n; i++)
      y[i] = (x[i] - mean) * factor * scale[i];
}

const nn_simd_math NN_SIMD_TABLE (math) = {
  .activate = activate,
  .binary = binary,
  .scale_shift = scale_shift,
  .add_scaled = add_scaled,
  .accumulate = accumulate,
  .maximum = maximum,
  .largest = largest,
  .masked_largest = masked_largest,
  .masked_smallest = masked_smallest,
  .count_above = count_above,
  .weighted_sum = weighted_sum,
  .exp_sum = exp_sum,
  .exp = exp_all,
  .erf = erf_all,
  .sqrt = sqrt_all,
  .moments = moments,
  .normalize = normalize,
};
