/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernels on images share, on the host: images are tensors of dimensions N, C, H, W with any strides, and
 * are handed to kernels as such. Kernels take 8 channels at once where they lie together (the fast path, channels
 * last), else one.
 */
#pragma once

#include "../tensor.h"

#define NN_IMAGE_EIGHT 8
#define NN_IMAGE_MAX_SIDE ((int64_t) 1 << 30) /* so that coordinates fit an int with room for paddings */

/* The tensor as rank 4: rank 3 gets a height of 1. */
static inline nn_tensor
nn_image_of (const nn_tensor *tensor)
{
  nn_tensor image = *tensor;
  if (tensor->rank == 3) {
    image.rank = 4;
    image.dim[2] = 1;
    image.stride[2] = 0;
    image.dim[3] = tensor->dim[2];
    image.stride[3] = tensor->stride[2];
  }
  return image;
}

/* Whether kernels can do images of this type and size. */
static inline bool
nn_image_is_good (const nn_tensor *tensor)
{
  bool is_float = tensor->dtype == NN_F32 || tensor->dtype == NN_F16 || tensor->dtype == NN_BF16;
  if (!is_float || (tensor->rank != 3 && tensor->rank != 4))
    return false;
  nn_tensor image = nn_image_of (tensor);
  return image.dim[2] < NN_IMAGE_MAX_SIDE && image.dim[3] < NN_IMAGE_MAX_SIDE;
}

static inline int64_t
nn_image_count (const nn_tensor *image)
{
  return image->dim[0] * image->dim[1] * image->dim[2] * image->dim[3];
}

/* Whether channels can be read or written 8 at once. */
static inline bool
nn_image_has_eights (const nn_tensor *image)
{
  bool aligned = ((uintptr_t) image->data & 15) == 0 && image->dim[1] % NN_IMAGE_EIGHT == 0 && image->stride[1] == 1;
  for (int i = 0; i < 4; i++)
    aligned = aligned && (i == 1 || image->dim[i] == 1 || image->stride[i] % NN_IMAGE_EIGHT == 0);
  return aligned;
}

/* Whether a kernel from `x` to `y` can take the fast path. */
static inline bool
nn_image_by_eights (const nn_tensor *x, const nn_tensor *y)
{
  return x->dtype == y->dtype && nn_image_has_eights (x) && nn_image_has_eights (y)
         && nn_image_count (y) / NN_IMAGE_EIGHT < INT32_MAX;
}
