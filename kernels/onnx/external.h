/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors whose elements lie in files beside the model (TensorProto.external_data; ONNX's
 * docs/ExternalData.md). A location is a path below the model's folder: relative, without "..", and
 * no part of it a symbolic link, so that a model can make us read nothing else. The key "checksum"
 * is ignored.
 */
#pragma once

#include "file.h"
#include "onnx.pb-c.h"

typedef struct nn_onnx_data_file {
  char *location;
  nn_onnx_file file; /* closed: what it was when the model was opened */
} nn_onnx_data_file;

/* The data files of a model. Opening the model fills it; later it is read-only. */
typedef struct nn_onnx_data_files {
  char *folder; /* of the model; NULL: in memory, without data files */
  int folder_fd; /* -1 until the first file is wanted */
  nn_onnx_data_file *files;
  size_t n;
  uint64_t bytes; /* of all files */
} nn_onnx_data_files;

nn_status nn_onnx_data_files_init (nn_onnx_data_files *files, const char *model_path, nn_error *err);
void nn_onnx_data_files_clear (nn_onnx_data_files *files);

/* Reads elements for one graph; keeps the file open that it read last. Zeroed but for `files` and
 * `adds`; to be cleared. */
typedef struct nn_onnx_external {
  nn_onnx_data_files *files;
  bool adds; /* unknown locations are added to `files`; else they must be known and unchanged */
  const nn_onnx_data_file *current;
  nn_onnx_file open;
  uint64_t bytes; /* that tensors refer to */
} nn_onnx_external;

bool nn_onnx_is_external (const Onnx__TensorProto *proto);

/* Checks that the tensor's `n` bytes are there, and reads them unless `to` is NULL. Messages name
 * the location. */
nn_status nn_onnx_external_read (nn_onnx_external *external, const Onnx__TensorProto *proto, void *to,
                                 size_t n, nn_error *err);
void nn_onnx_external_clear (nn_onnx_external *external);
