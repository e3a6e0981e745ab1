/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that are compiled once an instruction set share. NN_SIMD_LEVEL is its name.
 * Nothing here may have external linkage but what carries that name: each level has its own copy.
 */
#pragma once

#include "simd.h"

#if defined __AVX2__
#include <immintrin.h>
#endif

#if defined __AVX512F__
#define LANES 16
#define TILE_VECTORS 4 /* with 6 rows: 24 sums, 4 weights, 1 operand of 32 registers */
#elif defined __AVX2__
#define LANES 8
#define TILE_VECTORS 2 /* 12 sums, 2 weights, 1 operand of 16 registers */
#elif defined __aarch64__
#define LANES 4
#define TILE_VECTORS 4 /* 32 registers */
#else
#define LANES 4
#define TILE_VECTORS 2
#endif

/* A vector that may lie at any float's address. */
typedef float vec __attribute__ ((vector_size (LANES * 4), aligned (4), may_alias));

/* Keeps the compiler from reading `x` from memory for each use again: reading is what bounds a loop with
 * one load an operation. */
#if defined __x86_64__
#define IN_REGISTER(x) __asm__ ("" : "+v"(x))
#elif defined __aarch64__
#define IN_REGISTER(x) __asm__ ("" : "+w"(x))
#else
#define IN_REGISTER(x)
#endif

/* Of each lane; where x is NaN it stays. */
static inline vec
vec_max (float low, vec x)
{
#if defined __AVX512F__
  return (vec) _mm512_max_ps (_mm512_set1_ps (low), (__m512) x);
#elif defined __AVX2__
  return (vec) _mm256_max_ps (_mm256_set1_ps (low), (__m256) x);
#else
  for (int i = 0; i < LANES; i++)
    x[i] = x[i] < low ? low : x[i];
  return x;
#endif
}

static inline vec
vec_min (float high, vec x)
{
#if defined __AVX512F__
  return (vec) _mm512_min_ps (_mm512_set1_ps (high), (__m512) x);
#elif defined __AVX2__
  return (vec) _mm256_min_ps (_mm256_set1_ps (high), (__m256) x);
#else
  for (int i = 0; i < LANES; i++)
    x[i] = x[i] > high ? high : x[i];
  return x;
#endif
}

/* e^x: Cody and Waite's reduction to ±ln 2 / 2 and the Cephes library's polynomial (expf.c), without
 * branches; relative error < 2^-22. */
static inline float
exp_approx (float x)
{
  float clamped = x > -87.3365447f ? x : -87.3365447f; /* NaN too: it cannot be made an integer */
  clamped = clamped < 88.3762626f ? clamped : 88.3762626f;
  float n = __builtin_floorf (clamped * 1.44269504088896341f + 0.5f);
  float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  union {
    int32_t i;
    float f;
  } power = { .i = ((int32_t) n + 127) * (1 << 23) };
  return x == x ? p * power.f : x;
}

/* x stays NaN through all of them. */
static inline float
clamp_between (float x, float low, float high)
{
  x = x < low ? low : x;
  return x > high ? high : x;
}

typedef int32_t ivec __attribute__ ((vector_size (LANES * 4)));

/* exp_approx() of each lane. Adding and taking away 1.5 · 2^23 rounds to the nearest integer. */
static inline vec
vec_exp (vec x)
{
  const vec round = (vec) { 0 } + 0x1.8p23f;
  x = vec_min (88.3762626f, vec_max (-87.3365447f, x));
  vec n = (x * 1.44269504088896341f + round) - round;
  vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  vec p = (vec) { 0 } + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  ivec power = (__builtin_convertvector (n, ivec) + 127) << 23;
  return p * (vec) power;
}

/* Activations that vectors can do are applied before storing; the others afterwards. */
static inline __attribute__ ((always_inline)) void
activate_vectors (const nn_activation *activation, int n, vec *y)
{
  float alpha = activation->alpha, beta = activation->beta;
  switch (activation->kind) {
    case NN_ACT_RELU:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] = vec_max (0, y[i]);
      break;
    case NN_ACT_CLIP:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] = vec_min (beta, vec_max (alpha, y[i]));
      break;
    case NN_ACT_HARD_SIGMOID:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] = vec_min (1, vec_max (0, y[i] * alpha + beta));
      break;
    case NN_ACT_HARD_SWISH:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] *= vec_min (1, vec_max (0, y[i] * alpha + beta));
      break;
    case NN_ACT_SIGMOID:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + vec_exp (-y[i]));
      break;
    case NN_ACT_SILU:
#pragma GCC unroll 24
      for (int i = 0; i < n; i++)
        y[i] = y[i] / (1.0f + vec_exp (-y[i]));
      break;
    default:
      break;
  }
}

static inline bool
is_applied_to_vectors (nn_activation_kind kind)
{
  return kind == NN_ACT_NONE || kind == NN_ACT_RELU || kind == NN_ACT_CLIP || kind == NN_ACT_HARD_SIGMOID
         || kind == NN_ACT_HARD_SWISH || kind == NN_ACT_SIGMOID || kind == NN_ACT_SILU;
}

#define GLUE2(a, b) a##b
#define GLUE(a, b) GLUE2 (a, b)
#define NN_SIMD_TABLE(kind) GLUE (nn_simd_##kind##_, NN_SIMD_LEVEL)
extern const nn_simd_conv NN_SIMD_TABLE (conv);
extern const nn_simd_math NN_SIMD_TABLE (math);
#define NN_SIMD_DEPTHWISE NN_SIMD_TABLE (depthwise)
void NN_SIMD_DEPTHWISE (const nn_depthwise *conv, int64_t first_row, int64_t end_row); /* nn_simd_conv.depthwise */
#define NN_SIMD_WINOGRAD_IN NN_SIMD_TABLE (winograd_in)
#define NN_SIMD_WINOGRAD_OUT NN_SIMD_TABLE (winograd_out)
void NN_SIMD_WINOGRAD_IN (const nn_winograd_in *tile);
void NN_SIMD_WINOGRAD_OUT (const nn_winograd_out *tile);
