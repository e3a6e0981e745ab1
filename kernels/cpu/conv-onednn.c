/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution by oneDNN, of either of the two C interfaces that distributions ship: 2.x (memory
 * descriptors are structs, operation descriptors come before primitive ones) and 3.x.
 *
 * Activations stay channels-last, which measured as fast as oneDNN's blocked layouts; weights get
 * the layout that it likes, once a plan. The primitive is shared by the sessions of a plan and has
 * its scratchpad in each session's own memory.
 */
#include "conv.h"
#include "loop.h"
#include "onednn.h"
#include "simd.h"

#include "../graph/shape.h"

#include <stdlib.h>
#include <string.h>

enum { X, WEIGHTS, BIAS, RESIDUAL, SCRATCH, Y, N_MEMORIES };

typedef struct library_conv {
  dnnl_primitive_desc_t desc;
  dnnl_primitive_t primitive;
  void *weights;
  float *bias; /* NULL: none */
  bool residual;
} library_conv;

typedef struct library_local {
  dnnl_stream_t stream;
  dnnl_memory_t memory[N_MEMORIES];
  dnnl_exec_arg_t args[N_MEMORIES];
  int n_args;
} library_local;

static nn_status
unsupported (nn_error *err, const char *what)
{
  return nn_fail (err, NN_ERR_UNSUPPORTED, "oneDNN: %s", what);
}

static nn_status
failed (nn_error *err, const char *what, dnnl_status_t status)
{
  return nn_fail (err, status == dnnl_out_of_memory ? NN_ERR_MEMORY : NN_ERR_DEVICE,
                  "oneDNN: %s failed (status %d)", what, (int) status);
}

static void
release (void *shared)
{
  library_conv *conv = shared;
  if (conv->primitive)
    dnnl_primitive_destroy (conv->primitive);
  if (conv->desc)
    dnnl_primitive_desc_destroy (conv->desc);
  free (conv->weights);
  free (conv->bias);
  free (conv);
}

/* Whether own kernels measured as fast or faster: what is limited by memory rather than by
 * arithmetic, with weights that stay in the cache. */
static bool
is_left_to_own (const nn_conv_shape *s)
{
  bool pointwise = s->kh == 1 && s->kw == 1 && s->groups == 1
                   && s->in_channels * s->out_channels * (int64_t) sizeof (float) <= NN_SIMD_CACHED_BYTES;
  bool depthwise = s->groups == s->in_channels && s->groups == s->out_channels;
  return pointwise || depthwise;
}

static bool
is_dense_channels_last (const nn_tensor *tensor)
{
  return tensor->rank == 4 && nn_tensor_is_dense (tensor, NN_LAYOUT_CHANNELS_LAST);
}

static nn_status
check (const nn_call *call, const nn_conv_shape *s, nn_error *err)
{
  const nn_node *node = call->node;
  if (nn_cpu_chosen () == NN_CPU_CHOICE_BEST && is_left_to_own (s))
    return unsupported (err, "not faster here");
  if (!is_dense_channels_last (&call->in[0]) || !is_dense_channels_last (&call->out[0])
      || (nn_node_has (node, 3) && !is_dense_channels_last (&call->in[3])))
    return unsupported (err, "the operands are not channels-last images");
  if (node->in[1]->constant == NULL || (nn_node_has (node, 2) && node->in[2]->constant == NULL))
    return unsupported (err, "the weights are not constant");
  return NN_OK;
}

/* oneDNN's filters of one group have no dimension for it. */
static int
weight_dims (const nn_conv_shape *s, dnnl_dims_t dims)
{
  const int64_t all[] = { s->groups, s->out_channels / s->groups, s->in_channels / s->groups, s->kh, s->kw };
  int skip = s->groups == 1;
  memcpy (dims, all + skip, sizeof all - (size_t) skip * sizeof all[0]);
  return 5 - skip;
}

/* Weights in row-major order are copied to where and how the primitive wants them. */
static nn_status
pack_weights (library_conv *conv, const nn_conv_shape *s, const nn_tensor *weights, nn_error *err)
{
  dnnl_dims_t dims;
  int rank = weight_dims (s, dims);
  size_t bytes = nn_onednn_query_size (conv->desc, dnnl_query_weights_md, 0);
  nn_tensor dense = nn_tensor_make (NN_F32, weights->rank, weights->dim, NN_LAYOUT_ROW_MAJOR,
                                    malloc (nn_tensor_bytes (weights)));
  conv->weights = aligned_alloc (64, (bytes + 63) / 64 * 64);
  if (dense.data == NULL || conv->weights == NULL) {
    free (dense.data);
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu bytes of packed weights", bytes);
  }
  nn_copy (&dense, weights);
  dnnl_status_t status = nn_onednn_pack (conv->desc, rank, dims, dense.data, conv->weights);
  free (dense.data);
  return status == dnnl_success ? NN_OK : failed (err, "packing weights", status);
}

static nn_status
copy_bias (library_conv *conv, const nn_tensor *bias, nn_error *err)
{
  conv->bias = malloc (nn_tensor_bytes (bias));
  if (conv->bias == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_tensor dense = nn_tensor_make (NN_F32, 1, bias->dim, NN_LAYOUT_ROW_MAJOR, conv->bias);
  nn_copy (&dense, bias);
  return NN_OK;
}

static nn_status
make (library_conv *conv, const nn_call *call, const nn_conv_shape *s, nn_error *err)
{
  dnnl_dims_t weights;
  nn_onednn_conv wanted = { .x = { s->batch, s->in_channels, s->in_height, s->in_width },
                            .y = { s->batch, s->out_channels, s->out_height, s->out_width },
                            .stride = { s->stride_h, s->stride_w },
                            .dilation = { s->dilation_h - 1, s->dilation_w - 1 },
                            .pad_begin = { s->pad_top, s->pad_left },
                            .pad_end = { s->pad_bottom, s->pad_right },
                            .bias = nn_node_has (call->node, 2), .residual = nn_node_has (call->node, 3),
                            .activation = call->node->activation };
  wanted.weights_rank = weight_dims (s, weights);
  memcpy (wanted.weights, weights, sizeof weights);
  dnnl_status_t status = nn_onednn_conv_desc (&wanted, &conv->desc);
  if (status == dnnl_unimplemented || status == dnnl_invalid_arguments)
    return unsupported (err, "it has no kernel for this node");
  if (status != dnnl_success)
    return failed (err, "describing a convolution", status);
  if (nn_onednn_is_reference (conv->desc))
    return unsupported (err, "it has only its slow reference kernel for this node");
  conv->residual = wanted.residual;
  if ((status = dnnl_primitive_create (&conv->primitive, conv->desc)) != dnnl_success)
    return failed (err, "making a convolution", status);
  nn_status packed = pack_weights (conv, s, &call->in[1], err);
  return packed == NN_OK && wanted.bias ? copy_bias (conv, &call->in[2], err) : packed;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  nn_conv_shape shape;
  nn_status status = nn_conv_shape_of (call, &shape, err);
  if (status != NN_OK || (status = check (call, &shape, err)) != NN_OK)
    return status;
  library_conv *conv = calloc (1, sizeof *conv);
  if (conv == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if ((status = make (conv, call, &shape, err)) != NN_OK) {
    release (conv);
    return status;
  }
  call->shared = conv;
  return NN_OK;
}

static size_t
scratch_bytes (const nn_call *call)
{
  const library_conv *conv = call->shared;
  return nn_onednn_query_size (conv->desc, dnnl_query_scratchpad_md, 0);
}

static void
unbind (void *data)
{
  library_local *local = data;
  for (int i = 0; i < N_MEMORIES; i++)
    if (local->memory[i])
      dnnl_memory_destroy (local->memory[i]);
  if (local->stream)
    dnnl_stream_destroy (local->stream);
  free (local);
}

static dnnl_status_t
add_memory (library_local *local, const library_conv *conv, int which, int arg, dnnl_query_t query, int index,
            void *data)
{
  dnnl_status_t status = nn_onednn_memory (conv->desc, query, index, data, &local->memory[which]);
  local->args[local->n_args++] = (dnnl_exec_arg_t) { arg, local->memory[which] };
  return status;
}

static nn_status
bind (nn_call *call, nn_error *err)
{
  const library_conv *conv = call->shared;
  library_local *local = calloc (1, sizeof *local);
  if (local == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  dnnl_status_t status = nn_onednn_stream (&local->stream);
  if (status == dnnl_success)
    status = add_memory (local, conv, X, DNNL_ARG_SRC, dnnl_query_src_md, 0, call->in[0].data);
  if (status == dnnl_success)
    status = add_memory (local, conv, WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, conv->weights);
  if (status == dnnl_success && conv->bias)
    status = add_memory (local, conv, BIAS, DNNL_ARG_BIAS, dnnl_query_weights_md, 1, conv->bias);
  if (status == dnnl_success && conv->residual)
    status = add_memory (local, conv, RESIDUAL, DNNL_ARG_ATTR_MULTIPLE_POST_OP (0) | DNNL_ARG_SRC_1,
                         dnnl_query_dst_md, 0, call->in[3].data);
  if (status == dnnl_success)
    status
        = add_memory (local, conv, SCRATCH, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md, 0, call->scratch);
  if (status == dnnl_success)
    status = add_memory (local, conv, Y, DNNL_ARG_DST, dnnl_query_dst_md, 0, call->out[0].data);
  if (status != dnnl_success) {
    unbind (local);
    return failed (err, "naming a convolution's memory", status);
  }
  call->local = local;
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const library_conv *conv = call->shared;
  const library_local *local = call->local;
  dnnl_status_t status = dnnl_primitive_execute (conv->primitive, local->stream, local->n_args, local->args);
  if (status == dnnl_success)
    status = dnnl_stream_wait (local->stream);
  return status == dnnl_success ? NN_OK : failed (err, "a convolution", status);
}

const nn_kernel nn_conv_onednn = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .bind = bind,
  .run = run,
  .unbind = unbind,
  .release = release,
};
