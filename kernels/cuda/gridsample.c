/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gridsample.h"

#include "cuda.h"
#include "image.h"

#include <string.h>

static nn_status
read_attributes (const nn_node *node, nn_grid_sampler *sampler, nn_error *err)
{
  static const char *const paddings[] = { "zeros", "border", "reflection" };
  const char *mode = nn_node_string (node, "mode", "linear");
  const char *padding = nn_node_string (node, "padding_mode", "zeros");
  int found = -1;
  for (int i = 0; i < 3; i++)
    if (strcmp (padding, paddings[i]) == 0)
      found = i;
  sampler->linear = strcmp (mode, "linear") == 0 || strcmp (mode, "bilinear") == 0;
  sampler->align_corners = nn_node_int (node, "align_corners", 0) != 0;
  sampler->padding = (nn_grid_padding) found;
  if ((!sampler->linear && strcmp (mode, "nearest") != 0) || found < 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "mode '%s' with padding_mode '%s' is not supported", mode, padding);
  return NN_OK;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *grid = &call->in[1], *y = &call->out[0];
  nn_grid_sampler ignored;
  if (x->rank != 4 || !nn_image_is_good (x) || !nn_image_is_good (y))
    return nn_fail (err, NN_ERR_UNSUPPORTED,
                    "only floating-point images of rank 4 are supported on CUDA, not %s of rank %d",
                    nn_dtype_name (x->dtype), x->rank);
  if (grid->dtype != NN_F32 && grid->dtype != NN_F16 && grid->dtype != NN_BF16)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a grid of %s is not supported on CUDA", nn_dtype_name (grid->dtype));
  return read_attributes (call->node, &ignored, err);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  nn_grid_sampler sampler;
  nn_status status = read_attributes (call->node, &sampler, err);
  if (status != NN_OK || nn_tensor_count (&call->out[0]) == 0)
    return status;
  nn_cuda_launch_grid_sample (&call->in[0], &call->in[1], &call->out[0], &sampler, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("grid_sample", err);
}

const nn_kernel nn_cuda_grid_sample = { .prepare = prepare, .run = run };
