/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "kernels/backend.h"

#include <stdlib.h>

/* As a session does with the batch; other open dimensions are refused there. */
static void
set_open_dimensions (nn_graph *graph)
{
  for (int i = 0; i < graph->n_inputs; i++)
    for (int d = 0; d < graph->inputs[i]->rank; d++)
      if (graph->inputs[i]->dim[d] == NN_DIM_UNKNOWN)
        graph->inputs[i]->dim[d] = 2;
}

static nn_status
run_passes (nn_graph *graph, size_t arena_limit, nn_error *err)
{
  nn_status status;
  size_t arena;
  set_open_dimensions (graph);
  if ((status = nn_graph_infer (graph, err)) != NN_OK)
    return status;
  if (nn_graph_fuse (graph, err) < 0)
    return err->status;
  if ((status = nn_backend_cpu.rewrite (graph, err)) != NN_OK
      || (status = nn_graph_assign_layouts (graph, err)) != NN_OK)
    return status;
  size_t *offset = calloc ((size_t)graph->n_values + 1, sizeof *offset);
  if (offset == NULL)
    abort ();
  status = nn_graph_plan_arena (graph, false, arena_limit, offset, &arena, err);
  free (offset);
  return status;
}

nn_graph *
fuzz_plan (nn_onnx *onnx, const uint8_t *data, size_t size, size_t arena_limit, nn_error *err)
{
  if (nn_onnx_open_memory (onnx, data, size, err) != NN_OK)
    return NULL;
  nn_graph *graph = nn_onnx_build (onnx, err);
  if (graph != NULL && run_passes (graph, arena_limit, err) == NN_OK)
    return graph;
  nn_graph_free (graph);
  nn_onnx_close (onnx);
  return NULL;
}
