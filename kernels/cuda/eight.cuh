/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Eight elements side by side: 16 bytes of halves, which is what one load moves best. */
#pragma once

#include "dtype.cuh"

/* As they lie in memory, so that several can be on their way before the first is looked at. */
template <typename T>
struct nn_eight {
  uint4 words[sizeof (T) / 2];
};

static inline bool
nn_eight_fits (const void *data)
{
  return (uintptr_t) data % 16 == 0;
}

/* `from` is aligned to 16 bytes. */
template <typename T>
__device__ __forceinline__ nn_eight<T>
nn_eight_load (const T *from)
{
  nn_eight<T> e;
#pragma unroll
  for (int i = 0; i < (int) sizeof (T) / 2; i++)
    e.words[i] = ((const uint4 *) from)[i];
  return e;
}

template <typename T>
__device__ __forceinline__ nn_eight<T>
nn_eight_zero (void)
{
  nn_eight<T> e;
#pragma unroll
  for (int i = 0; i < (int) sizeof (T) / 2; i++)
    e.words[i] = make_uint4 (0, 0, 0, 0);
  return e;
}

template <typename T>
__device__ __forceinline__ void
nn_eight_floats (const nn_eight<T> &e, float x[8])
{
  T t[8];
  memcpy (t, e.words, sizeof t);
#pragma unroll
  for (int i = 0; i < 8; i++)
    x[i] = nn_to_float<T> (t[i]);
}

/* `to` is aligned to 16 bytes. */
template <typename T>
__device__ __forceinline__ void
nn_eight_store (T *to, const float x[8])
{
  T t[8];
  nn_eight<T> e;
#pragma unroll
  for (int i = 0; i < 8; i++)
    t[i] = nn_from_float<T> (x[i]);
  memcpy (e.words, t, sizeof t);
#pragma unroll
  for (int i = 0; i < (int) sizeof (T) / 2; i++)
    ((uint4 *) to)[i] = e.words[i];
}

/* Sums and maxima of what the 32 threads of a warp have; all get the result. */
__device__ __forceinline__ float
nn_warp_sum (float x)
{
#pragma unroll
  for (int step = 16; step > 0; step /= 2)
    x += __shfl_xor_sync (~0u, x, step);
  return x;
}

__device__ __forceinline__ float
nn_warp_max (float x)
{
#pragma unroll
  for (int step = 16; step > 0; step /= 2)
    x = fmaxf (x, __shfl_xor_sync (~0u, x, step));
  return x;
}

/* … of a block of whole warps, with `room` of 32 floats of shared memory, which may be used for the next at once. */
__device__ __forceinline__ float
nn_block_reduce (float x, float *room, bool largest)
{
  int warps = (int) blockDim.x / 32, lane = (int) threadIdx.x % 32;
  x = largest ? nn_warp_max (x) : nn_warp_sum (x);
  __syncthreads ();
  if (lane == 0)
    room[threadIdx.x / 32] = x;
  __syncthreads ();
  x = lane < warps ? room[lane] : largest ? -INFINITY : 0;
  return largest ? nn_warp_max (x) : nn_warp_sum (x);
}
