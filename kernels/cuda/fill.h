/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pad, Trilu and Range; what else makes or repeats elements is done by copy.h. */
#pragma once

#include "walk.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum nn_pad_mode { NN_PAD_CONSTANT, NN_PAD_EDGE, NN_PAD_WRAP, NN_PAD_REFLECT } nn_pad_mode;

/* y[i] = x[i - begin], by the mode where that is outside of x; dimensions of y, innermost in its memory first. */
typedef struct nn_padding {
  nn_pad_mode mode;
  int rank;
  nn_divider dim[NN_MAX_RANK]; /* of y */
  int64_t count;               /* of y */
  int64_t begin[NN_MAX_RANK];
  int64_t inner[NN_MAX_RANK];  /* dimensions of x, after cuts: from x's element 0 on */
  int64_t x_stride[NN_MAX_RANK], y_stride[NN_MAX_RANK];
  const void *x;
  void *y;
  const void *value;           /* device memory, or NULL: */
  uint64_t element;            /* of the type of value */
  nn_dtype x_type, y_type, value_type; /* floating-point where they differ */
} nn_padding;

void nn_cuda_launch_pad (const nn_padding *pad, cudaStream_t stream);

/* Of `count` elements of row-major matrices, those with column - row >= k (upper) or <= k stay, the rest becomes 0.
 * `k_at`: one int64 in device memory, or NULL: `k`. The types are the same or both floating-point. */
typedef struct nn_triangle {
  int64_t count, rows, columns, k;
  const int64_t *k_at;
  bool upper;
  const void *x;
  void *y;
  nn_dtype x_type, y_type;
} nn_triangle;

void nn_cuda_launch_trilu (const nn_triangle *t, cudaStream_t stream);

/* y[i] = start + i delta, the two in `real` for floating-point, else in `whole`. */
typedef struct nn_range {
  int64_t count;
  double real[2];
  int64_t whole[2];
  void *y;
  nn_dtype dtype;
} nn_range;

void nn_cuda_launch_range (const nn_range *r, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
