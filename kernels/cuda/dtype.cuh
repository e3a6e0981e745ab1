/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How device code reads and writes floating-point elements of any type: arithmetic is float32 everywhere. */
#pragma once

#include "../tensor.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

template <typename T>
__device__ __forceinline__ float
nn_to_float (T x)
{
  return (float) x;
}

template <typename T>
__device__ __forceinline__ T
nn_from_float (float x)
{
  return (T) x;
}

template <>
__device__ __forceinline__ float
nn_to_float<__half> (__half x)
{
  return __half2float (x);
}

/* Saturates: what is too large for a half is its largest number, infinities and NaN aside. */
template <>
__device__ __forceinline__ __half
nn_from_float<__half> (float x)
{
  return __float2half_rn (isinf (x) ? x : fminf (fmaxf (x, -65504.0f), 65504.0f) + (x - x));
}

template <>
__device__ __forceinline__ float
nn_to_float<__nv_bfloat16> (__nv_bfloat16 x)
{
  return __bfloat162float (x);
}

template <>
__device__ __forceinline__ __nv_bfloat16
nn_from_float<__nv_bfloat16> (float x)
{
  return __float2bfloat16_rn (x);
}

/* Element `i` of a floating-point array of a type known at run time only; the branch is the same for all threads. */
__device__ __forceinline__ float
nn_load (const void *data, int64_t i, nn_dtype dtype)
{
  if (dtype == NN_F16)
    return __half2float (((const __half *) data)[i]);
  if (dtype == NN_BF16)
    return __bfloat162float (((const __nv_bfloat16 *) data)[i]);
  return ((const float *) data)[i];
}

__device__ __forceinline__ void
nn_store (void *data, int64_t i, nn_dtype dtype, float x)
{
  if (dtype == NN_F16)
    ((__half *) data)[i] = nn_from_float<__half> (x);
  else if (dtype == NN_BF16)
    ((__nv_bfloat16 *) data)[i] = nn_from_float<__nv_bfloat16> (x);
  else
    ((float *) data)[i] = x;
}

/* Runs the statement with `T` the type that a floating-point dtype stands for. */
#define NN_WITH_FLOAT_TYPE(dtype, T, statement)                                                                    \
  do {                                                                                                             \
    if ((dtype) == NN_F16) {                                                                                       \
      typedef __half T;                                                                                            \
      statement;                                                                                                   \
    } else if ((dtype) == NN_BF16) {                                                                               \
      typedef __nv_bfloat16 T;                                                                                     \
      statement;                                                                                                   \
    } else {                                                                                                       \
      typedef float T;                                                                                             \
      statement;                                                                                                   \
    }                                                                                                              \
  } while (0)
