/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_regular (const char *path, size_t *size, nn_error *err)
{
  struct stat st;
  /* Without O_NONBLOCK a named pipe would wait for a writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    nn_fail (err, NN_ERR_IO, "%s: %s", path, strerror (errno));
    return -1;
  }
  if (fstat (fd, &st) != 0)
    nn_fail (err, NN_ERR_IO, "%s: %s", path, strerror (errno));
  else if (S_ISDIR (st.st_mode))
    nn_fail (err, NN_ERR_IO, "%s: is a folder, not an ONNX file", path);
  else if (!S_ISREG (st.st_mode))
    nn_fail (err, NN_ERR_IO, "%s: is not a regular file", path);
  else if (st.st_size == 0)
    nn_fail (err, NN_ERR_FORMAT, "%s: the file is empty", path);
  else if ((uintmax_t) st.st_size > NN_ONNX_MAX_FILE_BYTES)
    nn_fail (err, NN_ERR_LIMIT, "%s: larger than 2 GiB, the most that one ONNX file can be", path);
  else {
    *size = (size_t) st.st_size;
    return fd;
  }
  close (fd);
  return -1;
}

/* Copied, not mapped: a file that shrinks while it is read must not kill the process. */
uint8_t *
nn_onnx_read_file (const char *path, size_t *size, nn_error *err)
{
  int fd = open_regular (path, size, err);
  if (fd < 0)
    return NULL;
  uint8_t *data = malloc (*size);
  if (data == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "%s: out of memory for its %zu bytes", path, *size);
    close (fd);
    return NULL;
  }
  size_t have = 0;
  while (have < *size) {
    ssize_t n = read (fd, data + have, *size - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      nn_fail (err, NN_ERR_IO, "%s: %s", path,
               n < 0 ? strerror (errno) : "the file became shorter while it was read");
      free (data);
      close (fd);
      return NULL;
    }
    have += (size_t) n;
  }
  close (fd);
  return data;
}
