/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "onnx.h"

#include <stdlib.h>

/* Tensors may share bytes of a data file, but not so many that a small file fills the memory. */
#define MAX_SHARING 2

static nn_graph *
build (const nn_onnx *onnx, nn_onnx_data_files *adds_to, nn_onnx_source source, int *n_operators, nn_error *err)
{
  source.file = &onnx->file;
  source.graph = nn_graph_new (err);
  if (source.graph == NULL)
    return NULL;
  /* Without additions the files are only read. */
  source.external.files = adds_to != NULL ? adds_to : (nn_onnx_data_files *)(uintptr_t)&onnx->data_files;
  source.external.adds = adds_to != NULL;
  nn_status status = nn_onnx_build_graph (onnx->proto, &source, n_operators, err);
  nn_onnx_external_clear (&source.external);
  if (status == NN_OK && source.external.bytes / MAX_SHARING > onnx->data_files.bytes)
    status = nn_fail (err, NN_ERR_LIMIT, "its tensors take several times the size of the data files");
  if (status == NN_OK)
    return source.graph;
  nn_graph_free (source.graph);
  return NULL;
}

static nn_status
check_operators (const nn_onnx *onnx, nn_error *err)
{
  return nn_onnx_check_operators (onnx->proto, onnx->operators, onnx->n_operator_infos, err);
}

static nn_status
open_file (nn_onnx *onnx, bool any_operators, nn_error *err)
{
  if ((onnx->proto = nn_onnx_parse (&onnx->file, err)) == NULL ||
      nn_onnx_count_operators (onnx->proto, &onnx->operators, &onnx->n_operator_infos, err) != NN_OK ||
      (!any_operators && check_operators (onnx, err) != NN_OK))
    return err->status;
  onnx->declared = build (onnx, &onnx->data_files, (nn_onnx_source){ .declares = any_operators },
                          &onnx->n_operators, err);
  if (onnx->declared == NULL)
    return err->status;
  return nn_onnx_file_check (&onnx->file, err);
}

static nn_status
close_failed (nn_onnx *onnx, nn_status status)
{
  if (status != NN_OK)
    nn_onnx_close (onnx);
  return status;
}

nn_status
nn_onnx_open (nn_onnx *onnx, const char *path, bool any_operators, nn_error *err)
{
  *onnx = (nn_onnx){ .data_files.folder_fd = -1 };
  nn_status status = nn_onnx_file_open (&onnx->file, path, err);
  if (status != NN_OK)
    return status;
  if (onnx->file.size == 0)
    status = nn_fail (err, NN_ERR_FORMAT, "the file is empty");
  else if (onnx->file.size > NN_ONNX_MAX_FILE_BYTES)
    status = nn_fail (
        err, NN_ERR_LIMIT,
        "larger than 2 GiB, the most that one ONNX file can be; save its weights as external data");
  else if ((status = nn_onnx_data_files_init (&onnx->data_files, path, err)) == NN_OK)
    status = open_file (onnx, any_operators, err);
  return close_failed (onnx, status);
}

nn_status
nn_onnx_open_memory (nn_onnx *onnx, const uint8_t *data, size_t size, nn_error *err)
{
  *onnx = (nn_onnx){ .file = nn_onnx_file_of_memory (data, size), .data_files.folder_fd = -1 };
  return close_failed (onnx, open_file (onnx, false, err));
}

void
nn_onnx_close (nn_onnx *onnx)
{
  nn_graph_free (onnx->declared);
  if (onnx->proto != NULL)
    onnx__model_proto__free_unpacked (onnx->proto, NULL);
  nn_onnx_data_files_clear (&onnx->data_files);
  nn_onnx_file_close (&onnx->file);
  free (onnx->operators);
  onnx->operators = NULL;
  onnx->proto = NULL;
  onnx->declared = NULL;
}

nn_graph *
nn_onnx_build (const nn_onnx *onnx, nn_error *err)
{
  int n_operators;
  if (check_operators (onnx, err) != NN_OK || nn_onnx_file_check (&onnx->file, err) != NN_OK)
    return NULL;
  nn_graph *graph = build (onnx, NULL, (nn_onnx_source){ .loads = true }, &n_operators, err);
  if (graph != NULL && nn_onnx_file_check (&onnx->file, err) != NN_OK) {
    nn_graph_free (graph);
    return NULL;
  }
  return graph;
}
