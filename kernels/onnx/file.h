/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regular files that are read piece by piece, and bytes in memory that are read like one. Messages
 * do not name the file: callers do. */
#pragma once

#include "../status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

typedef struct nn_onnx_file {
  int fd;                /* -1: bytes in memory, or closed */
  const uint8_t *memory; /* not owned */
  uint64_t size;
  dev_t device; /* with what follows: what the file was when it was opened */
  ino_t inode;
  struct timespec modified;
} nn_onnx_file;

nn_onnx_file nn_onnx_file_of_memory (const uint8_t *data, size_t size);
/* Refuses folders, pipes and devices, and never waits for one. */
nn_status nn_onnx_file_open (nn_onnx_file *file, const char *path, nn_error *err);
/* The same from a descriptor, which it owns from then on and closes on failure. */
nn_status nn_onnx_file_take (nn_onnx_file *file, int fd, nn_error *err);
void nn_onnx_file_close (nn_onnx_file *file);

/* Whether two openings found the same file, with the same size and time of change. */
bool nn_onnx_file_same (const nn_onnx_file *a, const nn_onnx_file *b);
/* Fails if the file is no longer what it was when it was opened. */
nn_status nn_onnx_file_check (const nn_onnx_file *file, nn_error *err);

/* Exactly `n` bytes; those outside the file are an error. */
nn_status nn_onnx_file_read (const nn_onnx_file *file, uint64_t offset, void *to, size_t n, nn_error *err);
