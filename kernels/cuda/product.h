/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of matrices: D[m, n] = activation (scale A[m, k] B[k, n] + bias[n] + residual[m, n]), for MatMul, Gemm,
 * Einsum and 1×1 convolutions, whose pixels are the rows. cuBLASLt or the kernel of our own, whichever was faster when both
 * were timed (tuning.h).
 *
 *   nn_cuda_product_problem problem = { .m = pixels, .n = c_out, .k = c_in, .dtype = cuda->dtype, .result = y->dtype,
 *                                       .a_row = c_in, .a_column = 1, .b_row = 1, .b_column = c_in, .d_row = c_out,
 *                                       .weights = w->data, .alignment = … };
 *   prepare(): nn_cuda_product_prepare (cuda, &problem, &product, err)   scratch_bytes(): nn_cuda_product_workspace()
 *   run():     nn_cuda_product_run (cuda, &product, a, NULL, NULL, d, call->scratch, err)
 *   release(): nn_cuda_product_release()
 */
#pragma once

#include "../graph/graph.h"
#include "../status.h"
#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nn_cuda nn_cuda;

#define NN_CUDA_PRODUCT_MAX_BATCH (NN_MAX_RANK - 2)

/* One dimension that products are repeated along: how many, and how far apart in each matrix, in elements (0: the
 * same one). */
typedef struct nn_cuda_product_batch {
  int64_t n, a, b, d, residual;
} nn_cuda_product_batch;

typedef struct nn_cuda_product_problem {
  int64_t m, n, k;
  nn_dtype dtype;              /* of A and B: NN_F32, NN_F16 or NN_BF16 */
  nn_dtype result, residual;   /* … each on its own; residual NN_DTYPE_NONE: there is none */
  nn_activation activation;
  float scale;                 /* of A B, before anything is added; 0: 1 */
  int64_t a_row, a_column;     /* element (i, j) of A lies at a[i a_row + j a_column]; one of the two is 1 */
  int64_t b_row, b_column;     /* … of B, which has k rows; one of the two is 1 */
  int64_t d_row, residual_row; /* their columns are contiguous */
  int n_batch;                 /* the first of these is the outermost */
  nn_cuda_product_batch batch[NN_CUDA_PRODUCT_MAX_BATCH];
  const float *weights;        /* host: B, if it is constant: it is packed, and not given to run(). Else NULL */
  const float *bias;           /* host: n numbers, which are packed too; NULL: none */
  int alignment;               /* in bytes, of all matrices that run() gets: nn_cuda_alignment(); 0: the elements' */
} nn_cuda_product_problem;

/* How the kernel of our own splits D among blocks: product.cu. */
typedef enum nn_cuda_product_tile {
  NN_CUDA_TILE_128X128,
  NN_CUDA_TILE_64X64,
  NN_CUDA_TILE_64X32,
  NN_CUDA_TILE_32X64,
  NN_CUDA_TILE_32X32,
  NN_CUDA_TILES,
} nn_cuda_product_tile;

/* A prepared product; zeroed, it is one that nn_cuda_product_release() takes. Read-only in run(). */
typedef struct nn_cuda_product {
  nn_cuda_product_problem problem; /* weights and bias NULL; B's strides are those of the packed matrix */
  const void *weights, *bias;      /* device; of the store */
  nn_cuda_product_tile tile;
  struct nn_cuda_product_library *library; /* what cuBLASLt is called with; NULL: our own kernel */
  size_t workspace_bytes;
} nn_cuda_product;

/* Refuses what cannot be done. What it has taken, also where it fails, nn_cuda_product_release() gives back. */
nn_status nn_cuda_product_prepare (const nn_cuda *cuda, const nn_cuda_product_problem *problem,
                                   nn_cuda_product *product, nn_error *err);
size_t nn_cuda_product_workspace (const nn_cuda_product *product); /* bytes, aligned to 64 */
/* All on the device; b NULL where it was constant, residual NULL where there is none. D may be the residual, nothing
 * else may overlap. Enqueues on cuda->stream. */
nn_status nn_cuda_product_run (const nn_cuda *cuda, const nn_cuda_product *product, const void *a, const void *b,
                               const void *residual, void *d, void *workspace, nn_error *err);
void nn_cuda_product_release (nn_cuda_product *product);

/* Elements of float32 constants in another type, from the store. */
nn_status nn_cuda_take_converted (const nn_cuda *cuda, const float *elements, int64_t n, nn_dtype dtype,
                                  const void **packed, nn_error *err);

/* What a value's address is a multiple of, in bytes; at most 64, which is what NULL gives. */
int nn_cuda_alignment (const nn_value *value);

/* ---- product.cu, product-float.cu: for product.c ---- */

/* How the kernel of our own is called: with a problem whose matrices are in place. */
typedef struct nn_cuda_product_args {
  nn_cuda_product_problem problem;
  const void *a, *b, *residual;
  const float *bias;
  void *d;
} nn_cuda_product_args;

/* Whether the tile is one for this type, and of shared memory that a block can have; allows it to. */
bool nn_cuda_product_has_tile (nn_dtype dtype, nn_cuda_product_tile tile, size_t shared_bytes);
/* Blocks that a product takes, for all its batches. */
int64_t nn_cuda_product_blocks (const nn_cuda_product_problem *problem, nn_cuda_product_tile tile);
void nn_cuda_launch_product (const nn_cuda_product_args *args, nn_cuda_product_tile tile, cudaStream_t stream);
/* … where its type is float32; the tile is one that it has. */
void nn_cuda_launch_float_product (const nn_cuda_product_args *args, nn_cuda_product_tile tile,
                                   cudaStream_t stream);
/* D = activation (D + residual), in place; scale 1 and no bias. */
void nn_cuda_launch_product_finish (const nn_cuda_product_args *args, cudaStream_t stream);
/* packed[matrix][j][i] = b[matrix rows columns + i b_row + j b_column], where i < rows, j < columns. */
void nn_cuda_launch_product_pack (void *packed, nn_dtype dtype, const float *b, int64_t n_matrices, int64_t rows,
                                  int64_t columns, int64_t b_row, int64_t b_column, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
