/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wire format: https://protobuf.dev/programming-guides/encoding/. Which fields are messages is
 * told by the descriptors that protoc-c made, so the scan follows the schema it was built with. */
#include "onnx.h"

#include <inttypes.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct scan {
  const uint8_t *data, *end;
  size_t messages, bytes, max_bytes;
  nn_error *err;
} scan;

static nn_status
fail_at (scan *s, const uint8_t *at, const char *what)
{
  return nn_fail (s->err, NN_ERR_FORMAT, "not an ONNX file, or truncated or damaged: %s at byte %zu of %zu",
                  what, (size_t) (at - s->data), (size_t) (s->end - s->data));
}

static bool
read_varint (const uint8_t **at, const uint8_t *end, uint64_t *value)
{
  *value = 0;
  for (int shift = 0; shift < 64 && *at < end; shift += 7) {
    uint8_t byte = *(*at)++;
    *value |= (uint64_t) (byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

/* Well-formed UTF-8 (RFC 3629) without NUL: names go into messages and C strings. */
static bool
is_text (const uint8_t *at, const uint8_t *end)
{
  while (at < end) {
    uint8_t c = *at++;
    int more = c < 0x80                ? 0
               : c >= 0xc2 && c < 0xe0 ? 1
               : c >= 0xe0 && c < 0xf0 ? 2
               : c >= 0xf0 && c < 0xf5 ? 3
                                       : -1;
    if (c == 0 || more < 0 || end - at < more)
      return false;
    if ((c == 0xe0 && at[0] < 0xa0) || (c == 0xed && at[0] > 0x9f) || (c == 0xf0 && at[0] < 0x90) ||
        (c == 0xf4 && at[0] > 0x8f))
      return false;
    for (; more > 0; more--)
      if ((*at++ & 0xc0) != 0x80)
        return false;
  }
  return true;
}

static nn_status
charge (scan *s, size_t bytes)
{
  if (bytes > s->max_bytes - s->bytes)
    return nn_fail (s->err, NN_ERR_LIMIT, "its structures would take more than %zu MiB", s->max_bytes >> 20);
  s->bytes += bytes;
  return NN_OK;
}

/* Memory that protobuf-c takes for a length-delimited field's contents. A packed int64 may take one
 * byte in the file and eight in memory. */
static size_t
unpacked_bytes (const ProtobufCFieldDescriptor *field, size_t length)
{
  const size_t per_element = sizeof (void *) + sizeof (ProtobufCBinaryData);
  if (field == NULL)
    return length + sizeof (ProtobufCMessageUnknownField);
  switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
      return length + per_element;
    case PROTOBUF_C_TYPE_MESSAGE:
      return ((const ProtobufCMessageDescriptor *) field->descriptor)->sizeof_message + per_element;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
      return length;
    default:
      return length * sizeof (uint64_t);
  }
}

static nn_status scan_message (scan *s, const ProtobufCMessageDescriptor *type, const uint8_t *at,
                               const uint8_t *end, int depth);

static nn_status
scan_bytes (scan *s, const ProtobufCFieldDescriptor *field, const uint8_t *at, const uint8_t *end, int depth)
{
  nn_status status = charge (s, unpacked_bytes (field, (size_t) (end - at)));
  if (status != NN_OK || field == NULL)
    return status;
  if (field->type == PROTOBUF_C_TYPE_STRING && !is_text (at, end))
    return fail_at (s, at, "text that is not UTF-8");
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return scan_message (s, field->descriptor, at, end, depth + 1);
  return NN_OK;
}

/* Moves *at over one field's contents. */
static nn_status
scan_field (scan *s, const ProtobufCFieldDescriptor *field, unsigned wire, const uint8_t **at,
            const uint8_t *end, int depth)
{
  const uint8_t *start = *at;
  uint64_t length = 0;
  switch (wire) {
    case WIRE_VARINT:
      if (!read_varint (at, end, &length))
        return fail_at (s, start, "a number that does not end");
      return charge (s, sizeof (uint64_t));
    case WIRE_64:
    case WIRE_32:
      length = wire == WIRE_64 ? 8 : 4;
      break;
    case WIRE_BYTES:
      if (!read_varint (at, end, &length))
        return fail_at (s, start, "a length that does not end");
      break;
    default:
      return fail_at (s, start, "an unknown kind of field");
  }
  if (length > (uint64_t) (end - *at))
    return fail_at (s, start, "a field longer than what is left");
  const uint8_t *contents = *at;
  *at += length;
  return wire == WIRE_BYTES ? scan_bytes (s, field, contents, *at, depth) : charge (s, sizeof (uint64_t));
}

static nn_status
scan_message (scan *s, const ProtobufCMessageDescriptor *type, const uint8_t *at, const uint8_t *end,
              int depth)
{
  if (depth > NN_ONNX_MAX_DEPTH)
    return nn_fail (s->err, NN_ERR_LIMIT, "nested more than %d levels deep", NN_ONNX_MAX_DEPTH);
  if (++s->messages > NN_ONNX_MAX_MESSAGES)
    return nn_fail (s->err, NN_ERR_LIMIT, "more than %zu messages", NN_ONNX_MAX_MESSAGES);
  while (at < end) {
    const uint8_t *start = at;
    uint64_t key;
    if (!read_varint (&at, end, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
      return fail_at (s, start, "a bad field number");
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field (type, (unsigned) (key >> 3));
    nn_status status = scan_field (s, field, key & 7, &at, end, depth);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}

nn_status
nn_onnx_scan (const uint8_t *data, size_t size, nn_error *err)
{
  scan s = { .data = data, .end = data + size, .max_bytes = size + NN_ONNX_MAX_OVERHEAD, .err = err };
  return scan_message (&s, &onnx__model_proto__descriptor, data, s.end, 0);
}

Onnx__ModelProto *
nn_onnx_parse (const uint8_t *data, size_t size, nn_error *err)
{
  if (nn_onnx_scan (data, size, err) != NN_OK)
    return NULL;
  Onnx__ModelProto *proto = onnx__model_proto__unpack (NULL, size, data);
  if (proto == NULL) {
    nn_fail (err, NN_ERR_FORMAT, "not an ONNX file, or damaged: a field of the wrong kind");
    return NULL;
  }
  if (proto->graph == NULL) {
    nn_fail (err, NN_ERR_FORMAT, "not an ONNX model: it has no graph");
    onnx__model_proto__free_unpacked (proto, NULL);
    return NULL;
  }
  return proto;
}
