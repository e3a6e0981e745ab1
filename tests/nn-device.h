/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What test programs need to run on a GPU. */
#pragma once

#include "kernels/nn.h"

#include <math.h>
#include <string.h>

#define NN_SKIPPED 77 /* exit status: there is no such device here */

static inline bool
nn_parse_device (const char *text, nn_device_kind *device)
{
  *device = strcmp (text, "cuda") == 0 ? NN_DEVICE_CUDA : NN_DEVICE_CPU;
  return *device == NN_DEVICE_CUDA || strcmp (text, "cpu") == 0;
}

static inline bool
nn_parse_precision (const char *text, nn_precision *precision)
{
  for (*precision = NN_PRECISION_AUTO; *precision <= NN_PRECISION_FP16; (*precision)++)
    if (strcmp (text, nn_precision_name (*precision)) == 0)
      return true;
  return false;
}

/* To the nearest, halfway to the even one; NaN stays NaN. */
static inline uint16_t
nn_half_of (float value)
{
  uint16_t sign = signbit (value) ? 0x8000 : 0;
  float size = fabsf (value);
  if (!(size < 65520))
    return sign | (isnan (size) ? 0x7e00 : 0x7c00);
  int exponent = size < 0x1p-14f ? -14 : ilogbf (size);
  int fraction = (int) nearbyintf (ldexpf (size, 10 - exponent));
  return (uint16_t) (sign | (fraction + (size < 0x1p-14f ? 0 : (exponent + 14) << 10)));
}

static inline uint16_t
nn_bfloat_of (float value)
{
  uint32_t bits;
  memcpy (&bits, &value, sizeof bits);
  return (uint16_t) (isnan (value) ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Makes a dense float32 tensor one of `half` (NN_F16, NN_BF16), in place. */
static inline void
nn_round_to_half (nn_tensor *tensor, nn_dtype half)
{
  const float *from = tensor->data;
  uint16_t *to = tensor->data;
  int64_t n = nn_tensor_count (tensor);
  for (int64_t i = 0; i < n; i++) {
    float value;
    memcpy (&value, &from[i], sizeof value); /* what is written lies over what was read */
    uint16_t rounded = half == NN_F16 ? nn_half_of (value) : nn_bfloat_of (value);
    memcpy (&to[i], &rounded, sizeof rounded);
  }
  tensor->dtype = half;
}
