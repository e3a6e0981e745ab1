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

/* Where the elements lie and how many there are; the type is known to be one of ours. */
static nn_status
find_data (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, size_t *n, nn_error *err)
{
  if (proto->has_raw_data) {
    size_t size = nn_dtype_size (tensor->dtype);
    tensor->data = proto->raw_data.data;
    *n = proto->raw_data.len / size;
    if (proto->raw_data.len % size != 0)
      return nn_fail (err, NN_ERR_FORMAT, "%zu bytes are no whole number of %s elements", proto->raw_data.len,
                      nn_dtype_name (tensor->dtype));
    return NN_OK;
  }
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
check_bools (const nn_tensor *tensor, size_t n, nn_error *err)
{
  const uint8_t *data = tensor->data;
  for (size_t i = 0; i < n; i++)
    if (data[i] > 1)
      return nn_fail (err, NN_ERR_FORMAT, "a bool element is %d", data[i]);
  return NN_OK;
}

nn_status
nn_onnx_tensor (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err)
{
  nn_dtype dtype = nn_dtype_from_onnx (proto->data_type);
  size_t n = 0;
  if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL || proto->n_external_data > 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "its data lies in another file; save the model as one file");
  if (proto->segment != NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "it is stored in segments");
  if (dtype == NN_DTYPE_NONE)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "element type %" PRId32 " is not supported", proto->data_type);
  if (proto->n_dims > NN_MAX_RANK)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%zu dimensions (at most %d)", proto->n_dims, NN_MAX_RANK);
  int64_t count = nn_shape_count ((int) proto->n_dims, proto->dims);
  if (count < 0)
    return nn_fail (err, NN_ERR_FORMAT, "its dimensions are negative or their product is too large");
  tensor->dtype = dtype;
  nn_status status = find_data (graph, proto, tensor, &n, err);
  if (status != NN_OK)
    return status;
  if ((uint64_t) count != n)
    return nn_fail (err, NN_ERR_FORMAT, "%zu elements where its dimensions make %" PRId64, n, count);
  *tensor = nn_tensor_make (dtype, (int) proto->n_dims, proto->dims, NN_LAYOUT_ROW_MAJOR, tensor->data);
  return dtype == NN_BOOL ? check_bools (tensor, n, err) : NN_OK;
}
