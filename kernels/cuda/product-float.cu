/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of float32 without tensor cores, where each thread has 4 × 4 sums, and what else stands around products:
 * packing, and the part of a product that cuBLASLt cannot do. */
#include "product.cuh"

#define STEP 16 /* of k */

/* Element (row, i) of a step goes to to[i][row]. */
template <int ROWS, int THREADS>
struct float_rows {
  static constexpr int each = ROWS * STEP / THREADS;
  float x[each];

  __device__ __forceinline__ void
  read (const float *from, int64_t row_step, int64_t column_step, int64_t n_rows, int k0, int k)
  {
#pragma unroll
    for (int i = 0; i < each; i++) {
      int row, column;
      find (i, row_step, &row, &column);
      bool inside = row < n_rows && k0 + column < k;
      x[i] = inside ? from[row * row_step + (k0 + column) * column_step] : 0;
    }
  }

  __device__ __forceinline__ void
  write (float (*to)[ROWS + 4], int64_t row_step) const
  {
#pragma unroll
    for (int i = 0; i < each; i++) {
      int row, column;
      find (i, row_step, &row, &column);
      to[column][row] = x[i];
    }
  }

  /* Threads side by side read what lies side by side. */
  static __device__ __forceinline__ void
  find (int i, int64_t row_step, int *row, int *column)
  {
    int index = threadIdx.x + i * THREADS;
    *row = row_step == 1 ? index % ROWS : index / STEP;
    *column = row_step == 1 ? index / ROWS : index % STEP;
  }
};

template <int SIZE>
static __global__ void __launch_bounds__ (SIZE *SIZE / 16)
multiply_floats (const __grid_constant__ product_args args)
{
  constexpr int threads = SIZE * SIZE / 16, stride = sums_of<SIZE>::stride;
  __shared__ __align__ (16) float as[STEP][SIZE + 4], bs[STEP][SIZE + 4], shared_sums[SIZE * stride];
  const problem_t &p = args.a.problem;
  const place at = find_place<SIZE, SIZE> (p);
  const float *a = (const float *) args.a.a + at.a, *b = (const float *) args.a.b + at.b;
  const int k = (int) p.k, y = threadIdx.x / (SIZE / 4) * 4, x = threadIdx.x % (SIZE / 4) * 4;
  float_rows<SIZE, threads> ra, rb;
  float sums[4][4] = {};
  ra.read (a, p.a_row, p.a_column, p.m - at.row, 0, k);
  rb.read (b, p.b_column, p.b_row, p.n - at.column, 0, k);
  for (int k0 = 0; k0 < k; k0 += STEP) {
    ra.write (as, p.a_row);
    rb.write (bs, p.b_column);
    __syncthreads ();
    ra.read (a, p.a_row, p.a_column, p.m - at.row, k0 + STEP, k);
    rb.read (b, p.b_column, p.b_row, p.n - at.column, k0 + STEP, k);
#pragma unroll
    for (int i = 0; i < STEP; i++) {
      float4 va = *(const float4 *) &as[i][y], vb = *(const float4 *) &bs[i][x];
      const float ea[4] = { va.x, va.y, va.z, va.w }, eb[4] = { vb.x, vb.y, vb.z, vb.w };
      for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++)
          sums[r][c] = fmaf (ea[r], eb[c], sums[r][c]);
    }
    __syncthreads ();
  }
  for (int r = 0; r < 4; r++)
    *(float4 *) (shared_sums + (y + r) * stride + x) = make_float4 (sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
  __syncthreads ();
  finish_tile<SIZE, SIZE, 1, threads> (args, at, shared_sums);
}

/* ---- around the products ---- */

static __global__ void
finish_product (const __grid_constant__ product_args args, int64_t n_runs)
{
  const problem_t &p = args.a.problem;
  const int64_t across = (p.n + 7) / 8;
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < n_runs; i += (int64_t) gridDim.x * blockDim.x) {
    int column = (int) (i % across) * 8;
    int64_t row = i / across % p.m;
    place at;
    add_batch (p, (unsigned) (i / across / p.m), &at);
    float x[8];
    if (args.whole_d)
      load_8 (args.a.d, at.d + row * p.d_row + column, p.result, x);
    else
      for (int j = 0; j < 8; j++)
        x[j] = column + j < p.n ? nn_load (args.a.d, at.d + row * p.d_row + column + j, p.result) : 0;
    finish_8 (args, at, row, column, x);
  }
}

template <typename T>
static __global__ void
pack_matrices (T *packed, const float *b, int64_t count, int64_t rows, int64_t columns, int64_t b_row,
               int64_t b_column)
{
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < count; i += (int64_t) gridDim.x * blockDim.x) {
    int64_t row = i % rows, column = i / rows % columns, matrix = i / rows / columns;
    packed[i] = nn_from_float<T> (b[matrix * rows * columns + row * b_row + column * b_column]);
  }
}

/* Blocks of 256 threads for `n` pieces of work, which go on in strides. */
static unsigned
blocks_for (int64_t n)
{
  int64_t blocks = (n + 255) / 256;
  return (unsigned) (blocks < 65536 ? blocks : 65536);
}

extern "C" void
nn_cuda_launch_float_product (const nn_cuda_product_args *args, nn_cuda_product_tile tile, cudaStream_t stream)
{
  const product_args all = make_args (args);
  unsigned blocks = (unsigned) nn_cuda_product_blocks (&args->problem, tile);
  if (tile == NN_CUDA_TILE_64X64)
    multiply_floats<64><<<blocks, 256, 0, stream>>> (all);
  else
    multiply_floats<32><<<blocks, 64, 0, stream>>> (all);
}

extern "C" void
nn_cuda_launch_product_finish (const nn_cuda_product_args *args, cudaStream_t stream)
{
  const problem_t &p = args->problem;
  int64_t n = p.m * ((p.n + 7) / 8);
  for (int i = 0; i < p.n_batch; i++)
    n *= p.batch[i].n;
  if (n > 0)
    finish_product<<<blocks_for (n), 256, 0, stream>>> (make_args (args), n);
}

extern "C" void
nn_cuda_launch_product_pack (void *packed, nn_dtype dtype, const float *b, int64_t n_matrices, int64_t rows,
                             int64_t columns, int64_t b_row, int64_t b_column, cudaStream_t stream)
{
  int64_t n = n_matrices * rows * columns;
  if (n > 0)
    NN_WITH_FLOAT_TYPE (dtype, T,
                        (pack_matrices<T><<<blocks_for (n), 256, 0, stream>>> ((T *) packed, b, n, rows, columns, b_row,
                                                                                b_column)));
}
