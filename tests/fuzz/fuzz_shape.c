/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What planning does to a graph before kernels see it: shapes and folding (which runs kernels on
 * constants), fusions, the CPU's rewriting, layouts, arena. */
#include "fuzz.h"

#define MAX_ARENA_BYTES ((size_t)64 << 20)

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  nn_error err = { 0 };
  nn_onnx onnx;
  nn_graph *graph = fuzz_plan (&onnx, data, size, MAX_ARENA_BYTES, &err);
  if (graph == NULL) {
    fuzz_check_error (&err);
    return 0;
  }
  nn_graph_free (graph);
  nn_onnx_close (&onnx);
  return 0;
}
