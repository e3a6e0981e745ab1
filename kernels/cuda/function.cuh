/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a step of a program computes (elementwise.h), for all of a group. */
#pragma once

#include "activation.cuh"
#include "elementwise.h"

#include <type_traits>

/* Long and rare: not once for each element of a group and each kernel. */
template <typename C>
static __device__ __noinline__ C
power (C x, C y)
{
  return pow (x, y);
}

template <typename C>
static __device__ __noinline__ C
rest (C x, C y)
{
  return fmod (x, y);
}

template <typename C>
static __device__ __noinline__ C
sine (C x)
{
  return sin (x);
}

template <typename C>
static __device__ __noinline__ C
cosine (C x)
{
  return cos (x);
}

#define EACH(expression)           \
  _Pragma ("unroll")               \
  for (int i = 0; i < V; i++) {    \
    const C x = a[i];              \
    r[i] = (C) (expression);       \
  }                                \
  break

#define EACH_PAIR(expression)             \
  _Pragma ("unroll")                      \
  for (int i = 0; i < V; i++) {           \
    const C x = a[i], y = b[i];           \
    r[i] = (C) (expression);              \
  }                                       \
  break

template <typename C, int V>
__device__ __forceinline__ void
activate (const nn_step &s, const C (&a)[V], C (&r)[V])
{
#pragma unroll
  for (int i = 0; i < V; i++)
    r[i] = a[i];
  if constexpr (std::is_same<C, float>::value)
    nn_activate_each (r, nn_activation { (nn_activation_kind) s.function, s.alpha, s.beta });
}

/* Functions of one operand, float or double. */
template <typename C, int V>
__device__ __forceinline__ void
map (const nn_step &s, const C (&a)[V], C (&r)[V])
{
  const C alpha = s.alpha, beta = s.beta;
  switch (s.function) {
    case NN_FUNCTION_ABS:
      EACH (fabs (x));
    case NN_FUNCTION_CEIL:
      EACH (ceil (x));
    case NN_FUNCTION_COS:
      EACH (cosine (x));
    case NN_FUNCTION_ELU:
      EACH (x < 0 ? alpha * expm1 (x) : x);
    case NN_FUNCTION_ERF:
      EACH (erf (x));
    case NN_FUNCTION_EXP:
      EACH (exp (x));
    case NN_FUNCTION_FLOOR:
      EACH (floor (x));
    case NN_FUNCTION_HALF:
      EACH (__half2float (__float2half_rn ((float) x)));
    case NN_FUNCTION_IS_INF:
      EACH ((alpha != 0 && x == (C) INFINITY) || (beta != 0 && x == (C) -INFINITY));
    case NN_FUNCTION_IS_NAN:
      EACH (x != x);
    case NN_FUNCTION_LOG:
      EACH (log (x));
    case NN_FUNCTION_NEG:
      EACH (-x);
    case NN_FUNCTION_NON_ZERO:
      EACH (x != 0);
    case NN_FUNCTION_NOT:
      EACH (x == 0);
    case NN_FUNCTION_RECIPROCAL:
      EACH (1 / x);
    case NN_FUNCTION_ROUND:
      EACH (rint (x));
    case NN_FUNCTION_SELU:
      EACH (beta * (x > 0 ? x : alpha * expm1 (x)));
    case NN_FUNCTION_SIGN:
      EACH ((x > 0) - (x < 0));
    case NN_FUNCTION_SIN:
      EACH (sine (x));
    case NN_FUNCTION_SOFTPLUS:
      EACH (fmax (x, (C) 0) + log1p (exp (-fabs (x))));
    case NN_FUNCTION_SQRT:
      EACH (sqrt (x));
    case NN_FUNCTION_SQUARE:
      EACH (x * x);
    default:
      activate (s, a, r);
  }
}

/* Of two, which all kinds of numbers have. A NaN in either operand is the extremum. */
template <typename C, int V>
__device__ __forceinline__ void
compare (const nn_step &s, const C (&a)[V], const C (&b)[V], C (&r)[V])
{
  switch (s.function) {
    case NN_FUNCTION_AND:
      EACH_PAIR (x != 0 && y != 0);
    case NN_FUNCTION_EQUAL:
      EACH_PAIR (x == y);
    case NN_FUNCTION_GREATER:
      EACH_PAIR (x > y);
    case NN_FUNCTION_GREATER_OR_EQUAL:
      EACH_PAIR (x >= y);
    case NN_FUNCTION_LESS:
      EACH_PAIR (x < y);
    case NN_FUNCTION_LESS_OR_EQUAL:
      EACH_PAIR (x <= y);
    case NN_FUNCTION_MAX:
      EACH_PAIR (x > y || x != x ? x : y);
    case NN_FUNCTION_MIN:
      EACH_PAIR (x < y || x != x ? x : y);
    case NN_FUNCTION_OR:
      EACH_PAIR (x != 0 || y != 0);
    case NN_FUNCTION_XOR:
      EACH_PAIR ((x != 0) != (y != 0));
  }
}

template <typename C, int V>
__device__ __forceinline__ void
combine (const nn_step &s, const C (&a)[V], const C (&b)[V], C (&r)[V])
{
  switch (s.function) {
    case NN_FUNCTION_ADD:
      EACH_PAIR (x + y);
    case NN_FUNCTION_DIV:
      EACH_PAIR (x / y);
    case NN_FUNCTION_MUL:
      EACH_PAIR (x * y);
    case NN_FUNCTION_POW:
      EACH_PAIR (power (x, y));
    case NN_FUNCTION_PRELU:
      EACH_PAIR (x < 0 ? x * y : x);
    case NN_FUNCTION_REST:
      EACH_PAIR (rest (x, y));
    case NN_FUNCTION_SUB:
      EACH_PAIR (x - y);
    default:
      compare (s, a, b, r);
  }
}

template <typename C, int V>
__device__ __forceinline__ void
choose (const C (&a)[V], const C (&b)[V], const C (&c)[V], C (&r)[V])
{
#pragma unroll
  for (int i = 0; i < V; i++)
    r[i] = c[i] != 0 ? a[i] : b[i];
}

/* ---- the same of integers, which wrap around ---- */

__device__ __forceinline__ void
map (const nn_step &s, const int64_t (&a)[1], int64_t (&r)[1])
{
  const int64_t x = a[0];
  switch (s.function) {
    case NN_FUNCTION_ABS:
      r[0] = x < 0 ? (int64_t) - (uint64_t) x : x;
      break;
    case NN_FUNCTION_NEG:
      r[0] = (int64_t) - (uint64_t) x;
      break;
    case NN_FUNCTION_NON_ZERO:
      r[0] = x != 0;
      break;
    case NN_FUNCTION_SIGN:
      r[0] = (x > 0) - (x < 0);
      break;
    default:
      r[0] = x;
  }
}

/* x mod 0 is 0. */
__device__ __forceinline__ int64_t
modulo (int64_t x, int64_t y, bool of_divisors_sign)
{
  const int64_t rest = y == 0 || y == -1 ? 0 : x % y;
  return of_divisors_sign && rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/* x / 0 is 0. */
__device__ __forceinline__ void
combine (const nn_step &s, const int64_t (&a)[1], const int64_t (&b)[1], int64_t (&r)[1])
{
  const int64_t x = a[0], y = b[0];
  switch (s.function) {
    case NN_FUNCTION_ADD:
      r[0] = (int64_t) ((uint64_t) x + (uint64_t) y);
      break;
    case NN_FUNCTION_DIV:
      r[0] = y == 0 ? 0 : y == -1 ? (int64_t) - (uint64_t) x : x / y;
      break;
    case NN_FUNCTION_MOD:
    case NN_FUNCTION_REST:
      r[0] = modulo (x, y, s.function == NN_FUNCTION_MOD);
      break;
    case NN_FUNCTION_MUL:
      r[0] = (int64_t) ((uint64_t) x * (uint64_t) y);
      break;
    case NN_FUNCTION_SUB:
      r[0] = (int64_t) ((uint64_t) x - (uint64_t) y);
      break;
    default:
      compare (s, a, b, r);
  }
}

#undef EACH
#undef EACH_PAIR
