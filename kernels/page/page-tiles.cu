/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resizes, normalises and lays out a batch of frames in one launch. A block makes a tile of one page's input from
 * the source rows that it needs, a few at a time: it copies their bytes to shared memory in whole aligned
 * lines, since the frame may lie behind PCIe, resizes them along x, and adds them to the results that they have part
 * in, which stay in registers. The arithmetic is that of resample.c, operation by operation: no fused
 * multiply-adds, and sums in the order of the taps.
 */
#include "page-tiles.h"

#include "../cuda/dtype.cuh"

namespace {

const int tile_width = 128, tile_height = 16; /* results */
const int threads = 256, warps = threads / 32, groups = threads / tile_width;
const int lines_at_once = 8;             /* source rows */
const int bytes_at_once = 24 * 1024;     /* of these, as they are in the frame */
const int line_bytes = 128;              /* what memory is best read in */
const int results = tile_height / groups; /* of a thread: rows group, group + groups … of its column */

/* What a block shares. */
struct shared_memory {
  uint4 bytes[bytes_at_once / 16];
  int line[lines_at_once][3][tile_width]; /* resized along x: int or float */
  float values[3][256];
  nn_tile_frame frame;
};

/* The part of the frame's area that lies in a tile: columns and rows of the area, and the source that they need. */
struct part {
  int x, x_end, y, y_end;
  int first_column;    /* of the source */
  int64_t row_bytes;   /* from there */
  int first_row, n_lines;
  bool sparse;         /* lines are the rows of each result's taps in turn; else all rows from first_row on */
};

__device__ __forceinline__ nn_tile_tap
load_tap (const nn_tile_tap *taps, int n, int k, int i)
{
  int2 raw = __ldg (reinterpret_cast<const int2 *> (taps) + (int64_t) k * n + i);
  return nn_tile_tap { raw.x, __int_as_float (raw.y) };
}

__device__ __forceinline__ part
part_of (const nn_tile_frame &f, int tile_x, int tile_y)
{
  part p = {};
  p.x = max (tile_x - f.x, 0);
  p.y = max (tile_y - f.y, 0);
  p.x_end = min (tile_x + tile_width - f.x, f.width);
  p.y_end = min (tile_y + tile_height - f.y, f.height);
  if (p.x >= p.x_end || p.y >= p.y_end)
    return p;
  p.first_column = load_tap (f.x_tap, f.width, 0, p.x).index;
  int last_column = load_tap (f.x_tap, f.width, f.x_taps - 1, p.x_end - 1).index;
  p.row_bytes = (int64_t) (last_column - p.first_column + 1) * f.pixel_bytes;
  p.first_row = load_tap (f.y_tap, f.height, 0, p.y).index;
  int rows = load_tap (f.y_tap, f.height, f.y_taps - 1, p.y_end - 1).index - p.first_row + 1;
  int64_t taps = (int64_t) (p.y_end - p.y) * f.y_taps;
  p.sparse = taps < rows;
  p.n_lines = p.sparse ? (int) taps : rows;
  return p;
}

/* The source bytes of a line. */
__device__ __forceinline__ const uint8_t *
line_data (const nn_tile_frame &f, const part &p, int line)
{
  int row = p.first_row + line;
  if (p.sparse)
    row = load_tap (f.y_tap, f.height, line % f.y_taps, p.y + line / f.y_taps).index;
  return f.data + (int64_t) row * f.stride + (int64_t) p.first_column * f.pixel_bytes;
}

/* 16 aligned bytes; those outside the frame are 0. */
__device__ __forceinline__ uint4
load_bytes (const nn_tile_frame &f, const uint8_t *at)
{
  if (at >= f.data && at + 16 <= f.end)
    return __ldg (reinterpret_cast<const uint4 *> (at));
  unsigned word[4] = { 0 };
#pragma unroll
  for (int i = 0; i < 16; i++)
    if (at + i >= f.data && at + i < f.end)
      word[i / 4] |= (unsigned) at[i] << (i % 4 * 8);
  return make_uint4 (word[0], word[1], word[2], word[3]);
}

/* A warp copies `bytes` bytes from `from` on to `to`, where they begin at the same place in a memory line. */
__device__ __forceinline__ void
stage_line (const nn_tile_frame &f, const uint8_t *from, int64_t bytes, uint4 *to)
{
  int offset = (int) ((uintptr_t) from % line_bytes);
  const uint8_t *base = from - offset;
  int end = (int) (offset + bytes + 15) / 16;
  for (int i = (int) threadIdx.x % 32; i < end; i += 32)
    if (i >= offset / 16)
      to[i] = load_bytes (f, base + 16 * i);
}

/* Lines resized along x, one column a thread, `number` being int or float. from[j]: the bytes of line
 * group + j · groups; NULL: there is none. */
const int lines_each = lines_at_once / groups;

template <typename number>
__device__ void resize_lines (const nn_tile_frame &f, const part &p, const uint8_t *const (&from)[lines_each], int x,
                              int (*to)[3][tile_width], int group, int column);

template <>
__device__ __forceinline__ void
resize_lines<int> (const nn_tile_frame &f, const part &p, const uint8_t *const (&from)[lines_each], int x,
                   int (*to)[3][tile_width], int group, int column)
{
  nn_tile_tap first = load_tap (f.x_tap, f.width, 0, x), second = load_tap (f.x_tap, f.width, 1, x);
  int a_at = (first.index - p.first_column) * f.pixel_bytes, b_at = (second.index - p.first_column) * f.pixel_bytes;
  int weight = (int) (second.weight * 2048);
#pragma unroll
  for (int j = 0; j < lines_each; j++)
    if (from[j])
#pragma unroll
      for (int c = 0; c < 3; c++) {
        int a = from[j][a_at + f.channel[c]], b = from[j][b_at + f.channel[c]];
        to[group + j * groups][c][column] = (a * 2048 + (b - a) * weight) >> 4;
      }
}

template <>
__device__ __forceinline__ void
resize_lines<float> (const nn_tile_frame &f, const part &p, const uint8_t *const (&from)[lines_each], int x,
                   int (*to)[3][tile_width], int group, int column)
{
  float sum[lines_each][3] = {};
  for (int k = 0; k < f.x_taps; k++) {
    nn_tile_tap tap = load_tap (f.x_tap, f.width, k, x);
    int at = (tap.index - p.first_column) * f.pixel_bytes;
#pragma unroll
    for (int j = 0; j < lines_each; j++)
      if (from[j])
#pragma unroll
        for (int c = 0; c < 3; c++)
          sum[j][c] = __fadd_rn (sum[j][c], __fmul_rn (tap.weight, (float) from[j][at + f.channel[c]]));
  }
#pragma unroll
  for (int j = 0; j < lines_each; j++)
    if (from[j])
#pragma unroll
      for (int c = 0; c < 3; c++) {
        float v = f.rounds_between ? (float) (int) (sum[j][c] + 0.5f) : sum[j][c];
        to[group + j * groups][c][column] = __float_as_int (v);
      }
}

/* What a thread's results are summed up in: int or float, by the filter. */
template <typename number> struct sums {
  number of[results][3];
  int next_tap[results];
};

__device__ __forceinline__ void
add (int &sum, int line, float weight)
{
  sum += (line * (int) (weight * 2048)) >> 16;
}

__device__ __forceinline__ void
add (float &sum, int line, float weight)
{
  sum = __fadd_rn (sum, __fmul_rn (weight, __int_as_float (line)));
}

__device__ __forceinline__ int
level_of (int sum)
{
  return ((sum + 2) >> 2) & 255;
}

__device__ __forceinline__ int
level_of (float sum)
{
  return (int) fminf (fmaxf (sum + 0.5f, 0.0f), 255.0f);
}

/* Adds the lines `begin` … `end` - 1 to the results that have taps there; y: the area's row of the tile's first. */
template <typename number>
__device__ __forceinline__ void
add_lines (const nn_tile_frame &f, const part &p, const int (*line)[3][tile_width], int begin, int end, int y,
           int column, sums<number> &to)
{
#pragma unroll
  for (int j = 0; j < results; j++) {
    int at = y + j * groups;
    if (at < p.y || at >= p.y_end)
      continue;
    while (to.next_tap[j] < f.y_taps) {
      nn_tile_tap tap = load_tap (f.y_tap, f.height, to.next_tap[j], at);
      int i = p.sparse ? (at - p.y) * f.y_taps + to.next_tap[j] : tap.index - p.first_row;
      if (i >= end)
        break;
#pragma unroll
      for (int c = 0; c < 3; c++)
        add (to.of[j][c], line[i - begin][c][column], tap.weight);
      to.next_tap[j]++;
    }
  }
}

/* All that the tile's results need of the source, a few lines at a time. */
template <typename number>
__device__ __forceinline__ void
sum_up (shared_memory &shared, const part &p, int x, int y, int group, int column, sums<number> &to)
{
  const nn_tile_frame &f = shared.frame;
  bool inside = x >= p.x && x < p.x_end;
  int64_t pitch = (p.row_bytes + line_bytes - 1 + 15) / 16; /* in 16 bytes */
  bool staged = pitch * 16 <= bytes_at_once; /* else each byte is read where it is */
  int step = staged ? (int) min ((int64_t) lines_at_once, bytes_at_once / 16 / pitch) : lines_at_once;
  for (int begin = 0; begin < p.n_lines; begin += step) {
    int end = min (begin + step, p.n_lines);
    if (staged)
      for (int i = begin + (int) threadIdx.x / 32; i < end; i += warps)
        stage_line (f, line_data (f, p, i), p.row_bytes, shared.bytes + (i - begin) * pitch);
    __syncthreads (); /* the bytes are there, and the last lines have been added */
    if (inside) {
      const uint8_t *from[lines_each];
#pragma unroll
      for (int j = 0; j < lines_each; j++) {
        int i = begin + group + j * groups;
        from[j] = i < end ? line_data (f, p, i) : NULL;
        if (staged && i < end)
          from[j] = reinterpret_cast<const uint8_t *> (shared.bytes + (i - begin) * pitch)
                    + (uintptr_t) from[j] % line_bytes;
      }
      resize_lines<number> (f, p, from, x, shared.line, group, column);
    }
    __syncthreads (); /* the lines are there, and the bytes are needed no longer */
    if (inside)
      add_lines (f, p, shared.line, begin, end, y, column, to);
  }
}

template <typename number>
__device__ __forceinline__ void
fill_tile (shared_memory &shared, const nn_tile_job &job, int tile_x, int tile_y)
{
  const nn_tile_frame &f = shared.frame;
  int column = (int) threadIdx.x % tile_width, group = (int) threadIdx.x / tile_width;
  int x = tile_x + column - f.x, y = tile_y + group - f.y; /* in the area */
  part p = part_of (f, tile_x, tile_y);
  sums<number> sum = {};
  sum_up (shared, p, x, y, group, column, sum);
  if (tile_x + column >= job.input.dim[3])
    return;
  int64_t to = blockIdx.y * job.input.stride[0] + (tile_x + column) * job.input.stride[3];
#pragma unroll
  for (int j = 0; j < results; j++) {
    int row = tile_y + group + j * groups, at = y + j * groups;
    bool inside = x >= p.x && x < p.x_end && at >= p.y && at < p.y_end;
    if (row < job.input.dim[2])
#pragma unroll
      for (int c = 0; c < 3; c++)
        nn_store (job.input.data, to + c * job.input.stride[1] + row * job.input.stride[2], job.input.dtype,
                  shared.values[c][inside ? level_of (sum.of[j][c]) : job.pad]);
  }
}

/* A block a tile; blockIdx.y is the page. */
__global__ void __launch_bounds__ (threads)
fill_tiles (const nn_tile_job job, int tiles_across)
{
  __shared__ shared_memory shared;
  for (int i = (int) threadIdx.x; i < 3 * 256; i += threads)
    shared.values[i / 256][i % 256] = job.values[i];
  if (threadIdx.x == 0)
    shared.frame = job.frames[blockIdx.y];
  __syncthreads ();
  int tile_x = (int) blockIdx.x % tiles_across * tile_width, tile_y = (int) blockIdx.x / tiles_across * tile_height;
  if (shared.frame.fixed_point)
    fill_tile<int> (shared, job, tile_x, tile_y);
  else
    fill_tile<float> (shared, job, tile_x, tile_y);
}

} // namespace

extern "C" void
nn_cuda_launch_page_tiles (const nn_tile_job *job, cudaStream_t stream)
{
  int across = (int) (job->input.dim[3] + tile_width - 1) / tile_width;
  int down = (int) (job->input.dim[2] + tile_height - 1) / tile_height;
  dim3 grid ((unsigned) (across * down), (unsigned) job->n);
  fill_tiles<<<grid, threads, 0, stream>>> (*job, across);
}
