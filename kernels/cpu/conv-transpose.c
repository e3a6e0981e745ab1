/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ConvTranspose of images: each pixel of the result collects what reaches it through the filter. */
#include "cpu.h"
#include "simd.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct transposed_conv {
  nn_window v, h;
  int64_t group, inputs, outputs; /* the latter two of one group */
  float *w;                       /* group × kernel height × kernel width × inputs × outputs */
} transposed_conv;

static void
release (void *shared)
{
  transposed_conv *conv = shared;
  free (conv->w);
  free (conv);
}

/* From the file's order: inputs of all groups × outputs × height × width. */
static void
pack (transposed_conv *conv, const float *w)
{
  int64_t taps = conv->v.kernel * conv->h.kernel;
  for (int64_t g = 0; g < conv->group; g++)
    for (int64_t i = 0; i < conv->inputs; i++)
      for (int64_t o = 0; o < conv->outputs; o++)
        for (int64_t t = 0; t < taps; t++)
          conv->w[((g * taps + t) * conv->inputs + i) * conv->outputs + o]
              = w[((g * conv->inputs + i) * conv->outputs + o) * taps + t];
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *w = &call->in[1];
  nn_window window[NN_MAX_RANK - 2];
  if (x->dtype != NN_F32 || x->rank != 4 || call->node->in[1]->constant == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "only float32 images with constant weights are supported");
  nn_status status = nn_shape_transposed_windows (call->node, window, err);
  if (status != NN_OK)
    return status;
  transposed_conv *conv = calloc (1, sizeof *conv);
  if (conv == NULL || (conv->w = malloc (nn_tensor_bytes (w) + 1)) == NULL) {
    free (conv);
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for packed weights");
  }
  conv->v = window[0];
  conv->h = window[1];
  conv->group = nn_node_int (call->node, "group", 1);
  conv->inputs = w->dim[0] / conv->group;
  conv->outputs = w->dim[1];
  pack (conv, w->data);
  call->shared = conv;
  call->packed = 1u << 1;
  return NN_OK;
}

/* One group's channels of a result's pixel. */
static size_t
scratch_bytes (const nn_call *call)
{
  return (size_t) call->in[1].dim[1] * sizeof (float);
}

/* Which row (or column) of the operand reaches the result's `at` through the filter's k-th; false: none. */
static bool
source_of (const nn_window *w, int64_t at, int64_t k, int64_t extent, int64_t *from)
{
  int64_t shifted = at + w->pad_begin - k * w->dilation;
  *from = shifted / w->stride;
  return shifted >= 0 && shifted % w->stride == 0 && *from < extent;
}

static void
fill_pixel (const nn_call *call, const float *image, int64_t g, int64_t oy, int64_t ox, float *sums)
{
  const transposed_conv *conv = call->shared;
  const nn_tensor *x = &call->in[0];
  const nn_simd_math *simd = nn_simd_math_kernels ();
  int64_t iy, ix;
  for (int64_t ky = 0; ky < conv->v.kernel; ky++) {
    if (!source_of (&conv->v, oy, ky, x->dim[2], &iy))
      continue;
    for (int64_t kx = 0; kx < conv->h.kernel; kx++) {
      if (!source_of (&conv->h, ox, kx, x->dim[3], &ix))
        continue;
      int64_t tap = (g * conv->v.kernel + ky) * conv->h.kernel + kx;
      const float *w = conv->w + tap * conv->inputs * conv->outputs;
      const float *from = image + g * conv->inputs * x->stride[1] + iy * x->stride[2] + ix * x->stride[3];
      for (int64_t i = 0; i < conv->inputs; i++)
        simd->add_scaled (conv->outputs, from[i * x->stride[1]], w + i * conv->outputs, sums);
    }
  }
}

static void
store_pixel (const nn_call *call, int64_t n, int64_t g, int64_t oy, int64_t ox)
{
  const transposed_conv *conv = call->shared;
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  const float *bias
      = nn_node_has (call->node, 2) ? (const float *) call->in[2].data + g * conv->outputs : NULL;
  float *sums = call->scratch, *to = (float *) y->data + n * y->stride[0] + g * conv->outputs * y->stride[1]
                                     + oy * y->stride[2] + ox * y->stride[3];
  for (int64_t o = 0; o < conv->outputs; o++)
    sums[o] = bias != NULL ? bias[o] : 0;
  fill_pixel (call, (const float *) x->data + n * x->stride[0], g, oy, ox, sums);
  for (int64_t o = 0; o < conv->outputs; o++)
    to[o * y->stride[1]] = sums[o];
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const transposed_conv *conv = call->shared;
  const nn_tensor *y = &call->out[0];
  for (int64_t n = 0; n < y->dim[0]; n++)
    for (int64_t oy = 0; oy < y->dim[2]; oy++)
      for (int64_t ox = 0; ox < y->dim[3]; ox++)
        for (int64_t g = 0; g < conv->group; g++)
          store_pixel (call, n, g, oy, ox);
  return NN_OK;
}

const nn_kernel nn_cpu_conv_transpose = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
