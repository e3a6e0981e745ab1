/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onednn.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

/* ---- the library's one engine ---- */

static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void
make_engine (void)
{
  engine_status = dnnl_engine_create (&engine, dnnl_cpu, 0);
}

static dnnl_status_t
need_engine (void)
{
  pthread_once (&engine_once, make_engine);
  return engine_status;
}

/* ---- the two interfaces ---- */

#if DNNL_VERSION_MAJOR >= 3

typedef const_dnnl_memory_desc_t desc_ref;
typedef dnnl_memory_desc_t desc_owned;
#define REF(desc) (desc)

static dnnl_status_t
describe (desc_owned *desc, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
  return dnnl_memory_desc_create_with_tag (desc, rank, dims, dnnl_f32, tag);
}

static void
forget (desc_owned *desc)
{
  if (*desc)
    dnnl_memory_desc_destroy (*desc);
}

static dnnl_status_t
append_eltwise (dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta)
{
  return dnnl_post_ops_append_eltwise (ops, kind, alpha, beta);
}

static dnnl_status_t
append_hard_swish (dnnl_post_ops_t ops, float alpha, float beta)
{
  return append_eltwise (ops, dnnl_eltwise_hardswish, alpha, beta);
}

static dnnl_status_t
describe_conv (const nn_onednn_conv *c, desc_ref x, desc_ref w, desc_ref b, desc_ref y,
               const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *desc)
{
  return dnnl_convolution_forward_primitive_desc_create (
      desc, engine, dnnl_forward_inference, dnnl_convolution_direct, x, w, c->bias ? b : NULL, y, c->stride,
      c->dilation, c->pad_begin, c->pad_end, attr);
}

#else

typedef const dnnl_memory_desc_t *desc_ref;
typedef dnnl_memory_desc_t desc_owned;
#define REF(desc) (&(desc))

static dnnl_status_t
describe (desc_owned *desc, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
  return dnnl_memory_desc_init_by_tag (desc, rank, dims, dnnl_f32, tag);
}

static void
forget (desc_owned *desc)
{
  (void) desc; /* a struct in this interface */
}

static dnnl_status_t
append_eltwise (dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha, float beta)
{
  return dnnl_post_ops_append_eltwise (ops, 1, kind, alpha, beta);
}

/* Its parameters are fixed in this interface. */
static dnnl_status_t
append_hard_swish (dnnl_post_ops_t ops, float alpha, float beta)
{
  if (fabsf (alpha * 6 - 1) > 1e-6f || beta != 0.5f)
    return dnnl_unimplemented;
  return append_eltwise (ops, dnnl_eltwise_hardswish, 0, 0);
}

static dnnl_status_t
describe_conv (const nn_onednn_conv *c, desc_ref x, desc_ref w, desc_ref b, desc_ref y,
               const_dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *desc)
{
  dnnl_convolution_desc_t conv;
  dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init (
      &conv, dnnl_forward_inference, dnnl_convolution_direct, x, w, c->bias ? b : NULL, y, c->stride,
      c->dilation, c->pad_begin, c->pad_end);
  return status == dnnl_success ? dnnl_primitive_desc_create (desc, &conv, attr, engine, NULL) : status;
}

#endif

/* ---- what both share ---- */

static dnnl_status_t
append_activation (dnnl_post_ops_t ops, const nn_activation *activation)
{
  float alpha = activation->alpha, beta = activation->beta;
  switch (activation->kind) {
    case NN_ACT_NONE:
      return dnnl_success;
    case NN_ACT_RELU:
      return append_eltwise (ops, dnnl_eltwise_relu, 0, 0);
    case NN_ACT_LEAKY_RELU:
      return append_eltwise (ops, dnnl_eltwise_relu, alpha, 0);
    case NN_ACT_CLIP:
      return append_eltwise (ops, dnnl_eltwise_clip, alpha, beta);
    case NN_ACT_SIGMOID:
      return append_eltwise (ops, dnnl_eltwise_logistic, 0, 0);
    case NN_ACT_HARD_SIGMOID: {
      dnnl_status_t status = append_eltwise (ops, dnnl_eltwise_linear, alpha, beta);
      return status == dnnl_success ? append_eltwise (ops, dnnl_eltwise_clip, 0, 1) : status;
    }
    case NN_ACT_HARD_SWISH:
      return append_hard_swish (ops, alpha, beta);
    case NN_ACT_SILU:
      return append_eltwise (ops, dnnl_eltwise_swish, 1, 0);
    case NN_ACT_GELU:
      return append_eltwise (ops, dnnl_eltwise_gelu_erf, 0, 0);
    case NN_ACT_TANH:
      return append_eltwise (ops, dnnl_eltwise_tanh, 0, 0);
  }
  return dnnl_unimplemented;
}

static dnnl_status_t
fill_attributes (dnnl_primitive_attr_t attr, const nn_onednn_conv *conv, desc_ref y)
{
  dnnl_post_ops_t ops = NULL;
  dnnl_status_t status = dnnl_post_ops_create (&ops);
  if (status == dnnl_success && conv->residual)
    status = dnnl_post_ops_append_binary (ops, dnnl_binary_add, y);
  if (status == dnnl_success)
    status = append_activation (ops, &conv->activation);
  if (status == dnnl_success)
    status = dnnl_primitive_attr_set_post_ops (attr, ops);
  if (status == dnnl_success)
    status = dnnl_primitive_attr_set_scratchpad_mode (attr, dnnl_scratchpad_mode_user);
  if (ops)
    dnnl_post_ops_destroy (ops);
  return status;
}

dnnl_status_t
nn_onednn_conv_desc (const nn_onednn_conv *conv, dnnl_primitive_desc_t *desc)
{
  desc_owned x = { 0 }, w = { 0 }, b = { 0 }, y = { 0 };
  dnnl_primitive_attr_t attr = NULL;
  dnnl_dims_t bias = { conv->y[1] };
  dnnl_status_t status = need_engine ();
  if (status == dnnl_success)
    status = describe (&x, 4, conv->x, dnnl_nhwc);
  if (status == dnnl_success)
    status = describe (&y, 4, conv->y, dnnl_nhwc);
  if (status == dnnl_success)
    status = describe (&w, conv->weights_rank, conv->weights, dnnl_format_tag_any);
  if (status == dnnl_success)
    status = describe (&b, 1, bias, dnnl_a);
  if (status == dnnl_success)
    status = dnnl_primitive_attr_create (&attr);
  if (status == dnnl_success)
    status = fill_attributes (attr, conv, REF (y));
  if (status == dnnl_success)
    status = describe_conv (conv, REF (x), REF (w), REF (b), REF (y), attr, desc);
  if (attr)
    dnnl_primitive_attr_destroy (attr);
  forget (&x);
  forget (&y);
  forget (&w);
  forget (&b);
  return status;
}

bool
nn_onednn_is_reference (const_dnnl_primitive_desc_t desc)
{
  const char *name = NULL;
  if (dnnl_primitive_desc_query (desc, dnnl_query_impl_info_str, 0, &name) != dnnl_success || name == NULL)
    return true;
  return strncmp (name, "ref", 3) == 0;
}

static desc_ref
query (const_dnnl_primitive_desc_t desc, dnnl_query_t what, int index)
{
  return dnnl_primitive_desc_query_md (desc, what, index);
}

size_t
nn_onednn_query_size (const_dnnl_primitive_desc_t desc, dnnl_query_t what, int index)
{
  return dnnl_memory_desc_get_size (query (desc, what, index));
}

dnnl_status_t
nn_onednn_memory (const_dnnl_primitive_desc_t desc, dnnl_query_t what, int index, void *data,
                  dnnl_memory_t *memory)
{
  return dnnl_memory_create (memory, query (desc, what, index), engine, data);
}

dnnl_status_t
nn_onednn_stream (dnnl_stream_t *stream)
{
  return dnnl_stream_create (stream, engine, dnnl_stream_default_flags);
}

static dnnl_status_t
reorder (desc_ref from_desc, dnnl_memory_t from, desc_ref to_desc, dnnl_memory_t to)
{
  dnnl_primitive_desc_t desc = NULL;
  dnnl_primitive_t primitive = NULL;
  dnnl_stream_t stream = NULL;
  dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
  dnnl_status_t status = dnnl_reorder_primitive_desc_create (&desc, from_desc, engine, to_desc, engine, NULL);
  if (status == dnnl_success)
    status = dnnl_primitive_create (&primitive, desc);
  if (status == dnnl_success)
    status = nn_onednn_stream (&stream);
  if (status == dnnl_success)
    status = dnnl_primitive_execute (primitive, stream, 2, args);
  if (status == dnnl_success)
    status = dnnl_stream_wait (stream);
  if (stream)
    dnnl_stream_destroy (stream);
  if (primitive)
    dnnl_primitive_destroy (primitive);
  if (desc)
    dnnl_primitive_desc_destroy (desc);
  return status;
}

dnnl_status_t
nn_onednn_pack (const_dnnl_primitive_desc_t desc, int rank, const dnnl_dims_t dims, void *from, void *to)
{
  desc_owned plain = { 0 };
  dnnl_memory_t source = NULL, target = NULL;
  dnnl_status_t status = describe (&plain, rank, dims, rank == 5 ? dnnl_abcde : dnnl_abcd);
  if (status == dnnl_success)
    status = dnnl_memory_create (&source, REF (plain), engine, from);
  if (status == dnnl_success)
    status = nn_onednn_memory (desc, dnnl_query_weights_md, 0, to, &target);
  if (status == dnnl_success)
    status = reorder (REF (plain), source, query (desc, dnnl_query_weights_md, 0), target);
  if (source)
    dnnl_memory_destroy (source);
  if (target)
    dnnl_memory_destroy (target);
  forget (&plain);
  return status;
}
