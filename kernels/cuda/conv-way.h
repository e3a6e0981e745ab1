/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways to do a convolution, one file each. conv.c asks every one what it can do with a node, times what they
 * offer, and keeps the fastest. To add one: a table here, a line in conv.c.
 */
#pragma once

#include "conv.h"
#include "cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one way may take of the device's memory for its intermediate results. */
#define NN_CUDA_CONV_MAX_SCRATCH ((size_t) 64 << 20)

/* A Conv node. */
typedef struct nn_cuda_conv_node {
  nn_cuda_conv_shape shape;
  nn_cuda_conv_strides strides;
  nn_dtype dtype; /* of x, y and residual */
  nn_activation activation;
  bool has_residual;
  bool has_weights;     /* the weights are constant */
  bool is_constant;     /* … and the bias, if there is one */
  bool has_pixels;      /* x, y and residual are N, H, W, C in memory, their pixels at the shape's pitches */
  int alignment;        /* their addresses are multiples of this many bytes, 64 at most; also each pixel's where there
                           are gaps between pixels */
  const float *w;       /* host, only in open() and prepare(): out_channels, in_channels / groups, kh, kw */
  const float *bias;    /* … out_channels; NULL: none */
} nn_cuda_conv_node;

/* Fills the node, which is zeroed: conv-node.c. */
nn_status nn_cuda_conv_fill (const nn_call *call, nn_cuda_conv_node *node, nn_error *err);

/* One input channel a group. */
static inline bool
nn_cuda_conv_is_depthwise (const nn_cuda_conv_shape *shape)
{
  return shape->groups > 1 && shape->groups == shape->in_channels;
}

/* Whether any two pixels have a gap between them. */
static inline bool
nn_cuda_conv_has_gaps (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return s->x_pitch != s->in_channels || s->y_pitch != s->out_channels
         || (conv->has_residual && s->residual_pitch != s->out_channels);
}

/* Elements from x's first one to behind the last pixel's gap; y's, and the residual's. */
static inline int64_t
nn_cuda_conv_x_extent (const nn_cuda_conv_shape *shape)
{
  return shape->batch * shape->in_height * shape->in_width * shape->x_pitch;
}

static inline int64_t
nn_cuda_conv_y_extent (const nn_cuda_conv_shape *shape)
{
  return shape->batch * shape->out_height * shape->out_width * shape->y_pitch;
}

static inline int64_t
nn_cuda_conv_residual_extent (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return conv->has_residual ? s->batch * s->out_height * s->out_width * s->residual_pitch : 0;
}

/* Elements from one output channel's packed weights to the next one's: whole vectors of 8 for tensor cores. */
static inline int64_t
nn_cuda_conv_pitch (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  const int64_t depth = s->kh * s->kw * (s->in_channels / s->groups);
  return conv->dtype == NN_F32 ? depth : (depth + 7) / 8 * 8;
}

static inline cudnnDataType_t
nn_cuda_conv_cudnn_type (nn_dtype dtype)
{
  return dtype == NN_F16 ? CUDNN_DATA_HALF : dtype == NN_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* Whether cuDNN may be asked at all. Never for depthwise ones: versions before 9.24 make them wrong where several
 * sizes follow each other. */
static inline bool
nn_cuda_conv_cudnn_can (const nn_cuda_conv_node *conv)
{
  const nn_cuda_conv_shape *s = &conv->shape;
  return conv->is_constant && conv->has_pixels && conv->alignment >= 16 && s->in_channels > 0 && s->batch > 0
         && !nn_cuda_conv_is_depthwise (s)
         && nn_cuda_conv_pitch (conv) == s->kh * s->kw * (s->in_channels / s->groups); /* weights without gaps */
}

/* The forms of the constants that a way may ask for: what run() finds in nn_cuda_conv_data.w and .bias. Those that the
 * network computes are found as they are. */
enum {
  NN_CUDA_CONV_WEIGHTS = 1,   /* nn_cuda_launch_conv_pack(), of x's type at nn_cuda_conv_pitch() */
  NN_CUDA_CONV_FILTERS = 2,   /* nn_cuda_launch_depthwise_pack() */
  NN_CUDA_CONV_BIAS = 4,      /* float32, NULL where the node has none */
  NN_CUDA_CONV_BIAS_AS_X = 8, /* of x's type, zeros where the node has none */
  NN_CUDA_CONV_FORMS = 4,     /* so many */
};

/* Takes one of them from the store; NULL where the node has no such constant. */
nn_status nn_cuda_conv_take (const nn_cuda *cuda, const nn_cuda_conv_node *node, unsigned form, const void **packed,
                             nn_error *err);

typedef struct nn_cuda_conv_way {
  const char *name; /* a word */
  bool own;         /* not a library's */
  unsigned needs;

  bool knows_no_weights; /* what open() and prepare() make serves every node of the same problem */

  /* How many variants it has for this node (0: it cannot do it), and what they share. Where one is `wanted`, not all
   * need be looked for (-1: all are). */
  int (*open) (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int wanted, void **source);
  void (*close) (void *source); /* NULL: there is nothing to close */

  /* Makes variant 0 … n - 1 ready; NULL: there is nothing to do. What it leaves in `state` is freed by release(),
   * before close(). A failure says that there is no such variant after all. */
  nn_status (*prepare) (const nn_cuda *cuda, const nn_cuda_conv_node *conv, void *source, int variant, void **state,
                        nn_error *err);
  void (*release) (void *state);

  size_t (*scratch_bytes) (const void *state); /* NULL: none */
  nn_status (*run) (const nn_cuda *cuda, const nn_cuda_conv_node *conv, int variant, const void *state,
                    const nn_cuda_conv_data *data, void *scratch, nn_error *err);
} nn_cuda_conv_way;

extern const nn_cuda_conv_way nn_cuda_conv_any;       /* conv-any.c: whatever no other can */
extern const nn_cuda_conv_way nn_cuda_conv_implicit;  /* conv-implicit.c */
extern const nn_cuda_conv_way nn_cuda_conv_few;       /* conv-few.c: up to 4 input channels */
extern const nn_cuda_conv_way nn_cuda_conv_depthwise; /* conv-depthwise.c */
extern const nn_cuda_conv_way nn_cuda_conv_product;   /* conv-product.c: 1×1, a product of matrices */
extern const nn_cuda_conv_way nn_cuda_conv_cudnn;     /* conv-cudnn.c: cuDNN's one call for all */
extern const nn_cuda_conv_way nn_cuda_conv_graph;     /* conv-graph.c: each of cuDNN's engines */

#ifdef __cplusplus
}
#endif
