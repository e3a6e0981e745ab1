/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums and maxima over threads, always in the same order. */
#pragma once

/* Of what the 32 threads of a warp have; all get the result. */
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
