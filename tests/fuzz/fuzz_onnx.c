/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loader on any bytes: scan, unpack, declared graph, graph with weights. */
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  nn_error err = { 0 };
  nn_onnx onnx;
  if (nn_onnx_open_memory (&onnx, data, size, &err) != NN_OK) {
    fuzz_check_error (&err);
    return 0;
  }
  nn_graph *graph = nn_onnx_build (&onnx, &err);
  if (graph == NULL)
    fuzz_check_error (&err);
  nn_graph_free (graph);
  nn_onnx_close (&onnx);
  return 0;
}
