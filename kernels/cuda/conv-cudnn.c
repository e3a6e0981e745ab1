/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudnnConvolutionBiasActivationForward(), which chooses the engine itself. What is not a rectifier follows as a
 * kernel of its own. */
#include "conv-way.h"

#include <limits.h>
#include <stdlib.h>

typedef struct library {
  cudnnTensorDescriptor_t x, y, bias;
  cudnnFilterDescriptor_t w;
  cudnnConvolutionDescriptor_t conv;
  cudnnActivationDescriptor_t activation;
  cudnnConvolutionFwdAlgo_t algorithm;
  size_t scratch_bytes;
} library;

/* Without an activation cuDNN has the first one only. */
static const cudnnConvolutionFwdAlgo_t algorithms[] = { CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
                                                        CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM };

static bool
is_fused (const nn_cuda_conv_node *conv)
{
  return conv->activation.kind == NN_ACT_RELU;
}

/* It takes one pad for both sides: the first one, where the last window does not reach the second. */
static bool
pads_fit (int64_t extent, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad, int64_t out)
{
  int64_t room = extent + 2 * pad - (kernel - 1) * dilation - 1;
  return room >= 0 && room / stride + 1 == out;
}

static int
open (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  if (!nn_cuda_conv_cudnn_can (conv) || nn_cuda_conv_has_gaps (conv)
      || !pads_fit (s->in_height, s->kh, s->stride_h, s->dilation_h, s->pad_top, s->out_height)
      || !pads_fit (s->in_width, s->kw, s->stride_w, s->dilation_w, s->pad_left, s->out_width)
      || s->batch * s->in_height * s->in_width * s->in_channels > INT_MAX
      || s->batch * s->out_height * s->out_width * s->out_channels > INT_MAX)
    return 0;
  return is_fused (conv) ? sizeof algorithms / sizeof algorithms[0] : 1;
}

static void
release (void *state)
{
  library *l = state;
  if (l->x != NULL)
    cudnnDestroyTensorDescriptor (l->x);
  if (l->y != NULL)
    cudnnDestroyTensorDescriptor (l->y);
  if (l->bias != NULL)
    cudnnDestroyTensorDescriptor (l->bias);
  if (l->w != NULL)
    cudnnDestroyFilterDescriptor (l->w);
  if (l->conv != NULL)
    cudnnDestroyConvolutionDescriptor (l->conv);
  if (l->activation != NULL)
    cudnnDestroyActivationDescriptor (l->activation);
  free (l);
}

static nn_status
create (library *l, nn_error *err)
{
  if (NN_CUDNN (cudnnCreateTensorDescriptor (&l->x), err) || NN_CUDNN (cudnnCreateTensorDescriptor (&l->y), err)
      || NN_CUDNN (cudnnCreateTensorDescriptor (&l->bias), err) || NN_CUDNN (cudnnCreateFilterDescriptor (&l->w), err)
      || NN_CUDNN (cudnnCreateConvolutionDescriptor (&l->conv), err)
      || NN_CUDNN (cudnnCreateActivationDescriptor (&l->activation), err))
    return err->status;
  return NN_OK;
}

static cudnnMathType_t
math_of (const nn_cuda *cuda, nn_dtype dtype)
{
  if (dtype != NN_F32)
    return CUDNN_TENSOR_OP_MATH;
  return cuda->tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

static nn_status
describe (library *l, const nn_cuda *cuda, const nn_cuda_conv_node *conv, nn_error *err)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  cudnnDataType_t type = nn_cuda_conv_cudnn_type (conv->dtype);
  int n = (int) s->batch, c = (int) s->in_channels, k = (int) s->out_channels;
  if (NN_CUDNN (cudnnSetTensor4dDescriptor (l->x, CUDNN_TENSOR_NHWC, type, n, c, (int) s->in_height,
                                            (int) s->in_width), err)
      || NN_CUDNN (cudnnSetTensor4dDescriptor (l->y, CUDNN_TENSOR_NHWC, type, n, k, (int) s->out_height,
                                               (int) s->out_width), err)
      || NN_CUDNN (cudnnSetTensor4dDescriptor (l->bias, CUDNN_TENSOR_NHWC, type, 1, k, 1, 1), err)
      || NN_CUDNN (cudnnSetFilter4dDescriptor (l->w, type, CUDNN_TENSOR_NHWC, k, c / (int) s->groups, (int) s->kh,
                                               (int) s->kw), err)
      || NN_CUDNN (cudnnSetConvolution2dDescriptor (l->conv, (int) s->pad_top, (int) s->pad_left, (int) s->stride_h,
                                                    (int) s->stride_w, (int) s->dilation_h, (int) s->dilation_w,
                                                    CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT), err)
      || NN_CUDNN (cudnnSetConvolutionGroupCount (l->conv, (int) s->groups), err)
      || NN_CUDNN (cudnnSetConvolutionMathType (l->conv, math_of (cuda, conv->dtype)), err))
    return err->status;
  return NN_CUDNN (cudnnSetActivationDescriptor (l->activation,
                                                 is_fused (conv) ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
                                                 CUDNN_NOT_PROPAGATE_NAN, 0), err);
}

static nn_status
prepare (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state, nn_error *err)
{
  library *l = calloc (1, sizeof *l);
  if (l == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  l->algorithm = algorithms[variant];
  nn_status status = create (l, err);
  if (status == NN_OK)
    status = describe (l, cuda, conv, err);
  if (status == NN_OK)
    status = NN_CUDNN (cudnnGetConvolutionForwardWorkspaceSize (cuda->cudnn, l->x, l->w, l->conv, l->y, l->algorithm,
                                                                &l->scratch_bytes), err);
  if (status == NN_OK && l->scratch_bytes > NN_CUDA_CONV_MAX_SCRATCH)
    status = nn_fail (err, NN_ERR_UNSUPPORTED, "a workspace of %zu bytes", l->scratch_bytes);
  if (status != NN_OK) {
    release (l);
    return status;
  }
  *state = l;
  return NN_OK;
}

static size_t
scratch_bytes (const void *state)
{
  return ((const library *) state)->scratch_bytes;
}

/* Without a residual it must still get an address for one, which it does not read. */
static nn_status
run (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state, const nn_cuda_conv_data *data,
     void *scratch, nn_error *err)
{
  const library *l = state;
  const nn_cuda_conv_shape *s = &conv->shape;
  const float one = 1, added = conv->has_residual ? 1 : 0;
  const void *residual = conv->has_residual ? data->residual : data->y;
  if (NN_CUDNN (cudnnConvolutionBiasActivationForward (cuda->cudnn, &one, l->x, data->x, l->w, data->w, l->conv,
                                                       l->algorithm, scratch, l->scratch_bytes, &added, l->y, residual,
                                                       l->bias, data->bias, l->activation, l->y, data->y), err))
    return err->status;
  if (is_fused (conv) || conv->activation.kind == NN_ACT_NONE)
    return NN_OK;
  nn_cuda_launch_conv_activate (data->y, s->batch * s->out_height * s->out_width, s->out_channels, s->y_pitch,
                                conv->dtype, &conv->activation, cuda->stream);
  return nn_cuda_launched ("conv-activate", err);
}

const nn_cuda_conv_way nn_cuda_conv_cudnn = {
  .name = "cudnn",
  .needs = NN_CUDA_CONV_WEIGHTS | NN_CUDA_CONV_BIAS_AS_X,
  .open = open,
  .prepare = prepare,
  .release = release,
  .scratch_bytes = scratch_bytes,
  .run = run,
};
