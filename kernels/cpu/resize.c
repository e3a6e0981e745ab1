/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize over height and width: "nearest" with any rounding, "linear" without antialiasing, each
 * with the coordinate transformations of ONNX that need no region of interest.
 */
#include "conv.h"
#include "parallel.h"
#include "simd.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct resize {
  bool linear;
  nn_resize_tap *rows, *columns; /* one allocation */
} resize;

static void
release (void *shared)
{
  resize *made = shared;
  free (made->rows);
  free (made);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  if (x->dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize of %s is not supported", nn_dtype_name (x->dtype));
  nn_status status = nn_shape_resize_check (call, err);
  if (status != NN_OK)
    return status;
  resize *made = calloc (1, sizeof *made);
  nn_resize_tap *taps = calloc ((size_t) (y->dim[2] + y->dim[3]), sizeof *taps);
  if (made == NULL || taps == NULL) {
    free (made);
    free (taps);
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  }
  made->linear = nn_shape_resize_is_linear (call->node);
  made->rows = taps;
  made->columns = taps + y->dim[2];
  nn_shape_resize_taps (call, 2, made->rows);
  nn_shape_resize_taps (call, 3, made->columns);
  call->shared = made;
  return NN_OK;
}

static void
copy_channels (int64_t n, const float *from, int64_t from_step, float *to, int64_t to_step)
{
  if (from_step == 1 && to_step == 1)
    memcpy (to, from, (size_t) n * sizeof (float));
  else
    for (int64_t c = 0; c < n; c++)
      to[c * to_step] = from[c * from_step];
}

/* The channels of one pixel from its four neighbours. */
static void
blend (int64_t n, const float *const *from, int64_t from_step, float wx, float wy, float *to, int64_t to_step)
{
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  float w00 = (1 - wy) * (1 - wx), w01 = (1 - wy) * wx, w10 = wy * (1 - wx), w11 = wy * wx;
  for (int64_t i = 0; i < n; i++)
    to[i * to_step]
        = w00 * a[i * from_step] + w01 * b[i * from_step] + w10 * c[i * from_step] + w11 * d[i * from_step];
}

static void
resize_row (const resize *made, const nn_tensor *x, const nn_tensor *y, int64_t n, int64_t oy)
{
  const nn_resize_tap *v = &made->rows[oy];
  const float *image = (const float *) x->data + n * x->stride[0];
  const float *top = image + v->first * x->stride[2], *bottom = image + v->second * x->stride[2];
  float *to = (float *) y->data + n * y->stride[0] + oy * y->stride[2];
  for (int64_t ox = 0; ox < y->dim[3]; ox++, to += y->stride[3]) {
    const nn_resize_tap *h = &made->columns[ox];
    int64_t left = h->first * x->stride[3], right = h->second * x->stride[3];
    const float *corners[4] = { top + left, top + right, bottom + left, bottom + right };
    if (made->linear)
      blend (x->dim[1], corners, x->stride[1], h->weight, v->weight, to, y->stride[1]);
    else
      copy_channels (x->dim[1], corners[0], x->stride[1], to, y->stride[1]);
  }
}

static void
resize_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const nn_call *call = arg;
  int64_t height = call->out[0].dim[2];
  for (int64_t i = begin; i < end; i++)
    resize_row (call->shared, &call->in[0], &call->out[0], i / height, i % height);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const nn_tensor *y = &call->out[0];
  nn_cpu_share (y->dim[0] * y->dim[2], nn_cpu_least (y->dim[1] * y->dim[3]), resize_rows, call);
  return NN_OK;
}

const nn_kernel nn_cpu_resize = { .prepare = prepare, .run = run, .release = release };
