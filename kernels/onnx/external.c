/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "external.h"

#include "onnx-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What external_data says. */
typedef struct description {
  const char *location;
  uint64_t offset, length;
  bool has_length;
} description;

nn_status
nn_onnx_data_files_init (nn_onnx_data_files *files, const char *model_path, nn_error *err)
{
  const char *slash = strrchr (model_path, '/');
  *files = (nn_onnx_data_files){ .folder_fd = -1 };
  files->folder = slash == NULL
                      ? strdup (".")
                      : strndup (model_path, slash == model_path ? 1 : (size_t)(slash - model_path));
  return files->folder != NULL ? NN_OK : nn_fail (err, NN_ERR_MEMORY, "out of memory");
}

void
nn_onnx_data_files_clear (nn_onnx_data_files *files)
{
  for (size_t i = 0; i < files->n; i++)
    free (files->files[i].location);
  free (files->files);
  free (files->folder);
  if (files->folder_fd >= 0)
    close (files->folder_fd);
  *files = (nn_onnx_data_files){ .folder_fd = -1 };
}

bool
nn_onnx_is_external (const Onnx__TensorProto *proto)
{
  return proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

/* ---------------------------------------------------------------- external_data */

static bool
parse_number (const char *text, uint64_t *number)
{
  *number = 0;
  for (const char *at = text; *at != '\0'; at++)
    if (*at < '0' || *at > '9' || __builtin_mul_overflow (*number, 10, number)
        || __builtin_add_overflow (*number, *at - '0', number))
      return false;
  return text[0] != '\0';
}

static nn_status
read_place (const Onnx__TensorProto *proto, description *place, nn_error *err)
{
  for (size_t i = 0; i < proto->n_external_data; i++) {
    const Onnx__StringStringEntryProto *entry = proto->external_data[i];
    const char *key = entry->key != NULL ? entry->key : "", *value = entry->value != NULL ? entry->value : "";
    bool is_offset = strcmp (key, "offset") == 0, is_length = strcmp (key, "length") == 0;
    if (strcmp (key, "location") == 0)
      place->location = value;
    else if ((is_offset || is_length) && !parse_number (value, is_offset ? &place->offset : &place->length))
      return nn_fail (err, NN_ERR_FORMAT, "the %s of its external data, '%s', is not a number", key, value);
    place->has_length = place->has_length || is_length;
  }
  if (place->location == NULL || place->location[0] == '\0')
    return nn_fail (err, NN_ERR_FORMAT, "its data lies in another file, but the model does not say in which");
  return NN_OK;
}

/* ---------------------------------------------------------------- files */

/* Opens one part of a location in the folder `at`, which it closes unless it is the model's. */
static int
open_part (const nn_onnx_data_files *files, int at, const char *name, bool is_last)
{
  int flags = is_last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
  int fd = openat (at, name, flags | O_NOFOLLOW | O_CLOEXEC), error = errno;
  if (at != files->folder_fd)
    close (at);
  errno = error;
  return fd;
}

/* Part by part, none of them a link. -1 with errno set; EXDEV if the location leads out. */
static int
open_location (const nn_onnx_data_files *files, const char *location)
{
  char name[NAME_MAX + 1];
  int fd = files->folder_fd;
  for (const char *at = location, *next; *at != '\0'; at = next) {
    size_t n = strcspn (at, "/");
    next = at + n + strspn (at + n, "/");
    bool leads_out = n == 0 || (n == 2 && memcmp (at, "..", 2) == 0);
    if (leads_out || n > NAME_MAX) {
      if (fd != files->folder_fd)
        close (fd);
      errno = leads_out ? EXDEV : ENAMETOOLONG;
      return -1;
    }
    memcpy (name, at, n);
    name[n] = '\0';
    if ((fd = open_part (files, fd, name, *next == '\0')) < 0)
      return -1;
  }
  return fd;
}

static nn_status
fail_open (const nn_onnx_data_files *files, int error, nn_error *err)
{
  switch (error) {
  case ENOENT:
    return nn_fail (err, NN_ERR_IO,
                    "the file is missing; it belongs to the model and must lie in the folder '%s'",
                    files->folder);
  case EXDEV:
    return nn_fail (err, NN_ERR_FORMAT, "a data file must lie in the model's folder or below");
  case ELOOP:
  case ENOTDIR:
    return nn_fail (err, NN_ERR_IO,
                    "is a symbolic link or behind one; copy the file itself into the folder '%s'",
                    files->folder);
  default:
    return nn_fail (err, NN_ERR_IO, "%s", strerror (error));
  }
}

static nn_status
open_file (nn_onnx_data_files *files, const char *location, nn_onnx_file *file, nn_error *err)
{
  if (files->folder == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a model in memory has no data files");
  if (files->folder_fd < 0 && (files->folder_fd = open (files->folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
    return nn_fail (err, NN_ERR_IO, "%s: %s", files->folder, strerror (errno));
  int fd = open_location (files, location);
  return fd < 0 ? fail_open (files, errno, err) : nn_onnx_file_take (file, fd, err);
}

static nn_onnx_data_file *
find_file (const nn_onnx_data_files *files, const char *location)
{
  for (size_t i = 0; i < files->n; i++)
    if (strcmp (files->files[i].location, location) == 0)
      return &files->files[i];
  return NULL;
}

static nn_status
add_file (nn_onnx_data_files *files, const char *location, const nn_onnx_file *file, nn_error *err)
{
  if (files->n == NN_ONNX_MAX_DATA_FILES)
    return nn_fail (err, NN_ERR_LIMIT, "more than %zu data files", NN_ONNX_MAX_DATA_FILES);
  if (files->files == NULL)
    files->files = calloc (NN_ONNX_MAX_DATA_FILES, sizeof *files->files);
  char *copy = files->files != NULL ? strdup (location) : NULL;
  if (copy == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  nn_onnx_data_file *added = &files->files[files->n++];
  *added = (nn_onnx_data_file){ .location = copy, .file = *file };
  added->file.fd = -1;
  files->bytes += file->size;
  return NN_OK;
}

/* Makes the file at `location` the open one. */
static nn_status
use_file (nn_onnx_external *external, const char *location, nn_error *err)
{
  nn_onnx_data_files *files = external->files;
  if (external->current != NULL && strcmp (external->current->location, location) == 0)
    return NN_OK;
  nn_onnx_external_clear (external);
  nn_status status = open_file (files, location, &external->open, err);
  const nn_onnx_data_file *known = find_file (files, location);
  if (status == NN_OK && known == NULL && external->adds
      && (status = add_file (files, location, &external->open, err)) == NN_OK)
    known = find_file (files, location);
  if (status == NN_OK && (known == NULL || !nn_onnx_file_same (&known->file, &external->open)))
    status = nn_fail (err, NN_ERR_IO, "the file was changed after the model was opened; open it again");
  if (status != NN_OK)
    nn_onnx_external_clear (external);
  else
    external->current = known;
  return status;
}

void
nn_onnx_external_clear (nn_onnx_external *external)
{
  if (external->current != NULL)
    nn_onnx_file_close (&external->open);
  external->current = NULL;
}

nn_status
nn_onnx_external_read (nn_onnx_external *external, const Onnx__TensorProto *proto, void *to, size_t n,
                       nn_error *err)
{
  description place = { 0 };
  nn_status status = read_place (proto, &place, err);
  if (status != NN_OK)
    return status;
  if (place.has_length && place.length != n)
    return nn_fail (err, NN_ERR_FORMAT,
                    "its external data has %" PRIu64 " bytes where its dimensions make %zu", place.length, n);
  if ((status = use_file (external, place.location, err)) == NN_OK) {
    if (place.offset > external->open.size || n > external->open.size - place.offset)
      status = nn_fail (err, NN_ERR_FORMAT, "%zu bytes from %" PRIu64 " on, in a file of %" PRIu64, n,
                        place.offset, external->open.size);
    else if (to != NULL)
      status = nn_onnx_file_read (&external->open, place.offset, to, n, err);
  }
  external->bytes += n;
  return status == NN_OK ? NN_OK : nn_fail_in (err, "external data '%s'", place.location);
}
