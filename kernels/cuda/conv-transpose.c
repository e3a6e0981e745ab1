/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-transpose.h"
#include "cuda.h"

#include "../graph/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X, W, BIAS };

typedef struct transposed {
  nn_cuda_transposed_conv conv;
  const void *w, *bias; /* of the store; bias NULL: none */
} transposed;

static nn_status
check (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[X];
  bool constant = call->node->in[W]->constant != NULL
                  && (!nn_node_has (call->node, BIAS) || call->node->in[BIAS]->constant != NULL);
  if (x->rank != 4 || !constant)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "only images with constant weights are supported");
  if ((x->dtype != NN_F32 && x->dtype != NN_F16 && x->dtype != NN_BF16) || call->out[0].dtype != x->dtype
      || call->in[W].dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "transposed convolutions of %s are not supported on CUDA",
                    nn_dtype_name (x->dtype));
  return NN_OK;
}

static nn_status
fill (const nn_call *call, nn_cuda_transposed_conv *conv, nn_error *err)
{
  const nn_tensor *x = &call->in[X], *y = &call->out[0], *w = &call->in[W];
  nn_window window[NN_MAX_RANK - 2];
  if (nn_shape_transposed_windows (call->node, window, err) != NN_OK)
    return err->status;
  const nn_window v = window[0], h = window[1];
  const int64_t groups = nn_node_int (call->node, "group", 1);
  *conv = (nn_cuda_transposed_conv){ .batch = x->dim[0], .groups = groups, .inputs = w->dim[0] / groups,
    .outputs = w->dim[1], .in_height = x->dim[2], .in_width = x->dim[3], .out_height = v.out, .out_width = h.out,
    .kh = v.kernel, .kw = h.kernel, .stride_h = v.stride, .stride_w = h.stride, .dilation_h = v.dilation,
    .dilation_w = h.dilation, .pad_top = v.pad_begin, .pad_left = h.pad_begin };
  memcpy (conv->x, x->stride, sizeof conv->x);
  memcpy (conv->y, y->stride, sizeof conv->y);
  return NN_OK;
}

static nn_status
pack (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  nn_cuda_launch_conv_transpose_pack (packed, elements, arg, cuda->stream);
  return nn_cuda_launched ("conv-transpose-pack", err);
}

static nn_status
take_constants (const nn_call *call, transposed *t, nn_error *err)
{
  const nn_cuda *cuda = nn_cuda_of (call);
  const nn_cuda_transposed_conv *c = &t->conv;
  size_t bytes = nn_tensor_bytes (&call->in[W]);
  char kind[128];
  snprintf (kind, sizeof kind, "conv-transpose %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64, c->groups, c->inputs,
            c->outputs, c->kh * c->kw);
  if (nn_cuda_store_take (cuda, call->in[W].data, bytes, kind, bytes, pack, c, &t->w, err) != NN_OK)
    return err->status;
  if (!nn_node_has (call->node, BIAS))
    return NN_OK;
  bytes = nn_tensor_bytes (&call->in[BIAS]);
  return nn_cuda_store_take (cuda, call->in[BIAS].data, bytes, "as it is", bytes, NULL, NULL, &t->bias, err);
}

static void
release (void *shared)
{
  transposed *t = shared;
  nn_cuda_store_give_back (t->w);
  nn_cuda_store_give_back (t->bias);
  free (t);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  if (check (call, err) != NN_OK)
    return err->status;
  transposed *t = calloc (1, sizeof *t);
  if (t == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if (fill (call, &t->conv, err) != NN_OK || take_constants (call, t, err) != NN_OK) {
    release (t);
    return err->status;
  }
  call->packed = 1u << W | 1u << BIAS;
  call->shared = t;
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const transposed *t = call->shared;
  nn_cuda_launch_conv_transpose (&t->conv, call->in[X].data, t->w, t->bias, call->out[0].data, call->in[X].dtype,
                                 nn_cuda_of (call)->stream);
  return nn_cuda_launched ("conv-transpose", err);
}

const nn_kernel nn_cuda_conv_transpose = { .prepare = prepare, .run = run, .release = release };
