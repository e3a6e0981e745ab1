/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU without memory, and one that fails while plans are there: each is an error with a reason, nothing crashes, and the
 * same process goes on: with the GPU when there is memory again, with the CPU when the GPU is lost.
 *
 *   failures MODEL.onnx    exit status 77 without a device
 */
#include "calls.h"
#include "kernels/nn.h"
#include "tests/nn-check.h"

#define MAX_HOGS 4096

cudaError_t launch_trap (void);

static nn_plan *
plan_for (nn_model *model, nn_device_kind device, int batch, nn_error *err)
{
  const nn_plan_options options = { .device = device, .batch = batch, .threads = 1 };
  return nn_plan_new (model, &options, err);
}

/* A session of a plan for one page; NULL with the reason. The session keeps the plan. */
static nn_session *
session_on (nn_model *model, nn_device_kind device, nn_error *err)
{
  nn_plan *plan = plan_for (model, device, 1, err);
  nn_session *session = plan != NULL ? nn_session_new (plan, err) : NULL;
  nn_plan_unref (plan);
  return session;
}

/* Takes all memory there is, in pieces of down to 64 KiB. */
static int
take_memory (void **hogs)
{
  int n = 0;
  for (size_t size = (size_t) 1 << 34; size >= 1 << 16; size /= 2)
    while (n < MAX_HOGS && cudaMalloc (&hogs[n], size) == cudaSuccess)
      n++;
  cudaGetLastError ();
  return n;
}

/* Not where the memory is the host's too: DGX Spark stops, and wants its power taken away
 * (https://github.com/pytorch/pytorch/issues/174358). */
static void
check_memory (nn_model *model)
{
  static void *hogs[MAX_HOGS];
  nn_error err = { 0 };
  nn_device_info info;
  CHECK (nn_device_describe (0, &info, &err) == NN_OK, "%s", err.message);
  if (info.integrated) {
    printf ("no memory: skipped, the GPU has none of its own\n");
    return;
  }
  int n = take_memory (hogs);
  nn_session *session = session_on (model, NN_DEVICE_CUDA, &err);
  CHECK (session == NULL && err.status == NN_ERR_MEMORY, "status %d: %s", (int) err.status, err.message);
  CHECK_TEXT (err.message, "out of memory on the GPU");
  nn_session_free (session);
  for (int i = 0; i < n; i++)
    cudaFree (hogs[i]);
  session = session_on (model, NN_DEVICE_CUDA, &err);
  CHECK (session != NULL, "with memory again: %s", err.message);
  CHECK (session == NULL || nn_session_run (session, &err) == NN_OK, "%s", err.message);
  nn_session_free (session);
}

static void
check_lost_device (nn_model *model)
{
  nn_error err = { 0 };
  nn_session *session = session_on (model, NN_DEVICE_CUDA, &err);
  CHECK (session != NULL && nn_session_run (session, &err) == NN_OK, "%s", err.message);
  CHECK (launch_trap () != cudaSuccess, "the kernel did not fail");
  nn_status status = nn_session_run (session, &err);
  CHECK (status == NN_ERR_DEVICE, "status %d: %s", (int) status, err.message);
  printf ("after the failure: %s\n", err.message);
  status = nn_session_run (session, &err);
  CHECK (status == NN_ERR_DEVICE, "again: status %d: %s", (int) status, err.message);
  nn_session_free (session);
  CHECK (session_on (model, NN_DEVICE_CUDA, &err) == NULL && err.status == NN_ERR_DEVICE, "a new plan: %s", err.message);
  CHECK (nn_device_check (NN_DEVICE_CUDA, 0, &err) == NN_ERR_DEVICE, "%s", err.message);
  session = session_on (model, NN_DEVICE_CPU, &err);
  CHECK (session != NULL && nn_session_run (session, &err) == NN_OK, "on the CPU: %s", err.message);
  nn_session_free (session);
}

int
main (int argc, char **argv)
{
  nn_error err = { 0 };
  if (nn_device_check (NN_DEVICE_CUDA, 0, &err) != NN_OK) {
    printf ("skipped: %s\n", err.message);
    return 77;
  }
  nn_model *model = argc == 2 ? nn_model_open (argv[1], &err) : NULL;
  if (model == NULL) {
    printf ("usage: failures MODEL.onnx: %s\n", err.message);
    return 2;
  }
  check_memory (model);
  check_lost_device (model);
  nn_model_unref (model);
  return nn_check_report ("failures of a GPU");
}
