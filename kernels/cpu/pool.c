/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv.h"
#include "loop.h"
#include "parallel.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>
#include <string.h>

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  if (x->dtype != NN_F32 || (x->rank != 3 && x->rank != 4))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "pooling of %s of rank %d is not supported",
                    nn_dtype_name (x->dtype), x->rank);
  return NN_OK;
}

/* Adds or compares a pixel's channels into `to`. */
typedef void (*combine) (int64_t n, const float *x, float *to);

static void
combine_pixel (combine contiguous, bool maximum, const nn_tensor *x, const float *pixel, float *to)
{
  if (x->stride[1] == 1) {
    contiguous (x->dim[1], pixel, to);
    return;
  }
  for (int64_t c = 0; c < x->dim[1]; c++) {
    float value = pixel[c * x->stride[1]];
    if (!maximum)
      to[c] += value;
    else if (!(to[c] >= value) && to[c] == to[c])
      to[c] = value;
  }
}

static void
store_channels (const nn_tensor *y, const float *from, float scale, float *pixel)
{
  for (int64_t c = 0; c < y->dim[1]; c++)
    pixel[c * y->stride[1]] = from[c] * scale;
}

/* ---- windows ---- */

typedef struct pool {
  const nn_simd_math *simd;
  float *sums; /* of a pixel's channels, for each thread */
  nn_tensor x, y;
  nn_window v, h;
  bool maximum, count_padding;
} pool;

static int64_t
first_inside (const nn_window *w, int64_t start)
{
  return start < 0 ? (-start + w->dilation - 1) / w->dilation : 0;
}

static int64_t
end_inside (const nn_window *w, int64_t start, int64_t extent)
{
  int64_t fit = extent <= start ? 0 : (extent - start + w->dilation - 1) / w->dilation;
  return fit < w->kernel ? fit : w->kernel;
}

/* Positions that an average counts: with padding, those up to the padded extent. */
static int64_t
counted (const pool *p, const nn_window *w, int64_t start, int64_t extent)
{
  if (p->count_padding)
    return end_inside (w, start, extent + w->pad_end);
  return end_inside (w, start, extent) - first_inside (w, start);
}

static void
pool_pixel (const pool *p, int64_t n, int64_t oy, int64_t ox, float *sum)
{
  const nn_tensor *x = &p->x, *y = &p->y;
  int64_t y0 = oy * p->v.stride - p->v.pad_begin, x0 = ox * p->h.stride - p->h.pad_begin;
  int64_t ky_end = end_inside (&p->v, y0, x->dim[2]), kx_end = end_inside (&p->h, x0, x->dim[3]);
  const float *image = (const float *) x->data + n * x->stride[0];
  float *to = (float *) y->data + n * y->stride[0] + oy * y->stride[2] + ox * y->stride[3];
  for (int64_t c = 0; c < x->dim[1]; c++)
    sum[c] = p->maximum ? -INFINITY : 0;
  for (int64_t ky = first_inside (&p->v, y0); ky < ky_end; ky++)
    for (int64_t kx = first_inside (&p->h, x0); kx < kx_end; kx++)
      combine_pixel (
          p->maximum ? p->simd->maximum : p->simd->accumulate, p->maximum, x,
          image + (y0 + ky * p->v.dilation) * x->stride[2] + (x0 + kx * p->h.dilation) * x->stride[3], sum);
  float n_counted = (float) (counted (p, &p->v, y0, x->dim[2]) * counted (p, &p->h, x0, x->dim[3]));
  store_channels (y, sum, p->maximum ? 1.0f : 1.0f / n_counted, to);
}

static void
pool_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const pool *p = arg;
  for (int64_t i = begin; i < end; i++)
    for (int64_t ox = 0; ox < p->y.dim[3]; ox++)
      pool_pixel (p, i / p->y.dim[2], i % p->y.dim[2], ox, p->sums + thread * p->x.dim[1]);
}

static nn_status
run_windows (const nn_call *call, bool maximum, nn_error *err)
{
  nn_window window[NN_MAX_RANK - 2];
  nn_status status = nn_shape_windows (call->node, window, err);
  if (status != NN_OK)
    return status;
  pool p = { .simd = nn_simd_math_kernels (), .sums = call->scratch, .x = nn_conv_view (&call->in[0]),
             .y = nn_conv_view (&call->out[0]), .maximum = maximum,
             .v = { .kernel = 1, .stride = 1, .dilation = 1, .out = 1 }, .h = window[call->in[0].rank - 3],
             .count_padding = nn_node_int (call->node, "count_include_pad", 0) != 0 };
  if (call->in[0].rank == 4)
    p.v = window[0];
  int64_t operations = p.y.dim[3] * p.y.dim[1] * p.v.kernel * p.h.kernel;
  nn_cpu_share (p.y.dim[0] * p.y.dim[2], nn_cpu_least (operations), pool_rows, &p);
  return NN_OK;
}

static size_t
window_scratch (const nn_call *call)
{
  return (size_t) (nn_cpu_threads () * call->in[0].dim[1]) * sizeof (float);
}

static nn_status
run_maximum (const nn_call *call, nn_error *err)
{
  return run_windows (call, true, err);
}

static nn_status
run_average (const nn_call *call, nn_error *err)
{
  return run_windows (call, false, err);
}

/* ---- the whole image ---- */

static size_t
scratch_bytes (const nn_call *call)
{
  return (size_t) call->in[0].dim[1] * 2 * sizeof (float);
}

/* Row by row, so that no sum runs over more than a row's or a column's elements. */
static nn_status
run_global_average (const nn_call *call, nn_error *err)
{
  nn_tensor x = nn_conv_view (&call->in[0]), y = nn_conv_view (&call->out[0]);
  const nn_simd_math *simd = nn_simd_math_kernels ();
  int64_t channels = x.dim[1];
  float *sum = call->scratch, *row = sum + channels;
  for (int64_t n = 0; n < x.dim[0]; n++) {
    const float *image = (const float *) x.data + n * x.stride[0];
    memset (sum, 0, (size_t) channels * sizeof (float));
    for (int64_t h = 0; h < x.dim[2]; h++) {
      memset (row, 0, (size_t) channels * sizeof (float));
      for (int64_t w = 0; w < x.dim[3]; w++)
        combine_pixel (simd->accumulate, false, &x, image + h * x.stride[2] + w * x.stride[3], row);
      simd->accumulate (channels, row, sum);
    }
    store_channels (&y, sum, 1.0f / (float) (x.dim[2] * x.dim[3]), (float *) y.data + n * y.stride[0]);
  }
  return NN_OK;
}

const nn_kernel nn_cpu_max_pool = { .prepare = prepare, .scratch_bytes = window_scratch, .run = run_maximum };
const nn_kernel nn_cpu_average_pool
    = { .prepare = prepare, .scratch_bytes = window_scratch, .run = run_average };
const nn_kernel nn_cpu_global_average_pool = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run_global_average,
};
