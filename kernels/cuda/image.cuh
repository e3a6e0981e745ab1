/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernels on images share, on the device. */
#pragma once

#include "eight.cuh"
#include "image.h"

#define NN_IMAGE_THREADS 256

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

