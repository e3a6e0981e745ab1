/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "small_onnx.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test_onnx.XXXXXX";

static int
remove_entry (const char *path, const struct stat *st, int kind, struct FTW *at)
{
  return remove (path);
}

static void
remove_folder (void)
{
  nftw (folder, remove_entry, 4, FTW_DEPTH | FTW_PHYS);
}

bool
small_folder (void)
{
  return mkdtemp (folder) != NULL && atexit (remove_folder) == 0;
}

const char *
small_path (const char *name)
{
  static char path[256];
  snprintf (path, sizeof path, "%s/%s", folder, name);
  return path;
}

const char *
small_write (const char *name, const void *data, size_t size)
{
  const char *path = small_path (name);
  FILE *file = fopen (path, "wb");
  if (file == NULL || fwrite (data, 1, size, file) != size || fclose (file) != 0)
    perror (path);
  return path;
}

static void
small_nodes (small *s)
{
  onnx__node_proto__init (&s->conv);
  onnx__node_proto__init (&s->relu);
  onnx__attribute_proto__init (&s->attr);
  s->conv.op_type = "Conv";
  s->conv.name = "first";
  s->conv_in[0] = "x";
  s->conv_in[1] = "w";
  s->conv_out[0] = "c";
  s->conv.n_input = 2;
  s->conv.input = s->conv_in;
  s->conv.n_output = 1;
  s->conv.output = s->conv_out;
  s->kernel[0] = s->kernel[1] = 1;
  s->attr.name = "kernel_shape";
  s->attr.has_type = 1;
  s->attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
  s->attr.n_ints = 2;
  s->attr.ints = s->kernel;
  s->attrs[0] = &s->attr;
  s->conv.n_attribute = 1;
  s->conv.attribute = s->attrs;
  s->relu.op_type = "Relu";
  s->relu_in[0] = "c";
  s->relu_out[0] = "y";
  s->relu.n_input = s->relu.n_output = 1;
  s->relu.input = s->relu_in;
  s->relu.output = s->relu_out;
  s->nodes[0] = &s->conv;
  s->nodes[1] = &s->relu;
}

static void
small_values (small *s)
{
  onnx__tensor_proto__init (&s->w);
  onnx__value_info_proto__init (&s->x);
  onnx__value_info_proto__init (&s->y);
  onnx__type_proto__init (&s->type);
  onnx__type_proto__tensor__init (&s->tensor_type);
  onnx__tensor_shape_proto__init (&s->shape);
  s->w.name = "w";
  s->w.has_data_type = 1;
  s->w.data_type = 1;
  s->w.n_dims = 4;
  s->w.dims = s->w_dims;
  memcpy (s->w_dims, (int64_t[]){ 3, 2, 1, 1 }, sizeof s->w_dims);
  for (int i = 0; i < 6; i++)
    s->w_data[i] = (float)i - 2.5f;
  s->w.n_float_data = 6;
  s->w.float_data = s->w_data;
  s->tensors[0] = &s->w;
  for (int i = 0; i < 4; i++) {
    onnx__tensor_shape_proto__dimension__init (&s->dim[i]);
    s->dim[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    s->dim[i].dim_value = (int64_t[]){ 1, 2, 4, 4 }[i];
    s->dims[i] = &s->dim[i];
  }
  s->shape.n_dim = 4;
  s->shape.dim = s->dims;
  s->tensor_type.has_elem_type = 1;
  s->tensor_type.elem_type = 1;
  s->tensor_type.shape = &s->shape;
  s->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  s->type.tensor_type = &s->tensor_type;
  s->x.name = "x";
  s->x.type = &s->type;
  s->y.name = "y";
  s->xs[0] = &s->x;
  s->ys[0] = &s->y;
}

small *
small_new (void)
{
  small *s = calloc (1, sizeof *s);
  onnx__model_proto__init (&s->model);
  onnx__graph_proto__init (&s->graph);
  onnx__operator_set_id_proto__init (&s->opset);
  onnx__string_string_entry_proto__init (&s->meta);
  small_nodes (s);
  small_values (s);
  s->graph.n_node = 2;
  s->graph.node = s->nodes;
  s->graph.n_initializer = 1;
  s->graph.initializer = s->tensors;
  s->graph.n_input = s->graph.n_output = 1;
  s->graph.input = s->xs;
  s->graph.output = s->ys;
  s->opset.has_version = 1;
  s->opset.version = 13;
  s->opsets[0] = &s->opset;
  s->meta.key = "character";
  s->meta.value = "text\ntitle";
  s->metas[0] = &s->meta;
  s->model.n_metadata_props = 1;
  s->model.metadata_props = s->metas;
  s->model.has_ir_version = 1;
  s->model.ir_version = 8;
  s->model.graph = &s->graph;
  s->model.n_opset_import = 1;
  s->model.opset_import = s->opsets;
  return s;
}

uint8_t *
small_pack (const small *s, size_t *size)
{
  *size = onnx__model_proto__get_packed_size (&s->model);
  uint8_t *data = malloc (*size);
  onnx__model_proto__pack (&s->model, data);
  return data;
}

bool
small_loads (const char *path, nn_error *err)
{
  *err = (nn_error){ 0 };
  nn_model *model = nn_model_open (path, err);
  nn_plan *plan = model != NULL ? nn_plan_new (model, &(nn_plan_options) { .batch = 1, .threads = 1 }, err) : NULL;
  bool ok = plan != NULL;
  nn_error any_err;
  nn_model *any = nn_model_open_any (path, &any_err);
  CHECK (any != NULL || model == NULL, "%s", any_err.message);
  nn_model_unref (any);
  nn_plan_unref (plan);
  nn_model_unref (model);
  return ok;
}
