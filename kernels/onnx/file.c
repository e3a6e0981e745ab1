/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

nn_onnx_file
nn_onnx_file_of_memory (const uint8_t *data, size_t size)
{
  return (nn_onnx_file){ .fd = -1, .memory = data, .size = size };
}

static nn_status
take (nn_onnx_file *file, const struct stat *st, nn_error *err)
{
  if (S_ISDIR (st->st_mode))
    return nn_fail (err, NN_ERR_IO, "is a folder, not an ONNX file");
  if (!S_ISREG (st->st_mode))
    return nn_fail (err, NN_ERR_IO, "is not a regular file");
  file->size = (uint64_t)st->st_size;
  file->device = st->st_dev;
  file->inode = st->st_ino;
  file->modified = st->st_mtim;
  return NN_OK;
}

nn_status
nn_onnx_file_take (nn_onnx_file *file, int fd, nn_error *err)
{
  struct stat st;
  *file = (nn_onnx_file){ .fd = fd };
  nn_status status
      = fstat (fd, &st) != 0 ? nn_fail (err, NN_ERR_IO, "%s", strerror (errno)) : take (file, &st, err);
  if (status != NN_OK)
    nn_onnx_file_close (file);
  return status;
}

nn_status
nn_onnx_file_open (nn_onnx_file *file, const char *path, nn_error *err)
{
  /* Without O_NONBLOCK a named pipe would wait for a writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  *file = (nn_onnx_file){ .fd = -1 };
  return fd < 0 ? nn_fail (err, NN_ERR_IO, "%s", strerror (errno)) : nn_onnx_file_take (file, fd, err);
}

void
nn_onnx_file_close (nn_onnx_file *file)
{
  if (file->fd >= 0)
    close (file->fd);
  *file = (nn_onnx_file){ .fd = -1 };
}

bool
nn_onnx_file_same (const nn_onnx_file *a, const nn_onnx_file *b)
{
  return a->size == b->size && a->device == b->device && a->inode == b->inode
         && a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

nn_status
nn_onnx_file_check (const nn_onnx_file *file, nn_error *err)
{
  struct stat st;
  nn_onnx_file now = { 0 };
  if (file->fd < 0)
    return NN_OK;
  if (fstat (file->fd, &st) != 0)
    return nn_fail (err, NN_ERR_IO, "%s", strerror (errno));
  nn_status status = take (&now, &st, err);
  if (status == NN_OK && !nn_onnx_file_same (&now, file))
    status = nn_fail (err, NN_ERR_IO, "the file was changed after the model was opened; open it again");
  return status;
}

/* Copied, never mapped: a file that shrinks while it is read must not kill the process. */
nn_status
nn_onnx_file_read (const nn_onnx_file *file, uint64_t offset, void *to, size_t n, nn_error *err)
{
  if (offset > file->size || n > file->size - offset)
    return nn_fail (err, NN_ERR_FORMAT, "bytes %llu to %llu of a file of %llu", (unsigned long long)offset,
                    (unsigned long long)(offset + n), (unsigned long long)file->size);
  if (file->fd < 0) {
    if (n > 0)
      memcpy (to, file->memory + offset, n);
    return NN_OK;
  }
  for (size_t have = 0; have < n;) {
    ssize_t got = pread (file->fd, (char *)to + have, n - have, (off_t)(offset + have));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return nn_fail (err, NN_ERR_IO, "%s",
                      got < 0 ? strerror (errno) : "the file became shorter while it was read");
    have += (size_t)got;
  }
  return NN_OK;
}
