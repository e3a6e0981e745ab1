/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuse.h"
#include "shape.h"

#include <math.h>
#include <string.h>

/* A constant float32 vector of `n` elements, or NULL. */
static const float *
constant_floats (const nn_value *value, int64_t n)
{
  if (value == NULL || value->constant == NULL || value->dtype != NN_F32 ||
      nn_tensor_count (value->constant) != n)
    return NULL;
  return value->constant->data;
}

static bool
has_constant_weights (const nn_node *conv)
{
  return conv->in[1]->constant != NULL && conv->in[1]->dtype == NN_F32 &&
         (!nn_node_has (conv, 2) || constant_floats (conv->in[2], conv->in[1]->dim[0]) != NULL) &&
         !nn_node_has (conv, 3);
}

/* A constant of the shape of `like` (or a vector of n elements where it is NULL), to be filled. */
static nn_value *
new_constant (nn_graph *graph, const char *name, int rank, const int64_t *dim, float **data)
{
  nn_tensor tensor = nn_tensor_make (NN_F32, rank, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  tensor.data = *data = nn_graph_alloc_weights (graph, nn_tensor_bytes (&tensor));
  return tensor.data != NULL ? nn_graph_add_constant (graph, name, &tensor) : NULL;
}

static void
take_weights (nn_graph *graph, nn_node *conv, nn_value *weights, nn_value *bias)
{
  nn_value *before = conv->in[1];
  nn_node_set_input (conv, 1, weights);
  nn_graph_release_if_unread (graph, before);
  nn_node_set_input (conv, 2, bias);
}

/* `node` was the only reader of the Conv's result: the Conv now computes the node's. */
static void
absorb (nn_graph *graph, nn_node *conv, nn_node *node)
{
  nn_value *result = node->out[0];
  nn_graph_remove_node (graph, node);
  conv->out[0] = result;
  result->producer = conv;
}

/* The Conv computes what `node` does of its result: times a scale, plus a shift a channel. */
static int
scale_conv (nn_graph *graph, nn_node *conv, nn_node *node, const double *scale, const double *shift,
            nn_error *err)
{
  const nn_value *old_w = conv->in[1];
  int64_t n = old_w->dim[0], per_channel = nn_shape_count (old_w->rank - 1, old_w->dim + 1);
  const float *from = old_w->constant->data, *bias = nn_node_has (conv, 2) ? conv->in[2]->constant->data : NULL;
  float *weights, *shifts;
  nn_value *new_w = new_constant (graph, old_w->name, old_w->rank, old_w->dim, &weights);
  nn_value *new_b = new_constant (graph, node->name, 1, &n, &shifts);
  if (new_w == NULL || new_b == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the weights");
    return -1;
  }
  for (int64_t c = 0; c < n; c++) {
    shifts[c] = (float) ((bias != NULL ? (double) bias[c] : 0) * scale[c] + shift[c]);
    for (int64_t i = 0; i < per_channel; i++)
      weights[c * per_channel + i] = (float) (from[c * per_channel + i] * scale[c]);
  }
  take_weights (graph, conv, new_w, new_b);
  absorb (graph, conv, node);
  return 1;
}

/* y = (w x + b - mean) gamma / sqrt (var + ε) + beta, with everything but x known. */
int
nn_fuse_conv_batch_norm (nn_graph *graph, nn_node *node, nn_error *err)
{
  nn_node *conv = nn_node_is (node, "BatchNormalization") ? nn_fuse_sole_producer (node, 0, "Conv") : NULL;
  if (conv == NULL || !has_constant_weights (conv))
    return 0;
  int64_t n = conv->in[1]->dim[0];
  const float *gamma = constant_floats (node->in[1], n), *beta = constant_floats (node->in[2], n);
  const float *mean = constant_floats (node->in[3], n), *var = constant_floats (node->in[4], n);
  double epsilon = nn_node_float (node, "epsilon", 1e-5f);
  if (gamma == NULL || beta == NULL || mean == NULL || var == NULL)
    return 0;
  double *scale = nn_graph_alloc (graph, 2 * (size_t) n * sizeof *scale), *shift = scale + n;
  if (scale == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the weights");
    return -1;
  }
  for (int64_t c = 0; c < n; c++) {
    scale[c] = gamma[c] / sqrt (var[c] + epsilon);
    shift[c] = beta[c] - mean[c] * scale[c];
  }
  return scale_conv (graph, conv, node, scale, shift, err);
}

/* Whether a constant has one element a channel when broadcast against a result of `rank`
 * dimensions: [C,1,1], [1,C,1,1] or the like. */
static bool
is_per_channel (const nn_value *value, int rank, int64_t channels)
{
  int lead = rank - value->rank;
  if (constant_floats (value, channels) == NULL || lead < 0 || lead > 1)
    return false;
  return value->dim[1 - lead] == channels;
}

/* The Conv that computes one operand of a `node` whose other operand is one number a channel, which
 * *other gets; NULL where there is none. */
static nn_node *
conv_and_vector (const nn_node *node, const nn_value **other)
{
  nn_node *conv = nn_fuse_sole_producer (node, 0, "Conv");
  if (conv == NULL)
    conv = nn_fuse_sole_producer (node, 1, "Conv");
  if (conv == NULL || !has_constant_weights (conv))
    return NULL;
  int64_t n = conv->in[1]->dim[0];
  *other = nn_fuse_other (node, conv->out[0]);
  if (*other == NULL || n < 2 || node->out[0]->rank != conv->out[0]->rank ||
      !is_per_channel (*other, conv->out[0]->rank, n))
    return NULL;
  return conv;
}

/* A batch normalisation whose statistics do not change may be written as this and an Add. */
int
nn_fuse_conv_scale (nn_graph *graph, nn_node *node, nn_error *err)
{
  const nn_value *factors;
  nn_node *conv = nn_node_is (node, "Mul") ? conv_and_vector (node, &factors) : NULL;
  if (conv == NULL)
    return 0;
  size_t n = (size_t) conv->in[1]->dim[0];
  double *scale = nn_graph_alloc (graph, 2 * n * sizeof *scale);
  if (scale == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the weights");
    return -1;
  }
  for (size_t c = 0; c < n; c++)
    scale[c] = ((const float *) factors->constant->data)[c];
  return scale_conv (graph, conv, node, scale, scale + n, err); /* the shifts are 0 */
}

int
nn_fuse_conv_bias (nn_graph *graph, nn_node *node, nn_error *err)
{
  const nn_value *added;
  nn_node *conv = nn_node_is (node, "Add") ? conv_and_vector (node, &added) : NULL;
  if (conv == NULL)
    return 0;
  int64_t n = conv->in[1]->dim[0];
  float *shifts;
  const float *bias = nn_node_has (conv, 2) ? conv->in[2]->constant->data : NULL;
  const float *more = added->constant->data;
  nn_value *sum = new_constant (graph, added->name, 1, &n, &shifts);
  if (sum == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the bias");
    return -1;
  }
  for (int64_t c = 0; c < n; c++)
    shifts[c] = (bias != NULL ? bias[c] : 0) + more[c];
  nn_node_set_input (conv, 2, sum);
  absorb (graph, conv, node);
  return 1;
}

/* What computes operand `index` and can add a residual: a Conv, or a product with a constant matrix. */
static nn_node *
takes_residual (const nn_node *add, int index)
{
  nn_node *conv = nn_fuse_sole_producer (add, index, "Conv");
  if (conv != NULL)
    return conv;
  nn_node *product = nn_fuse_sole_producer (add, index, "MatMul");
  bool is_layer = product != NULL && product->in[0]->rank >= 2 && product->in[1]->constant != NULL &&
                  product->in[1]->rank == 2 && product->in[1]->dtype == NN_F32;
  return is_layer ? product : NULL;
}

/* The node moves to the Add's place, because the other operand may be computed after it. */
int
nn_fuse_residual (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "Add") || node->activation.kind != NN_ACT_NONE)
    return 0;
  for (int i = 0; i < 2; i++) {
    nn_node *conv = takes_residual (node, i);
    nn_value *other = node->in[1 - i];
    if (conv == NULL || nn_node_has (conv, 3) || other->constant != NULL ||
        !nn_fuse_same_shape (conv->out[0], other))
      continue;
    nn_value *in[4] = { conv->in[0], conv->in[1], nn_node_has (conv, 2) ? conv->in[2] : NULL, other };
    nn_value *result = node->out[0];
    nn_node *fused = nn_graph_add_node (graph, node, conv->op, conv->name, in, 4, &result, 1);
    if (fused == NULL) {
      nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
      return -1;
    }
    fused->attrs = conv->attrs;
    fused->n_attrs = conv->n_attrs;
    nn_graph_remove_node (graph, node);
    nn_graph_remove_node (graph, conv);
    return 1;
  }
  return 0;
}

/* Whether `small`, a 1×1 convolution, reads what the middle of `large`'s windows reads. */
static bool
is_middle_of (const nn_node *small, const nn_node *large)
{
  nn_window s[NN_MAX_RANK - 2], l[NN_MAX_RANK - 2];
  nn_error ignored;
  if (nn_shape_windows (small, s, &ignored) != NN_OK || nn_shape_windows (large, l, &ignored) != NN_OK)
    return false;
  for (int i = 0; i < large->in[0]->rank - 2; i++)
    if (s[i].kernel != 1 || s[i].pad_begin != 0 || s[i].stride != l[i].stride || l[i].kernel % 2 == 0 ||
        l[i].pad_begin != l[i].kernel / 2 * l[i].dilation || s[i].out != l[i].out)
      return false;
  return true;
}

/* Two convolutions of one value whose results are added, one of them 1×1 (a block of RepVGG): the other
 * one's filter takes the small one's in its middle. */
static int
merge_parallel (nn_graph *graph, nn_node *large, const nn_node *small, nn_node *add, nn_error *err)
{
  const nn_value *w = large->in[1];
  int64_t n = w->dim[0], filters = n * w->dim[1], size = nn_shape_count (w->rank - 2, w->dim + 2);
  const float *from = w->constant->data, *middle = small->in[1]->constant->data;
  float *weights, *shifts;
  nn_value *new_w = new_constant (graph, w->name, w->rank, w->dim, &weights);
  nn_value *new_b = new_constant (graph, add->name, 1, &n, &shifts);
  if (new_w == NULL || new_b == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the weights");
    return -1;
  }
  memcpy (weights, from, (size_t) (filters * size) * sizeof *weights);
  for (int64_t i = 0; i < filters; i++)
    weights[i * size + size / 2] += middle[i];
  for (int64_t c = 0; c < n; c++) {
    shifts[c] = nn_node_has (large, 2) ? ((const float *) large->in[2]->constant->data)[c] : 0;
    shifts[c] += nn_node_has (small, 2) ? ((const float *) small->in[2]->constant->data)[c] : 0;
  }
  take_weights (graph, large, new_w, new_b);
  absorb (graph, large, add);
  return 2;
}

int
nn_fuse_conv_parallel (nn_graph *graph, nn_node *node, nn_error *err)
{
  if (!nn_node_is (node, "Add"))
    return 0;
  for (int i = 0; i < 2; i++) {
    nn_node *large = nn_fuse_sole_producer (node, i, "Conv");
    nn_node *small = nn_fuse_sole_producer (node, 1 - i, "Conv");
    if (large == NULL || small == NULL || large->in[0] != small->in[0] ||
        !nn_fuse_same_shape (large->out[0], small->out[0]) || !has_constant_weights (large) ||
        !has_constant_weights (small) || large->in[1]->dim[1] != small->in[1]->dim[1] ||
        !is_middle_of (small, large))
      continue;
    int vanished = merge_parallel (graph, large, small, node, err);
    if (vanished > 0)
      nn_graph_remove_node (graph, small);
    return vanished;
  }
  return 0;
}
