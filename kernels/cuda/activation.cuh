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

/* The same for every element of a launch, so that the branches cost little. */
__device__ __forceinline__ float
nn_activate (float x, nn_activation a)
{
  switch (a.kind) {
    case NN_ACT_NONE:
      return x;
    case NN_ACT_RELU:
      return x < 0 ? 0 : x;
    case NN_ACT_LEAKY_RELU:
      return x < 0 ? a.alpha * x : x;
    case NN_ACT_CLIP:
      return nn_clamp (x, a.alpha, a.beta);
    case NN_ACT_SIGMOID:
      return nn_sigmoid (x);
    case NN_ACT_HARD_SIGMOID:
      return nn_clamp (a.alpha * x + a.beta, 0, 1);
    case NN_ACT_HARD_SWISH:
      return x * nn_clamp (a.alpha * x + a.beta, 0, 1);
    case NN_ACT_SILU:
      return x * nn_sigmoid (x);
    case NN_ACT_GELU:
      return 0.5f * x * (1.0f + erff (x * 0.707106781186547524f));
    case NN_ACT_TANH:
      return tanhf (x);
    case NN_ACT_GELU_TANH:
      return 0.5f * x * (1.0f + tanhf (0.797884560802865356f * (x + 0.044715f * x * x * x)));
  }
  return x;
}
