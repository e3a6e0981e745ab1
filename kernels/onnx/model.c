/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model.h"

#include "onnx.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct nn_model {
  atomic_int refs;
  char *path;
  Onnx__ModelProto *proto; /* holds the weights, once for all graphs */
  nn_graph *graph;         /* as declared; never planned */
  int n_operators;
};

static nn_model *
open_model (nn_model *model, nn_error *err)
{
  size_t size = 0;
  uint8_t *data = nn_onnx_read_file (model->path, &size, err);
  if (data == NULL)
    return NULL;
  model->proto = nn_onnx_parse (data, size, err);
  free (data);
  if (model->proto != NULL)
    model->graph = nn_onnx_build (model->proto, &model->n_operators, err);
  if (model->graph == NULL) {
    nn_fail_in (err, "%s", model->path);
    return NULL;
  }
  return model;
}

nn_model *
nn_model_open (const char *path, nn_error *err)
{
  nn_model *model = calloc (1, sizeof *model);
  if (model == NULL || (model->path = strdup (path)) == NULL) {
    free (model);
    nn_fail (err, NN_ERR_MEMORY, "%s: out of memory", path);
    return NULL;
  }
  atomic_init (&model->refs, 1);
  if (open_model (model, err) == NULL) {
    nn_model_unref (model);
    return NULL;
  }
  return model;
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
  nn_graph_free (model->graph);
  if (model->proto != NULL)
    onnx__model_proto__free_unpacked (model->proto, NULL);
  free (model->path);
  free (model);
}

nn_graph *
nn_model_build_graph (const nn_model *model, nn_error *err)
{
  return nn_onnx_build (model->proto, NULL, err);
}

int
nn_model_n_operators (const nn_model *model)
{
  return model->n_operators;
}

const char *
nn_model_path (const nn_model *model)
{
  return model->path;
}

int
nn_model_n_inputs (const nn_model *model)
{
  return model->graph->n_inputs;
}

int
nn_model_n_outputs (const nn_model *model)
{
  return model->graph->n_outputs;
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
  return info_of (model->graph->inputs[index]);
}

nn_value_info
nn_model_output (const nn_model *model, int index)
{
  return info_of (model->graph->outputs[index]);
}

const char *
nn_model_metadata (const nn_model *model, const char *key)
{
  return nn_graph_metadata (model->graph, key);
}
