/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A CUDA module without CUDA: DOCLAYOUT_CUDA_MODULE names it to a program that loads one. FAKE_GPU says what it tells of:
 * "spark" (DGX Spark), "hmm" (a discrete GPU that reads pageable memory fault by fault), "old" (a GPU without code in
 * the build), "none" (a driver without GPUs), "wrong" (a GPU that computes nothing but zeros), "hung" (a driver that never
 * answers), else no driver. FAKE_ARCHITECTURES is what it has code for, FAKE_CUDNN and FAKE_CUBLASLT are those libraries'
 * versions. Networks run on the CPU's kernels in its place. */
#include "kernels/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__ ((visibility ("default"))) const nn_backend *nn_cuda_module (const char *version);

/* What is told of, and whether networks can run there. */
static const struct {
  const char *kind;
  bool usable;
  nn_device_info info;
} kinds[] = {
  { "spark", true,
    { .name = "Fake GB10", .major = 12, .minor = 1, .memory_bytes = (uint64_t) 119 << 30, .integrated = true,
      .pageable_access = true, .host_page_tables = true, .concurrent_managed = true, .memory_path = NN_MEMORY_DIRECT } },
  { "hmm", true,
    { .name = "Fake Hopper", .major = 9, .memory_bytes = (uint64_t) 80 << 30, .pageable_access = true,
      .concurrent_managed = true, .host_register = true, .memory_path = NN_MEMORY_REGISTERED } },
  { "wrong", true,
    { .name = "Fake Hopper", .major = 9, .memory_bytes = (uint64_t) 80 << 30, .concurrent_managed = true,
      .host_register = true, .memory_path = NN_MEMORY_REGISTERED } },
  { "old", false,
    { .name = "Fake Turing", .major = 7, .minor = 5, .memory_bytes = (uint64_t) 16 << 30, .concurrent_managed = true,
      .host_register = true, .memory_path = NN_MEMORY_REGISTERED } },
};

static bool
is (const char *what)
{
  const char *gpu = getenv ("FAKE_GPU");
  return gpu != NULL && strcmp (gpu, what) == 0;
}

/* Its place in the table; -1: there is none. */
static int
find_kind (void)
{
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (is (kinds[i].kind))
      return (int) i;
  return -1;
}

static nn_status
check (int index, nn_error *err)
{
  int kind = find_kind ();
  if (is ("none"))
    return nn_fail (err, NN_ERR_DEVICE, "the NVIDIA driver shows no GPU");
  if (kind < 0)
    return nn_fail (err, NN_ERR_DEVICE, "no NVIDIA driver for CUDA 13 or newer is loaded");
  const nn_device_info *info = &kinds[kind].info;
  if (!kinds[kind].usable)
    return nn_fail (err, NN_ERR_DEVICE, "GPU %d, %s, is of architecture sm_%d%d, for which this build has no code", index,
                    info->name, info->major, info->minor);
  return NN_OK;
}

static void
write_text (char *to, size_t size, const char *variable, const char *otherwise)
{
  const char *text = getenv (variable);
  snprintf (to, size, "%s", text != NULL ? text : otherwise);
}

static nn_status
describe (nn_cuda_info *info, nn_error *err)
{
  while (is ("hung"))
    pause ();
  *info = (nn_cuda_info){ .runtime = "13.0" };
  write_text (info->architectures, sizeof info->architectures, "FAKE_ARCHITECTURES", "sm_90, sm_121, PTX of compute_80");
  write_text (info->cudnn, sizeof info->cudnn, "FAKE_CUDNN", "9.24.0");
  write_text (info->cublaslt, sizeof info->cublaslt, "FAKE_CUBLASLT", "13.1.0");
  info->n_devices = find_kind () >= 0;
  if (info->n_devices > 0 || is ("none"))
    snprintf (info->driver, sizeof info->driver, "13.0");
  if (info->n_devices == 0)
    check (0, &info->problem);
  return NN_OK;
}

static nn_status
describe_device (int index, nn_device_info *info, nn_error *err)
{
  *info = kinds[find_kind ()].info;
  check (index, &info->problem);
  return NN_OK;
}

static const char *
device_name (const void *device)
{
  static char name[80];
  snprintf (name, sizeof name, "cuda:0 %s", kinds[find_kind ()].info.name);
  return name;
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
