/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small ONNX model made with protobuf-c's packer, for tests that damage it, and a folder for files. */
#pragma once

#include "kernels/nn.h"
#include "kernels/onnx/onnx.h"
#include "nn-check.h"

#include <stdlib.h>

/* x [N,2,4,4] → Conv (w [3,2,1,1]) → c → Relu → y, with everything in one struct, so that a test
 * changes one field and packs. */
typedef struct small {
  Onnx__ModelProto model;
  Onnx__GraphProto graph;
  Onnx__OperatorSetIdProto opset, *opsets[1];
  Onnx__StringStringEntryProto meta, *metas[1];
  Onnx__NodeProto conv, relu, *nodes[2];
  char *conv_in[2], *conv_out[1], *relu_in[1], *relu_out[1];
  Onnx__AttributeProto attr, *attrs[1];
  int64_t kernel[2];
  Onnx__TensorProto w, *tensors[1];
  int64_t w_dims[4];
  float w_data[6];
  Onnx__ValueInfoProto x, y, *xs[1], *ys[1];
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor_type;
  Onnx__TensorShapeProto shape;
  Onnx__TensorShapeProto__Dimension dim[4], *dims[4];
} small;

small *small_new (void); /* free () it */
uint8_t *small_pack (const small *s, size_t *size); /* free () it */

/* Makes the folder, which goes at exit; false if that fails. */
bool small_folder (void);
const char *small_path (const char *name); /* in the folder; valid until the next call */
const char *small_write (const char *name, const void *data, size_t size); /* its path */

/* Loads and plans; true if that works. What loads can be opened for its declarations too. */
bool small_loads (const char *path, nn_error *err);
/* Packs, frees and loads the model; it must fail with `status` and a message that has `cause` and
 * begins with the path. */
static inline void
small_refuses (small *s, nn_status status, const char *cause)
{
  size_t size;
  nn_error err;
  uint8_t *data = small_pack (s, &size);
  const char *path = small_write ("bad.onnx", data, size);
  bool ok = small_loads (path, &err);
  CHECK (!ok && err.status == status, "expected '%s', got status %d: %s", cause, err.status, err.message);
  CHECK (strstr (err.message, cause) != NULL, "expected '%s', got: %s", cause, err.message);
  CHECK (strncmp (err.message, path, strlen (path)) == 0, "no path in: %s", err.message);
  free (data);
  free (s);
}

/* One change to a small model, and what is said to it. */
#define REFUSES(status, cause, ...)   \
  do {                                \
    small *s = small_new ();          \
    __VA_ARGS__;                      \
    small_refuses (s, status, cause); \
  } while (0)
