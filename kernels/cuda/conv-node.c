/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a Conv node asks for: its shape, and where its operands lie. */
#include "conv-way.h"
#include "floats.h"
#include "product.h"

#include "../graph/shape.h"

#include <string.h>

enum { X, W, BIAS, RESIDUAL };

static nn_status
fill_shape (const nn_call *call, nn_cuda_conv_shape *shape, nn_error *err)
{
  const nn_tensor *x = &call->in[X], *y = &call->out[0];
  const nn_window flat = { .kernel = 1, .stride = 1, .dilation = 1, .out = 1 };
  nn_window window[NN_MAX_RANK - 2];
  if (x->rank != 3 && x->rank != 4)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "convolutions of rank %d are not supported", x->rank);
  if (nn_shape_windows (call->node, window, err) != NN_OK)
    return err->status;
  nn_window v = x->rank == 4 ? window[0] : flat, h = window[x->rank - 3];
  *shape = (nn_cuda_conv_shape){ .batch = x->dim[0], .groups = nn_node_int (call->node, "group", 1),
    .in_channels = x->dim[1], .in_height = x->rank == 4 ? x->dim[2] : 1, .in_width = x->dim[x->rank - 1],
    .out_channels = y->dim[1], .out_height = v.out, .out_width = h.out, .kh = v.kernel, .kw = h.kernel,
    .stride_h = v.stride, .stride_w = h.stride, .dilation_h = v.dilation, .dilation_w = h.dilation,
    .pad_top = v.pad_begin, .pad_left = h.pad_begin, .pad_bottom = v.pad_end, .pad_right = h.pad_end };
  return NN_OK;
}

static bool
is_constant (const nn_call *call, int index)
{
  return nn_node_has (call->node, index) && call->node->in[index]->constant != NULL;
}

/* Activations are of one type; constants float32. */
static nn_status
check_types (const nn_call *call, nn_error *err)
{
  const nn_dtype dtype = call->in[X].dtype;
  bool good = nn_cuda_is_float (dtype) && call->out[0].dtype == dtype;
  for (int i = W; i <= RESIDUAL; i++)
    if (nn_node_has (call->node, i))
      good = good && call->in[i].dtype == (is_constant (call, i) && i != RESIDUAL ? NN_F32 : dtype);
  return good ? NN_OK
              : nn_fail (err, NN_ERR_UNSUPPORTED, "convolutions of %s that makes %s are not supported on CUDA",
                         nn_dtype_name (dtype), nn_dtype_name (call->out[0].dtype));
}

static void
take_strides (const nn_tensor *tensor, int64_t stride[4])
{
  nn_tensor view = nn_tensor_as_image (tensor);
  memcpy (stride, view.stride, 4 * sizeof stride[0]);
}

/* Takes what is to be known of where x, y or the residual lies. */
static void
take_place (nn_cuda_conv_node *node, const nn_tensor *tensor, const nn_value *value, int64_t stride[4],
            int64_t *pitch)
{
  nn_tensor view = nn_tensor_as_image (tensor);
  int alignment = nn_cuda_alignment (value);
  take_strides (tensor, stride);
  *pitch = view.dim[1];
  if (!nn_tensor_is_dense (&view, NN_LAYOUT_CHANNELS_LAST)) {
    *pitch = stride[3];
    node->has_pixels = node->has_pixels && stride[1] == 1 && *pitch >= view.dim[1]
                       && stride[2] == view.dim[3] * *pitch && stride[0] == view.dim[2] * stride[2];
    while (*pitch * (int64_t) nn_dtype_size (node->dtype) % alignment != 0)
      alignment /= 2;
  }
  node->alignment = alignment < node->alignment ? alignment : node->alignment;
}

nn_status
nn_cuda_conv_fill (const nn_call *call, nn_cuda_conv_node *node, nn_error *err)
{
  if (check_types (call, err) != NN_OK || fill_shape (call, &node->shape, err) != NN_OK)
    return err->status;
  nn_cuda_conv_strides *strides = &node->strides;
  node->dtype = call->in[X].dtype;
  node->activation = call->node->activation;
  node->has_residual = nn_node_has (call->node, RESIDUAL);
  node->w = is_constant (call, W) ? call->in[W].data : NULL;
  node->bias = is_constant (call, BIAS) ? call->in[BIAS].data : NULL;
  node->has_weights = node->w != NULL;
  node->is_constant = node->has_weights && (node->bias != NULL || !nn_node_has (call->node, BIAS));
  node->has_pixels = true;
  node->alignment = 64;
  take_place (node, &call->in[X], call->node->in[X], strides->x, &node->shape.x_pitch);
  take_place (node, &call->out[0], call->node->out[0], strides->y, &node->shape.y_pitch);
  take_strides (&call->in[W], strides->w);
  if (node->has_residual)
    take_place (node, &call->in[RESIDUAL], call->node->in[RESIDUAL], strides->residual, &node->shape.residual_pitch);
  if (nn_node_has (call->node, BIAS)) {
    strides->bias = call->in[BIAS].dim[0] == 1 ? 1 : call->in[BIAS].stride[0];
    strides->bias_dtype = call->in[BIAS].dtype;
  }
  return NN_OK;
}
