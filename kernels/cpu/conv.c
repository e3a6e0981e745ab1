/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv.h"

#include "../graph/shape.h"

#include <stdlib.h>

/* What an implementation left, and which one it is. */
typedef struct chosen {
  const nn_kernel *kernel;
  void *shared;
} chosen;

nn_status
nn_conv_shape_of (const nn_call *call, nn_conv_shape *shape, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *w = &call->in[1], *y = &call->out[0];
  nn_window window[NN_MAX_RANK - 2];
  if (x->rank != 3 && x->rank != 4)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "convolutions of rank %d are not supported", x->rank);
  if (x->dtype != NN_F32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "convolutions of %s are not supported",
                    nn_dtype_name (x->dtype));
  nn_status status = nn_shape_windows (call->node, window, err);
  if (status != NN_OK)
    return status;
  const nn_window flat = { .kernel = 1, .stride = 1, .dilation = 1, .out = 1 };
  nn_window v = x->rank == 4 ? window[0] : flat, h = window[x->rank - 3];
  *shape = (nn_conv_shape) { .batch = x->dim[0], .groups = nn_node_int (call->node, "group", 1),
    .in_channels = x->dim[1], .in_height = x->rank == 4 ? x->dim[2] : 1, .in_width = x->dim[x->rank - 1],
    .out_channels = w->dim[0], .out_height = x->rank == 4 ? y->dim[2] : 1, .out_width = y->dim[x->rank - 1],
    .kh = v.kernel, .kw = h.kernel, .stride_h = v.stride, .stride_w = h.stride,
    .dilation_h = v.dilation, .dilation_w = h.dilation, .pad_top = v.pad_begin, .pad_left = h.pad_begin,
    .pad_bottom = v.pad_end, .pad_right = h.pad_end };
  return NN_OK;
}

nn_tensor
nn_conv_view (const nn_tensor *tensor)
{
  nn_tensor view = nn_tensor_as_image (tensor);
  if (view.dim[1] == 1)
    view.stride[1] = 1;
  if (view.dim[3] == 1)
    view.stride[3] = view.stride[2];
  if (view.dim[2] == 1)
    view.stride[2] = view.dim[3] * view.stride[3];
  return view;
}

bool
nn_conv_is_channels_last (const nn_tensor *view)
{
  return view->stride[1] == 1 && view->stride[2] == view->dim[3] * view->stride[3];
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  static const nn_kernel *const kernels[] = { &nn_conv_winograd, &nn_conv_direct };
  chosen *made = calloc (1, sizeof *made);
  if (made == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_status status = NN_ERR_UNSUPPORTED;
  for (size_t i = 0; i < sizeof kernels / sizeof kernels[0] && status == NN_ERR_UNSUPPORTED; i++) {
    nn_call inner = *call;
    inner.shared = NULL;
    status = kernels[i]->prepare (&inner, err);
    *made = (chosen) { .kernel = kernels[i], .shared = inner.shared };
    call->packed = inner.packed;
  }
  if (status != NN_OK) {
    free (made);
    return status;
  }
  call->shared = made;
  return NN_OK;
}

static nn_call
inner_call (const nn_call *call)
{
  nn_call inner = *call;
  inner.shared = ((const chosen *) call->shared)->shared;
  return inner;
}

static size_t
scratch_bytes (const nn_call *call)
{
  nn_call inner = inner_call (call);
  return ((const chosen *) call->shared)->kernel->scratch_bytes (&inner);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  nn_call inner = inner_call (call);
  return ((const chosen *) call->shared)->kernel->run (&inner, err);
}

static void
release (void *shared)
{
  chosen *made = shared;
  made->kernel->release (made->shared);
  free (made);
}

const nn_kernel nn_cpu_conv = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
