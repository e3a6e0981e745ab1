/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model.h"

#include "onnx.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct nn_model {
  atomic_int refs;
  char *path;
  nn_onnx onnx;
  nn_plan_list plans;
};

static nn_model *
open_model (const char *path, bool any_operators, nn_error *err)
{
  nn_model *model = calloc (1, sizeof *model);
  if (model == NULL || (model->path = strdup (path)) == NULL) {
    free (model);
    nn_fail (err, NN_ERR_MEMORY, "%s: out of memory", path);
    return NULL;
  }
  atomic_init (&model->refs, 1);
  if (nn_onnx_open (&model->onnx, path, any_operators, err) != NN_OK) {
    nn_fail_in (err, "%s", path);
    free (model->path);
    free (model);
    return NULL;
  }
  pthread_mutex_init (&model->plans.mutex, NULL);
  return model;
}

nn_model *
nn_model_open (const char *path, nn_error *err)
{
  return open_model (path, false, err);
}

nn_model *
nn_model_open_any (const char *path, nn_error *err)
{
  return open_model (path, true, err);
}

nn_model *
nn_model_ref (nn_model *model)
{
  atomic_fetch_add_explicit (&model->refs, 1, memory_order_relaxed);
  return model;
}

void
nn_model_unref (nn_model *model)
{
  if (model == NULL || atomic_fetch_sub_explicit (&model->refs, 1, memory_order_acq_rel) != 1)
    return;
  pthread_mutex_destroy (&model->plans.mutex);
  nn_onnx_close (&model->onnx);
  free (model->path);
  free (model);
}

nn_plan_list *
nn_model_plans (nn_model *model)
{
  return &model->plans;
}

nn_graph *
nn_model_build_graph (const nn_model *model, nn_error *err)
{
  return nn_onnx_build (&model->onnx, err);
}

int
nn_model_n_operators (const nn_model *model)
{
  return model->onnx.n_operators;
}

nn_origin
nn_model_origin (const nn_model *model)
{
  const Onnx__ModelProto *proto = model->onnx.proto;
  return (nn_origin){ .producer = proto->producer_name != NULL ? proto->producer_name : "",
                      .producer_version = proto->producer_version != NULL ? proto->producer_version : "",
                      .ir_version = proto->ir_version,
                      .opset = model->onnx.declared->opset };
}

int
nn_model_n_operator_infos (const nn_model *model)
{
  return model->onnx.n_operator_infos;
}

nn_operator_info
nn_model_operator_info (const nn_model *model, int index)
{
  return model->onnx.operators[index];
}

const char *
nn_model_path (const nn_model *model)
{
  return model->path;
}

size_t
nn_model_bytes (const nn_model *model)
{
  return (size_t) (model->onnx.file.size + model->onnx.data_files.bytes);
}

int
nn_model_n_inputs (const nn_model *model)
{
  return model->onnx.declared->n_inputs;
}

int
nn_model_n_outputs (const nn_model *model)
{
  return model->onnx.declared->n_outputs;
}

static nn_value_info
info_of (const nn_value *value)
{
  nn_value_info info = { .name = value->name,
                         .dtype = value->dtype,
                         .rank = value->rank < 0 ? 0 : value->rank };
  memcpy (info.dim, value->dim, sizeof info.dim);
  return info;
}

nn_value_info
nn_model_input (const nn_model *model, int index)
{
  return info_of (model->onnx.declared->inputs[index]);
}

nn_value_info
nn_model_output (const nn_model *model, int index)
{
  return info_of (model->onnx.declared->outputs[index]);
}

const char *
nn_model_metadata (const nn_model *model, const char *key)
{
  return nn_graph_metadata (model->onnx.declared, key);
}
