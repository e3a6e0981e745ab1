/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the number of an element to where it lies in up to three tensors of one shape, in 32-bit arithmetic: made
 * on the host from dimensions and strides, passed to kernels by value. Included by C and by device code.
 */
#pragma once

#include "../tensor.h"

#define NN_WALK_TENSORS 3

/* Divides numbers below 2^31 by a multiplication. */
typedef struct nn_divider {
  uint32_t divisor, magic, shift;
} nn_divider;

typedef struct nn_walk {
  int rank; /* dimension 0 changes fastest; the last one needs no division */
  nn_divider dim[NN_MAX_RANK];
  int32_t stride[NN_WALK_TENSORS][NN_MAX_RANK]; /* elements, or what the caller counts in */
} nn_walk;

/* The same dimensions before they are packed: any number up to 2 · NN_MAX_RANK, any strides. */
typedef struct nn_dims {
  int rank, n; /* of tensors */
  int64_t dim[2 * NN_MAX_RANK];
  int64_t stride[NN_WALK_TENSORS][2 * NN_MAX_RANK];
} nn_dims;

/* Adds a dimension in front of those that are there (so the innermost comes first); those of 1 are left out. A
 * dimension that goes on where the one before it ends, in all tensors, joins it. */
static inline void
nn_dims_add (nn_dims *d, int64_t dim, const int64_t stride[NN_WALK_TENSORS])
{
  int last = d->rank - 1;
  bool joins = last >= 0;
  if (dim == 1)
    return;
  for (int t = 0; t < d->n; t++)
    joins = joins && stride[t] == d->stride[t][last] * d->dim[last];
  if (joins) {
    d->dim[last] *= dim;
    return;
  }
  d->dim[d->rank] = dim;
  for (int t = 0; t < d->n; t++)
    d->stride[t][d->rank] = stride[t];
  d->rank++;
}

static inline int64_t
nn_dims_count (const nn_dims *d)
{
  int64_t count = 1;
  for (int i = 0; i < d->rank; i++)
    count *= d->dim[i];
  return count;
}

static inline nn_divider
nn_divider_make (uint32_t divisor)
{
  nn_divider d = { divisor, 1, 0 };
  while (d.shift < 31 && (1u << d.shift) < divisor)
    d.shift++;
  d.magic = (uint32_t) ((((uint64_t) 1 << 32) * (((uint64_t) 1 << d.shift) - divisor)) / divisor + 1);
  return d;
}

/* False where it does not fit: more than NN_MAX_RANK dimensions, 2^31 elements, or offsets of 2^31. */
static inline bool
nn_walk_make (nn_walk *walk, const nn_dims *d)
{
  int64_t count = 1, reach[NN_WALK_TENSORS] = { 0 };
  if (d->rank > NN_MAX_RANK)
    return false;
  walk->rank = d->rank;
  for (int i = 0; i < d->rank; i++) {
    if (d->dim[i] < 1 || d->dim[i] > INT32_MAX || (count *= d->dim[i]) > INT32_MAX)
      return false;
    walk->dim[i] = nn_divider_make ((uint32_t) d->dim[i]);
    for (int t = 0; t < d->n; t++) {
      int64_t step = d->stride[t][i] < 0 ? -d->stride[t][i] : d->stride[t][i];
      if (step > INT32_MAX || (reach[t] += step * (d->dim[i] - 1)) > INT32_MAX)
        return false;
      walk->stride[t][i] = (int32_t) d->stride[t][i];
    }
  }
  return true;
}

#ifdef __CUDACC__
__device__ __forceinline__ uint32_t
nn_divide (uint32_t x, const nn_divider &d)
{
  return (__umulhi (x, d.magic) + x) >> d.shift;
}

/* Offsets of element `i` in the first N tensors. */
template <int N>
__device__ __forceinline__ void
nn_walk_to (const nn_walk &walk, uint32_t i, int32_t offset[N])
{
#pragma unroll
  for (int t = 0; t < N; t++)
    offset[t] = 0;
  for (int d = 0; d < walk.rank; d++) {
    uint32_t rest = d + 1 < walk.rank ? nn_divide (i, walk.dim[d]) : 0;
    int32_t at = (int32_t) (i - rest * walk.dim[d].divisor);
#pragma unroll
    for (int t = 0; t < N; t++)
      offset[t] += at * walk.stride[t][d];
    i = rest;
  }
}
#endif
