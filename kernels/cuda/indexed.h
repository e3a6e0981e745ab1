/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements that move from or to where indices say. A run on a GPU cannot fail on what it finds in its operands, so
 * unlike on the CPU an index outside its dimension is taken as the nearest one inside; negative ones count from the
 * end as they should. Nothing outside of the tensors is read or written.
 */
#pragma once

#include "walk.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks of a tensor that indices pick: place p is block ((i0 · dim[1] + i1) · dim[2] + …) of batch p / per_batch. */
typedef struct nn_places {
  const void *indices; /* `depth` for each place */
  nn_dtype dtype;      /* int64 or int32 */
  int depth;
  int64_t dim[NN_MAX_RANK];
  nn_divider per_batch; /* places */
  bool repeats;         /* each batch has the same indices */
  int64_t batch;        /* blocks */
  nn_divider block;     /* units: single elements, or `width` bytes where the types are the same */
  uint32_t count;       /* units of all places, below 2^31 */
} nn_places;

/* y[p] = the block of x that place p says. Types: the same or both floating-point, with width 0. */
void nn_cuda_launch_gather (const nn_places *places, void *y, nn_dtype y_type, const void *x, nn_dtype x_type,
                            int width, cudaStream_t stream);

typedef enum nn_combination { NN_REPLACE, NN_ADD, NN_MUL, NN_MIN, NN_MAX } nn_combination;

/* The block of y that place p says is replaced by, or combined with, updates[p]; the last of several counts. Units
 * are single elements. `owners`: one int32 for each of the `n_owners` blocks of y, used with NN_REPLACE only. */
void nn_cuda_launch_scatter (const nn_places *places, void *y, nn_dtype y_type, const void *updates,
                             nn_dtype updates_type, nn_combination how, int32_t *owners, int64_t n_owners,
                             cudaStream_t stream);

/* Elements that each have an index of their own along one dimension of `extent` elements. */
typedef struct nn_picks {
  nn_walk walk;   /* gather: over all of y; scatter: over the lines. Operands: y, indices, x or updates */
  uint32_t count; /* elements or lines */
  int64_t extent; /* ≥ 1 */
  int64_t step;   /* elements of x (gather) or y (scatter) along the axis */
  int64_t length, index_step, update_step; /* of a line of indices, for scatter */
  void *y;
  const void *indices, *x;
  nn_dtype y_type, index_type, x_type;
} nn_picks;

void nn_cuda_launch_gather_elements (const nn_picks *picks, cudaStream_t stream);
void nn_cuda_launch_scatter_elements (const nn_picks *picks, nn_combination how, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
