/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bytes of an ONNX file to a graph. Used by model.c and the tests only.
 *
 * The unpacked message holds the weights once; graphs that are built from it point into it, so it
 * must outlive them.
 */
#pragma once

#include "../graph/graph.h"
#include "onnx.pb-c.h"

/* Limits on a file, far above what real models have and far below what hurts. */
#define NN_ONNX_MAX_FILE_BYTES ((size_t) INT32_MAX) /* protobuf's own limit */
#define NN_ONNX_MAX_DEPTH 64                        /* ONNX without subgraphs needs a dozen */
#define NN_ONNX_MAX_MESSAGES ((size_t) 4 << 20)
#define NN_ONNX_MAX_NODES ((size_t) 50000)
#define NN_ONNX_MAX_OVERHEAD ((size_t) 1 << 30) /* of unpacked structures beyond the file's size */
#define NN_ONNX_MIN_OPSET 7
#define NN_ONNX_MAX_OPSET 21

/* The whole of a regular file; the caller frees it. NULL with `path` named in `err`. */
uint8_t *nn_onnx_read_file (const char *path, size_t *size, nn_error *err);

/* Walks a ModelProto's wire format without unpacking it: lengths within bounds, nesting, number of
 * messages, memory that unpacking would take, text that is UTF-8 without NUL. protobuf-c itself
 * recurses as deep as the file says. */
nn_status nn_onnx_scan (const uint8_t *data, size_t size, nn_error *err);

/* Scans and unpacks; free with onnx__model_proto__free_unpacked (·, NULL). */
Onnx__ModelProto *nn_onnx_parse (const uint8_t *data, size_t size, nn_error *err);

/* A graph whose constants point into `proto`. Inputs and outputs have the dimensions that the file
 * declares. `n_operators` (may be NULL) gets the number of nodes that are no Constant. */
nn_graph *nn_onnx_build (const Onnx__ModelProto *proto, int *n_operators, nn_error *err);

/* A tensor on the data of `proto`, or on a converted copy in the graph's pool. */
nn_status nn_onnx_tensor (nn_graph *graph, const Onnx__TensorProto *proto, nn_tensor *tensor, nn_error *err);

/* ---- names.c: which value a name means ---- */

typedef struct nn_onnx_name {
  const char *name;
  int64_t order; /* index of the node that computes it; -1 for inputs and initialisers */
  nn_value *value;
} nn_onnx_name;

typedef struct nn_onnx_names {
  nn_onnx_name *entries;
  size_t n, capacity;
} nn_onnx_names;

nn_status nn_onnx_names_add (nn_onnx_names *names, const char *name, int64_t order, nn_value *value,
                             nn_error *err);
/* Makes find() work; fails if a name is there twice. */
nn_status nn_onnx_names_sort (nn_onnx_names *names, nn_error *err);
nn_onnx_name *nn_onnx_names_find (const nn_onnx_names *names, const char *name); /* NULL if absent */
void nn_onnx_names_clear (nn_onnx_names *names);
