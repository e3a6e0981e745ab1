/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wire format of an ONNX file, walked before protobuf-c sees it: protobuf-c recurses as deep as
 * the file says, believes every length, and copies all weights.
 *
 * The walk reads the file once, in pieces, and writes a slim model for protobuf-c: large raw_data
 * is left where it is and only its place is kept; doc strings and fields that the schema does not
 * know are left out.
 */
#pragma once

#include "file.h"
#include "onnx-limits.h"
#include "onnx.pb-c.h"

/* Where a tensor's raw_data lies in the model's file. In the slim model it is the field
 * NN_ONNX_PLACE_FIELD of TensorProto, which no file can have: fields of that number are unknown to
 * the schema and left out. */
typedef struct nn_onnx_place {
  uint64_t offset, length;
} nn_onnx_place;

#define NN_ONNX_PLACE_FIELD ((1u << 29) - 1)

typedef struct nn_onnx_slim {
  uint8_t *data; /* freed by the caller */
  size_t size;
} nn_onnx_slim;

/* Checks lengths, nesting, number of messages, memory that unpacking would take, and that text is
 * UTF-8 without NUL. On failure there is nothing to free. */
nn_status nn_onnx_scan (const nn_onnx_file *file, nn_onnx_slim *slim, nn_error *err);

/* Scans and unpacks; free with onnx__model_proto__free_unpacked (·, NULL). */
Onnx__ModelProto *nn_onnx_parse (const nn_onnx_file *file, nn_error *err);

/* Whether the tensor's raw_data was left in the file, and where. */
bool nn_onnx_find_place (const Onnx__TensorProto *proto, nn_onnx_place *place);
