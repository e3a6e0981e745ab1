/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../graph/shape.h"
#include "onnx.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little endian and used in place");

/* Types without a field of their own lie in int32_data, one element each. */
static nn_status
narrow_int32 (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err)
{
  size_t size = nn_dtype_size (tensor->dtype);
  char *to = nn_graph_alloc (graph, proto->n_int32_data * size);
  if (to == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu elements", proto->n_int32_data);
  for (size_t i = 0; i < proto->n_int32_data; i++)
    memcpy (to + i * size, &proto->int32_data[i], size);
  tensor->data = to;
  return NN_OK;
}

/* The element's bytes in one of the typed fields, and how many elements there are. */
static nn_status
find_typed (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, size_t *n, nn_error *err)
{
  switch (tensor->dtype) {
  case NN_F32:
    tensor->data = proto->float_data;
    *n = proto->n_float_data;
    return NN_OK;
  case NN_F64:
    tensor->data = proto->double_data;
    *n = proto->n_double_data;
    return NN_OK;
  case NN_I64:
    tensor->data = proto->int64_data;
    *n = proto->n_int64_data;
    return NN_OK;
  case NN_I32:
    tensor->data = proto->int32_data;
    *n = proto->n_int32_data;
    return NN_OK;
  default:
    *n = proto->n_int32_data;
    return narrow_int32 (graph, proto, tensor, err);
  }
}

static nn_status
find_small (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err)
{
  const size_t size = nn_dtype_size (tensor->dtype);
  size_t n = proto->raw_data.len / size;
  nn_status status = NN_OK;
  if (proto->has_raw_data)
    tensor->data = proto->raw_data.data;
  else
    status = find_typed (graph, proto, tensor, &n, err);
  if (status != NN_OK)
    return status;
  if (proto->has_raw_data && proto->raw_data.len % size != 0)
    return nn_fail (err, NN_ERR_FORMAT, "%zu bytes are no whole number of %s elements", proto->raw_data.len,
                    nn_dtype_name (tensor->dtype));
  if ((uint64_t)nn_tensor_count (tensor) != n)
    return nn_fail (err, NN_ERR_FORMAT, "%zu elements where its dimensions make %" PRId64, n,
                    nn_tensor_count (tensor));
  /* NULL is for operands that are left out. */
  if (n == 0 && (tensor->data = nn_graph_alloc (graph, 1)) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  return NN_OK;
}

/* Elements that are not in the message: in the model's file at `place`, or else in a data file. */
static nn_status
read_large (nn_onnx_source *source, const Onnx__TensorProto *proto, const nn_onnx_place *place,
            nn_tensor *tensor, nn_error *err)
{
  size_t bytes = nn_tensor_bytes (tensor);
  if (proto->has_raw_data || (place != NULL && nn_onnx_is_external (proto)))
    return nn_fail (err, NN_ERR_FORMAT, "its elements are there twice");
  if (place != NULL && place->length != bytes)
    return nn_fail (err, NN_ERR_FORMAT, "%" PRIu64 " bytes where its dimensions make %zu", place->length,
                    bytes);
  if (source->loads && (tensor->data = nn_graph_alloc_weights (source->graph, bytes)) == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for its %zu bytes", bytes);
  if (place == NULL)
    return nn_onnx_external_read (&source->external, proto, tensor->data, bytes, err);
  return source->loads ? nn_onnx_file_read (source->file, place->offset, tensor->data, bytes, err) : NN_OK;
}

static nn_status
check_bools (const nn_tensor *tensor, nn_error *err)
{
  const uint8_t *data = tensor->data;
  int64_t n = data != NULL ? nn_tensor_count (tensor) : 0;
  for (int64_t i = 0; i < n; i++)
    if (data[i] > 1)
      return nn_fail (err, NN_ERR_FORMAT, "a bool element is %d", data[i]);
  return NN_OK;
}

static nn_status
read_shape (const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err)
{
  nn_dtype dtype = nn_dtype_from_onnx (proto->data_type);
  if (proto->segment != NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "it is stored in segments");
  if (dtype == NN_DTYPE_NONE)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "element type %" PRId32 " is not supported", proto->data_type);
  if (proto->n_dims > NN_MAX_RANK)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%zu dimensions (at most %d)", proto->n_dims, NN_MAX_RANK);
  if (nn_shape_bytes (dtype, (int)proto->n_dims, proto->dims) < 0)
    return nn_fail (err, NN_ERR_FORMAT, "its dimensions are negative or their product is too large");
  *tensor = nn_tensor_make (dtype, (int)proto->n_dims, proto->dims, NN_LAYOUT_ROW_MAJOR, NULL);
  return NN_OK;
}

nn_status
nn_onnx_tensor (nn_onnx_source *source, const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err)
{
  nn_onnx_place place;
  nn_status status = read_shape (proto, tensor, err);
  if (status != NN_OK)
    return status;
  if (nn_onnx_find_place (proto, &place))
    status = read_large (source, proto, &place, tensor, err);
  else if (nn_onnx_is_external (proto))
    status = read_large (source, proto, NULL, tensor, err);
  else
    status = find_small (source->graph, proto, tensor, err);
  return status == NN_OK && tensor->dtype == NN_BOOL ? check_bools (tensor, err) : status;
}
