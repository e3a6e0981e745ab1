/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mutations of a model that keep it one: a byte changed at random mostly breaks a length, and the
 * scan refuses it. Every fourth mutation is left to libFuzzer. */
#include "fuzz.h"
#include "kernels/ops.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGES 2000

size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef struct mutation {
  unsigned state;
  ProtobufCMessage *messages[MAX_MESSAGES];
  size_t n_messages;
  const char *names[MAX_MESSAGES]; /* strings of the model */
  size_t n_names;
} mutation;

static unsigned
next_random (mutation *m, size_t below)
{
  m->state = m->state * 1664525u + 1013904223u;
  return below > 0 ? (m->state >> 8) % (unsigned)below : 0;
}

static void *
member (ProtobufCMessage *message, unsigned offset)
{
  return (char *)message + offset;
}

static bool
is_present (ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
    return *(uint32_t *)member (message, field->quantifier_offset) == field->id;
  if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
    return *(void **)member (message, field->offset) != NULL
           && *(void **)member (message, field->offset) != field->default_value;
  return *(protobuf_c_boolean *)member (message, field->quantifier_offset) != 0;
}

/* ---------------------------------------------------------------- what is there */

static void
note_name (mutation *m, const char *name)
{
  if (name != NULL && m->n_names < MAX_MESSAGES)
    m->names[m->n_names++] = name;
}

static void
collect (mutation *m, ProtobufCMessage *message)
{
  if (m->n_messages == MAX_MESSAGES)
    return;
  m->messages[m->n_messages++] = message;
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING)
      continue;
    if (!many && !is_present (message, field))
      continue;
    void **at = member (message, field->offset);
    size_t n = many ? *(size_t *)member (message, field->quantifier_offset) : 1;
    for (size_t k = 0; k < n; k++) {
      void *item = many ? ((void **)*at)[k] : *at;
      if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        collect (m, item);
      else
        note_name (m, item);
    }
  }
}

/* ---------------------------------------------------------------- one change */

static char *
any_name (mutation *m)
{
  int n_ops = 0;
  while (nn_op_at (n_ops) != NULL)
    n_ops++;
  if (m->n_names == 0 || next_random (m, 8) == 0)
    return strdup (next_random (m, 6) == 0 ? "" : nn_op_at ((int)next_random (m, (size_t)n_ops))->name);
  return strdup (m->names[next_random (m, m->n_names)]);
}

static int64_t
any_number (mutation *m, int64_t old)
{
  static const int64_t numbers[]
      = { 0,         1,        2, 3, 4, 5, 7, 8, 16, -1, -2, 64, 255, 1 << 16, INT32_MAX, (int64_t)1 << 32,
          INT64_MAX, INT64_MIN };
  unsigned how = next_random (m, 4);
  if (how < 2) /* wraps around */
    return (int64_t)((uint64_t)old + (how == 0 ? 1 : UINT64_MAX));
  return numbers[next_random (m, sizeof numbers / sizeof numbers[0])];
}

static size_t
size_of (ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return 8;
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE:
    return sizeof (void *);
  case PROTOBUF_C_TYPE_BYTES:
    return sizeof (ProtobufCBinaryData);
  default:
    return 4;
  }
}

static void
change_number (mutation *m, ProtobufCType type, void *at)
{
  if (size_of (type) == 8 && type != PROTOBUF_C_TYPE_DOUBLE) {
    *(int64_t *)at = any_number (m, *(int64_t *)at);
  } else if (type == PROTOBUF_C_TYPE_FLOAT) {
    *(float *)at = next_random (m, 2) == 0 ? (float)any_number (m, 1) : 0.25f * (float)next_random (m, 16);
  } else if (type == PROTOBUF_C_TYPE_DOUBLE) {
    *(double *)at = (double)any_number (m, 1);
  } else {
    *(int32_t *)at = (int32_t)any_number (m, *(int32_t *)at);
  }
}

/* Bytes grow and shrink by whole elements now and then, since raw_data must fit the dimensions. */
static void
change_bytes (mutation *m, ProtobufCBinaryData *bytes)
{
  size_t room = bytes->len + 64;
  uint8_t *data = realloc (bytes->data, room);
  if (data == NULL)
    abort ();
  memset (data + bytes->len, 0, room - bytes->len);
  bytes->data = data;
  if (next_random (m, 3) == 0)
    bytes->len = (bytes->len + 4 * next_random (m, 16)) & ~(size_t)3;
  else if (bytes->len > 0)
    LLVMFuzzerMutate (data, bytes->len, bytes->len);
}

static void
change_value (mutation *m, const ProtobufCFieldDescriptor *field, void *at)
{
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    char *name = any_name (m);
    if (*(void **)at != field->default_value)
      free (*(char **)at);
    *(char **)at = name;
  } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
    change_bytes (m, at);
  } else if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
    change_number (m, field->type, at);
  }
}

/* A deep copy, by way of the wire. */
static ProtobufCMessage *
copy_message (const ProtobufCMessage *message)
{
  size_t size = protobuf_c_message_get_packed_size (message);
  uint8_t *data = malloc (size + 1);
  if (data == NULL)
    abort ();
  protobuf_c_message_pack (message, data);
  ProtobufCMessage *copy = protobuf_c_message_unpack (message->descriptor, NULL, size, data);
  free (data);
  return copy;
}

static void
remove_item (const ProtobufCFieldDescriptor *field, char *items, size_t *n, size_t index)
{
  size_t size = size_of (field->type);
  void *at = items + index * size;
  if (field->type == PROTOBUF_C_TYPE_STRING)
    free (*(char **)at);
  else if (field->type == PROTOBUF_C_TYPE_BYTES)
    free (((ProtobufCBinaryData *)at)->data);
  else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    protobuf_c_message_free_unpacked (*(ProtobufCMessage **)at, NULL);
  memmove (at, (char *)at + size, (*n - index - 1) * size);
  --*n;
}

/* Doubles an item, or adds one where there is none. */
static void
add_item (const ProtobufCFieldDescriptor *field, char **items, size_t *n, size_t index)
{
  size_t size = size_of (field->type);
  ProtobufCMessage *copy = NULL;
  if (field->type == PROTOBUF_C_TYPE_BYTES
      || (field->type == PROTOBUF_C_TYPE_MESSAGE
          && (*n == 0 || (copy = copy_message (((ProtobufCMessage **)*items)[index])) == NULL)))
    return;
  char *grown = realloc (*items, (*n + 1) * size);
  if (grown == NULL)
    abort ();
  *items = grown;
  char *at = grown + *n * size;
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    memcpy (at, &copy, size);
  else if (field->type == PROTOBUF_C_TYPE_STRING)
    *(char **)at = strdup (*n > 0 ? ((char **)grown)[index] : "");
  else if (*n > 0)
    memcpy (at, grown + index * size, size);
  else
    memset (at, 0, size);
  ++*n;
}

static void
change_list (mutation *m, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message)
{
  size_t *n = member (message, field->quantifier_offset), size = size_of (field->type);
  char **items = member (message, field->offset), kept[sizeof (ProtobufCBinaryData)];
  size_t a = next_random (m, *n), b = next_random (m, *n);
  switch (next_random (m, 5)) {
  case 0:
    if (*n > 0)
      remove_item (field, *items, n, a);
    return;
  case 1:
    add_item (field, items, n, a);
    return;
  case 2:
    if (*n > 1) {
      memcpy (kept, *items + a * size, size);
      memcpy (*items + a * size, *items + b * size, size);
      memcpy (*items + b * size, kept, size);
    }
    return;
  default:
    if (*n > 0)
      change_value (m, field, *items + a * size);
  }
}

static void
change_field (mutation *m, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    change_list (m, field, message);
  } else if (is_present (message, field)) {
    bool plain = field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE;
    if (plain && (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 && next_random (m, 8) == 0
        && field->type != PROTOBUF_C_TYPE_BYTES)
      *(protobuf_c_boolean *)member (message, field->quantifier_offset) = 0;
    else
      change_value (m, field, member (message, field->offset));
  } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 && field->type != PROTOBUF_C_TYPE_MESSAGE
             && next_random (m, 4) == 0) {
    if (field->type != PROTOBUF_C_TYPE_STRING)
      *(protobuf_c_boolean *)member (message, field->quantifier_offset) = 1;
    change_value (m, field, member (message, field->offset));
  }
}

static void
change (mutation *m)
{
  for (int tries = 0; tries < 3; tries++) {
    ProtobufCMessage *message = m->messages[next_random (m, m->n_messages)];
    unsigned n = message->descriptor->n_fields;
    for (unsigned k = 0, first = next_random (m, n); k < n; k++) {
      const ProtobufCFieldDescriptor *field = &message->descriptor->fields[(first + k) % n];
      bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
      if (many ? *(size_t *)member (message, field->quantifier_offset) > 0 || next_random (m, 4) == 0
               : is_present (message, field) || next_random (m, 4) == 0) {
        change_field (m, message, field);
        return; /* what was collected may be gone */
      }
    }
  }
}

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
  nn_error err;
  nn_onnx_file file = nn_onnx_file_of_memory (data, size);
  mutation *m = calloc (1, sizeof *m);
  if (m == NULL)
    abort ();
  m->state = seed;
  Onnx__ModelProto *proto = next_random (m, 4) > 0 ? nn_onnx_parse (&file, &err) : NULL;
  if (proto == NULL) {
    free (m);
    return LLVMFuzzerMutate (data, size, max_size);
  }
  for (unsigned n = 1 + next_random (m, 3); n > 0; n--) {
    m->n_messages = m->n_names = 0;
    collect (m, &proto->base);
    change (m);
  }
  size_t packed = onnx__model_proto__get_packed_size (proto);
  if (packed <= max_size)
    size = onnx__model_proto__pack (proto, data);
  onnx__model_proto__free_unpacked (proto, NULL);
  free (m);
  return size;
}
