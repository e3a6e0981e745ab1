/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread an element: see fill.h. */
#include "elements.cuh"
#include "fill.h"

#define THREADS 256

static unsigned
blocks_for (int64_t count)
{
  int64_t blocks = (count + THREADS - 1) / THREADS;
  return (unsigned) (blocks < 65536 ? blocks : 65536);
}

#define EACH(i, n)                                                                                                 \
  int64_t i = (int64_t) blockIdx.x * THREADS + threadIdx.x; i < (n); i += (int64_t) gridDim.x * THREADS

/* ---- Pad ---- */

/* Which element of 0 … n - 1 stands at `at`, which is outside. */
__device__ __forceinline__ int64_t
padded_source (nn_pad_mode mode, int64_t at, int64_t n)
{
  if (mode == NN_PAD_EDGE)
    return at < 0 ? 0 : n - 1;
  if (mode == NN_PAD_WRAP)
    return (at % n + n) % n;
  return at < 0 ? -at : 2 * (n - 1) - at;
}

static __global__ void
pad_elements (const __grid_constant__ nn_padding p)
{
  for (EACH (i, p.count)) {
    uint32_t rest = (uint32_t) i;
    int64_t x = 0, y = 0;
    bool outside = false;
    for (int d = 0; d < p.rank; d++) {
      uint32_t next = nn_divide (rest, p.dim[d]);
      int64_t at = (int64_t) (rest - next * p.dim[d].divisor), from = at - p.begin[d];
      rest = next;
      y += at * p.y_stride[d];
      bool inside = from >= 0 && from < p.inner[d];
      if (!inside && p.mode != NN_PAD_CONSTANT)
        from = padded_source (p.mode, from, p.inner[d]);
      else
        outside = outside || !inside;
      x += from * p.x_stride[d];
    }
    if (outside)
      nn_move_element (p.y, y, p.y_type, p.value != NULL ? p.value : &p.element, 0, p.value_type);
    else
      nn_move_element (p.y, y, p.y_type, p.x, x, p.x_type);
  }
}

void
nn_cuda_launch_pad (const nn_padding *pad, cudaStream_t stream)
{
  pad_elements<<<blocks_for (pad->count), THREADS, 0, stream>>> (*pad);
}

/* ---- Trilu ---- */

static __global__ void
keep_triangle (const __grid_constant__ nn_triangle t)
{
  const int64_t k = t.k_at != NULL ? *t.k_at : t.k;
  for (EACH (i, t.count)) {
    int64_t distance = i % t.columns - i / t.columns % t.rows;
    if (t.upper ? distance >= k : distance <= k)
      nn_move_element (t.y, i, t.y_type, t.x, i, t.x_type);
    else
      nn_clear_element (t.y, i, t.y_type);
  }
}

void
nn_cuda_launch_trilu (const nn_triangle *t, cudaStream_t stream)
{
  keep_triangle<<<blocks_for (t->count), THREADS, 0, stream>>> (*t);
}

/* ---- Range: not by adding up, and integers wrap around ---- */

static __global__ void
fill_range (const __grid_constant__ nn_range r)
{
  for (EACH (i, r.count)) {
    int64_t whole = (int64_t) ((uint64_t) r.whole[0] + (uint64_t) i * (uint64_t) r.whole[1]);
    if (r.dtype == NN_I64)
      ((int64_t *) r.y)[i] = whole;
    else if (r.dtype == NN_I32)
      ((int32_t *) r.y)[i] = (int32_t) whole;
    else if (r.dtype == NN_F64)
      ((double *) r.y)[i] = __dadd_rn (r.real[0], __dmul_rn ((double) i, r.real[1]));
    else
      nn_store (r.y, i, r.dtype, __fadd_rn ((float) r.real[0], __fmul_rn ((float) i, (float) r.real[1])));
  }
}

void
nn_cuda_launch_range (const nn_range *r, cudaStream_t stream)
{
  fill_range<<<blocks_for (r->count), THREADS, 0, stream>>> (*r);
}
