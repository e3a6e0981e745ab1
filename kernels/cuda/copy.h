/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies elements between views of any strides, from one floating-point type to another where they differ: what all
 * operators that only move elements are made of. Many copies go in one launch.
 */
#pragma once

#include "../status.h"
#include "walk.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- for the operators ---- */

#define NN_COPY_PARTS 16 /* in one launch; kernels have parameters of up to 4 KB */

/* One copy that can be launched: its units are single elements or as many side by side as make 2 … 16 bytes. */
typedef struct nn_copy_part {
  const void *from; /* NULL: nn_copies.element, repeated */
  void *to;
  uint32_t units;
  int32_t width;                 /* a unit's bytes; its elements (1 or 4) where the types differ */
  nn_dtype from_type, to_type;   /* NN_DTYPE_NONE: the same */
  nn_walk walk;                  /* strides in units: to, from */
} nn_copy_part;

typedef struct nn_copies {
  cudaStream_t stream;
  int n;
  uint64_t element[2]; /* 16 bytes of what is to be repeated */
  nn_copy_part part[NN_COPY_PARTS];
} nn_copies;

/* A copy from operand 1 to operand 0 of `dims`, whose dimensions may stand in any order; `from` NULL: fills with
 * copies->element. May launch. */
void nn_copies_add (nn_copies *copies, const nn_dims *dims, void *to, nn_dtype to_type, const void *from,
                    nn_dtype from_type);
/* Launches what has been added and not yet launched. */
nn_status nn_copies_end (nn_copies *copies, nn_error *err);

/* `from` may be broadcast to the shape of `to`, as NumPy does. Nothing is done where they are the same memory. */
void nn_copies_add_tensor (nn_copies *copies, const nn_tensor *to, const nn_tensor *from);
nn_status nn_cuda_copy_tensor (const nn_tensor *to, const nn_tensor *from, cudaStream_t stream, nn_error *err);

/* Fills `to` with an element, host memory, of `dtype`. */
nn_status nn_cuda_fill (const nn_tensor *to, const void *element, nn_dtype dtype, cudaStream_t stream, nn_error *err);

/* ---- launchers (copy.cu) ---- */

void nn_cuda_launch_copies (const nn_copies *copies);

/* to[b][j · to_stride + i] = from[b][i · from_stride + j] for i < rows, j < columns and b in `batch`, which has the
 * operands `to` and `from`. */
typedef struct nn_transposition {
  const void *from;
  void *to;
  nn_dtype from_type, to_type; /* both floating-point where they differ */
  int64_t rows, columns, from_stride, to_stride;
  int batch_rank;
  int64_t batch[NN_MAX_RANK], to_batch_stride[NN_MAX_RANK], from_batch_stride[NN_MAX_RANK]; /* innermost first */
} nn_transposition;

bool nn_cuda_can_transpose (nn_dtype from_type, nn_dtype to_type);
void nn_cuda_launch_transposition (const nn_transposition *t, cudaStream_t stream);

/* On the host: one element in another floating-point type; copied where the types are the same. */
void nn_cuda_convert_element (void *to, nn_dtype to_type, const void *from, nn_dtype from_type);

#ifdef __cplusplus
}
#endif
