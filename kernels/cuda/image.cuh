/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernels on images share, on the device. */
#pragma once

#include "dtype.cuh"
#include "image.h"

#define NN_IMAGE_THREADS 256

/* 8 channels, which lie together and aligned to 16 bytes, in registers as they were in memory. */
template <typename T> struct nn_eight {
  uint4 raw[sizeof (T) / 2];

  __device__ __forceinline__ float
  get (int i) const
  {
    return nn_to_float (reinterpret_cast<const T *> (raw)[i]);
  }

  __device__ __forceinline__ void
  set (int i, float x)
  {
    reinterpret_cast<T *> (raw)[i] = nn_from_float<T> (x);
  }
};

template <typename T>
__device__ __forceinline__ nn_eight<T>
nn_load_eight (const T *from)
{
  nn_eight<T> eight;
#pragma unroll
  for (int i = 0; i < (int) sizeof (T) / 2; i++)
    eight.raw[i] = __ldg (reinterpret_cast<const uint4 *> (from) + i);
  return eight;
}

template <typename T>
__device__ __forceinline__ void
nn_store_eight (T *to, const nn_eight<T> &eight)
{
#pragma unroll
  for (int i = 0; i < (int) sizeof (T) / 2; i++)
    reinterpret_cast<uint4 *> (to)[i] = eight.raw[i];
}

struct nn_place {
  int64_t n;
  int c, y, x;
};

/* Where work item `i` stands in an image whose channels are taken `step` at once. */
template <typename index>
__device__ __forceinline__ nn_place
nn_place_of (index i, const nn_tensor &image, int step)
{
  index channels = (index) image.dim[1] / step, width = (index) image.dim[3], height = (index) image.dim[2];
  nn_place at;
  at.c = (int) (i % channels) * step;
  i /= channels;
  at.x = (int) (i % width);
  i /= width;
  at.y = (int) (i % height);
  at.n = (int64_t) (i / height);
  return at;
}

__device__ __forceinline__ int64_t
nn_offset_of (const nn_tensor &image, const nn_place &at)
{
  return at.n * image.stride[0] + at.c * image.stride[1] + at.y * image.stride[2] + at.x * image.stride[3];
}

/* Blocks for `items` ≥ 1 threads; kernels whose items may be more than that take several a thread. */
static inline unsigned
nn_image_blocks (int64_t items)
{
  int64_t blocks = (items + NN_IMAGE_THREADS - 1) / NN_IMAGE_THREADS;
  return (unsigned) (blocks < (1 << 24) ? blocks : 1 << 24);
}

