/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A product on tensor cores (mma.sync). A block computes one tile of D: steps of 64 columns of A and rows of B come
 * through a ring of stages in shared memory (cp.async); warps share the tile, and in small tiles also the steps, so that
 * a product with few rows keeps a multiprocessor busy. The accumulators go through shared memory to whole rows, which get
 * the rest: bias, residual, activation (product.cuh). */
#include "mma.cuh"
#include "product.cuh"

#define STEP 64 /* of k: 128 bytes a row, 8 chunks of 16 bytes */

/* ROWS × COLUMNS of D; the tile is shared by WARPS_M × WARPS_N warps, each step by WARPS_K such groups. */
template <int ROWS, int COLUMNS, int WARPS_M, int WARPS_N, int WARPS_K, int STAGES>
struct tile_of {
  static constexpr int rows = ROWS, columns = COLUMNS, warps_m = WARPS_M, warps_n = WARPS_N, warps_k = WARPS_K;
  static constexpr int stages = STAGES, threads = 32 * WARPS_M * WARPS_N * WARPS_K;
  static constexpr int down = ROWS / WARPS_M / 16, across = COLUMNS / WARPS_N / 8; /* of m16n8k16 in a warp */
  static constexpr int stage_chunks = (ROWS + COLUMNS) * STEP / 8;
  static constexpr int stages_bytes = STAGES * stage_chunks * 16;
  static constexpr int sums_bytes = WARPS_K * ROWS * sums_of<COLUMNS>::stride * 4;
  static constexpr int shared_bytes = stages_bytes > sums_bytes ? stages_bytes : sums_bytes;
  static_assert (across % 2 == 0 && STEP / 16 % WARPS_K == 0, "whole fragments");
  static_assert (ROWS * 8 % threads == 0 && COLUMNS * 8 % threads == 0, "every thread loads as much");
};

/* Chunk `chunk` of a row lies where eight rows' same chunks are in different banks. */
static __device__ __forceinline__ int
chunk_at (int row, int chunk)
{
  return row * 8 + (chunk ^ (row & 7));
}

/* Columns k0 … k0 + 63 of ROWS rows; what is not in the matrix is zero. WHOLE: chunks of 16 bytes lie as they are. */
template <typename T, int ROWS, int THREADS, bool WHOLE>
static __device__ __forceinline__ void
load_rows (uint4 *to, const T *from, int64_t row_step, int64_t column_step, int64_t n_rows, int k0, int k)
{
  bool down = !WHOLE && row_step == 1; /* threads side by side read what lies side by side */
#pragma unroll
  for (int i = 0; i < ROWS * 8 / THREADS; i++) {
    int index = threadIdx.x + i * THREADS;
    int row = down ? index % ROWS : index / 8, chunk = down ? index / ROWS : index % 8, first = k0 + chunk * 8;
    bool inside = row < n_rows && first < k;
    if (WHOLE) {
      copy_later (to + chunk_at (row, chunk), inside ? from + row * row_step + first : from, inside);
    } else {
      uint4 bits = make_uint4 (0, 0, 0, 0);
      for (int j = 0; j < 8; j++)
        if (inside && first + j < k)
          ((T *) &bits)[j] = from[row * row_step + (first + j) * column_step];
      to[chunk_at (row, chunk)] = bits;
    }
  }
}

/* Which part of the tile, and of each step, a warp does. */
struct warp_part {
  int lane, row, column, group;
};

template <typename S>
static __device__ __forceinline__ warp_part
find_part ()
{
  int warp = threadIdx.x / 32, across = warp / S::warps_m;
  return { (int) threadIdx.x % 32, warp % S::warps_m * (S::rows / S::warps_m),
           across % S::warps_n * (S::columns / S::warps_n), across / S::warps_n };
}

/* This warp's part of one step. Rows of B in shared memory are columns of the product. */
template <typename T, typename S>
static __device__ __forceinline__ void
multiply_stage (float (&sums)[S::down][S::across][4], const uint4 *stage, const warp_part &part)
{
  const uint4 *a = stage, *b = stage + S::rows * 8;
#pragma unroll
  for (int i = 0; i < STEP / 16 / S::warps_k; i++) {
    int chunk = (i * S::warps_k + part.group) * 2;
    unsigned ra[S::down][4], rb[S::across / 2][4];
#pragma unroll
    for (int m = 0; m < S::down; m++)
      load_matrices (ra[m], a + chunk_at (part.row + m * 16 + part.lane % 16, chunk + part.lane / 16));
#pragma unroll
    for (int n = 0; n < S::across / 2; n++)
      load_matrices (rb[n], b + chunk_at (part.column + n * 16 + part.lane % 8 + part.lane / 16 * 8,
                                          chunk + part.lane / 8 % 2));
#pragma unroll
    for (int m = 0; m < S::down; m++)
#pragma unroll
      for (int n = 0; n < S::across; n++)
        mma (sums[m][n], ra[m], rb[n / 2][n % 2 * 2], rb[n / 2][n % 2 * 2 + 1], T ());
  }
}

template <typename S>
static __device__ __forceinline__ void
write_sums (float *to, const float (&sums)[S::down][S::across][4], const warp_part &part)
{
  constexpr int stride = sums_of<S::columns>::stride;
#pragma unroll
  for (int m = 0; m < S::down; m++)
#pragma unroll
    for (int n = 0; n < S::across; n++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        int row = part.group * S::rows + part.row + m * 16 + half * 8 + part.lane / 4;
        int column = part.column + n * 8 + part.lane % 4 * 2;
        *(float2 *)(to + row * stride + column) = make_float2 (sums[m][n][half * 2], sums[m][n][half * 2 + 1]);
      }
}

template <typename T, typename S, bool WHOLE>
static __global__ void __launch_bounds__ (S::threads, 2)
multiply_halves (const __grid_constant__ product_args args)
{
  extern __shared__ uint4 shared[];
  const problem_t &p = args.a.problem;
  const place at = find_place<S::rows, S::columns> (p);
  const warp_part part = find_part<S> ();
  const T *a = (const T *) args.a.a + at.a, *b = (const T *) args.a.b + at.b;
  const int k = (int) p.k, steps = (k + STEP - 1) / STEP;
  float sums[S::down][S::across][4] = {};
  auto load = [&] (int step) {
    if (step < steps) {
      uint4 *stage = shared + step % S::stages * S::stage_chunks;
      load_rows<T, S::rows, S::threads, WHOLE> (stage, a, p.a_row, p.a_column, p.m - at.row, step * STEP, k);
      load_rows<T, S::columns, S::threads, WHOLE> (stage + S::rows * 8, b, p.b_column, p.b_row, p.n - at.column,
                                                   step * STEP, k);
    }
    end_copies (); /* an empty group too, so that all threads count alike */
  };
#pragma unroll
  for (int step = 0; step < S::stages - 1; step++)
    load (step);
  for (int step = 0; step < steps; step++) {
    wait_for_copies<S::stages - 2> ();
    __syncthreads (); /* the step is there, and nobody reads the stage before it any more */
    load (step + S::stages - 1);
    multiply_stage<T, S> (sums, shared + step % S::stages * S::stage_chunks, part);
  }
  wait_for_copies<0> ();
  __syncthreads ();
  write_sums<S> ((float *) shared, sums, part);
  __syncthreads ();
  finish_tile<S::rows, S::columns, S::warps_k, S::threads> (args, at, (const float *) shared);
}

/* ---- launching ---- */

typedef tile_of<128, 128, 2, 4, 1, 3> tile_128x128;
typedef tile_of<64, 64, 2, 2, 1, 4> tile_64x64;
typedef tile_of<64, 32, 2, 1, 2, 4> tile_64x32;
typedef tile_of<32, 64, 1, 2, 2, 4> tile_32x64;
typedef tile_of<32, 32, 1, 1, 4, 6> tile_32x32;

/* Calls `f` with a value of the tile's shape, for its type. */
template <typename F>
static void
with_tile (nn_cuda_product_tile tile, F f)
{
  switch (tile) {
  case NN_CUDA_TILE_128X128:
    return f (tile_128x128 ());
  case NN_CUDA_TILE_64X64:
    return f (tile_64x64 ());
  case NN_CUDA_TILE_64X32:
    return f (tile_64x32 ());
  case NN_CUDA_TILE_32X64:
    return f (tile_32x64 ());
  default:
    return f (tile_32x32 ());
  }
}

/* Whether rows of A and columns of B are whole chunks of 16 bytes. */
static bool
has_whole_chunks (const nn_cuda_product_args *args)
{
  const problem_t &p = args->problem;
  bool whole = p.a_column == 1 && p.b_row == 1 && p.k % 8 == 0 && p.a_row % 8 == 0 && p.b_column % 8 == 0
               && is_aligned (args->a) && is_aligned (args->b);
  for (int i = 0; i < p.n_batch; i++)
    whole = whole && p.batch[i].a % 8 == 0 && p.batch[i].b % 8 == 0;
  return whole;
}

template <typename T, typename S>
static cudaError_t
allow_shared ()
{
  cudaError_t result = cudaFuncSetAttribute (multiply_halves<T, S, true>,
                                             cudaFuncAttributeMaxDynamicSharedMemorySize, S::shared_bytes);
  return result != cudaSuccess ? result
                               : cudaFuncSetAttribute (multiply_halves<T, tile_64x64, false>,
                                                       cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                       tile_64x64::shared_bytes);
}

extern "C" bool
nn_cuda_product_has_tile (nn_dtype dtype, nn_cuda_product_tile tile, size_t shared_bytes)
{
  if (dtype == NN_F32)
    return tile == NN_CUDA_TILE_64X64 || tile == NN_CUDA_TILE_32X32;
  bool has = false;
  with_tile (tile, [&] (auto shape) {
    typedef decltype (shape) S;
    has = (size_t) S::shared_bytes <= shared_bytes
          && (dtype == NN_F16 ? allow_shared<__half, S> () : allow_shared<__nv_bfloat16, S> ()) == cudaSuccess;
  });
  if (!has)
    cudaGetLastError (); /* so that the next launch is not blamed */
  return has;
}

extern "C" int64_t
nn_cuda_product_blocks (const nn_cuda_product_problem *p, nn_cuda_product_tile tile)
{
  int64_t blocks = 0;
  with_tile (tile, [&] (auto shape) {
    blocks = (p->m + shape.rows - 1) / shape.rows * ((p->n + shape.columns - 1) / shape.columns);
  });
  for (int i = 0; i < p->n_batch; i++)
    blocks *= p->batch[i].n;
  return blocks;
}

template <typename T>
static void
launch_halves (const nn_cuda_product_args *args, nn_cuda_product_tile tile, cudaStream_t stream)
{
  const product_args all = make_args (args);
  if (!has_whole_chunks (args)) {
    unsigned blocks = (unsigned) nn_cuda_product_blocks (&args->problem, NN_CUDA_TILE_64X64);
    multiply_halves<T, tile_64x64, false>
        <<<blocks, tile_64x64::threads, tile_64x64::shared_bytes, stream>>> (all);
    return;
  }
  unsigned blocks = (unsigned) nn_cuda_product_blocks (&args->problem, tile);
  with_tile (tile, [&] (auto shape) {
    typedef decltype (shape) S;
    multiply_halves<T, S, true><<<blocks, S::threads, S::shared_bytes, stream>>> (all);
  });
}

extern "C" void
nn_cuda_launch_product (const nn_cuda_product_args *args, nn_cuda_product_tile tile, cudaStream_t stream)
{
  if (nn_cuda_product_blocks (&args->problem, tile) == 0)
    return;
  if (args->problem.dtype == NN_F16)
    launch_halves<__half> (args, tile, stream);
  else if (args->problem.dtype == NN_BF16)
    launch_halves<__nv_bfloat16> (args, tile, stream);
  else
    nn_cuda_launch_float_product (args, tile, stream);
}
