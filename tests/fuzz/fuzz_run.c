/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model from a file to its outputs, for graphs whose run takes some thousandths of a second. */
#include "fuzz.h"

#include "kernels/nn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ARENA_BYTES ((size_t)1 << 18)
#define MAX_STEPS 2e7

static double
count_of (const nn_value *value)
{
  return value != NULL ? (double)nn_shape_extent (value->rank, value->dim) : 0;
}

/* No operator takes more than each element of its operands for each of its results. */
static double
steps_of (const nn_graph *graph)
{
  double steps = 0;
  for (const nn_node *node = graph->first; node != NULL; node = node->next) {
    double in = 1, out = 1;
    for (int i = 0; i < node->n_in; i++)
      in += count_of (node->in[i]);
    for (int i = 0; i < node->n_out; i++)
      out += count_of (node->out[i]);
    steps += in * out;
  }
  return steps;
}

/* The batch to plan for, or 0 if running would take long. */
static int
affordable_batch (const uint8_t *data, size_t size)
{
  nn_error err = { 0 };
  nn_onnx onnx;
  nn_graph *graph = fuzz_plan (&onnx, data, size, MAX_ARENA_BYTES, &err);
  if (graph == NULL)
    return 0;
  int batch = 2;
  if (graph->n_inputs > 0 && graph->inputs[0]->rank > 0)
    batch = (int)graph->inputs[0]->dim[0];
  if (steps_of (graph) > MAX_STEPS)
    batch = 0;
  nn_graph_free (graph);
  nn_onnx_close (&onnx);
  return batch;
}

static nn_model *
open_model (const uint8_t *data, size_t size, nn_error *err)
{
  static int fd = -1;
  char path[64];
  if (fd < 0)
    fd = memfd_create ("model", MFD_CLOEXEC);
  if (fd < 0 || ftruncate (fd, 0) != 0 || pwrite (fd, data, size, 0) != (ssize_t)size)
    abort ();
  snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return nn_model_open (path, err);
}

/* Numbers of all sizes, the odd ones too, and as integers now and then small. */
static void
fill (nn_tensor *tensor, unsigned state)
{
  uint8_t *bytes = tensor->data;
  size_t n = nn_tensor_bytes (tensor);
  for (size_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    bytes[i] = tensor->dtype == NN_BOOL ? state >> 31 : state >> 30 == 0 ? 0 : (uint8_t)(state >> 16);
  }
}

static void
run (nn_session *session, nn_model *model, nn_error *err)
{
  for (int i = 0; i < nn_model_n_inputs (model); i++)
    fill (nn_session_input (session, i), (unsigned)i);
  for (int times = 0; times < 2; times++)
    if (nn_session_run (session, err) != NN_OK)
      fuzz_check_error (err);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  nn_error err = { 0 };
  int batch = affordable_batch (data, size);
  nn_model *model = batch > 0 ? open_model (data, size, &err) : NULL;
  nn_plan *plan = model != NULL ? nn_plan_new (model, &(nn_plan_options) { .batch = batch, .threads = 1 }, &err) : NULL;
  nn_session *session = plan != NULL ? nn_session_new (plan, &err) : NULL;
  if (session != NULL)
    run (session, model, &err);
  else if (batch > 0)
    fuzz_check_error (&err);
  nn_session_free (session);
  nn_plan_unref (plan);
  nn_model_unref (model);
  return 0;
}
