/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors: a shape, strides and a pointer. A tensor is a view: it never owns its data.
 *
 * Dimensions are always in ONNX order (N, C, H, W for images); where the elements lie is told by
 * the strides alone, so that a channels-last (NHWC) tensor is the same tensor with other strides.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NN_MAX_RANK 8

typedef enum nn_dtype {
  NN_DTYPE_NONE = 0,
  NN_F32,
  NN_F16,
  NN_BF16, /* in plans for a GPU only: no file that is taken holds it */
  NN_F64,
  NN_I64,
  NN_I32,
  NN_U8,
  NN_I8,
  NN_BOOL, /* one byte, 0 or 1 */
} nn_dtype;

/* How the elements of a dense tensor lie. CHANNELS_LAST is for rank 4 only: N, H, W, C in memory. */
typedef enum nn_layout {
  NN_LAYOUT_ROW_MAJOR = 0,
  NN_LAYOUT_CHANNELS_LAST,
} nn_layout;

typedef struct nn_tensor {
  nn_dtype dtype;
  int rank;                    /* 0 (a scalar) … NN_MAX_RANK */
  int64_t dim[NN_MAX_RANK];    /* ≥ 0 */
  int64_t stride[NN_MAX_RANK]; /* in elements; 0 repeats along that dimension */
  void *data;                  /* not owned */
} nn_tensor;

/* Bytes of one element; 0 for NN_DTYPE_NONE. */
size_t nn_dtype_size (nn_dtype dtype);

/* "float32", "int64" … as ONNX and NumPy name them; "none". */
const char *nn_dtype_name (nn_dtype dtype);

/* Elements of a shape (1 for rank 0), or -1 if a dimension is negative or the product of the
 * dimensions overflows int64_t. */
int64_t nn_shape_count (int rank, const int64_t *dim);

/* The same with dimensions of 0 taken as 1: a bound for loops over the dimensions of an empty tensor. */
int64_t nn_shape_extent (int rank, const int64_t *dim);

/* A dense view on `data` in `layout`; CHANNELS_LAST falls back to row-major where rank is not 4. */
nn_tensor nn_tensor_make (nn_dtype dtype, int rank, const int64_t *dim, nn_layout layout, void *data);

/* `length` elements of dimension `axis` from `start` on, where they lie. */
nn_tensor nn_tensor_part (const nn_tensor *tensor, int axis, int64_t start, int64_t length);

/* As rank 4, N, C, H, W: rank 3 gets a height of 1, others stay as they are. */
nn_tensor nn_tensor_as_image (const nn_tensor *tensor);

/* Whether the elements lie without gaps in `layout`; dimensions of size 1 may have any stride. */
bool nn_tensor_is_dense (const nn_tensor *tensor, nn_layout layout);

int64_t nn_tensor_count (const nn_tensor *tensor);
size_t nn_tensor_bytes (const nn_tensor *tensor); /* of the elements, dense */

/* "float32[1,3,800,608]" into `buffer` (always terminated); returns `buffer`. */
char *nn_tensor_describe (const nn_tensor *tensor, char *buffer, size_t size);
