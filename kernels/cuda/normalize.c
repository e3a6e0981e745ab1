/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All memory is row-major. */
#include "normalize.h"

#include "floats.h"

#include "../graph/shape.h"

static nn_status
prepare (nn_call *call, nn_error *err)
{
  return nn_cuda_need_floats (call, err);
}

static nn_status
launch (const nn_call *call, nn_cuda_normalize_args *args, const char *name, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *scale = &call->in[1];
  const nn_tensor *bias = nn_node_has (call->node, 2) ? &call->in[2] : NULL;
  int64_t count = nn_tensor_count (x);
  if (count == 0)
    return NN_OK;
  args->x = x->data;
  args->x_type = x->dtype;
  args->y = call->out[0].data;
  args->y_type = call->out[0].dtype;
  args->scale = scale->data;
  args->scale_type = scale->dtype;
  args->bias = bias != NULL ? bias->data : NULL;
  args->bias_type = bias != NULL ? bias->dtype : NN_F32;
  args->rows = count / args->n;
  args->epsilon = nn_node_float (call->node, "epsilon", 1e-5f);
  nn_cuda_launch_normalize (args, nn_cuda_of (call)->stream);
  return nn_cuda_launched (name, err);
}

static nn_status
run_layer (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", -1), x->rank);
  nn_cuda_normalize_args args = { .n = nn_shape_count (x->rank - axis, x->dim + axis) };
  return launch (call, &args, "LayerNormalization", err);
}

/* One mean and variance for `together` channels; channel c's scale and bias stand at c / `shared`. */
static nn_status
run_channels (const nn_call *call, int64_t together, int64_t shared, const char *name, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  nn_cuda_normalize_args args
      = { .pixels = nn_shape_count (x->rank - 2, x->dim + 2), .channels = x->dim[1], .shared = shared };
  args.n = together * args.pixels;
  return launch (call, &args, name, err);
}

static nn_status
run_instance (const nn_call *call, nn_error *err)
{
  return run_channels (call, 1, 1, "InstanceNormalization", err);
}

/* Scale and bias are a group's in operator set 18, a channel's from 21 on. */
static nn_status
run_group (const nn_call *call, nn_error *err)
{
  int64_t channels = call->in[0].dim[1], groups = nn_node_int (call->node, "num_groups", 1);
  return run_channels (call, channels / groups, channels / call->in[1].dim[0], "GroupNormalization", err);
}

const nn_kernel nn_cuda_layer_normalization = { .prepare = prepare, .run = run_layer };
const nn_kernel nn_cuda_instance_normalization = { .prepare = prepare, .run = run_instance };
const nn_kernel nn_cuda_group_normalization = { .prepare = prepare, .run = run_group };
