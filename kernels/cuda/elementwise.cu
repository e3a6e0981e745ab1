/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each thread takes a group of neighbouring elements at a time: it loads the group of every input before it
 * waits for any, and asks once for the whole group what to compute. */
#include "elementwise.h"

#include "dtype.cuh"
#include "function.cuh"

/* ---- a group in memory: up to four bytes an element, as they are ---- */

template <int N>
__device__ __forceinline__ void
load_words (const char *at, uint32_t *words)
{
  if constexpr (N % 4 == 0) {
#pragma unroll
    for (int i = 0; i < N; i += 4) {
      const uint4 v = *(const uint4 *) (at + 4 * i);
      words[i] = v.x;
      words[i + 1] = v.y;
      words[i + 2] = v.z;
      words[i + 3] = v.w;
    }
  } else if constexpr (N == 2) {
    const uint2 v = *(const uint2 *) at;
    words[0] = v.x;
    words[1] = v.y;
  } else {
    words[0] = *(const uint32_t *) at;
  }
}

template <int N>
__device__ __forceinline__ void
store_words (char *at, const uint32_t *words)
{
  if constexpr (N % 4 == 0) {
#pragma unroll
    for (int i = 0; i < N; i += 4)
      *(uint4 *) (at + 4 * i) = make_uint4 (words[i], words[i + 1], words[i + 2], words[i + 3]);
  } else if constexpr (N == 2) {
    *(uint2 *) at = make_uint2 (words[0], words[1]);
  } else {
    *(uint32_t *) at = words[0];
  }
}

template <int V>
__device__ __forceinline__ void
fetch (const char *at, nn_dtype dtype, bool repeats, uint32_t (&words)[V])
{
  if constexpr (V > 1)
    if (!repeats) {
      if (dtype == NN_F32)
        load_words<V> (at, words);
      else if (dtype == NN_BOOL)
        load_words<V / 4> (at, words);
      else
        load_words<V / 2> (at, words);
      return;
    }
  if (dtype == NN_F32)
    words[0] = *(const uint32_t *) at;
  else if (dtype == NN_BOOL)
    words[0] = *(const uint8_t *) at;
  else
    words[0] = *(const uint16_t *) at;
}

template <int V>
__device__ __forceinline__ void
unpack (const uint32_t (&words)[V], nn_dtype dtype, bool repeats, float (&x)[V])
{
#pragma unroll
  for (int i = 0; i < V; i++) {
    if (dtype == NN_F32)
      x[i] = __uint_as_float (words[i]);
    else if (dtype == NN_F16)
      x[i] = __half2float (__ushort_as_half ((unsigned short) (words[i / 2] >> (i % 2 * 16))));
    else if (dtype == NN_BF16)
      x[i] = __uint_as_float (i % 2 == 0 ? words[i / 2] << 16 : words[i / 2] & 0xffff0000u);
    else
      x[i] = (float) (words[i / 4] >> (i % 4 * 8) & 0xff);
    if (repeats)
      x[i] = x[0];
  }
}

__device__ __forceinline__ uint32_t
half_bits (float x, nn_dtype dtype)
{
  return dtype == NN_F16 ? __half_as_ushort (nn_from_float<__half> (x))
                         : __bfloat16_as_ushort (nn_from_float<__nv_bfloat16> (x));
}

template <int V>
__device__ __forceinline__ void
put (char *at, nn_dtype dtype, const float (&y)[V])
{
  uint32_t words[V] = {};
  if (dtype == NN_F32) {
#pragma unroll
    for (int i = 0; i < V; i++)
      words[i] = __float_as_uint (y[i]);
    store_words<V> (at, words);
  } else if (dtype == NN_BOOL) {
#pragma unroll
    for (int i = 0; i < V; i++)
      words[i / 4] |= (uint32_t) (y[i] != 0) << (i % 4 * 8);
    if constexpr (V == 1)
      *(uint8_t *) at = (uint8_t) words[0];
    else
      store_words<V / 4> (at, words);
  } else {
#pragma unroll
    for (int i = 0; i < V; i++)
      words[i / 2] |= half_bits (y[i], dtype) << (i % 2 * 16);
    if constexpr (V == 1)
      *(uint16_t *) at = (uint16_t) words[0];
    else
      store_words<V / 2> (at, words);
  }
}

/* ---- programs ---- */

template <typename C, int V>
struct alignas (sizeof (C) * V) pack {
  C x[V];
};

template <typename C, int V>
__device__ __forceinline__ pack<C, V>
operand (const pack<C, V> *registers, int pitch, int index, float value)
{
  pack<C, V> p;
  if (index != NN_STEP_VALUE)
    return registers[index * pitch];
#pragma unroll
  for (int i = 0; i < V; i++)
    p.x[i] = (C) value;
  return p;
}

/* Register i lies at registers[i * pitch]; those of the inputs are filled. */
template <typename C, int V>
__device__ __forceinline__ pack<C, V>
interpret (const nn_program &program, pack<C, V> *registers, int pitch)
{
  pack<C, V> r;
  for (int k = 0; k < program.n_steps; k++) {
    const nn_step &s = program.step[k];
    const pack<C, V> a = operand (registers, pitch, s.a, s.alpha);
    if (s.function < NN_FUNCTION_ADD) {
      map (s, a.x, r.x);
    } else {
      const pack<C, V> b = operand (registers, pitch, s.b, s.beta);
      if (s.function == NN_FUNCTION_WHERE)
        choose (a.x, b.x, registers[s.c * pitch].x, r.x);
      else
        combine (s, a.x, b.x, r.x);
    }
    registers[(program.n_in + k) * pitch] = r;
  }
  return r;
}

/* Where group number `group` of each tensor begins. */
template <int N>
__device__ __forceinline__ void
seek (const nn_walk &walk, uint32_t group, char *(&at)[N])
{
#pragma unroll
  for (int t = 0; t < N; t++)
    at[t] = t < walk.n ? walk.data[t] : nullptr;
  for (int d = 0; d < walk.rank; d++) {
    const nn_divisor &by = walk.dim[d];
    const uint32_t quotient = d + 1 < walk.rank ? (__umulhi (group, by.factor) + group) >> by.shift : 0;
    const int64_t index = group - quotient * by.size;
#pragma unroll
    for (int t = 0; t < N; t++)
      if (t < walk.n)
        at[t] += index * walk.stride[d][t];
    group = quotient;
  }
}

/* Fetches N inputs from number `first` on, then makes numbers of them. */
template <int V, int N, int M>
__device__ __forceinline__ void
read (const nn_walk &walk, char *const (&at)[M], int first, float (&x)[N][V])
{
  uint32_t words[N][V];
#pragma unroll
  for (int t = 0; t < N; t++)
    if (first + t + 1 < walk.n)
      fetch (at[first + t + 1], walk.dtype[first + t + 1], walk.repeats[first + t + 1], words[t]);
#pragma unroll
  for (int t = 0; t < N; t++)
    if (first + t + 1 < walk.n)
      unpack (words[t], walk.dtype[first + t + 1], walk.repeats[first + t + 1], x[t]);
}

#define FOR_ALL_GROUPS(group) \
  for (uint32_t group = blockIdx.x * blockDim.x + threadIdx.x; group < walk.groups; group += gridDim.x * blockDim.x)

enum { AT_ONCE = 4 }; /* inputs that are fetched before the first is waited for: more would take too many registers */

/* Registers are in shared memory: [register][thread], each thread's its own. */
template <int V>
__global__ void __launch_bounds__ (NN_PROGRAM_THREADS)
program_kernel (const __grid_constant__ nn_walk walk, const __grid_constant__ nn_program program)
{
  extern __shared__ float4 memory[];
  pack<float, V> *registers = (pack<float, V> *) memory + threadIdx.x;
  FOR_ALL_GROUPS (group) {
    char *at[NN_WALK_MAX];
    seek (walk, group, at);
#pragma unroll
    for (int first = 0; first < NN_PROGRAM_INPUTS; first += AT_ONCE) {
      float x[AT_ONCE][V];
      read (walk, at, first, x);
#pragma unroll
      for (int t = 0; t < AT_ONCE; t++)
        if (first + t < program.n_in)
#pragma unroll
          for (int i = 0; i < V; i++)
            registers[(first + t) * NN_PROGRAM_THREADS].x[i] = x[t][i];
    }
    const pack<float, V> y = interpret (program, registers, NN_PROGRAM_THREADS);
    put (at[0], walk.dtype[0], y.x);
  }
}

template <int N>
__global__ void __launch_bounds__ (NN_PROGRAM_THREADS)
step_kernel (const __grid_constant__ nn_walk walk, const __grid_constant__ nn_program program)
{
  FOR_ALL_GROUPS (group) {
    char *at[1 + N];
    float x[N][NN_STEP_GROUP], y[NN_STEP_GROUP];
    int k = 0;
    seek (walk, group, at);
    read (walk, at, 0, x);
    if constexpr (N == 1) {
      map (program.step[0], x[0], y);
    } else if constexpr (N == 2) {
#pragma unroll
      for (int i = 0; i < N; i++)
        if (program.step[k].function < NN_FUNCTION_ABS && program.step[k].a == i)
          activate (program.step[k++], x[i], x[i]);
      combine (program.step[k], x[0], x[1], y);
    } else {
      choose (x[1], x[2], x[0], y);
    }
    if (program.n_steps > k + 1)
      activate (program.step[k + 1], y, y);
    put (at[0], walk.dtype[0], y);
  }
}

/* ---- float64, and integers ---- */

__device__ __forceinline__ int64_t
load_integer (const char *at, nn_dtype dtype)
{
  switch (dtype) {
    case NN_I64:
      return *(const int64_t *) at;
    case NN_I32:
      return *(const int32_t *) at;
    case NN_I8:
      return *(const int8_t *) at;
    default:
      return *(const uint8_t *) at;
  }
}

__device__ __forceinline__ void
load (const char *at, nn_dtype dtype, int64_t *x)
{
  *x = load_integer (at, dtype);
}

__device__ __forceinline__ void
load (const char *at, nn_dtype dtype, double *x)
{
  if (dtype == NN_F64)
    *x = *(const double *) at;
  else if (dtype == NN_F32 || dtype == NN_F16 || dtype == NN_BF16)
    *x = nn_load (at, 0, dtype);
  else
    *x = (double) load_integer (at, dtype);
}

__device__ __forceinline__ void
store (char *at, nn_dtype dtype, int64_t x)
{
  if (dtype == NN_I64)
    *(int64_t *) at = x;
  else if (dtype == NN_I32)
    *(int32_t *) at = (int32_t) x;
  else
    *(uint8_t *) at = dtype == NN_BOOL ? x != 0 : (uint8_t) x;
}

/* Integers are truncated; what does not fit (NaN too) is as x86 has it: the smallest int64. */
__device__ __forceinline__ void
store (char *at, nn_dtype dtype, double x)
{
  if (dtype == NN_BOOL)
    *(uint8_t *) at = x != 0;
  else
    store (at, dtype, x >= -0x1p63 && x < 0x1p63 ? (int64_t) x : INT64_MIN);
}

/* Numbers of either kind to floating-point ones, by way of float32 to half as the CPU does it. */
template <typename C>
__device__ __forceinline__ void
store_any (char *at, nn_dtype dtype, C x)
{
  if (dtype == NN_F64)
    *(double *) at = (double) x;
  else if (dtype == NN_F32)
    *(float *) at = (float) x;
  else if (dtype == NN_F16)
    *(__half *) at = __float2half_rn ((float) x);
  else if (dtype == NN_BF16)
    *(__nv_bfloat16 *) at = __float2bfloat16_rn ((float) x);
  else
    store (at, dtype, x);
}

template <typename C>
__global__ void __launch_bounds__ (NN_PROGRAM_THREADS)
any_kernel (const __grid_constant__ nn_walk walk, const __grid_constant__ nn_program program)
{
  FOR_ALL_GROUPS (group) {
    char *at[NN_WALK_MAX];
    pack<C, 1> registers[NN_PROGRAM_INPUTS + NN_PROGRAM_STEPS];
    seek (walk, group, at);
#pragma unroll
    for (int t = 0; t < NN_PROGRAM_INPUTS; t++)
      if (t < program.n_in)
        load (at[t + 1], walk.dtype[t + 1], &registers[t].x[0]);
    store_any (at[0], walk.dtype[0], interpret (program, registers, 1).x[0]);
  }
}

/* ---- launchers ---- */

void
nn_cuda_launch_program (const nn_walk *walk, const nn_program *program, int group, int blocks, cudaStream_t stream)
{
  const size_t registers = (size_t) (program->n_in + program->n_steps) * NN_PROGRAM_THREADS * sizeof (float);
  if (group == 1)
    program_kernel<1><<<blocks, NN_PROGRAM_THREADS, registers, stream>>> (*walk, *program);
  else
    program_kernel<NN_PROGRAM_GROUP>
      <<<blocks, NN_PROGRAM_THREADS, registers * NN_PROGRAM_GROUP, stream>>> (*walk, *program);
}

void
nn_cuda_launch_step (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream)
{
  if (program->n_in == 1)
    step_kernel<1><<<blocks, NN_PROGRAM_THREADS, 0, stream>>> (*walk, *program);
  else if (program->n_in == 2)
    step_kernel<2><<<blocks, NN_PROGRAM_THREADS, 0, stream>>> (*walk, *program);
  else
    step_kernel<3><<<blocks, NN_PROGRAM_THREADS, 0, stream>>> (*walk, *program);
}

void
nn_cuda_launch_reals (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream)
{
  any_kernel<double><<<blocks, NN_PROGRAM_THREADS, 0, stream>>> (*walk, *program);
}

void
nn_cuda_launch_integers (const nn_walk *walk, const nn_program *program, int blocks, cudaStream_t stream)
{
  any_kernel<int64_t><<<blocks, NN_PROGRAM_THREADS, 0, stream>>> (*walk, *program);
}
