/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of copy.h. copy_parts: a thread a unit, in the order of the result's memory, blocks shared out among the
 * parts. transpose_tiles: by way of shared memory, so that both sides are read and written along their rows.
 */
#include "copy.h"
#include "elements.cuh"

#define THREADS 256

/* ---- units ---- */

template <int N>
struct parts {
  int n;
  uint32_t first_block[N]; /* of each part */
  uint4 element;
  nn_copy_part part[N];
};

template <typename T>
__device__ __forceinline__ void
copy_unit (const nn_copy_part &p, int32_t to, int32_t from, const uint4 &element)
{
  T x = p.from != NULL ? ((const T *) p.from)[from] : *(const T *) &element;
  ((T *) p.to)[to] = x;
}

template <>
__device__ __forceinline__ void
copy_unit<uint4> (const nn_copy_part &p, int32_t to, int32_t from, const uint4 &element)
{
  ((uint4 *) p.to)[to] = p.from != NULL ? ((const uint4 *) p.from)[from] : element;
}

/* Four elements side by side. */
__device__ __forceinline__ float4
load_four (const void *data, int64_t i, nn_dtype dtype)
{
  if (dtype == NN_F32)
    return ((const float4 *) data)[i];
  uint2 bits = ((const uint2 *) data)[i];
  float2 low, high;
  if (dtype == NN_F16) {
    low = __half22float2 (*(const __half2 *) &bits.x);
    high = __half22float2 (*(const __half2 *) &bits.y);
  } else {
    low = __bfloat1622float2 (*(const __nv_bfloat162 *) &bits.x);
    high = __bfloat1622float2 (*(const __nv_bfloat162 *) &bits.y);
  }
  return make_float4 (low.x, low.y, high.x, high.y);
}

template <typename T>
__device__ __forceinline__ uint2
narrow_four (float4 x)
{
  T part[4] = { nn_from_float<T> (x.x), nn_from_float<T> (x.y), nn_from_float<T> (x.z), nn_from_float<T> (x.w) };
  uint2 bits;
  memcpy (&bits, part, sizeof bits);
  return bits;
}

__device__ __forceinline__ void
store_four (void *data, int64_t i, nn_dtype dtype, float4 x)
{
  if (dtype == NN_F32)
    ((float4 *) data)[i] = x;
  else
    ((uint2 *) data)[i] = dtype == NN_F16 ? narrow_four<__half> (x) : narrow_four<__nv_bfloat16> (x);
}

__device__ __forceinline__ void
convert_unit (const nn_copy_part &p, int32_t to, int32_t from)
{
  if (p.width == 4)
    store_four (p.to, to, p.to_type, load_four (p.from, from, p.from_type));
  else
    nn_store (p.to, to, p.to_type, nn_load (p.from, from, p.from_type));
}

/* The branches are the same for all threads of a block. */
template <int N>
static __global__ void __launch_bounds__ (THREADS)
copy_parts (const __grid_constant__ parts<N> m)
{
  int k = 0;
  while (k + 1 < m.n && blockIdx.x >= m.first_block[k + 1])
    k++;
  const nn_copy_part &p = m.part[N == 1 ? 0 : k];
  uint32_t unit = (blockIdx.x - m.first_block[N == 1 ? 0 : k]) * THREADS + threadIdx.x;
  int32_t at[2];
  if (unit >= p.units)
    return;
  nn_walk_to<2> (p.walk, unit, at);
  if (p.to_type != NN_DTYPE_NONE)
    convert_unit (p, at[0], at[1]);
  else if (p.width == 16)
    copy_unit<uint4> (p, at[0], at[1], m.element);
  else if (p.width == 8)
    copy_unit<uint64_t> (p, at[0], at[1], m.element);
  else if (p.width == 4)
    copy_unit<uint32_t> (p, at[0], at[1], m.element);
  else if (p.width == 2)
    copy_unit<uint16_t> (p, at[0], at[1], m.element);
  else
    copy_unit<uint8_t> (p, at[0], at[1], m.element);
}

template <int N>
static void
launch_parts (const nn_copies *copies)
{
  parts<N> m;
  uint32_t blocks = 0;
  m.n = copies->n;
  memcpy (&m.element, copies->element, sizeof m.element);
  for (int i = 0; i < copies->n; i++) {
    m.part[i] = copies->part[i];
    m.first_block[i] = blocks;
    blocks += (copies->part[i].units + THREADS - 1) / THREADS;
  }
  copy_parts<N><<<blocks, THREADS, 0, copies->stream>>> (m);
}

static_assert (sizeof (parts<NN_COPY_PARTS>) <= 4096, "kernels have parameters of up to 4 KB");

void
nn_cuda_launch_copies (const nn_copies *copies)
{
  if (copies->n == 1)
    launch_parts<1> (copies);
  else if (copies->n <= 4)
    launch_parts<4> (copies);
  else
    launch_parts<NN_COPY_PARTS> (copies);
}

/* ---- transpositions ---- */

#define LANES 32
#define WARPS 8

/* V elements that are read and written at once. */
template <typename T, int V>
struct alignas (sizeof (T) * V) pack {
  T at[V];
};

template <typename To, typename From>
__device__ __forceinline__ To
convert (From x)
{
  if constexpr (sizeof (To) == sizeof (From))
    return x;
  else
    return nn_from_float<To> (nn_to_float (x));
}

/* A block moves a tile of 32 V by 32 V elements; V = 1 also takes what is not a multiple of it. */
template <typename To, typename From, int V>
static __global__ void __launch_bounds__ (LANES *WARPS)
transpose_tiles (const __grid_constant__ nn_transposition t, int64_t row_tiles, int64_t column_tiles)
{
  constexpr int side = LANES * V;
  __shared__ To tile[side][side + V]; /* [row][column] of the operand */
  int64_t block = blockIdx.x, i0 = block % row_tiles * side, j0 = block / row_tiles % column_tiles * side;
  int64_t b = block / row_tiles / column_tiles, to_base = 0, from_base = 0;
  for (int d = 0; d < t.batch_rank; d++) {
    int64_t at = b % t.batch[d];
    to_base += at * t.to_batch_stride[d];
    from_base += at * t.from_batch_stride[d];
    b /= t.batch[d];
  }
  const From *from = (const From *) t.from + from_base;
  To *to = (To *) t.to + to_base;
  const int lane = threadIdx.x * V;
#pragma unroll
  for (int r = threadIdx.y; r < side; r += WARPS) {
    if (i0 + r >= t.rows || j0 + lane >= t.columns)
      continue;
    pack<From, V> x = *(const pack<From, V> *) (from + (i0 + r) * t.from_stride + j0 + lane);
    for (int v = 0; v < V; v++)
      tile[r][lane + v] = convert<To> (x.at[v]);
  }
  __syncthreads ();
#pragma unroll
  for (int c = threadIdx.y; c < side; c += WARPS) {
    if (j0 + c >= t.columns || i0 + lane >= t.rows)
      continue;
    pack<To, V> y;
    for (int v = 0; v < V; v++)
      y.at[v] = tile[lane + v][c];
    *(pack<To, V> *) (to + (j0 + c) * t.to_stride + i0 + lane) = y;
  }
}

static int64_t
tiles_of (const nn_transposition *t, int64_t side)
{
  int64_t n = ((t->rows + side - 1) / side) * ((t->columns + side - 1) / side);
  for (int d = 0; d < t->batch_rank; d++)
    n *= t->batch[d];
  return n;
}

template <typename To, typename From, int V>
static void
launch_tiles (const nn_transposition *t, cudaStream_t stream)
{
  const int64_t side = LANES * V;
  transpose_tiles<To, From, V><<<(unsigned) tiles_of (t, side), dim3 (LANES, WARPS), 0, stream>>> (
      *t, (t->rows + side - 1) / side, (t->columns + side - 1) / side);
}

/* Whether all rows on both sides begin where two elements can be read at once. */
static bool
goes_by_two (const nn_transposition *t, size_t to_size, size_t from_size)
{
  int64_t odd = t->rows | t->columns | t->from_stride | t->to_stride;
  for (int d = 0; d < t->batch_rank; d++)
    odd |= t->to_batch_stride[d] | t->from_batch_stride[d];
  return odd % 2 == 0 && (uintptr_t) t->to % (2 * to_size) == 0 && (uintptr_t) t->from % (2 * from_size) == 0;
}

/* Larger tiles only where there are enough of them for all multiprocessors. */
template <typename To, typename From>
static void
launch_transposition (const nn_transposition *t, cudaStream_t stream)
{
  if (tiles_of (t, 2 * LANES) >= 512 && goes_by_two (t, sizeof (To), sizeof (From)))
    launch_tiles<To, From, 2> (t, stream);
  else
    launch_tiles<To, From, 1> (t, stream);
}

bool
nn_cuda_can_transpose (nn_dtype from_type, nn_dtype to_type)
{
  int size = nn_element_size (to_type);
  return from_type == to_type ? size == 1 || size == 2 || size == 4 || size == 8
                              : nn_element_size (from_type) != size; /* half to half of the other kind is rare */
}

void
nn_cuda_launch_transposition (const nn_transposition *t, cudaStream_t stream)
{
  int size = nn_element_size (t->to_type);
  if (t->from_type == t->to_type && size == 1)
    launch_tiles<uint8_t, uint8_t, 1> (t, stream);
  else if (t->from_type == t->to_type && size == 2)
    launch_transposition<uint16_t, uint16_t> (t, stream);
  else if (t->from_type == t->to_type && size == 4)
    launch_transposition<uint32_t, uint32_t> (t, stream);
  else if (t->from_type == t->to_type)
    launch_tiles<uint64_t, uint64_t, 1> (t, stream);
  else if (t->to_type == NN_F16)
    launch_transposition<__half, float> (t, stream);
  else if (t->to_type == NN_BF16)
    launch_transposition<__nv_bfloat16, float> (t, stream);
  else if (t->from_type == NN_F16)
    launch_transposition<float, __half> (t, stream);
  else
    launch_transposition<float, __nv_bfloat16> (t, stream);
}

/* ---- elements on the host ---- */

static float
load_on_host (const void *from, nn_dtype dtype)
{
  if (dtype == NN_F16)
    return __half2float (*(const __half *) from);
  if (dtype == NN_BF16)
    return __bfloat162float (*(const __nv_bfloat16 *) from);
  return *(const float *) from;
}

void
nn_cuda_convert_element (void *to, nn_dtype to_type, const void *from, nn_dtype from_type)
{
  if (to_type == from_type) {
    memcpy (to, from, (size_t) nn_element_size (to_type));
    return;
  }
  float x = load_on_host (from, from_type);
  if (to_type == NN_F16)
    *(__half *) to = __float2half_rn (isinf (x) ? x : fminf (fmaxf (x, -65504.0f), 65504.0f) + (x - x));
  else if (to_type == NN_BF16)
    *(__nv_bfloat16 *) to = __float2bfloat16_rn (x);
  else
    *(float *) to = x;
}
