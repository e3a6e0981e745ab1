/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors of an ONNX file: every type, from raw_data and from its own field. */
#include "kernels/onnx/onnx.h"
#include "nn-check.h"

/* One element of each type, from raw_data and from its own field. */
static void
test_types (void)
{
  static const struct {
    int32_t onnx;
    nn_dtype dtype;
    int32_t as_int; /* what int32_data holds */
    uint8_t raw[8];
  } cases[] = {
    { 2, NN_U8, 200, { 200 } },
    { 3, NN_I8, -3, { 0xfd } },
    { 6, NN_I32, -2, { 0xfe, 0xff, 0xff, 0xff } },
    { 9, NN_BOOL, 1, { 1 } },
    { 10, NN_F16, 0x3c00, { 0, 0x3c } },
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    nn_error err = { 0 };
    nn_graph *graph = nn_graph_new (&err);
    nn_onnx_source source = { .graph = graph, .loads = true };
    nn_tensor from_raw = { 0 }, from_ints = { 0 };
    int64_t one = 1;
    int32_t value = cases[i].as_int;
    size_t size = nn_dtype_size (cases[i].dtype);
    Onnx__TensorProto proto = ONNX__TENSOR_PROTO__INIT;
    proto.data_type = cases[i].onnx;
    proto.n_dims = 1;
    proto.dims = &one;
    proto.n_int32_data = 1;
    proto.int32_data = &value;
    CHECK (nn_onnx_tensor (&source, &proto, &from_ints, &err) == NN_OK, "%s", err.message);
    proto.has_raw_data = 1;
    proto.raw_data.len = size;
    proto.raw_data.data = (uint8_t *) (uintptr_t) cases[i].raw;
    CHECK (nn_onnx_tensor (&source, &proto, &from_raw, &err) == NN_OK, "%s", err.message);
    CHECK (from_raw.dtype == cases[i].dtype && from_ints.dtype == cases[i].dtype, "type %d", cases[i].onnx);
    CHECK (memcmp (from_raw.data, from_ints.data, size) == 0, "type %d", cases[i].onnx);
    nn_graph_free (graph);
  }
}

/* A tensor without elements has an address, unlike an operand that is left out. */
static void
test_empty (void)
{
  for (int raw = 0; raw < 2; raw++) {
    nn_error err = { 0 };
    nn_graph *graph = nn_graph_new (&err);
    nn_onnx_source source = { .graph = graph, .loads = true };
    nn_tensor tensor = { 0 };
    int64_t dims[2] = { 3, 0 };
    Onnx__TensorProto proto = ONNX__TENSOR_PROTO__INIT;
    proto.data_type = 1;
    proto.n_dims = 2;
    proto.dims = dims;
    proto.has_raw_data = raw;
    CHECK (nn_onnx_tensor (&source, &proto, &tensor, &err) == NN_OK, "%s", err.message);
    CHECK (tensor.data != NULL && nn_tensor_count (&tensor) == 0, "no address");
    nn_graph_free (graph);
  }
}

int
main (void)
{
  test_empty ();
  test_types ();
  return nn_check_report ("constants");
}
