/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves single elements of any type, converting between floating-point ones. */
#pragma once

#include "dtype.cuh"

__device__ __forceinline__ void
nn_move_bytes (void *to, int64_t i, const void *from, int64_t j, int size)
{
  if (size == 4)
    ((uint32_t *) to)[i] = ((const uint32_t *) from)[j];
  else if (size == 2)
    ((uint16_t *) to)[i] = ((const uint16_t *) from)[j];
  else if (size == 8)
    ((uint64_t *) to)[i] = ((const uint64_t *) from)[j];
  else if (size == 16)
    ((uint4 *) to)[i] = ((const uint4 *) from)[j];
  else
    ((uint8_t *) to)[i] = ((const uint8_t *) from)[j];
}

__host__ __device__ __forceinline__ int
nn_element_size (nn_dtype dtype)
{
  return dtype == NN_F32 || dtype == NN_I32   ? 4
         : dtype == NN_F16 || dtype == NN_BF16 ? 2
         : dtype == NN_F64 || dtype == NN_I64  ? 8
                                               : 1;
}

/* to[i] = from[j]; the types are the same or both of float32, float16 and bfloat16. */
__device__ __forceinline__ void
nn_move_element (void *to, int64_t i, nn_dtype to_type, const void *from, int64_t j, nn_dtype from_type)
{
  if (to_type == from_type)
    nn_move_bytes (to, i, from, j, nn_element_size (to_type));
  else
    nn_store (to, i, to_type, nn_load (from, j, from_type));
}

__device__ __forceinline__ void
nn_clear_element (void *to, int64_t i, nn_dtype dtype)
{
  const uint64_t zero = 0;
  nn_move_bytes (to, i, &zero, 0, nn_element_size (dtype));
}

/* Element `i` of a tensor of int64 or int32. */
__device__ __forceinline__ int64_t
nn_load_index (const void *data, int64_t i, nn_dtype dtype)
{
  return dtype == NN_I64 ? ((const int64_t *) data)[i] : ((const int32_t *) data)[i];
}
