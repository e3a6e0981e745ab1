/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations (graph.h) in device code, in float32. As on the CPU a NaN passes through all of them. */
#pragma once

#include "../graph/graph.h"

__device__ __forceinline__ float
nn_clamp (float x, float low, float high)
{
  const float above = x < low ? low : x;
  return above > high ? high : above;
}

/* Right at both ends too: the quick division gives 0 from 2^126 on, and for infinity. */
__device__ __forceinline__ float
nn_sigmoid (float x)
{
  return __fdividef (1.0f, 1.0f + expf (-x));
}

#define NN_EACH(expression)          \
  _Pragma ("unroll")                 \
  for (int i = 0; i < N; i++) {      \
    const float v = x[i];            \
    x[i] = (expression);             \
  }                                  \
  break

/* Of all elements that a thread has in registers: which activation it is is asked once. */
template <int N>
__device__ __forceinline__ void
nn_activate_each (float (&x)[N], nn_activation a)
{
  switch (a.kind) {
    case NN_ACT_NONE:
      break;
    case NN_ACT_RELU:
      NN_EACH (v < 0 ? 0 : v);
    case NN_ACT_LEAKY_RELU:
      NN_EACH (v < 0 ? a.alpha * v : v);
    case NN_ACT_CLIP:
      NN_EACH (nn_clamp (v, a.alpha, a.beta));
    case NN_ACT_SIGMOID:
      NN_EACH (nn_sigmoid (v));
    case NN_ACT_HARD_SIGMOID:
      NN_EACH (nn_clamp (a.alpha * v + a.beta, 0, 1));
    case NN_ACT_HARD_SWISH:
      NN_EACH (v * nn_clamp (a.alpha * v + a.beta, 0, 1));
    case NN_ACT_SILU:
      NN_EACH (v * nn_sigmoid (v));
    case NN_ACT_GELU:
      NN_EACH (0.5f * v * (1.0f + erff (v * 0.707106781186547524f)));
    case NN_ACT_TANH:
      NN_EACH (tanhf (v));
    case NN_ACT_GELU_TANH:
      NN_EACH (0.5f * v * (1.0f + tanhf (0.797884560802865356f * (v + 0.044715f * v * v * v))));
  }
}

#undef NN_EACH

__device__ __forceinline__ float
nn_activate (float x, nn_activation a)
{
  float one[1] = { x };
  nn_activate_each (one, a);
  return one[0];
}
