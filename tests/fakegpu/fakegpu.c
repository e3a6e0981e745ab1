/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A CUDA module without CUDA: DOCLAYOUT_CUDA_MODULE names it to a program that loads one. FAKE_GPU says what it tells of:
 * "spark" (DGX Spark), "hmm" (a discrete GPU that reads pageable memory fault by fault), "old" (a GPU without code in
 * the build), "none" (a driver without GPUs), "wrong" (a GPU that computes nothing but zeros), else no driver. FAKE_CUDNN is cuDNN's version.
 * Networks run on the CPU's kernels in its place. */
#include "kernels/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__ ((visibility ("default"))) const nn_backend *nn_cuda_module (const char *version);

static bool
is (const char *what)
{
  const char *gpu = getenv ("FAKE_GPU");
  return gpu != NULL && strcmp (gpu, what) == 0;
}

static nn_status
check (int index, nn_error *err)
{
  if (is ("none"))
    return nn_fail (err, NN_ERR_DEVICE, "the NVIDIA driver shows no GPU");
  if (is ("old"))
    return nn_fail (err, NN_ERR_DEVICE, "GPU %d, Fake Turing, is of architecture sm_75, for which this build has no code",
                    index);
  return is ("spark") || is ("hmm") || is ("wrong") ? NN_OK : nn_fail (err, NN_ERR_DEVICE, "no NVIDIA driver for CUDA 13 or newer is loaded");
}

static nn_status
describe (nn_cuda_info *info, nn_error *err)
{
  const char *cudnn = getenv ("FAKE_CUDNN");
  *info = (nn_cuda_info){ .architectures = "sm_90, PTX of compute_80", .runtime = "13.0", .cublaslt = "13.1.0" };
  snprintf (info->cudnn, sizeof info->cudnn, "%s", cudnn != NULL ? cudnn : "9.24.0");
  info->n_devices = is ("spark") || is ("hmm") || is ("wrong") || is ("old");
  if (info->n_devices > 0 || is ("none"))
    snprintf (info->driver, sizeof info->driver, "13.0");
  if (info->n_devices == 0)
    check (0, &info->problem);
  return NN_OK;
}

static nn_status
describe_device (int index, nn_device_info *info, nn_error *err)
{
  if (is ("spark"))
    *info = (nn_device_info){ .name = "Fake GB10", .major = 12, .minor = 1, .memory_bytes = (uint64_t) 119 << 30,
                              .integrated = true, .pageable_access = true, .host_page_tables = true,
                              .concurrent_managed = true, .memory_path = NN_MEMORY_DIRECT };
  else
    *info = (nn_device_info){ .major = is ("old") ? 7 : 9, .minor = is ("old") ? 5 : 0,
                              .memory_bytes = (uint64_t) 80 << 30, .pageable_access = is ("hmm"),
                              .concurrent_managed = true, .host_register = true, .memory_path = NN_MEMORY_REGISTERED };
  if (!is ("spark"))
    snprintf (info->name, sizeof info->name, "%s", is ("old") ? "Fake Turing" : "Fake Hopper");
  check (index, &info->problem);
  return NN_OK;
}

static const char *
device_name (const void *device)
{
  return is ("spark") ? "cuda:0 Fake GB10" : "cuda:0 Fake Hopper";
}

static void *
alloc (void *device, size_t bytes, nn_error *err)
{
  void *memory = nn_backend_cpu.alloc (device, bytes, err);
  if (memory != NULL)
    memset (memory, 0, bytes);
  return memory;
}

static nn_status
run (void *stream, nn_error *err)
{
  return is ("wrong") ? NN_OK : nn_backend_cpu.run (stream, err);
}

const nn_backend *
nn_cuda_module (const char *version)
{
  static nn_backend backend;
  backend = nn_backend_cpu;
  backend.kind = NN_DEVICE_CUDA;
  backend.name = "cuda";
  backend.check = check;
  backend.describe = describe;
  backend.describe_device = describe_device;
  backend.device_name = device_name;
  backend.alloc = alloc;
  backend.run = run;
  return strcmp (version, NN_VERSION) == 0 ? &backend : NULL;
}
