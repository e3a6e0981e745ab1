/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv.h"

#include "activation.cuh"
#include "dtype.cuh"

static int
blocks_for (int64_t items, int threads, int64_t most)
{
  int64_t blocks = (items + threads - 1) / threads;
  return (int) (blocks < most ? blocks : most);
}

/* ---- weights ---- */

template <typename T>
__global__ void
pack (T *packed, const float *w, nn_cuda_conv_shape s, int64_t pitch)
{
  const int64_t inputs = s.in_channels / s.groups, taps = s.kh * s.kw, count = s.out_channels * pitch;
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < count; i += gridDim.x * (int64_t) blockDim.x) {
    const int64_t k = i / pitch, at = i % pitch;
    const bool there = at < taps * inputs;
    packed[i] = nn_from_float<T> (there ? w[(k * inputs + at % inputs) * taps + at / inputs] : 0.0f);
  }
}

void
nn_cuda_launch_conv_pack (void *packed, const float *w, const nn_cuda_conv_shape *shape, int64_t pitch,
                          nn_dtype dtype, cudaStream_t stream)
{
  const int blocks = blocks_for (shape->out_channels * pitch, 256, 1 << 16);
  if (blocks > 0)
    NN_WITH_FLOAT_TYPE (dtype, T, (pack<<<blocks, 256, 0, stream>>> ((T *) packed, w, *shape, pitch)));
}

/* ---- what follows a library's convolution that cannot do it ---- */

enum { ACTIVATE_THREADS = 256, AT_ONCE = 2 }; /* vectors that a thread loads before it waits for the first */

/* ROWS: there are several, of fewer than 2^32 vectors in all. */
template <typename T, bool ROWS>
__global__ void __launch_bounds__ (ACTIVATE_THREADS)
activate (T *y, int64_t rows, int64_t columns, int64_t pitch, nn_activation activation)
{
  enum { N = 16 / sizeof (T) };
  const int64_t each = columns / N, rest = columns % N, step = gridDim.x * (int64_t) (ACTIVATE_THREADS * AT_ONCE);
  const int64_t vectors = rows * each;
  for (int64_t i = blockIdx.x * (int64_t) (ACTIVATE_THREADS * AT_ONCE) + threadIdx.x; i < vectors; i += step) {
    uint4 raw[AT_ONCE], *at[AT_ONCE];
    float x[AT_ONCE * N];
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++) {
      const int64_t v = i + k * ACTIVATE_THREADS;
      const uint32_t row = ROWS ? (uint32_t) v / (uint32_t) each : 0;
      at[k] = (uint4 *) (y + row * pitch) + (v - row * each);
      raw[k] = v < vectors ? *at[k] : make_uint4 (0, 0, 0, 0);
    }
#pragma unroll
    for (int j = 0; j < AT_ONCE * N; j++)
      x[j] = nn_to_float (((const T *) raw)[j]);
    nn_activate_each (x, activation);
#pragma unroll
    for (int j = 0; j < AT_ONCE * N; j++)
      ((T *) raw)[j] = nn_from_float<T> (x[j]);
#pragma unroll
    for (int k = 0; k < AT_ONCE; k++)
      if (i + k * ACTIVATE_THREADS < vectors)
        *at[k] = raw[k];
  }
  for (int64_t i = blockIdx.x * (int64_t) ACTIVATE_THREADS + threadIdx.x; i < rows * rest;
       i += gridDim.x * (int64_t) ACTIVATE_THREADS) {
    T *one = y + i / rest * pitch + each * N + i % rest;
    *one = nn_from_float<T> (nn_activate (nn_to_float (*one), activation));
  }
}

void
nn_cuda_launch_conv_activate (void *y, int64_t rows, int64_t columns, int64_t pitch, nn_dtype dtype,
                              const nn_activation *activation, cudaStream_t stream)
{
  if (pitch == columns) {
    columns *= rows;
    rows = 1;
  }
  const int64_t vectors = (columns * (dtype == NN_F32 ? 4 : 2) + 15) / 16 * rows;
  const int blocks = blocks_for (vectors, ACTIVATE_THREADS * AT_ONCE, 1 << 16);
  if (blocks > 0 && rows == 1)
    NN_WITH_FLOAT_TYPE (dtype, T, (activate<T, false><<<blocks, ACTIVATE_THREADS, 0, stream>>> (
                                      (T *) y, rows, columns, pitch, *activation)));
  else if (blocks > 0)
    NN_WITH_FLOAT_TYPE (dtype, T, (activate<T, true><<<blocks, ACTIVATE_THREADS, 0, stream>>> (
                                      (T *) y, rows, columns, pitch, *activation)));
}

/* ---- timing ---- */

template <typename T>
__global__ void
noise (T *to, int64_t count)
{
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < count; i += gridDim.x * (int64_t) blockDim.x) {
    uint32_t bits = (uint32_t) i * 2654435761u;
    bits = (bits ^ bits >> 15) * 2246822519u;
    bits ^= bits >> 13;
    to[i] = nn_from_float<T> ((float) (bits >> 8) * (2.0f / (1 << 24)) - 1.0f);
  }
}

void
nn_cuda_launch_conv_noise (void *to, int64_t count, nn_dtype dtype, cudaStream_t stream)
{
  const int blocks = blocks_for (count, 256, 4096);
  if (blocks > 0)
    NN_WITH_FLOAT_TYPE (dtype, T, (noise<<<blocks, 256, 0, stream>>> ((T *) to, count)));
}

/* Sums are the same in any order. */
template <typename T>
__global__ void
digest (const T *y, int64_t rows, int64_t columns, int64_t pitch, unsigned long long *sum)
{
  unsigned long long mine = 0;
  for (int64_t i = blockIdx.x * (int64_t) blockDim.x + threadIdx.x; i < rows * columns;
       i += gridDim.x * (int64_t) blockDim.x) {
    const T bits = y[i / columns * pitch + i % columns];
    unsigned long long mixed = ((unsigned long long) i << 32 | bits) * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93u;
    mine += mixed ^ mixed >> 32;
  }
  atomicAdd (sum, mine);
}

void
nn_cuda_launch_conv_digest (const void *y, int64_t rows, int64_t columns, int64_t pitch, nn_dtype dtype,
                            unsigned long long *sum, cudaStream_t stream)
{
  const int blocks = blocks_for (rows * columns, 256, 4096);
  if (blocks > 0 && dtype != NN_F32)
    digest<<<blocks, 256, 0, stream>>> ((const uint16_t *) y, rows, columns, pitch, sum);
  else if (blocks > 0)
    digest<<<blocks, 256, 0, stream>>> ((const uint32_t *) y, rows, columns, pitch, sum);
}

/* ---- any convolution: tiles of pixels times channels of one group, 4 × 4 a thread, through shared memory ---- */

enum { TILE = 64, DEPTH = 16, SIDE = 4, THREADS = (TILE / SIDE) * (TILE / SIDE), LOADS = TILE * DEPTH / THREADS };

/* One tile's share of the problem. */
struct tile_at {
  int64_t group, pixel, channel; /* the first ones; the channel is counted within the group */
};

/* A pixel of y, as x sees it: where its image starts, and the row and column of the filter's first tap. */
struct window_at {
  int64_t image, row, column; /* row: so low that no tap is inside, where there is no such pixel */
};

__device__ static window_at
window_of (const nn_cuda_conv_shape &s, const nn_cuda_conv_strides &strides, int64_t pixel)
{
  const int64_t across = pixel % s.out_width, rest = pixel / s.out_width, down = rest % s.out_height;
  const int64_t n = rest / s.out_height;
  window_at at = { n * strides.x[0], down * s.stride_h - s.pad_top, across * s.stride_w - s.pad_left };
  if (n >= s.batch)
    at.row = -((int64_t) 1 << 40);
  return at;
}

/* Loads both operands' tiles from `depth` on; the depth runs over taps, then over the group's input channels. */
template <typename T>
__device__ static void
load_tiles (const nn_cuda_conv_shape &s, const nn_cuda_conv_strides &strides, const T *x, const T *w,
            const tile_at &tile, const window_at (&window)[LOADS], int64_t depth, float (*a)[TILE + SIDE],
            float (*b)[TILE + SIDE])
{
  const int64_t inputs = s.in_channels / s.groups, outputs = s.out_channels / s.groups;
  const int k = threadIdx.x % DEPTH;
  const int64_t at = depth + k;
  const bool inside = at < s.kh * s.kw * inputs;
  const int64_t tap = inside ? at / inputs : 0, c = inside ? at % inputs : 0, r = tap / s.kw, q = tap % s.kw;
#pragma unroll
  for (int i = 0; i < LOADS; i++) {
    const int row = threadIdx.x / DEPTH + i * (THREADS / DEPTH);
    const int64_t ih = window[i].row + r * s.dilation_h, iw = window[i].column + q * s.dilation_w;
    const bool there = inside && ih >= 0 && ih < s.in_height && iw >= 0 && iw < s.in_width;
    a[k][row] = there ? nn_to_float (x[window[i].image + (tile.group * inputs + c) * strides.x[1]
                                       + ih * strides.x[2] + iw * strides.x[3]])
                      : 0.0f;
    const int64_t channel = tile.channel + row;
    b[k][row] = inside && channel < outputs
                    ? nn_to_float (w[(tile.group * outputs + channel) * strides.w[0] + c * strides.w[1]
                                     + r * strides.w[2] + q * strides.w[3]])
                    : 0.0f;
  }
}

template <typename T>
__device__ static void
store_tile (const nn_cuda_conv_shape &s, const nn_cuda_conv_strides &strides, const nn_cuda_conv_data &data,
            const nn_activation &activation, const tile_at &tile, const float (&sum)[SIDE][SIDE])
{
  const int64_t outputs = s.out_channels / s.groups, area = s.out_height * s.out_width;
  const int down = threadIdx.x / (TILE / SIDE) * SIDE, across = threadIdx.x % (TILE / SIDE) * SIDE;
#pragma unroll
  for (int i = 0; i < SIDE; i++) {
    const int64_t pixel = tile.pixel + down + i, n = pixel / area;
    const int64_t oh = pixel % area / s.out_width, ow = pixel % s.out_width;
#pragma unroll
    for (int j = 0; j < SIDE; j++) {
      const int64_t channel = tile.channel + across + j, k = tile.group * outputs + channel;
      if (n >= s.batch || channel >= outputs)
        continue;
      float v = sum[i][j];
      if (data.bias != NULL)
        v += nn_load (data.bias, k * strides.bias, strides.bias_dtype);
      if (data.residual != NULL)
        v += nn_to_float (((const T *) data.residual)[n * strides.residual[0] + k * strides.residual[1]
                                                      + oh * strides.residual[2] + ow * strides.residual[3]]);
      ((T *) data.y)[n * strides.y[0] + k * strides.y[1] + oh * strides.y[2] + ow * strides.y[3]]
          = nn_from_float<T> (nn_activate (v, activation));
    }
  }
}

template <typename T>
__global__ void __launch_bounds__ (THREADS)
convolve_any (nn_cuda_conv_shape s, nn_cuda_conv_strides strides, nn_cuda_conv_data data, nn_activation activation,
              int64_t pixel_tiles, int64_t channel_tiles)
{
  __shared__ __align__ (16) float a[DEPTH][TILE + SIDE], b[DEPTH][TILE + SIDE];
  const int64_t depth = s.kh * s.kw * (s.in_channels / s.groups);
  const int down = threadIdx.x / (TILE / SIDE) * SIDE, across = threadIdx.x % (TILE / SIDE) * SIDE;
  for (int64_t t = blockIdx.x; t < pixel_tiles * channel_tiles * s.groups; t += gridDim.x) {
    const tile_at tile = { t / channel_tiles % s.groups, t / channel_tiles / s.groups * TILE,
                           t % channel_tiles * TILE };
    window_at window[LOADS];
    float sum[SIDE][SIDE] = {};
    for (int i = 0; i < LOADS; i++)
      window[i] = window_of (s, strides, tile.pixel + threadIdx.x / DEPTH + i * (THREADS / DEPTH));
    for (int64_t d = 0; d < depth; d += DEPTH) {
      load_tiles (s, strides, (const T *) data.x, (const T *) data.w, tile, window, d, a, b);
      __syncthreads ();
#pragma unroll
      for (int k = 0; k < DEPTH; k++) {
        __align__ (16) float p[SIDE], c[SIDE];
        *(float4 *) p = *(const float4 *) &a[k][down];
        *(float4 *) c = *(const float4 *) &b[k][across];
#pragma unroll
        for (int i = 0; i < SIDE; i++)
#pragma unroll
          for (int j = 0; j < SIDE; j++)
            sum[i][j] += p[i] * c[j];
      }
      __syncthreads ();
    }
    store_tile<T> (s, strides, data, activation, tile, sum);
  }
}

void
nn_cuda_launch_conv_any (const nn_cuda_conv_shape *shape, const nn_cuda_conv_strides *strides,
                         const nn_cuda_conv_data *data, nn_dtype dtype, const nn_activation *activation,
                         cudaStream_t stream)
{
  const int64_t pixels = shape->batch * shape->out_height * shape->out_width;
  const int64_t pixel_tiles = (pixels + TILE - 1) / TILE;
  const int64_t channel_tiles = (shape->out_channels / shape->groups + TILE - 1) / TILE;
  const int blocks = blocks_for (pixel_tiles * channel_tiles * shape->groups, 1, 1 << 30);
  if (blocks > 0)
    NN_WITH_FLOAT_TYPE (dtype, T, (convolve_any<T><<<blocks, THREADS, 0, stream>>> (
                                      *shape, *strides, *data, *activation, pixel_tiles, channel_tiles)));
}
