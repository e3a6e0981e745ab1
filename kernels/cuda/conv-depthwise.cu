/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution. It is bound by memory: a thread makes several neighbours of a row, so that it loads each
 * pixel once a row of the filter, and 8 channels of each, which are one load. */
#include "conv.h"

#include "activation.cuh"
#include "dtype.cuh"

namespace {

enum { THREADS = 128, LANES = 8 };

template <typename T>
struct __align__ (16) vector {
  T v[LANES];
};

int
blocks_for (int64_t items)
{
  const int64_t blocks = (items + THREADS - 1) / THREADS;
  return (int) (blocks < 1 << 20 ? blocks : 1 << 20);
}

__global__ void
pack (float *packed, const float *w, int64_t channels, int64_t taps)
{
  for (int64_t i = blockIdx.x * (int64_t) THREADS + threadIdx.x; i < channels * taps;
       i += gridDim.x * (int64_t) THREADS)
    packed[i] = w[i % channels * taps + i / channels];
}

/* One element of y a thread: any filter, and any number of them a channel. */
template <typename T>
__global__ void __launch_bounds__ (THREADS)
convolve_any (nn_cuda_conv_shape s, nn_cuda_conv_data data, nn_activation activation)
{
  const T *x = (const T *) data.x;
  const float *w = (const float *) data.w, *bias = (const float *) data.bias;
  const int64_t count = s.batch * s.out_height * s.out_width * s.out_channels;
  for (int64_t i = blockIdx.x * (int64_t) THREADS + threadIdx.x; i < count; i += gridDim.x * (int64_t) THREADS) {
    const int64_t k = i % s.out_channels, pixel = i / s.out_channels, row = pixel / s.out_width;
    const int64_t n = row / s.out_height, c = k / (s.out_channels / s.groups);
    const int64_t top = row % s.out_height * s.stride_h - s.pad_top;
    const int64_t left = pixel % s.out_width * s.stride_w - s.pad_left;
    float sum = bias != NULL ? bias[k] : 0.0f;
    for (int64_t r = 0; r < s.kh; r++) {
      const int64_t ih = top + r * s.dilation_h;
      for (int64_t q = 0; q < s.kw && ih >= 0 && ih < s.in_height; q++) {
        const int64_t iw = left + q * s.dilation_w;
        if (iw >= 0 && iw < s.in_width)
          sum += nn_to_float (x[((n * s.in_height + ih) * s.in_width + iw) * s.x_pitch + c])
                 * w[(r * s.kw + q) * s.out_channels + k];
      }
    }
    if (data.residual != NULL)
      sum += nn_to_float (((const T *) data.residual)[pixel * s.residual_pitch + k]);
    ((T *) data.y)[pixel * s.y_pitch + k] = nn_from_float<T> (nn_activate (sum, activation));
  }
}

struct arguments {
  const float *w, *bias;
  const void *x, *residual;
  void *y;
  int count, vectors, runs; /* threads; of LANES channels; of N neighbours in a row of y */
  int in_height, in_width, out_height, out_width, channels, pad_top, pad_left;
  int64_t x_pitch, y_pitch, residual_pitch;
  nn_activation activation;
};

/* A row of the filter, for LANES channels. */
template <int SIZE>
__device__ __forceinline__ void
load_weights (const arguments &g, int r, int channel, float (&w)[SIZE][LANES])
{
#pragma unroll
  for (int s = 0; s < SIZE; s++) {
    const float4 *from = (const float4 *) (g.w + (int64_t) (r * SIZE + s) * g.channels + channel);
    const float4 low = __ldg (from), high = __ldg (from + 1);
    w[s][0] = low.x, w[s][1] = low.y, w[s][2] = low.z, w[s][3] = low.w;
    w[s][4] = high.x, w[s][5] = high.y, w[s][6] = high.z, w[s][7] = high.w;
  }
}

template <typename T, int N>
__device__ __forceinline__ void
store (const arguments &g, int64_t pixel, int channel, int n, const float (&sum)[N][LANES])
{
  float bias[LANES];
#pragma unroll
  for (int e = 0; e < LANES; e++)
    bias[e] = g.bias != NULL ? g.bias[channel + e] : 0.0f;
#pragma unroll
  for (int t = 0; t < N; t++) {
    if (t >= n)
      break;
    vector<T> out = {};
    float v[LANES];
    if (g.residual != NULL)
      out = *(const vector<T> *) ((const T *) g.residual + (pixel + t) * g.residual_pitch + channel);
#pragma unroll
    for (int e = 0; e < LANES; e++)
      v[e] = sum[t][e] + bias[e] + nn_to_float (out.v[e]);
    nn_activate_each (v, g.activation);
#pragma unroll
    for (int e = 0; e < LANES; e++)
      out.v[e] = nn_from_float<T> (v[e]);
    *(vector<T> *) ((T *) g.y + (pixel + t) * g.y_pitch + channel) = out;
  }
}

/* Pixel `j` of a row from `left` on; zeros outside of the image. */
template <typename T>
__device__ __forceinline__ vector<T>
load_pixel (const arguments &g, const T *x, int left, int j, bool inside)
{
  vector<T> in = {};
  if (inside && left + j >= 0 && left + j < g.in_width)
    in = *(const vector<T> *) (x + j * g.x_pitch);
  return in;
}

/* Square filters of SIZE in steps of STRIDE, N neighbours a thread. Of the filter's rows, ROWS are under way at once:
 * one where threads are many, all where they are few and wait for memory. */
template <typename T, int SIZE, int STRIDE, int N, int ROWS>
__global__ void __launch_bounds__ (THREADS)
convolve (const arguments g)
{
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < g.count; i += gridDim.x * THREADS) {
    const int channel = i % g.vectors * LANES, run = i / g.vectors, ow = run % g.runs * N, row = run / g.runs;
    const int n = row / g.out_height, oh = row - n * g.out_height;
    const int top = oh * STRIDE - g.pad_top, left = ow * STRIDE - g.pad_left;
    float sum[N][LANES] = {};
#pragma unroll ROWS
    for (int r = 0; r < SIZE; r++) {
      const bool inside = top + r >= 0 && top + r < g.in_height;
      if (ROWS == 1 && !inside)
        continue;
      const T *x = (const T *) g.x + ((int64_t) (n * g.in_height + top + r) * g.in_width + left) * g.x_pitch + channel;
      float w[SIZE][LANES];
      load_weights<SIZE> (g, r, channel, w);
#pragma unroll
      for (int j = 0; j < (N - 1) * STRIDE + SIZE; j++) {
        const vector<T> in = load_pixel<T> (g, x, left, j, inside);
#pragma unroll
        for (int t = 0; t < N; t++)
          if (j - t * STRIDE >= 0 && j - t * STRIDE < SIZE)
#pragma unroll
            for (int e = 0; e < LANES; e++)
              sum[t][e] += nn_to_float (in.v[e]) * w[j - t * STRIDE][e];
      }
    }
    store<T> (g, (int64_t) row * g.out_width + ow, channel, g.out_width - ow, sum);
  }
}

template <typename T, int N, bool all_rows>
void
launch (arguments g, int64_t rows, int64_t size, int64_t stride, cudaStream_t stream)
{
  g.runs = (g.out_width + N - 1) / N;
  g.count = (int) (rows * g.runs * g.vectors);
  const int blocks = blocks_for (g.count);
  if (size == 3 && stride == 1)
    convolve<T, 3, 1, N, 3><<<blocks, THREADS, 0, stream>>> (g);
  else if (size == 3)
    convolve<T, 3, 2, N, 3><<<blocks, THREADS, 0, stream>>> (g);
  else if (stride == 1)
    convolve<T, 5, 1, N, all_rows ? 5 : 1><<<blocks, THREADS, 0, stream>>> (g);
  else
    convolve<T, 5, 2, N, all_rows ? 5 : 1><<<blocks, THREADS, 0, stream>>> (g);
}

} // namespace

void
nn_cuda_launch_depthwise_pack (float *packed, const float *w, int64_t out_channels, int64_t taps, cudaStream_t stream)
{
  pack<<<blocks_for (out_channels * taps), THREADS, 0, stream>>> (packed, w, out_channels, taps);
}

bool
nn_cuda_depthwise_is_fast (const nn_cuda_conv_shape *s)
{
  /* 32-bit indices: of y here, and of the pixels of x. */
  return s->groups == s->out_channels && s->out_channels % LANES == 0 && s->kh == s->kw && (s->kh == 3 || s->kh == 5)
         && s->stride_h == s->stride_w && s->stride_h <= 2 && s->dilation_h == 1 && s->dilation_w == 1
         && s->batch * s->out_height * s->out_width * s->out_channels < 1 << 30
         && s->batch * s->in_height * s->in_width < 1 << 30;
}

void
nn_cuda_launch_depthwise_conv (const nn_cuda_conv_shape *s, const nn_cuda_conv_data *data, nn_dtype dtype,
                               const nn_activation *activation, int way, cudaStream_t stream)
{
  const int64_t rows = s->batch * s->out_height, count = rows * s->out_width * s->out_channels;
  if (count == 0)
    return;
  if (way == 0) {
    NN_WITH_FLOAT_TYPE (dtype, T,
                        (convolve_any<T><<<blocks_for (count), THREADS, 0, stream>>> (*s, *data, *activation)));
    return;
  }
  arguments g = { (const float *) data->w, (const float *) data->bias, data->x, data->residual, data->y };
  g.vectors = (int) (s->out_channels / LANES);
  g.in_height = (int) s->in_height;
  g.in_width = (int) s->in_width;
  g.out_height = (int) s->out_height;
  g.out_width = (int) s->out_width;
  g.channels = (int) s->out_channels;
  g.x_pitch = s->x_pitch;
  g.y_pitch = s->y_pitch;
  g.residual_pitch = s->residual_pitch;
  g.pad_top = (int) s->pad_top;
  g.pad_left = (int) s->pad_left;
  g.activation = *activation;
  if (way == 1)
    NN_WITH_FLOAT_TYPE (dtype, T, (launch<T, 2, false> (g, rows, s->kh, s->stride_h, stream)));
  else if (way == 2)
    NN_WITH_FLOAT_TYPE (dtype, T, (launch<T, 4, false> (g, rows, s->kh, s->stride_h, stream)));
  else if (way == 3)
    NN_WITH_FLOAT_TYPE (dtype, T, (launch<T, 1, true> (g, rows, s->kh, s->stride_h, stream)));
  else
    NN_WITH_FLOAT_TYPE (dtype, T, (launch<T, 2, true> (g, rows, s->kh, s->stride_h, stream)));
}
