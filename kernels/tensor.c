/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {
  [NN_DTYPE_NONE] = { "none", 0 }, [NN_F32] = { "float32", 4 }, [NN_F16] = { "float16", 2 },
  [NN_BF16] = { "bfloat16", 2 },   [NN_F64] = { "float64", 8 }, [NN_I64] = { "int64", 8 },
  [NN_I32] = { "int32", 4 },       [NN_U8] = { "uint8", 1 },    [NN_I8] = { "int8", 1 },
  [NN_BOOL] = { "bool", 1 },
};

size_t
nn_dtype_size (nn_dtype dtype)
{
  return dtypes[dtype].size;
}

const char *
nn_dtype_name (nn_dtype dtype)
{
  return dtypes[dtype].name;
}

int64_t
nn_shape_count (int rank, const int64_t *dim)
{
  for (int i = 0; i < rank; i++)
    if (dim[i] < 0)
      return -1;
  for (int i = 0; i < rank; i++)
    if (dim[i] == 0)
      return 0;
  return nn_shape_extent (rank, dim);
}

int64_t
nn_shape_extent (int rank, const int64_t *dim)
{
  int64_t count = 1;
  for (int i = 0; i < rank; i++)
    if (dim[i] < 0 || __builtin_mul_overflow (count, dim[i] > 0 ? dim[i] : 1, &count))
      return -1;
  return count;
}

/* The dimensions from the innermost in memory outwards. */
static void
memory_order (int rank, nn_layout layout, int order[NN_MAX_RANK])
{
  static const int channels_last[4] = { 1, 3, 2, 0 };
  for (int i = 0; i < rank; i++)
    order[i] = layout == NN_LAYOUT_CHANNELS_LAST && rank == 4 ? channels_last[i] : rank - 1 - i;
}

nn_tensor
nn_tensor_make (nn_dtype dtype, int rank, const int64_t *dim, nn_layout layout, void *data)
{
  nn_tensor tensor = { .dtype = dtype, .rank = rank, .data = data };
  int order[NN_MAX_RANK];
  int64_t step = 1;
  memory_order (rank, layout, order);
  for (int i = 0; i < rank; i++) {
    tensor.dim[order[i]] = dim[order[i]];
    tensor.stride[order[i]] = step;
    step *= dim[order[i]];
  }
  return tensor;
}

nn_tensor
nn_tensor_part (const nn_tensor *tensor, int axis, int64_t start, int64_t length)
{
  nn_tensor view = *tensor;
  view.dim[axis] = length;
  view.data = (char *) tensor->data + start * tensor->stride[axis] * (int64_t) nn_dtype_size (tensor->dtype);
  return view;
}

nn_tensor
nn_tensor_as_image (const nn_tensor *tensor)
{
  nn_tensor view = *tensor;
  if (tensor->rank == 3) {
    view.rank = 4;
    view.dim[2] = 1;
    view.dim[3] = tensor->dim[2];
    view.stride[3] = tensor->stride[2];
  }
  return view;
}

bool
nn_tensor_is_dense (const nn_tensor *tensor, nn_layout layout)
{
  int order[NN_MAX_RANK];
  int64_t step = 1;
  memory_order (tensor->rank, layout, order);
  for (int i = 0; i < tensor->rank; i++) {
    int d = order[i];
    if (tensor->dim[d] != 1 && tensor->stride[d] != step)
      return false;
    step *= tensor->dim[d];
  }
  return true;
}

int64_t
nn_tensor_count (const nn_tensor *tensor)
{
  return nn_shape_count (tensor->rank, tensor->dim);
}

size_t
nn_tensor_bytes (const nn_tensor *tensor)
{
  return (size_t) nn_tensor_count (tensor) * nn_dtype_size (tensor->dtype);
}

char *
nn_tensor_describe (const nn_tensor *tensor, char *buffer, size_t size)
{
  size_t at = (size_t) snprintf (buffer, size, "%s[", nn_dtype_name (tensor->dtype));
  for (int i = 0; i < tensor->rank && at < size; i++)
    at += (size_t) snprintf (buffer + at, size - at, "%s%" PRId64, i ? "," : "", tensor->dim[i]);
  if (at < size)
    snprintf (buffer + at, size - at, "]");
  return buffer;
}
