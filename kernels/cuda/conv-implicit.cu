/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution as a product of matrices whose left one is never written out: pixels of y times the depth (taps, then
 * input channels). A block makes BM pixels of BN channels in steps of BK of the depth, which come into shared memory
 * STAGES - 1 steps ahead (cp.async); a warp multiplies WM × WN of it by mma.m16n8k16. Rows in shared memory are
 * BK elements, in chunks of 8 that are swapped so that ldmatrix meets no bank twice.
 */
#include "conv.h"

#include "activation.cuh"
#include "dtype.cuh"
#include "mma.cuh"

namespace {

struct arguments {
  const void *x, *w, *residual;
  const float *bias;
  void *y;
  int pixels, depth, pitch;            /* rows of the product; kh kw inputs; that rounded up: a row of w */
  int in_height, in_width, inputs;     /* inputs: of one group */
  int area, out_width, outputs;
  int x_pitch;
  int64_t y_pitch, residual_pitch;
  int kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int channel_tiles;
  bool wide; /* 8 channels of y, residual and bias can be moved at once */
  nn_activation activation;
};

template <typename Type, int M, int N, int K, int WARP_M, int WARP_N, int STAGE_COUNT>
struct tile {
  typedef Type T;
  enum {
    BM = M, BN = N, BK = K, WM = WARP_M, WN = WARP_N, STAGES = STAGE_COUNT,
    WARPS_N = BN / WN, WARPS = BM / WM * WARPS_N, THREADS = 32 * WARPS,
    CHUNKS = BK / 8, ROWS = THREADS / CHUNKS, /* of a stage that all threads load at once */
    A_LOADS = BM / ROWS, B_LOADS = BN / ROWS,
    STAGE = (BM + BN) * BK, /* elements; A's rows, then B's */
    SLAB = WN + 8,          /* a row of what a warp puts together at the end: floats */
    PIPE_BYTES = STAGES * STAGE * 2, END_BYTES = WARPS * 16 * SLAB * 4,
    SHARED_BYTES = PIPE_BYTES > END_BYTES ? PIPE_BYTES : END_BYTES,
  };
  static_assert (BK == 32 || BK == 64, "at () knows these");
  static_assert (BM % ROWS == 0 && BN % ROWS == 0 && WM % 16 == 0 && WN % 16 == 0, "whole loads and fragments");

  /* Where a chunk of a row lies. */
  static __device__ __forceinline__ int
  at (int row, int chunk)
  {
    return row * BK + (chunk ^ (BK == 64 ? row & 7 : row >> 1 & 3)) * 8;
  }
};

/* Where in the depth a thread's next chunk begins. */
struct place {
  int r, s, c;

  __device__ __forceinline__ void
  advance (const arguments &g, int by)
  {
    c += by;
    while (c >= g.inputs) {
      c -= g.inputs;
      if (++s == g.kw) {
        s = 0;
        r++;
      }
    }
  }
};

/* What a thread loads in every step: chunk `chunk` of the rows `row`, `row` + ROWS … of both operands. */
template <typename P>
struct loader {
  const typename P::T *x, *w;
  int row, chunk, step;
  int image[P::A_LOADS], top[P::A_LOADS], left[P::A_LOADS]; /* of each row's window */
  int channels;                                             /* of B's rows, those that there are */
  place next;

  __device__ __forceinline__ void
  start (const arguments &g, int first_pixel, int first_channel, int group)
  {
    row = threadIdx.x / P::CHUNKS;
    chunk = threadIdx.x % P::CHUNKS;
    step = 0;
    x = (const typename P::T *) g.x + group * g.inputs;
    w = (const typename P::T *) g.w + (int64_t) (group * g.outputs + first_channel) * g.pitch;
    channels = g.outputs - first_channel;
    next = { 0, 0, 0 };
    next.advance (g, chunk * 8);
#pragma unroll
    for (int i = 0; i < P::A_LOADS; i++) {
      const int pixel = first_pixel + row + i * P::ROWS, n = pixel / g.area, at = pixel - n * g.area;
      image[i] = n * g.in_height * g.in_width;
      top[i] = pixel < g.pixels ? at / g.out_width * g.stride_h - g.pad_top : -(1 << 30);
      left[i] = at % g.out_width * g.stride_w - g.pad_left;
    }
  }

  __device__ __forceinline__ bool
  find (const arguments &g, int i, const place &p, int *offset) const
  {
    const int ih = top[i] + p.r * g.dilation_h, iw = left[i] + p.s * g.dilation_w;
    const bool there = p.r < g.kh && (unsigned) ih < (unsigned) g.in_height && (unsigned) iw < (unsigned) g.in_width;
    *offset = there ? (image[i] + ih * g.in_width + iw) * g.x_pitch + p.c : 0;
    return there;
  }

  /* A's elements one by one: where a chunk is not of one tap. */
  __device__ __forceinline__ void
  gather (const arguments &g, typename P::T *a) const
  {
    place p = next;
    for (int e = 0; e < 8; e++) {
#pragma unroll
      for (int i = 0; i < P::A_LOADS; i++) {
        int offset;
        const bool there = find (g, i, p, &offset);
        a[P::at (row + i * P::ROWS, chunk) + e] = there ? x[offset] : nn_from_float<typename P::T> (0.0f);
      }
      p.advance (g, 1);
    }
  }

  template <bool WHOLE>
  __device__ __forceinline__ void
  load (const arguments &g, typename P::T *stage)
  {
    typename P::T *b = stage + P::BM * P::BK;
    const int k = step + chunk * 8;
    if (WHOLE) {
#pragma unroll
      for (int i = 0; i < P::A_LOADS; i++) {
        int offset;
        const bool there = find (g, i, next, &offset);
        copy_later (stage + P::at (row + i * P::ROWS, chunk), x + offset, there);
      }
    } else {
      gather (g, stage);
    }
#pragma unroll
    for (int i = 0; i < P::B_LOADS; i++) {
      const int n = row + i * P::ROWS;
      const bool there = n < channels && k < g.pitch;
      copy_later (b + P::at (n, chunk), there ? w + (int64_t) n * g.pitch + k : (const typename P::T *) g.w, there);
    }
    step += P::BK;
    next.advance (g, P::BK);
  }
};

/* A warp's part of the product of one stage. */
template <typename P>
__device__ __forceinline__ void
multiply_stage (const typename P::T *stage, int warp_m, int warp_n, float (&sum)[P::WM / 16][P::WN / 8][4])
{
  const typename P::T *b_stage = stage + P::BM * P::BK;
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int k = 0; k < P::BK / 8; k += 2) {
    uint32_t a[P::WM / 16][4], b[P::WN / 16][4];
#pragma unroll
    for (int i = 0; i < P::WM / 16; i++)
      load_matrices (a[i], stage + P::at (warp_m * P::WM + i * 16 + lane % 16, k + lane / 16));
#pragma unroll
    for (int j = 0; j < P::WN / 16; j++)
      load_matrices (b[j], b_stage + P::at (warp_n * P::WN + j * 16 + lane % 8 + lane / 16 * 8, k + lane / 8 % 2));
#pragma unroll
    for (int i = 0; i < P::WM / 16; i++)
#pragma unroll
      for (int j = 0; j < P::WN / 8; j++)
        mma (sum[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1], typename P::T ());
  }
}

__device__ __forceinline__ void
load_floats (const float *from, float (&to)[8])
{
  const float4 low = *(const float4 *) from, high = *(const float4 *) (from + 4);
  to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
  to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}

/* Up to 8 neighbouring channels of pixel `p`, of which there are `n`; all where they are moved at once. */
template <typename T>
__device__ __forceinline__ void
finish (const arguments &g, const float *from, int p, int channel, int n)
{
  const int64_t at = p * g.y_pitch + channel;
  __align__ (16) T out[8] = {};
  const T *residual = g.residual != NULL ? (const T *) g.residual + p * g.residual_pitch + channel : NULL;
  float v[8], bias[8] = {};
  load_floats (from, v);
  if (g.wide) {
    if (g.bias != NULL)
      load_floats (g.bias + channel, bias);
    if (residual != NULL)
      *(uint4 *) out = *(const uint4 *) residual;
  } else {
    for (int e = 0; e < 8; e++)
      if (e < n) {
        bias[e] = g.bias != NULL ? g.bias[channel + e] : 0.0f;
        out[e] = residual != NULL ? residual[e] : nn_from_float<T> (0.0f);
      }
  }
#pragma unroll
  for (int e = 0; e < 8; e++)
    v[e] += bias[e] + nn_to_float (out[e]);
  nn_activate_each (v, g.activation);
#pragma unroll
  for (int e = 0; e < 8; e++)
    out[e] = nn_from_float<T> (v[e]);
  if (g.wide)
    *(uint4 *) ((T *) g.y + at) = *(const uint4 *) out;
  else
    for (int e = 0; e < 8; e++)
      if (e < n)
        ((T *) g.y)[at + e] = out[e];
}

/* Puts the warp's sums together, 16 pixels at a time, so that neighbours in memory are written at once. */
template <typename P>
__device__ __forceinline__ void
store_sums (const arguments &g, float *slab, int pixel, int group, int first,
            const float (&sum)[P::WM / 16][P::WN / 8][4])
{
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < P::WM / 16; i++) {
#pragma unroll
    for (int j = 0; j < P::WN / 8; j++) {
      float *to = slab + lane / 4 * P::SLAB + j * 8 + lane % 4 * 2;
      *(float2 *) to = make_float2 (sum[i][j][0], sum[i][j][1]);
      *(float2 *) (to + 8 * P::SLAB) = make_float2 (sum[i][j][2], sum[i][j][3]);
    }
    __syncwarp ();
    for (int at = lane; at < 16 * P::WN / 8; at += 32) {
      const int row = at / (P::WN / 8), column = at % (P::WN / 8) * 8;
      const int p = pixel + i * 16 + row, left = g.outputs - first - column;
      const int channel = group * g.outputs + first + column;
      if (p < g.pixels && left > 0)
        finish<typename P::T> (g, slab + row * P::SLAB + column, p, channel, left < 8 ? left : 8);
    }
    __syncwarp ();
  }
}

template <typename P, bool WHOLE>
__global__ void __launch_bounds__ (P::THREADS)
convolve (const arguments g)
{
  extern __shared__ __align__ (128) unsigned char shared[];
  typename P::T *stages = (typename P::T *) shared;
  const int group = blockIdx.y, first_channel = blockIdx.x % g.channel_tiles * P::BN;
  const int first_pixel = blockIdx.x / g.channel_tiles * P::BM;
  const int warp = threadIdx.x / 32, warp_m = warp / P::WARPS_N, warp_n = warp % P::WARPS_N;
  const int steps = (g.depth + P::BK - 1) / P::BK;
  float sum[P::WM / 16][P::WN / 8][4] = {};
  loader<P> loads;
  loads.start (g, first_pixel, first_channel, group);
#pragma unroll
  for (int i = 0; i < P::STAGES - 1; i++) {
    if (i < steps)
      loads.template load<WHOLE> (g, stages + i * P::STAGE);
    end_copies ();
  }
  for (int i = 0; i < steps; i++) {
    wait_for_copies<P::STAGES - 2> ();
    __syncthreads (); /* stage i is there, and nobody reads stage i - 1 any more */
    if (i + P::STAGES - 1 < steps)
      loads.template load<WHOLE> (g, stages + (i + P::STAGES - 1) % P::STAGES * P::STAGE);
    end_copies ();
    multiply_stage<P> (stages + i % P::STAGES * P::STAGE, warp_m, warp_n, sum);
  }
  wait_for_copies<0> ();
  __syncthreads ();
  store_sums<P> (g, (float *) shared + warp * 16 * P::SLAB, first_pixel + warp_m * P::WM, group,
                 first_channel + warp_n * P::WN, sum);
}

/* All tiles of a type, as nn_cuda_conv_tile_of() numbers them. */
template <typename T, template <typename> class Action, typename... Args>
void
with_tile (int number, Args... args)
{
  switch (number) {
    case 0:
      return Action<tile<T, 128, 128, 32, 64, 32, 4>>::run (args...);
    case 1:
      return Action<tile<T, 128, 64, 32, 64, 32, 4>>::run (args...);
    case 2:
      return Action<tile<T, 64, 128, 32, 32, 64, 4>>::run (args...);
    case 3:
      return Action<tile<T, 64, 64, 64, 32, 32, 3>>::run (args...);
    case 4:
      return Action<tile<T, 64, 32, 64, 16, 32, 4>>::run (args...);
    default:
      return Action<tile<T, 32, 32, 64, 16, 16, 4>>::run (args...);
  }
}

template <typename P>
struct describe {
  static void
  run (nn_cuda_conv_tile *tile)
  {
    *tile = { P::BM, P::BN, P::SHARED_BYTES };
  }
};

template <typename P>
struct set_up {
  static void
  run (cudaError_t *result)
  {
    *result = cudaFuncSetAttribute (convolve<P, true>, cudaFuncAttributeMaxDynamicSharedMemorySize, P::SHARED_BYTES);
    if (*result == cudaSuccess)
      *result
          = cudaFuncSetAttribute (convolve<P, false>, cudaFuncAttributeMaxDynamicSharedMemorySize, P::SHARED_BYTES);
  }
};

template <typename P>
struct launch {
  static void
  run (arguments *g, int groups, cudaStream_t stream)
  {
    g->channel_tiles = (g->outputs + P::BN - 1) / P::BN;
    const dim3 grid ((unsigned) ((g->pixels + P::BM - 1) / P::BM) * (unsigned) g->channel_tiles, (unsigned) groups);
    if (g->inputs % 8 == 0)
      convolve<P, true><<<grid, P::THREADS, P::SHARED_BYTES, stream>>> (*g);
    else
      convolve<P, false><<<grid, P::THREADS, P::SHARED_BYTES, stream>>> (*g);
  }
};

bool
is_aligned (const void *p)
{
  return (uintptr_t) p % 16 == 0;
}

} // namespace

nn_cuda_conv_tile
nn_cuda_conv_tile_of (int number)
{
  nn_cuda_conv_tile result;
  with_tile<__half, describe> (number, &result);
  return result;
}

cudaError_t
nn_cuda_conv_implicit_set_up (int number, nn_dtype dtype)
{
  cudaError_t result = cudaSuccess;
  if (dtype == NN_F16)
    with_tile<__half, set_up> (number, &result);
  else
    with_tile<__nv_bfloat16, set_up> (number, &result);
  return result;
}

void
nn_cuda_launch_conv_implicit (const nn_cuda_conv_shape *s, const nn_cuda_conv_data *data, int64_t pitch,
                              nn_dtype dtype, const nn_activation *activation, int number, cudaStream_t stream)
{
  const int64_t inputs = s->in_channels / s->groups, outputs = s->out_channels / s->groups;
  arguments g = { data->x, data->w, data->residual, (const float *) data->bias, data->y };
  g.pixels = (int) (s->batch * s->out_height * s->out_width);
  g.depth = (int) (s->kh * s->kw * inputs);
  g.pitch = (int) pitch;
  g.in_height = (int) s->in_height;
  g.in_width = (int) s->in_width;
  g.inputs = (int) inputs;
  g.area = (int) (s->out_height * s->out_width);
  g.out_width = (int) s->out_width;
  g.outputs = (int) outputs;
  g.x_pitch = (int) s->x_pitch;
  g.y_pitch = s->y_pitch;
  g.residual_pitch = s->residual_pitch;
  g.kh = (int) s->kh;
  g.kw = (int) s->kw;
  g.stride_h = (int) s->stride_h;
  g.stride_w = (int) s->stride_w;
  g.dilation_h = (int) s->dilation_h;
  g.dilation_w = (int) s->dilation_w;
  g.pad_top = (int) s->pad_top;
  g.pad_left = (int) s->pad_left;
  g.wide = outputs % 8 == 0 && s->y_pitch % 8 == 0 && (data->residual == NULL || s->residual_pitch % 8 == 0)
           && is_aligned (data->y) && is_aligned (data->residual) && is_aligned (data->bias);
  g.activation = *activation;
  if (g.pixels == 0)
    return;
  if (dtype == NN_F16)
    with_tile<__half, launch> (number, &g, (int) s->groups, stream);
  else
    with_tile<__nv_bfloat16, launch> (number, &g, (int) s->groups, stream);
}
