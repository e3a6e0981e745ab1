/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an ONNX file to a graph. Used by model.c and the tests only.
 *
 * Memory. Opening reads the file once, in pieces; weights (raw_data from NN_ONNX_LARGE_BYTES on, and
 * external data) stay where they are. A graph has them once, each in memory of its own that goes
 * when its last reader has packed it. So with W bytes of weights and S bytes of everything else in
 * the file, opening takes a small multiple of S, a graph W more, and a plan at most W, its packed
 * copies and one tensor, if its kernels set nn_call.packed. Elements in typed fields (float_data …)
 * count as S: they stay in the unpacked message, where graphs point to them.
 */
#pragma once

#include "../graph/graph.h"
#include "../nn.h"
#include "external.h"
#include "onnx-limits.h"
#include "scan.h"

/* A model file that was opened. Immutable then: several threads may build graphs at once. */
typedef struct nn_onnx {
  nn_onnx_file file; /* open: a model that was replaced by a new file stays what it was */
  Onnx__ModelProto *proto;
  nn_onnx_data_files data_files;
  nn_graph *declared; /* as the file says, without large weights: data NULL; never planned */
  int n_operators;    /* nodes of the file that are no Constant */
  nn_operator_info *operators; /* by name, which `proto` owns */
  int n_operator_infos;
} nn_onnx;

/* Messages do not name the file at `path`. On failure there is nothing to close. With
 * `any_operators` a file opens whatever operators and operator set it has; nn_onnx_build() then
 * refuses those that are not supported. */
nn_status nn_onnx_open (nn_onnx *onnx, const char *path, bool any_operators, nn_error *err);
/* The same from bytes, which must live as long as `onnx`; external data is refused. */
nn_status nn_onnx_open_memory (nn_onnx *onnx, const uint8_t *data, size_t size, nn_error *err);
void nn_onnx_close (nn_onnx *onnx);

/* A graph with its weights, some of which lie in `onnx`: close it after the graph. Inputs and
 * outputs have the dimensions that the file declares. Fails if the model's file or a data file has
 * changed since it was opened. */
nn_graph *nn_onnx_build (const nn_onnx *onnx, nn_error *err);

/* ---- build.c, constant.c ---- */

/* Where a graph's tensors get their elements from. */
typedef struct nn_onnx_source {
  const nn_onnx_file *file;
  nn_onnx_external external;
  nn_graph *graph;
  bool loads; /* false: large elements are checked, but not read; data is NULL */
  bool declares; /* inputs, outputs and metadata only, for any operators and operator set: no nodes */
} nn_onnx_source;

/* Builds source->graph from a file whose operators are supported; `n_operators` as in nn_onnx. On failure the graph may be incomplete. */
nn_status nn_onnx_build_graph (const Onnx__ModelProto *model, nn_onnx_source *source, int *n_operators,
                               nn_error *err);

/* A tensor on elements in `proto`, or in the graph. */
nn_status nn_onnx_tensor (nn_onnx_source *source, const Onnx__TensorProto *proto, nn_tensor *tensor,
                          nn_error *err);

/* Nodes need no name; then it is their first result's. */
const char *nn_onnx_node_name (const Onnx__NodeProto *node);

/* ---- operators.c: which operators there are ---- */

/* Counts the nodes of each operator, by name; Constants aside. The caller frees `infos`, whose names
 * are `proto`'s. */
nn_status nn_onnx_count_operators (const Onnx__ModelProto *proto, nn_operator_info **infos, int *n,
                                   nn_error *err);

/* NN_ERR_UNSUPPORTED with all operators named that the op table lacks, and the first node that has one. */
nn_status nn_onnx_check_operators (const Onnx__ModelProto *proto, const nn_operator_info *infos, int n,
                                   nn_error *err);

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
