/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tiny_yolo.h"

#include "small_onnx.h"

#define SIDE 32
#define TILE 8
#define TILES ((SIDE / TILE) * (SIDE / TILE))
#define CHANNELS 5 /* cx cy w h score */
#define WEIGHTS (3 * TILE * TILE) /* of a channel */

static void
name_output (Onnx__ValueInfoProto *y, Onnx__TypeProto *type, Onnx__TypeProto__Tensor *tensor,
             Onnx__TensorShapeProto *shape, Onnx__TensorShapeProto__Dimension *dim,
             Onnx__TensorShapeProto__Dimension **dims, const small *s)
{
  static const int64_t sizes[] = { 0, CHANNELS, TILES };
  *type = s->type;
  *tensor = s->tensor_type;
  *shape = s->shape;
  dim[0] = s->dim[0];
  for (int i = 0; i < 3; i++) {
    if (i > 0) {
      dim[i] = s->dim[1];
      dim[i].dim_value = sizes[i];
    }
    dims[i] = &dim[i];
  }
  shape->n_dim = 3;
  shape->dim = dims;
  tensor->shape = shape;
  type->tensor_type = tensor;
  y->type = type;
}

/* The mean of the tile's pixels is the score; the box is the same in all tiles, so that one stays. */
static void
fill_weights (float *weights, float *bias)
{
  static const float box[] = { SIDE / 2, SIDE / 2, SIDE / 4, SIDE / 4 };
  for (int i = 0; i < 4 * WEIGHTS; i++)
    weights[i] = 0;
  for (int i = 4 * WEIGHTS; i < CHANNELS * WEIGHTS; i++)
    weights[i] = 1.0f / WEIGHTS;
  for (int i = 0; i < CHANNELS; i++)
    bias[i] = i < 4 ? box[i] : 0;
}

static void
make_tensor (Onnx__TensorProto *t, char *name, int64_t *dims, size_t n_dims, float *data, size_t n)
{
  onnx__tensor_proto__init (t);
  t->name = name;
  t->has_data_type = 1;
  t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  t->n_dims = n_dims;
  t->dims = dims;
  t->n_float_data = n;
  t->float_data = data;
}

const char *
tiny_yolo_write (void)
{
  static float weights[CHANNELS * WEIGHTS], bias[CHANNELS];
  static int64_t weight_dims[] = { CHANNELS, 3, TILE, TILE }, bias_dims[] = { CHANNELS }, shape_dims[] = { 3 };
  static int64_t shape[] = { 0, 0, -1 };
  static char path[256];
  Onnx__TensorProto b, to;
  Onnx__ValueInfoProto *y;
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor;
  Onnx__TensorShapeProto output_shape;
  Onnx__TensorShapeProto__Dimension dim[3], *dims[3];
  char *conv_in[] = { "images", "w", "b" }, *reshape_in[] = { "c", "to" };
  small *s = small_new ();
  Onnx__AttributeProto strides = s->attr, *attrs[] = { &s->attr, &strides };
  Onnx__TensorProto *tensors[] = { &s->w, &b, &to };
  size_t size;

  fill_weights (weights, bias);
  make_tensor (&s->w, "w", weight_dims, 4, weights, CHANNELS * WEIGHTS);
  make_tensor (&b, "b", bias_dims, 1, bias, CHANNELS);
  make_tensor (&to, "to", shape_dims, 1, NULL, 0);
  to.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
  to.n_int64_data = 3;
  to.int64_data = shape;
  s->graph.n_initializer = 3;
  s->graph.initializer = tensors;
  s->kernel[0] = s->kernel[1] = TILE;
  strides.name = "strides";
  s->conv.n_attribute = 2;
  s->conv.attribute = attrs;
  s->conv.n_input = 3;
  s->conv.input = conv_in;
  s->relu.op_type = "Reshape";
  s->relu.n_input = 2;
  s->relu.input = reshape_in;
  s->x.name = "images";
  s->dim[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
  s->dim[0].dim_param = "batch";
  s->dim[1].dim_value = 3;
  s->dim[2].dim_value = s->dim[3].dim_value = SIDE;
  y = &s->y;
  name_output (y, &type, &tensor, &output_shape, dim, dims, s);
  s->meta.key = "names";
  s->meta.value = "{0: 'grey'}";

  uint8_t *data = small_pack (s, &size);
  bool ok = small_folder ();
  snprintf (path, sizeof path, "%s", ok ? small_write ("tiny.onnx", data, size) : "");
  free (data);
  free (s);
  return ok ? path : NULL;
}
