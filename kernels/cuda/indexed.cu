/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See indexed.h. Gathering is a thread a unit. What is scattered is combined by one thread a result, in the order of
 * the updates, and what is replaced is written by the last of its updates only: results repeat bit for bit. */
#include "elements.cuh"
#include "indexed.h"

#define THREADS 256

#define BLOCKS(n) (((n) + THREADS - 1) / THREADS)

/* Inside of 0 … n - 1, whatever it is. */
__device__ __forceinline__ int64_t
resolve (int64_t index, int64_t n)
{
  index += index < 0 ? n : 0;
  return index < 0 ? 0 : index >= n ? n - 1 : index;
}

/* ---- blocks ---- */

__device__ __forceinline__ int64_t
block_at (const nn_places &p, uint32_t place)
{
  uint32_t batch = nn_divide (place, p.per_batch);
  int64_t first = (int64_t) (p.repeats ? place - batch * p.per_batch.divisor : place) * p.depth, at = 0;
  for (int d = 0; d < p.depth; d++)
    at = at * p.dim[d] + resolve (nn_load_index (p.indices, first + d, p.dtype), p.dim[d]);
  return (int64_t) batch * p.batch + at;
}

static __global__ void
gather_blocks (const __grid_constant__ nn_places p, void *y, nn_dtype y_type, const void *x, nn_dtype x_type, int width)
{
  uint32_t i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= p.count)
    return;
  uint32_t place = nn_divide (i, p.block), unit = i - place * p.block.divisor;
  int64_t from = block_at (p, place) * p.block.divisor + unit;
  if (width > 0)
    nn_move_bytes (y, i, x, from, width);
  else
    nn_move_element (y, i, y_type, x, from, x_type);
}

void
nn_cuda_launch_gather (const nn_places *places, void *y, nn_dtype y_type, const void *x, nn_dtype x_type, int width,
                       cudaStream_t stream)
{
  gather_blocks<<<BLOCKS (places->count), THREADS, 0, stream>>> (*places, y, y_type, x, x_type, width);
}

/* ---- what Scatter does to an element that is there ---- */

template <typename T>
__device__ __forceinline__ T
combined (nn_combination how, T a, T b)
{
  switch (how) {
  case NN_ADD:
    return a + b;
  case NN_MUL:
    return a * b;
  case NN_MIN:
    return b < a || b != b ? b : a;
  case NN_MAX:
    return b > a || b != b ? b : a;
  default:
    return b;
  }
}

/* Integers wrap around. */
__device__ __forceinline__ int64_t
combined_integers (nn_combination how, int64_t a, int64_t b)
{
  if (how == NN_ADD || how == NN_MUL)
    return (int64_t) combined<uint64_t> (how, (uint64_t) a, (uint64_t) b);
  return combined (how, a, b);
}

/* y[i] = y[i] combined with x[j]. */
__device__ __forceinline__ void
combine (nn_combination how, void *y, int64_t i, nn_dtype y_type, const void *x, int64_t j, nn_dtype x_type)
{
  if (how == NN_REPLACE)
    nn_move_element (y, i, y_type, x, j, x_type);
  else if (y_type == NN_I64)
    ((int64_t *) y)[i] = combined_integers (how, ((int64_t *) y)[i], ((const int64_t *) x)[j]);
  else if (y_type == NN_I32)
    ((int32_t *) y)[i] = (int32_t) combined_integers (how, ((int32_t *) y)[i], ((const int32_t *) x)[j]);
  else if (y_type == NN_F64)
    ((double *) y)[i] = combined (how, ((double *) y)[i], ((const double *) x)[j]);
  else
    nn_store (y, i, y_type, combined (how, nn_load (y, i, y_type), nn_load (x, j, x_type)));
}

/* ---- ScatterND ---- */

static __global__ void
find_owners (const __grid_constant__ nn_places p, int32_t *owners)
{
  uint32_t place = blockIdx.x * THREADS + threadIdx.x;
  if (place < p.count / p.block.divisor)
    atomicMax (&owners[block_at (p, place)], (int32_t) place);
}

static __global__ void
replace_blocks (const __grid_constant__ nn_places p, void *y, nn_dtype y_type, const void *x, nn_dtype x_type,
                const int32_t *owners)
{
  uint32_t i = blockIdx.x * THREADS + threadIdx.x;
  if (i >= p.count)
    return;
  uint32_t place = nn_divide (i, p.block), unit = i - place * p.block.divisor;
  int64_t block = block_at (p, place);
  if (owners[block] == (int32_t) place)
    nn_move_element (y, block * p.block.divisor + unit, y_type, x, i, x_type);
}

/* A thread an element of all blocks. */
static __global__ void
combine_blocks (const __grid_constant__ nn_places p, void *y, nn_dtype y_type, const void *x, nn_dtype x_type,
                nn_combination how)
{
  uint32_t unit = blockIdx.x * THREADS + threadIdx.x, size = p.block.divisor, n = p.count / size;
  if (unit >= size)
    return;
  for (uint32_t place = 0; place < n; place++)
    combine (how, y, block_at (p, place) * size + unit, y_type, x, (int64_t) place * size + unit, x_type);
}

void
nn_cuda_launch_scatter (const nn_places *places, void *y, nn_dtype y_type, const void *updates, nn_dtype updates_type,
                        nn_combination how, int32_t *owners, int64_t n_owners, cudaStream_t stream)
{
  const uint32_t size = places->block.divisor;
  if (how != NN_REPLACE) {
    combine_blocks<<<BLOCKS (size), THREADS, 0, stream>>> (*places, y, y_type, updates, updates_type, how);
    return;
  }
  cudaMemsetAsync (owners, 0xff, (size_t) n_owners * sizeof *owners, stream);
  find_owners<<<BLOCKS (places->count / size), THREADS, 0, stream>>> (*places, owners);
  replace_blocks<<<BLOCKS (places->count), THREADS, 0, stream>>> (*places, y, y_type, updates, updates_type, owners);
}

/* ---- GatherElements, ScatterElements ---- */

static __global__ void
gather_elements (const __grid_constant__ nn_picks p)
{
  uint32_t i = blockIdx.x * THREADS + threadIdx.x;
  int32_t at[3];
  if (i >= p.count)
    return;
  nn_walk_to<3> (p.walk, i, at);
  int64_t index = resolve (nn_load_index (p.indices, at[1], p.index_type), p.extent);
  nn_move_element (p.y, at[0], p.y_type, p.x, at[2] + index * p.step, p.x_type);
}

void
nn_cuda_launch_gather_elements (const nn_picks *picks, cudaStream_t stream)
{
  gather_elements<<<BLOCKS (picks->count), THREADS, 0, stream>>> (*picks);
}

/* A thread a line along the axis. */
static __global__ void
scatter_lines (const __grid_constant__ nn_picks p, nn_combination how)
{
  uint32_t i = blockIdx.x * THREADS + threadIdx.x;
  int32_t at[3];
  if (i >= p.count)
    return;
  nn_walk_to<3> (p.walk, i, at);
  for (int64_t k = 0; k < p.length; k++) {
    int64_t index = resolve (nn_load_index (p.indices, at[1] + k * p.index_step, p.index_type), p.extent);
    combine (how, p.y, at[0] + index * p.step, p.y_type, p.x, at[2] + k * p.update_step, p.x_type);
  }
}

void
nn_cuda_launch_scatter_elements (const nn_picks *picks, nn_combination how, cudaStream_t stream)
{
  scatter_lines<<<BLOCKS (picks->count), THREADS, 0, stream>>> (*picks, how);
}
