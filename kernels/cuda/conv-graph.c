/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cuDNN's engines one by one, through its graph interface: convolution, then the sum with a residual, the sum with
 * the bias, and a rectifier as one operation. Other activations follow as a kernel of its own. Only engines that
 * cuDNN brings compiled: nothing may depend on a compiler at run time. Where no engine does it without a residual, one
 * may do it with one that is multiplied by 0.
 */
#include "conv-way.h"

#include <stdlib.h>

enum { MAX_PARTS = 48, MAX_FOUND = 32, MAX_ENGINES = 10 };

/* The tensors' names; those from SUM on are never in memory. */
enum { X = 1, W, BIAS, RESIDUAL, Y, SUM, SUM_RESIDUAL, SUM_BIAS };

/* The operation, and the engines that can do it. */
typedef struct graph {
  cudnnBackendDescriptor_t parts[MAX_PARTS]; /* what the others are made of */
  int n_parts;
  cudnnBackendDescriptor_t operations[4];
  int n_operations;
  cudnnBackendDescriptor_t whole;
  cudnnBackendDescriptor_t engines[MAX_ENGINES]; /* configurations; the first are said to be the best */
  int n_engines;
  bool has_residual;                             /* also where it is multiplied by 0 */
} graph;

/* One engine, made ready. */
typedef struct plan {
  cudnnBackendDescriptor_t execution;
  size_t scratch_bytes;
  bool has_residual;
} plan;

/* ---- descriptors ---- */

/* A new part of the graph; NULL where there is none. */
static cudnnBackendDescriptor_t
add_part (graph *g, cudnnBackendDescriptorType_t type)
{
  cudnnBackendDescriptor_t part = NULL;
  if (g->n_parts == MAX_PARTS || cudnnBackendCreateDescriptor (type, &part) != CUDNN_STATUS_SUCCESS)
    return NULL;
  return g->parts[g->n_parts++] = part;
}

static bool
set (cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
     const void *values)
{
  return to != NULL && cudnnBackendSetAttribute (to, name, type, n, values) == CUDNN_STATUS_SUCCESS;
}

static bool
set_part (cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t part)
{
  return part != NULL && set (to, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &part);
}

/* The descriptor, complete, where all that was set was taken; else NULL. */
static cudnnBackendDescriptor_t
complete (cudnnBackendDescriptor_t made, bool good)
{
  return good && cudnnBackendFinalize (made) == CUDNN_STATUS_SUCCESS ? made : NULL;
}

/* Dimensions in ONNX's order, channels last in memory, the pixels `pitch` elements apart. */
static cudnnBackendDescriptor_t
add_pixels (graph *g, int64_t id, cudnnDataType_t type, int64_t n, int64_t c, int64_t h, int64_t w, int64_t pitch)
{
  const int64_t dim[4] = { n, c, h, w }, stride[4] = { h * w * pitch, 1, w * pitch, pitch }, alignment = 16;
  const bool is_virtual = id >= SUM;
  cudnnBackendDescriptor_t t = add_part (g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  return complete (t, set (t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id)
                          && set (t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type)
                          && set (t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dim)
                          && set (t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, stride)
                          && set (t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment)
                          && set (t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual));
}

static cudnnBackendDescriptor_t
add_tensor (graph *g, int64_t id, cudnnDataType_t type, int64_t n, int64_t c, int64_t h, int64_t w)
{
  return add_pixels (g, id, type, n, c, h, w, c);
}

static cudnnBackendDescriptor_t
add_convolution (graph *g, const nn_cuda_conv_shape *s)
{
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  const int64_t dims = 2, dilation[] = { s->dilation_h, s->dilation_w }, stride[] = { s->stride_h, s->stride_w };
  const int64_t before[] = { s->pad_top, s->pad_left }, behind[] = { s->pad_bottom, s->pad_right };
  cudnnBackendDescriptor_t c = add_part (g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  return complete (c, set (c, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type)
                          && set (c, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
                          && set (c, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dims)
                          && set (c, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation)
                          && set (c, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride)
                          && set (c, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, before)
                          && set (c, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, behind));
}

static bool
add_operation (graph *g, cudnnBackendDescriptor_t operation)
{
  if (operation != NULL)
    g->operations[g->n_operations++] = operation;
  return operation != NULL;
}

/* to = x * w */
static bool
convolve (graph *g, const nn_cuda_conv_shape *s, cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t w,
          cudnnBackendDescriptor_t to)
{
  const float alpha = 1, beta = 0;
  cudnnBackendDescriptor_t o = add_part (g, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  return add_operation (
      g, complete (o, set_part (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, add_convolution (g, s))
                          && set_part (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
                          && set_part (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w)
                          && set_part (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, to)
                          && set (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &alpha)
                          && set (o, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &beta)));
}

/* to = a + factor b, or the rectified a where there is no b */
static bool
combine (graph *g, cudnnBackendDescriptor_t a, float factor, cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t to)
{
  const float one = 1;
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  const cudnnPointwiseMode_t mode = b != NULL ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_RELU_FWD;
  cudnnBackendDescriptor_t p = add_part (g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  cudnnBackendDescriptor_t o = add_part (g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  p = complete (p, set (p, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode)
                       && set (p, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type));
  return add_operation (g, complete (o, set_part (o, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p)
                                            && set_part (o, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a)
                                            && (b == NULL
                                                || (set_part (o, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b)
                                                    && set (o, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA1,
                                                            CUDNN_TYPE_FLOAT, 1, &one)
                                                    && set (o, CUDNN_ATTR_OPERATION_POINTWISE_ALPHA2,
                                                            CUDNN_TYPE_FLOAT, 1, &factor)))
                                            && set_part (o, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to)));
}

static bool
is_fused (const nn_cuda_conv_node *conv)
{
  return conv->activation.kind == NN_ACT_RELU;
}

static bool
build (graph *g, const nn_cuda *cuda, const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  const cudnnDataType_t type = nn_cuda_conv_cudnn_type (conv->dtype), in_between = CUDNN_DATA_FLOAT;
  const int64_t n = s->batch, k = s->out_channels, h = s->out_height, w = s->out_width;
  g->n_operations = 0;
  cudnnBackendDescriptor_t x = add_pixels (g, X, type, n, s->in_channels, s->in_height, s->in_width, s->x_pitch);
  cudnnBackendDescriptor_t filter = add_tensor (g, W, type, k, s->in_channels / s->groups, s->kh, s->kw);
  cudnnBackendDescriptor_t bias = add_tensor (g, BIAS, type, 1, k, 1, 1);
  cudnnBackendDescriptor_t y = add_pixels (g, Y, type, n, k, h, w, s->y_pitch);
  cudnnBackendDescriptor_t sum = add_tensor (g, SUM, in_between, n, k, h, w), last = sum;
  bool good = bias != NULL && convolve (g, s, x, filter, sum);
  if (good && g->has_residual) {
    const int64_t pitch = conv->has_residual ? s->residual_pitch : s->y_pitch; /* without one it is y: execute() */
    cudnnBackendDescriptor_t residual = add_pixels (g, RESIDUAL, type, n, k, h, w, pitch);
    last = add_tensor (g, SUM_RESIDUAL, in_between, n, k, h, w);
    good = residual != NULL && combine (g, sum, conv->has_residual ? 1 : 0, residual, last);
  }
  cudnnBackendDescriptor_t with_bias = is_fused (conv) ? add_tensor (g, SUM_BIAS, in_between, n, k, h, w) : y;
  good = good && combine (g, last, 1, bias, with_bias) && (!is_fused (conv) || combine (g, with_bias, 0, NULL, y));
  cudnnBackendDescriptor_t whole = add_part (g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  g->whole = complete (whole, good
                                  && set (whole, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                          g->n_operations, g->operations)
                                  && set (whole, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &cuda->cudnn));
  return g->whole != NULL;
}

/* ---- engines ---- */

/* Whether the results are good and the same each time, and no compiler is needed. */
static bool
is_wanted (const nn_cuda *cuda, const nn_cuda_conv_node *conv, cudnnBackendDescriptor_t engine)
{
  cudnnBackendNumericalNote_t numerical[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  cudnnBackendBehaviorNote_t behavior[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
  int64_t n_numerical = 0, n_behavior = 0;
  if (cudnnBackendGetAttribute (engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n_numerical, numerical)
          != CUDNN_STATUS_SUCCESS
      || cudnnBackendGetAttribute (engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                   CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &n_behavior, behavior)
             != CUDNN_STATUS_SUCCESS
      || n_numerical > CUDNN_NUMERICAL_NOTE_TYPE_COUNT || n_behavior > CUDNN_BEHAVIOR_NOTE_TYPE_COUNT)
    return false; /* also where a newer version has more to say than there is room for */
  const bool exact = conv->dtype == NN_F32 && !cuda->tf32;
  for (int64_t i = 0; i < n_numerical; i++)
    switch (numerical[i]) {
    case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
      break;
    case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
    case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      if (exact || (conv->dtype != NN_F32 && numerical[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS))
        return false;
      break;
    default: /* sums in lower precision, not the same each time, by transforms */
      return false;
    }
  for (int64_t i = 0; i < n_behavior; i++)
    if (behavior[i] != CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API
        && behavior[i] != CUDNN_BEHAVIOR_NOTE_CUBLASLT_DEPENDENCY)
      return false;
  return true;
}

static bool
config_is_wanted (const nn_cuda *cuda, const nn_cuda_conv_node *conv, cudnnBackendDescriptor_t config)
{
  cudnnBackendDescriptor_t engine = NULL;
  int64_t n = 0;
  if (cudnnBackendCreateDescriptor (CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != CUDNN_STATUS_SUCCESS)
    return false;
  bool wanted = cudnnBackendGetAttribute (config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n,
                                          &engine)
                    == CUDNN_STATUS_SUCCESS
                && n == 1 && is_wanted (cuda, conv, engine);
  cudnnBackendDestroyDescriptor (engine);
  return wanted;
}

/* Adds what cuDNN proposes, from the best on. */
static void
find_engines (graph *g, const nn_cuda *cuda, const nn_cuda_conv_node *conv, cudnnBackendHeurMode_t mode)
{
  cudnnBackendDescriptor_t found[MAX_FOUND];
  cudnnBackendDescriptor_t h = add_part (g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  int64_t n_made = 0, n = 0;
  h = complete (h, set_part (h, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, g->whole)
                       && set (h, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
  while (h != NULL && n_made < MAX_FOUND
         && cudnnBackendCreateDescriptor (CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &found[n_made]) == CUDNN_STATUS_SUCCESS)
    n_made++;
  if (h == NULL
      || cudnnBackendGetAttribute (h, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n_made, &n, found)
             != CUDNN_STATUS_SUCCESS)
    n = 0;
  for (int64_t i = 0; i < n_made; i++)
    if (i < n && g->n_engines < MAX_ENGINES && config_is_wanted (cuda, conv, found[i]))
      g->engines[g->n_engines++] = found[i];
    else
      cudnnBackendDestroyDescriptor (found[i]);
}

static void
close (void *source)
{
  graph *g = source;
  for (int i = 0; i < g->n_engines; i++)
    cudnnBackendDestroyDescriptor (g->engines[i]);
  for (int i = g->n_parts - 1; i >= 0; i--)
    cudnnBackendDestroyDescriptor (g->parts[i]);
  free (g);
}

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  graph *g = nn_cuda_conv_cudnn_can (conv) ? calloc (1, sizeof *g) : NULL;
  if (g == NULL)
    return 0;
  for (int residual = conv->has_residual; residual < 2 && g->n_engines == 0; residual++) {
    g->has_residual = residual;
    if (build (g, cuda, conv)) {
      find_engines (g, cuda, conv, CUDNN_HEUR_MODE_A);
      if (wanted < 0 || wanted >= g->n_engines)
        find_engines (g, cuda, conv, CUDNN_HEUR_MODE_FALLBACK);
    }
  }
  if (g->n_engines == 0) {
    close (g);
    return 0;
  }
  *source = g;
  return g->n_engines;
}

/* ---- one engine ---- */

static void
release (void *state)
{
  plan *p = state;
  if (p->execution != NULL)
    cudnnBackendDestroyDescriptor (p->execution);
  free (p);
}

static nn_status
make_plan (plan *p, const nn_cuda *cuda, const graph *g, int variant, nn_error *err)
{
  int64_t n = 0, bytes = 0;
  if (NN_CUDNN (cudnnBackendCreateDescriptor (CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &p->execution), err)
      || NN_CUDNN (cudnnBackendSetAttribute (p->execution, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                                             &cuda->cudnn), err)
      || NN_CUDNN (cudnnBackendSetAttribute (p->execution, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                             CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &g->engines[variant]), err)
      || NN_CUDNN (cudnnBackendFinalize (p->execution), err)
      || NN_CUDNN (cudnnBackendGetAttribute (p->execution, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                             1, &n, &bytes), err))
    return err->status;
  p->scratch_bytes = (size_t) bytes;
  if (p->scratch_bytes > NN_CUDA_CONV_MAX_SCRATCH)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a workspace of %zu bytes", p->scratch_bytes);
  return NN_OK;
}

static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  plan *p = calloc (1, sizeof *p);
  if (p == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  p->has_residual = ((const graph *) source)->has_residual;
  if (make_plan (p, cuda, source, variant, err) != NN_OK) {
    release (p);
    return err->status;
  }
  *state = p;
  return NN_OK;
}

static size_t
scratch_bytes (const void *state)
{
  return ((const plan *) state)->scratch_bytes;
}

static nn_status
execute (const nn_cuda *cuda, const plan *p, cudnnBackendDescriptor_t pack, const nn_cuda_conv_data *data,
         void *scratch, nn_error *err)
{
  const int64_t ids[] = { X, W, BIAS, Y, RESIDUAL }, n = p->has_residual ? 5 : 4;
  const void *pointers[] = { data->x, data->w, data->bias, data->y, data->residual != NULL ? data->residual : data->y };
  if (NN_CUDNN (cudnnBackendSetAttribute (pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, ids), err)
      || NN_CUDNN (cudnnBackendSetAttribute (pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n,
                                             pointers), err)
      || NN_CUDNN (cudnnBackendSetAttribute (pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &scratch),
                   err)
      || NN_CUDNN (cudnnBackendFinalize (pack), err))
    return err->status;
  return NN_CUDNN (cudnnBackendExecute (cuda->cudnn, p->execution, pack), err);
}

static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  cudnnBackendDescriptor_t pack = NULL;
  if (NN_CUDNN (cudnnBackendCreateDescriptor (CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack), err))
    return err->status;
  nn_status status = execute (cuda, state, pack, data, scratch, err);
  cudnnBackendDestroyDescriptor (pack);
  if (status != NN_OK || is_fused (conv) || conv->activation.kind == NN_ACT_NONE)
    return status;
  nn_cuda_launch_conv_activate (data->y, s->batch * s->out_height * s->out_width, s->out_channels, s->y_pitch,
                                conv->dtype, &conv->activation, cuda->stream);
  return nn_cuda_launched ("conv-activate", err);
}

const nn_cuda_conv_way nn_cuda_conv_graph = {
  .name = "graph",
  .knows_no_weights = true,
  .needs = NN_CUDA_CONV_WEIGHTS | NN_CUDA_CONV_BIAS_AS_X,
  .open = open,
  .close = close,
  .prepare = prepare,
  .release = release,
  .scratch_bytes = scratch_bytes,
  .run = run,
};
