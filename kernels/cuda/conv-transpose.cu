/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-transpose.h"

#include "dtype.cuh"

enum { THREADS = 256 };

static int
blocks_for (int64_t items)
{
  const int64_t blocks = (items + THREADS - 1) / THREADS;
  return (int) (blocks < 1 << 20 ? blocks : 1 << 20);
}

static __global__ void
pack (float *packed, const float *w, nn_cuda_transposed_conv s)
{
  const int64_t taps = s.kh * s.kw, count = s.groups * taps * s.inputs * s.outputs;
  for (int64_t i = blockIdx.x * (int64_t) THREADS + threadIdx.x; i < count; i += gridDim.x * (int64_t) THREADS) {
    const int64_t o = i % s.outputs, c = i / s.outputs % s.inputs, rest = i / s.outputs / s.inputs;
    const int64_t tap = rest % taps, g = rest / taps;
    packed[i] = w[((g * s.inputs + c) * s.outputs + o) * taps + tap];
  }
}

/* Which row (or column) of x reaches that of y through a tap; false: none. */
static __device__ __forceinline__ bool
source_of (int64_t at, int64_t pad, int64_t offset, int64_t stride, int64_t extent, int64_t *from)
{
  const int64_t shifted = at + pad - offset;
  *from = shifted / stride;
  return shifted >= 0 && shifted % stride == 0 && *from < extent;
}

/* An element of y a thread, which collects what reaches it; neighbours are channels. */
template <typename T>
static __global__ void __launch_bounds__ (THREADS)
convolve (nn_cuda_transposed_conv s, const T *x, const float *w, const float *bias, T *y)
{
  const int64_t channels = s.groups * s.outputs, count = s.batch * s.out_height * s.out_width * channels;
  for (int64_t i = blockIdx.x * (int64_t) THREADS + threadIdx.x; i < count; i += gridDim.x * (int64_t) THREADS) {
    const int64_t k = i % channels, pixel = i / channels, ow = pixel % s.out_width, row = pixel / s.out_width;
    const int64_t oh = row % s.out_height, n = row / s.out_height, g = k / s.outputs, o = k % s.outputs;
    float sum = bias != NULL ? bias[k] : 0.0f;
    for (int64_t r = 0; r < s.kh; r++) {
      int64_t ih, iw;
      if (!source_of (oh, s.pad_top, r * s.dilation_h, s.stride_h, s.in_height, &ih))
        continue;
      for (int64_t q = 0; q < s.kw; q++) {
        if (!source_of (ow, s.pad_left, q * s.dilation_w, s.stride_w, s.in_width, &iw))
          continue;
        const T *from = x + n * s.x[0] + g * s.inputs * s.x[1] + ih * s.x[2] + iw * s.x[3];
        const float *filter = w + ((g * s.kh + r) * s.kw + q) * s.inputs * s.outputs + o;
        for (int64_t c = 0; c < s.inputs; c++)
          sum += nn_to_float (from[c * s.x[1]]) * filter[c * s.outputs];
      }
    }
    y[n * s.y[0] + k * s.y[1] + oh * s.y[2] + ow * s.y[3]] = nn_from_float<T> (sum);
  }
}

void
nn_cuda_launch_conv_transpose_pack (float *packed, const float *w, const nn_cuda_transposed_conv *conv,
                                    cudaStream_t stream)
{
  const int blocks = blocks_for (conv->groups * conv->kh * conv->kw * conv->inputs * conv->outputs);
  if (blocks > 0)
    pack<<<blocks, THREADS, 0, stream>>> (packed, w, *conv);
}

void
nn_cuda_launch_conv_transpose (const nn_cuda_transposed_conv *conv, const void *x, const float *w, const float *bias,
                               void *y, nn_dtype dtype, cudaStream_t stream)
{
  const int blocks
      = blocks_for (conv->batch * conv->out_height * conv->out_width * conv->groups * conv->outputs);
  if (blocks > 0)
    NN_WITH_FLOAT_TYPE (dtype, T, (convolve<T><<<blocks, THREADS, 0, stream>>> (*conv, (const T *) x, w, bias,
                                                                               (T *) y)));
}
