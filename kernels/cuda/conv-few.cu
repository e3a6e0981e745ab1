/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution of images of few channels (the first layer of a network), which memory bounds. A block makes tiles of
 * TILE_ROWS × TILE_COLUMNS pixels; while it multiplies for one, the rows of x for its next one come into shared
 * memory (cp.async), as they lie in x. There a window's elements of one row of the filter are neighbours. So the depth
 * runs over rows of the filter, then over pairs of such elements, which a thread loads as it needs them for
 * mma.m16n8k16; a pair that is half outside is masked. The product's columns are channels in such an order that a
 * thread's results are neighbours in y.
 */
#include "conv.h"

#include "activation.cuh"
#include "dtype.cuh"
#include "mma.cuh"

namespace {

enum { TILE_ROWS = 8, TILE_COLUMNS = 32, THREADS = 32 * TILE_ROWS }; /* a warp makes one row */

struct arguments {
  const void *x, *w, *residual;
  const float *bias;
  void *y;
  int in_height, in_words;                  /* of a row of x; words have 16 bytes, 8 elements */
  int out_height, out_width, out_channels;
  int y_pitch, residual_pitch;
  int kh, run, pitch;                       /* run: elements of a window's row; pitch: of a row of w */
  int stride_h, step, pad_top;              /* step: elements from a pixel's window to the next one's */
  int first_word, shift;                    /* where the window of a row's first pixel begins, and the rest */
  int lead, pairs, steps;                   /* of a window's row; lead: 1 where the first pair begins in front of it */
  int rows, words;                          /* of x, for a tile */
  int tiles, tiles_down, tiles_across;
  nn_activation activation;
};

/* Where a pair is, seen from the window of a pixel, and which of its halves count. */
struct tap {
  int at;
  unsigned mask;
};

/* The parts of shared memory, weights first: b0 and b1 of two neighbouring products a thread and step. x: two tiles,
 * and what a pair at the end may read too much. */
struct layout {
  int taps, bias, x, bytes;
};

__host__ __device__ __forceinline__ layout
layout_of (int steps, int channels, int rows, int words)
{
  layout l;
  l.taps = steps * channels * 32;
  l.bias = l.taps + steps * 8 * (int) sizeof (tap);
  l.x = l.bias + channels * (int) sizeof (float);
  l.bytes = l.x + (2 * rows * words + 1) * 16;
  return l;
}

struct tile_at {
  int image, row, column; /* of y: its first pixel */
};

__device__ __forceinline__ tile_at
find_tile (const arguments &g, int tile)
{
  const int down = tile / g.tiles_across;
  return { down / g.tiles_down, down % g.tiles_down * TILE_ROWS, tile % g.tiles_across * TILE_COLUMNS };
}

/* Zeros where there is no x: its rows are whole words. */
__device__ __forceinline__ void
load_rows (const arguments &g, int tile, uint4 *to)
{
  const tile_at at = find_tile (g, tile);
  const int first = at.column * g.step / 8 + g.first_word, top = at.row * g.stride_h - g.pad_top;
  for (int i = threadIdx.x; i < g.rows * g.words; i += THREADS) {
    const int row = top + i / g.words, word = first + i % g.words;
    const bool there = (unsigned) row < (unsigned) g.in_height && (unsigned) word < (unsigned) g.in_words;
    const int from = (at.image * g.in_height + row) * g.in_words + word;
    copy_later (to + i, (const uint4 *) g.x + (there ? from : 0), there);
  }
}

/* Which channel column `c` of product `j` is: a thread has columns 2t and 2t + 1 of all of them. */
template <int NT>
__device__ __forceinline__ int
channel_of (int j, int c)
{
  enum { SIDE = NT < 4 ? NT : 4 };
  return j / SIDE * 8 * SIDE + c / 2 * 2 * SIDE + j % SIDE * 2 + c % 2;
}

/* The bits of a weight, 0 beyond the row of the filter and the last channel. */
template <int NT>
__device__ __forceinline__ unsigned
weight_at (const arguments &g, int channel, int r, int element)
{
  const bool there = channel < g.out_channels && r < g.kh && (unsigned) element < (unsigned) g.run;
  return there ? ((const uint16_t *) g.w)[channel * g.pitch + r * g.run + element] : 0;
}

template <int NT>
__device__ __forceinline__ void
load_weights (const arguments &g, int first, unsigned *to)
{
#pragma unroll 4
  for (int i = threadIdx.x; i < g.steps * NT * 64; i += THREADS) {
    const int lane = i / 4 % 32, pairs = i / 128, step = pairs / (NT / 2);
    const int j = pairs % (NT / 2) * 2 + i / 2 % 2, pair = step * 8 + i % 2 * 4 + lane % 4;
    const int channel = first + channel_of<NT> (j, lane / 4), r = pair / g.pairs, element = pair % g.pairs * 2 - g.lead;
    to[i] = weight_at<NT> (g, channel, r, element) | weight_at<NT> (g, channel, r, element + 1) << 16;
  }
}

__device__ __forceinline__ void
find_taps (const arguments &g, tap *to)
{
  for (int pair = threadIdx.x; pair < g.steps * 8; pair += THREADS) {
    const int r = pair / g.pairs, element = pair % g.pairs * 2 - g.lead;
    const bool there = r < g.kh;
    to[pair].at = there ? r * g.words * 8 + g.shift + element : 0;
    to[pair].mask = !there ? 0 : (element >= 0 ? 0xffffu : 0) | (element + 1 < g.run ? 0xffff0000u : 0);
  }
}

/* Two neighbours, at an even place if EVEN. */
template <bool EVEN>
__device__ __forceinline__ unsigned
load_pair (const uint16_t *x, tap t)
{
  if (EVEN)
    return *(const unsigned *) (x + t.at) & t.mask;
  return ((unsigned) x[t.at] | (unsigned) x[t.at + 1] << 16) & t.mask;
}

/* sum[i][j]: pixels 16 i … of a row, product j. */
template <typename T, int NT, bool EVEN>
__device__ __forceinline__ void
multiply (const arguments &g, const uint16_t *x, const tap *taps, const uint4 *weights, float (&sum)[2][NT][4])
{
  const int lane = threadIdx.x % 32;
  x += lane / 4 * g.step;
#pragma unroll 2
  for (int k = 0; k < g.steps; k++) {
    const tap low = taps[k * 8 + lane % 4], high = taps[k * 8 + 4 + lane % 4];
    unsigned a[2][4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      a[i / 2][i % 2] = load_pair<EVEN> (x + i * 8 * g.step, low);
      a[i / 2][i % 2 + 2] = load_pair<EVEN> (x + i * 8 * g.step, high);
    }
#pragma unroll
    for (int j = 0; j < NT; j += 2) {
      const uint4 b = weights[(k * (NT / 2) + j / 2) * 32 + lane];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        mma (sum[i][j], a[i], b.x, b.y, T ());
        mma (sum[i][j + 1], a[i], b.z, b.w, T ());
      }
    }
  }
}

/* A thread's neighbouring channels of a pixel, moved at once. */
template <int N>
struct alignas (2 * N) run_of {
  uint16_t bits[N];
};

/* Calls action (sums, pixel, channel) for each run of channels that a thread has, where it is in y. */
template <int NT, typename Action>
__device__ __forceinline__ void
for_each_run (const arguments &g, int row, int column, int first, float (&sum)[2][NT][4], Action action)
{
  enum { SIDE = NT < 4 ? NT : 4 };
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int pixel = column + i * 8 + lane / 4;
#pragma unroll
    for (int j = 0; j < NT; j += SIDE) {
      const int channel = first + channel_of<NT> (j, lane % 4 * 2);
      float *v[2 * SIDE];
#pragma unroll
      for (int e = 0; e < 2 * SIDE; e++)
        v[e] = &sum[i / 2][j + e / 2][i % 2 * 2 + e % 2];
      if (pixel < g.out_width && channel < g.out_channels)
        action (v, row + pixel, channel);
    }
  }
}

template <typename T, int NT>
__device__ __forceinline__ void
finish (const arguments &g, const tile_at &at, int first, float (&sum)[2][NT][4])
{
  enum { N = NT < 4 ? 2 * NT : 8 };
  const int row = (at.image * g.out_height + at.row + (int) threadIdx.x / 32) * g.out_width;
  if (g.residual != NULL)
    for_each_run<NT> (g, row, at.column, first, sum, [&] (float *(&v)[N], int pixel, int channel) {
      const run_of<N> r = *(const run_of<N> *) ((const T *) g.residual + pixel * g.residual_pitch + channel);
#pragma unroll
      for (int e = 0; e < N; e++)
        *v[e] += nn_to_float (((const T *) r.bits)[e]);
    });
#pragma unroll
  for (int i = 0; i < 2; i++) /* not all at once, for which there are too few registers */
    nn_activate_each ((float (&)[4 * NT]) sum[i], g.activation);
  for_each_run<NT> (g, row, at.column, first, sum, [&] (float *(&v)[N], int pixel, int channel) {
    run_of<N> r;
#pragma unroll
    for (int e = 0; e < N; e++)
      ((T *) r.bits)[e] = nn_from_float<T> (*v[e]);
    *(run_of<N> *) ((T *) g.y + pixel * g.y_pitch + channel) = r;
  });
}

template <typename T, int NT, bool EVEN>
__global__ void __launch_bounds__ (THREADS, NT < 8 ? 4 : 2)
convolve_few (const arguments g)
{
  extern __shared__ __align__ (16) unsigned char shared[];
  const layout l = layout_of (g.steps, 8 * NT, g.rows, g.words);
  uint4 *next = (uint4 *) (shared + l.x), *now = next + g.rows * g.words;
  float *bias = (float *) (shared + l.bias);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, first = blockIdx.y * 8 * NT;
  load_rows (g, blockIdx.x, next);
  end_copies ();
  load_weights<NT> (g, first, (unsigned *) shared);
  find_taps (g, (tap *) (shared + l.taps));
  for (int i = threadIdx.x; i < 8 * NT; i += THREADS)
    bias[i] = g.bias != NULL && first + i < g.out_channels ? g.bias[first + i] : 0.0f;
  for (int tile = blockIdx.x; tile < g.tiles; tile += gridDim.x) {
    uint4 *const rows = next;
    wait_for_copies<0> ();
    __syncthreads (); /* the rows are there, and nobody reads the last tile's any more */
    next = now;
    now = rows;
    if (tile + gridDim.x < g.tiles)
      load_rows (g, tile + gridDim.x, next);
    end_copies ();
    const tile_at at = find_tile (g, tile);
    if (at.row + warp >= g.out_height)
      continue;
    float sum[2][NT][4];
#pragma unroll
    for (int i = 0; i < 8 * NT; i++)
      sum[i / 4 / NT][i / 4 % NT][i % 4] = bias[channel_of<NT> (i / 4 % NT, lane % 4 * 2 + i % 2)];
    multiply<T, NT, EVEN> (g, (const uint16_t *) (rows + warp * g.stride_h * g.words), (const tap *) (shared + l.taps),
                           (const uint4 *) shared, sum);
    finish<T, NT> (g, at, first, sum);
  }
}

/* ---- launching ---- */

int
channels_of (const nn_cuda_conv_shape *s)
{
  return s->out_channels <= 16 ? 16 : s->out_channels <= 32 ? 32 : 64;
}

/* All that follows from the shape. */
arguments
arguments_of (const nn_cuda_conv_shape *s)
{
  const int c = (int) s->in_channels, before = (int) s->pad_left * c;
  arguments g = {};
  g.in_height = (int) s->in_height;
  g.in_words = (int) s->in_width * c / 8;
  g.out_height = (int) s->out_height;
  g.out_width = (int) s->out_width;
  g.out_channels = (int) s->out_channels;
  g.y_pitch = (int) s->y_pitch;
  g.residual_pitch = (int) s->residual_pitch;
  g.kh = (int) s->kh;
  g.run = (int) s->kw * c;
  g.stride_h = (int) s->stride_h;
  g.step = (int) s->stride_w * c;
  g.pad_top = (int) s->pad_top;
  g.first_word = -((before + 7) / 8);
  g.shift = -before - g.first_word * 8;
  g.lead = g.step % 2 == 0 ? g.shift % 2 : 0;
  g.pairs = (g.lead + g.run + 1) / 2;
  g.steps = (g.kh * g.pairs + 7) / 8;
  g.rows = (TILE_ROWS - 1) * g.stride_h + g.kh;
  g.words = (g.shift + (TILE_COLUMNS - 1) * g.step + g.run + 7) / 8;
  g.tiles_down = (g.out_height + TILE_ROWS - 1) / TILE_ROWS;
  g.tiles_across = (g.out_width + TILE_COLUMNS - 1) / TILE_COLUMNS;
  g.tiles = (int) s->batch * g.tiles_down * g.tiles_across;
  return g;
}

typedef void (*kernel) (arguments);

template <typename T>
kernel
kernel_of (int channels, bool even)
{
  if (channels == 16)
    return even ? convolve_few<T, 2, true> : convolve_few<T, 2, false>;
  if (channels == 32)
    return even ? convolve_few<T, 4, true> : convolve_few<T, 4, false>;
  return even ? convolve_few<T, 8, true> : convolve_few<T, 8, false>;
}

kernel
kernel_of (const nn_cuda_conv_shape *s, const arguments &g, nn_dtype dtype)
{
  const bool even = g.step % 2 == 0;
  return dtype == NN_F16 ? kernel_of<__half> (channels_of (s), even) : kernel_of<__nv_bfloat16> (channels_of (s), even);
}

} // namespace

int
nn_cuda_conv_few_shared_bytes (const nn_cuda_conv_shape *shape)
{
  const arguments g = arguments_of (shape);
  return layout_of (g.steps, channels_of (shape), g.rows, g.words).bytes;
}

cudaError_t
nn_cuda_conv_few_set_up (const nn_cuda_conv_shape *shape, nn_dtype dtype)
{
  return cudaFuncSetAttribute (kernel_of (shape, arguments_of (shape), dtype),
                               cudaFuncAttributeMaxDynamicSharedMemorySize, NN_CUDA_CONV_FEW_MAX_SHARED);
}

void
nn_cuda_launch_conv_few (const nn_cuda_conv_shape *shape, const nn_cuda_conv_data *data, int64_t pitch, nn_dtype dtype,
                         const nn_activation *activation, int n_multiprocessors, cudaStream_t stream)
{
  arguments g = arguments_of (shape);
  const int channels = channels_of (shape), resident = n_multiprocessors * (channels < 64 ? 4 : 2);
  if (g.tiles == 0 || g.out_channels == 0)
    return;
  g.x = data->x;
  g.w = data->w;
  g.residual = data->residual;
  g.bias = (const float *) data->bias;
  g.y = data->y;
  g.pitch = (int) pitch;
  g.activation = *activation;
  const dim3 grid (g.tiles < resident ? g.tiles : resident, (g.out_channels + channels - 1) / channels);
  const int bytes = nn_cuda_conv_few_shared_bytes (shape);
  kernel_of (shape, g, dtype)<<<grid, THREADS, bytes, stream>>> (g);
}
