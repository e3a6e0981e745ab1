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
