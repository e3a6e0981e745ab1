/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum for what is no product of matrices: a thread for each element of the result. */
#include "einsum.h"

#include "dtype.cuh"

static __device__ __forceinline__ float
load (const void *data, int64_t i, nn_dtype dtype, float)
{
  return nn_load (data, i, dtype);
}

static __device__ __forceinline__ void
store (void *data, int64_t i, nn_dtype dtype, float x)
{
  nn_store (data, i, dtype, x);
}

template <typename T>
static __device__ __forceinline__ T
load (const void *data, int64_t i, nn_dtype, T)
{
  return ((const T *) data)[i];
}

template <typename T>
static __device__ __forceinline__ void
store (void *data, int64_t i, nn_dtype, T x)
{
  ((T *) data)[i] = x;
}

/* Splits `index` into the places along `rank` dimensions and adds up their strides. */
template <int N>
static __device__ __forceinline__ void
add_strides (int64_t index, int rank, const int64_t *dim, const int64_t (*stride)[N], int64_t (&at)[N])
{
  for (int d = rank - 1; d >= 0; d--) {
    int64_t i = index % dim[d];
    index /= dim[d];
    for (int j = 0; j < N; j++)
      at[j] += i * stride[d][j];
  }
}

/* Integers are unsigned: they wrap. */
template <typename T>
static __global__ void
sum_products (const __grid_constant__ nn_cuda_einsum_loops loops, void *y, const void *a, const void *b,
              int64_t n_terms)
{
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < loops.count;
       i += (int64_t) gridDim.x * blockDim.x) {
    int64_t at[3] = { 0, 0, 0 };
    T sum = 0;
    add_strides<3> (i, loops.rank, loops.dim, loops.stride, at);
    for (int64_t term = 0; term < n_terms; term++) {
      int64_t in[2] = { at[1], at[2] };
      add_strides<2> (term, loops.n_sums, loops.sum_dim, loops.sum_stride, in);
      T factor = loops.n_in > 1 ? load (b, in[1], loops.dtype[2], T ()) : T (1);
      sum += load (a, in[0], loops.dtype[1], T ()) * factor;
    }
    store (y, at[0], loops.dtype[0], sum);
  }
}

template <typename T>
static void
launch (const nn_cuda_einsum_loops *loops, void *y, const void *a, const void *b, cudaStream_t stream)
{
  int64_t blocks = (loops->count + 127) / 128, n_terms = 1;
  for (int i = 0; i < loops->n_sums; i++)
    n_terms *= loops->sum_dim[i];
  if (blocks > 0)
    sum_products<T><<<(unsigned) (blocks < 65536 ? blocks : 65536), 128, 0, stream>>> (*loops, y, a, b, n_terms);
}

extern "C" void
nn_cuda_launch_einsum (const nn_cuda_einsum_loops *loops, void *y, const void *a, const void *b, cudaStream_t stream)
{
  switch (loops->dtype[0]) {
  case NN_F64:
    return launch<double> (loops, y, a, b, stream);
  case NN_I64:
    return launch<unsigned long long> (loops, y, a, b, stream);
  case NN_I32:
    return launch<unsigned> (loops, y, a, b, stream);
  default:
    return launch<float> (loops, y, a, b, stream);
  }
}
