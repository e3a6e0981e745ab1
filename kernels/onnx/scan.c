/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wire format: https://protobuf.dev/programming-guides/encoding/. Which fields are messages is
 * told by the descriptors that protoc-c made, so the scan follows the schema it was built with. */
#include "scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../utf8.h"

#define WINDOW_BYTES ((size_t)256 << 10)
#define MAX_VARINT 10
#define LENGTH_BYTES 5 /* of a message whose length is known only when it has been written */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Positions are those in the file. `window` shows the file from window_at on. */
typedef struct scan {
  const nn_onnx_file *file;
  const uint8_t *window;
  uint8_t *room; /* for the window, unless the file is in memory */
  uint64_t window_at, window_n, at;
  nn_onnx_slim *out;
  size_t capacity;
  size_t messages, bytes, max_bytes;
  int merges;
  nn_error *err;
} scan;

static nn_status
fail_at (scan *s, uint64_t at, const char *what)
{
  return nn_fail (s->err, NN_ERR_FORMAT,
                  "not an ONNX file, or truncated or damaged: %s at byte %" PRIu64 " of %" PRIu64, what, at,
                  s->file->size);
}

/* ---------------------------------------------------------------- reading */

static nn_status
move_window (scan *s)
{
  uint64_t left = s->file->size - s->at;
  size_t n = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
  s->window = s->room;
  s->window_at = s->at;
  s->window_n = n;
  return nn_onnx_file_read (s->file, s->at, s->room, n, s->err);
}

static nn_status
read_varint (scan *s, uint64_t end, uint64_t *value, const char *what)
{
  uint64_t start = s->at;
  nn_status status;
  *value = 0;
  for (int shift = 0; shift < 64 && s->at < end; shift += 7) {
    if (s->at - s->window_at >= s->window_n && (status = move_window (s)) != NN_OK)
      return status;
    uint8_t byte = s->window[s->at++ - s->window_at];
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return NN_OK;
  }
  return fail_at (s, start, what);
}

/* Well-formed UTF-8 (RFC 3629) without NUL: names go into messages and C strings. */
static bool
is_text (const uint8_t *at, const uint8_t *end)
{
  for (size_t length; at < end; at += length) {
    length = nn_utf8_length ((const char *) at, (size_t) (end - at));
    if (length == 0 || *at == 0)
      return false;
  }
  return true;
}

/* ---------------------------------------------------------------- limits */

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
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
    return length + per_element;
  case PROTOBUF_C_TYPE_MESSAGE:
    return ((const ProtobufCMessageDescriptor *)field->descriptor)->sizeof_message + per_element;
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_DOUBLE:
    return length;
  default:
    return length * sizeof (uint64_t);
  }
}

/* ---------------------------------------------------------------- writing */

static nn_status
reserve (scan *s, size_t n)
{
  nn_onnx_slim *out = s->out;
  if (n <= s->capacity - out->size)
    return NN_OK;
  size_t capacity = s->capacity + s->capacity / 2 + n + 4096;
  uint8_t *grown = realloc (out->data, capacity);
  if (grown == NULL)
    return nn_fail (s->err, NN_ERR_MEMORY, "out of memory for %zu bytes", capacity);
  out->data = grown;
  s->capacity = capacity;
  return NN_OK;
}

/* `n_bytes` > 0: padded to that many bytes, which decoders take like the shortest form. */
static size_t
write_varint (uint8_t *to, uint64_t value, size_t n_bytes)
{
  size_t n = 0;
  for (; value >= 0x80 || n + 1 < n_bytes; value >>= 7)
    to[n++] = (uint8_t)(value | 0x80);
  to[n++] = (uint8_t)value;
  return n;
}

static nn_status
put_varint (scan *s, uint64_t value)
{
  nn_status status = reserve (s, MAX_VARINT);
  if (status == NN_OK)
    s->out->size += write_varint (s->out->data + s->out->size, value, 0);
  return status;
}

static nn_status
put_key (scan *s, uint32_t number, unsigned wire)
{
  return put_varint (s, (uint64_t)number << 3 | wire);
}

/* `length` bytes of the file, which are passed over. */
static nn_status
copy (scan *s, size_t length)
{
  nn_status status = reserve (s, length);
  if (status != NN_OK)
    return status;
  uint8_t *to = s->out->data + s->out->size;
  if (s->at >= s->window_at && s->at - s->window_at <= s->window_n
      && length <= s->window_n - (s->at - s->window_at))
    memcpy (to, s->window + (s->at - s->window_at), length);
  else
    status = nn_onnx_file_read (s->file, s->at, to, length, s->err);
  s->out->size += length;
  s->at += length;
  return status;
}

/* ---------------------------------------------------------------- the walk */

static nn_status scan_message (scan *s, const ProtobufCMessageDescriptor *type, uint64_t end, int depth);

static bool
is_large_data (const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field, uint64_t length)
{
  return type == &onnx__tensor_proto__descriptor && length >= NN_ONNX_LARGE_BYTES
         && strcmp (field->name, "raw_data") == 0;
}

/* A place in the file instead of the bytes there. */
static nn_status
put_place (scan *s, uint64_t length)
{
  const nn_onnx_place place = { .offset = s->at, .length = length };
  nn_status status = charge (s, sizeof place + sizeof (ProtobufCMessageUnknownField));
  if (status != NN_OK || (status = put_key (s, NN_ONNX_PLACE_FIELD, WIRE_BYTES)) != NN_OK
      || (status = put_varint (s, sizeof place)) != NN_OK || (status = reserve (s, sizeof place)) != NN_OK)
    return status;
  memcpy (s->out->data + s->out->size, &place, sizeof place);
  s->out->size += sizeof place;
  s->at += length;
  return NN_OK;
}

static nn_status
scan_submessage (scan *s, const ProtobufCFieldDescriptor *field, uint64_t length, int depth)
{
  nn_status status = reserve (s, LENGTH_BYTES);
  if (status != NN_OK)
    return status;
  s->out->size += LENGTH_BYTES;
  size_t start = s->out->size;
  status = scan_message (s, field->descriptor, s->at + length, depth + 1);
  write_varint (s->out->data + start - LENGTH_BYTES, s->out->size - start, LENGTH_BYTES);
  return status;
}

/* A length-delimited field's contents. */
static nn_status
scan_bytes (scan *s, const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field,
            uint64_t end, int depth)
{
  uint64_t length, start = s->at;
  nn_status status = read_varint (s, end, &length, "a length that does not end");
  if (status != NN_OK)
    return status;
  if (length > end - s->at)
    return fail_at (s, start, "a field longer than what is left");
  if (field == NULL || strcmp (field->name, "doc_string") == 0) {
    s->at += length;
    return NN_OK;
  }
  if (is_large_data (type, field, length))
    return put_place (s, length);
  if ((status = charge (s, unpacked_bytes (field, (size_t)length))) != NN_OK
      || (status = put_key (s, field->id, WIRE_BYTES)) != NN_OK)
    return status;
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return scan_submessage (s, field, length, depth);
  start = s->at;
  if ((status = put_varint (s, length)) != NN_OK || (status = copy (s, (size_t)length)) != NN_OK)
    return status;
  const uint8_t *copied_end = s->out->data + s->out->size;
  if (field->type == PROTOBUF_C_TYPE_STRING && !is_text (copied_end - length, copied_end))
    return fail_at (s, start, "text that is not UTF-8");
  return NN_OK;
}

static nn_status
scan_number (scan *s, const ProtobufCFieldDescriptor *field, unsigned wire, uint64_t end)
{
  uint64_t value, start = s->at;
  size_t size = wire == WIRE_64 ? 8 : 4;
  nn_status status = charge (s, sizeof (uint64_t));
  if (status == NN_OK && field != NULL)
    status = put_key (s, field->id, wire);
  if (status != NN_OK)
    return status;
  if (wire == WIRE_VARINT) {
    status = read_varint (s, end, &value, "a number that does not end");
    return status != NN_OK || field == NULL ? status : put_varint (s, value);
  }
  if (size > end - s->at)
    return fail_at (s, start, "a field longer than what is left");
  if (field != NULL)
    return copy (s, size);
  s->at += size;
  return NN_OK;
}

/* A message that is no list, but there again, is merged with what was there. `seen` has bit i for
 * field i of the message that is being scanned. */
static nn_status
count_merges (scan *s, const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field,
              uint64_t *seen)
{
  if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)
    return NN_OK;
  uint64_t bit = (uint64_t)1 << (field - type->fields) % 64;
  if ((*seen & bit) != 0 && ++s->merges > NN_ONNX_MAX_MERGES)
    return nn_fail (s->err, NN_ERR_LIMIT, "more than %d parts that are there again ('%s')",
                    NN_ONNX_MAX_MERGES, field->name);
  *seen |= bit;
  return NN_OK;
}

static nn_status
scan_field (scan *s, const ProtobufCMessageDescriptor *type, uint64_t end, uint64_t *seen, int depth)
{
  uint64_t key, start = s->at;
  nn_status status = read_varint (s, end, &key, "a bad field number");
  if (status != NN_OK)
    return status;
  if (key >> 3 == 0 || key >> 3 > UINT32_MAX >> 3)
    return fail_at (s, start, "a bad field number");
  const ProtobufCFieldDescriptor *field
      = protobuf_c_message_descriptor_get_field (type, (unsigned)(key >> 3));
  if ((status = count_merges (s, type, field, seen)) != NN_OK)
    return status;
  switch (key & 7) {
    case WIRE_BYTES:
      return scan_bytes (s, type, field, end, depth);
    case WIRE_VARINT:
    case WIRE_64:
    case WIRE_32:
      return scan_number (s, field, key & 7, end);
    default:
      return fail_at (s, start, "an unknown kind of field");
  }
}

static nn_status
scan_message (scan *s, const ProtobufCMessageDescriptor *type, uint64_t end, int depth)
{
  uint64_t seen = 0;
  if (depth > NN_ONNX_MAX_DEPTH)
    return nn_fail (s->err, NN_ERR_LIMIT, "nested more than %d levels deep", NN_ONNX_MAX_DEPTH);
  if (++s->messages > NN_ONNX_MAX_MESSAGES)
    return nn_fail (s->err, NN_ERR_LIMIT, "more than %zu messages", NN_ONNX_MAX_MESSAGES);
  while (s->at < end) {
    nn_status status = scan_field (s, type, end, &seen, depth);
    if (status != NN_OK)
      return status;
  }
  return NN_OK;
}

nn_status
nn_onnx_scan (const nn_onnx_file *file, nn_onnx_slim *slim, nn_error *err)
{
  *slim = (nn_onnx_slim){ 0 };
  scan s = { .file = file, .out = slim, .err = err };
  s.max_bytes = (size_t)file->size + NN_ONNX_MAX_OVERHEAD;
  if (file->memory != NULL) {
    s.window = file->memory;
    s.window_n = file->size;
  } else if ((s.room = malloc (WINDOW_BYTES)) == NULL) {
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for reading");
  }
  nn_status status = scan_message (&s, &onnx__model_proto__descriptor, file->size, 0);
  free (s.room);
  if (status != NN_OK) {
    free (slim->data);
    *slim = (nn_onnx_slim){ 0 };
  }
  return status;
}

Onnx__ModelProto *
nn_onnx_parse (const nn_onnx_file *file, nn_error *err)
{
  nn_onnx_slim slim;
  if (nn_onnx_scan (file, &slim, err) != NN_OK)
    return NULL;
  Onnx__ModelProto *proto = onnx__model_proto__unpack (NULL, slim.size, slim.data);
  free (slim.data);
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

bool
nn_onnx_find_place (const Onnx__TensorProto *proto, nn_onnx_place *place)
{
  for (unsigned i = proto->base.n_unknown_fields; i-- > 0;) {
    const ProtobufCMessageUnknownField *field = &proto->base.unknown_fields[i];
    if (field->tag != NN_ONNX_PLACE_FIELD)
      continue;
    /* Unlike other fields an unknown one comes with the varint of its length in front. */
    memcpy (place, field->data + field->len - sizeof *place, sizeof *place);
    return true;
  }
  return false;
}
