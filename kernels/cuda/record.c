/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <stdlib.h>
#include <string.h>

/* The nodes that a step ended with: what comes behind it waits for them. */
typedef struct ends {
  cudaGraphNode_t *nodes;
  size_t n;
  bool awaited; /* some later step waits for it */
} ends;

struct nn_cuda_recorder {
  cudaStream_t stream;
  int n_steps, room;
  int current; /* the step whose nodes are being recorded; -1: none */
  ends *ends;  /* by step */
  cudaGraphNode_t *waits; /* work space */
  size_t n_waits, waits_room;
};

nn_cuda_recorder *
nn_cuda_recorder_new (cudaStream_t stream, nn_error *err)
{
  nn_cuda_recorder *r = calloc (1, sizeof *r);
  if (r == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a CUDA graph");
    return NULL;
  }
  r->stream = stream;
  r->current = -1;
  return r;
}

void
nn_cuda_recorder_free (nn_cuda_recorder *r)
{
  if (r == NULL)
    return;
  for (int i = 0; i < r->room; i++)
    free (r->ends[i].nodes);
  free (r->ends);
  free (r->waits);
  free (r);
}

/* Keeps what the stream would have its next node wait for: the nodes that the current step ended with. */
static nn_status
end_step (nn_cuda_recorder *r, nn_error *err)
{
  enum cudaStreamCaptureStatus status;
  const cudaGraphNode_t *nodes = NULL;
  const cudaGraphEdgeData *edges = NULL;
  size_t n = 0;
  if (r->current < 0)
    return NN_OK;
  if (NN_CUDA (cudaStreamGetCaptureInfo (r->stream, &status, NULL, NULL, &nodes, &edges, &n), err))
    return err->status;
  ends *mine = &r->ends[r->current];
  mine->nodes = malloc ((n + 1) * sizeof (cudaGraphNode_t));
  if (mine->nodes == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a CUDA graph");
  if (n > 0)
    memcpy (mine->nodes, nodes, n * sizeof (cudaGraphNode_t));
  mine->n = n;
  return NN_OK;
}

/* Once: steps that enqueue nothing end with the nodes of those before them, and a graph refuses an edge that is there. */
static void
add_wait (nn_cuda_recorder *r, cudaGraphNode_t node)
{
  for (size_t i = 0; i < r->n_waits; i++)
    if (r->waits[i] == node)
      return;
  r->waits[r->n_waits++] = node;
}

static nn_status
wait_for (nn_cuda_recorder *r, int step, nn_error *err)
{
  ends *its = &r->ends[step];
  its->awaited = true;
  if (r->n_waits + its->n > r->waits_room) {
    size_t room = 2 * (r->n_waits + its->n);
    cudaGraphNode_t *more = realloc (r->waits, room * sizeof *more);
    if (more == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for a CUDA graph");
    r->waits = more;
    r->waits_room = room;
  }
  for (size_t i = 0; i < its->n; i++)
    add_wait (r, its->nodes[i]);
  return NN_OK;
}

static nn_status
ensure_ends (nn_cuda_recorder *r, int n, nn_error *err)
{
  if (n <= r->room)
    return NN_OK;
  int room = 2 * n + 256;
  ends *more = realloc (r->ends, (size_t) room * sizeof *more);
  if (more == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a CUDA graph");
  memset (more + r->room, 0, (size_t) (room - r->room) * sizeof *more);
  r->ends = more;
  r->room = room;
  return NN_OK;
}

nn_status
nn_cuda_recorder_depend (nn_cuda_recorder *r, int step, const int *before, int n, nn_error *err)
{
  if (ensure_ends (r, step + 1, err) != NN_OK || end_step (r, err) != NN_OK)
    return err->status;
  r->n_waits = 0;
  for (int i = 0; i < n; i++)
    if (wait_for (r, before[i], err) != NN_OK)
      return err->status;
  for (int i = 0; step < 0 && i < r->n_steps; i++)
    if (!r->ends[i].awaited && wait_for (r, i, err) != NN_OK)
      return err->status;
  r->current = step;
  r->n_steps = step + 1 > r->n_steps ? step + 1 : r->n_steps;
  return NN_CUDA (cudaStreamUpdateCaptureDependencies (r->stream, r->waits, NULL, r->n_waits,
                                                       cudaStreamSetCaptureDependencies),
                  err);
}

nn_status
nn_cuda_record (cudaStream_t stream, nn_status (*steps) (void *arg, nn_error *err), void *arg, int times,
                cudaGraphExec_t *exec, nn_error *err)
{
  cudaGraph_t graph = NULL;
  nn_error ignored;
  if (NN_CUDA (cudaStreamBeginCapture (stream, cudaStreamCaptureModeThreadLocal), err))
    return err->status;
  nn_status status = NN_OK;
  for (int i = 0; i < times && status == NN_OK; i++)
    status = steps (arg, err);
  nn_status ended = NN_CUDA (cudaStreamEndCapture (stream, &graph), status == NN_OK ? err : &ignored);
  status = status == NN_OK ? ended : status;
  if (status == NN_OK)
    status = NN_CUDA (cudaGraphInstantiate (exec, graph, 0), err);
  if (graph != NULL)
    cudaGraphDestroy (graph);
  return status;
}
