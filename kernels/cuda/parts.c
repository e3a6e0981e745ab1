/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts.h"

#include "cuda.h"
#include "program.h"

enum { VECTOR_BYTES = 16 };

/* A 1×1 convolution that is a product of matrices, whose rows may be any distance apart. */
static bool
is_product (const nn_node *conv)
{
  const nn_value *x = conv->in[0], *w = conv->in[1], *y = conv->out[0];
  return w->dim[2] == 1 && w->dim[3] == 1 && x->dim[2] == y->dim[2] && x->dim[3] == y->dim[3]
         && nn_node_int (conv, "group", 1) == 1;
}

static bool
is_depthwise (const nn_node *conv)
{
  int64_t groups = nn_node_int (conv, "group", 1);
  return groups > 1 && groups == conv->in[0]->dim[1];
}

/* Weights that the network computes are nobody's part. In float32 only libraries are fast at the other ones, and not
 * all of their kernels take gaps. */
static bool
takes_conv (const nn_node *node, int index)
{
  return (index <= 0 || index == 3) && node->in[1]->constant != NULL
         && (node->in[0]->dtype != NN_F32 || is_product (node) || is_depthwise (node));
}

/* Those that go by strides, and are as fast with gaps. */
static bool
takes_image (const nn_node *node, int index)
{
  static const char *const any[] = { "Concat", "Split", "Reorder", "Chain" };
  static const char *const images[] = { "MaxPool", "AveragePool", "GlobalAveragePool", "Resize" };
  for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
    if (nn_node_is (node, any[i]))
      return true;
  for (size_t i = 0; i < sizeof images / sizeof images[0]; i++)
    if (nn_node_is (node, images[i]))
      return index <= 0;
  return nn_program_knows (node, NN_KIND_FLOAT);
}

bool
nn_cuda_takes_part (const nn_node *node, int index, const nn_value *root, size_t offset)
{
  size_t pixel = (size_t) root->dim[1] * nn_dtype_size (root->dtype);
  if (pixel % VECTOR_BYTES != 0 || offset % VECTOR_BYTES != 0)
    return false;
  return nn_node_is (node, "Conv") ? takes_conv (node, index) : takes_image (node, index);
}
