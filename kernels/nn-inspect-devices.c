/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --devices: what there is to run on, beside CPUs. pipelines/doctor.sh reads the text, whose lines are a key in 11
 * columns and a value. */
#include "nn-inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
write_device (FILE *to, int index, const nn_device_info *device)
{
  static const char *const words[] = { "no", "yes" };
  fprintf (to, "gpu %-7d%s, sm_%d%d, %llu MiB\n", index, device->name, device->major, device->minor,
           (unsigned long long) (device->memory_bytes >> 20));
  fprintf (to, "  memory   %s: integrated %s, pageable memory access %s, host page tables %s, "
           "concurrent managed access %s, host register %s\n",
           nn_memory_path_name (device->memory_path), words[device->integrated], words[device->pageable_access],
           words[device->host_page_tables], words[device->concurrent_managed], words[device->host_register]);
  fprintf (to, "  usable   %s%s\n", device->problem.status == NN_OK ? "yes" : "no: ", device->problem.message);
}

static void
write_text (FILE *to, const inspect_gpus *gpus)
{
  const nn_cuda_info *cuda = &gpus->cuda;
  if (gpus->error.status != NN_OK) {
    fprintf (to, "backend    no: %s\n", gpus->error.message);
    return;
  }
  fprintf (to, "backend    with code for %s\n", cuda->architectures);
  fprintf (to, "libraries  CUDA runtime %s, cuDNN %s, cuBLASLt %s\n", cuda->runtime, cuda->cudnn, cuda->cublaslt);
  fprintf (to, "driver     %s%s\n", cuda->driver[0] != '\0' ? "for CUDA " : "none", cuda->driver);
  if (cuda->n_devices == 0)
    fprintf (to, "gpus       no: %s\n", cuda->problem.message);
  for (int i = 0; i < cuda->n_devices; i++)
    write_device (to, i, &gpus->devices[i]);
}

/* A device that cannot be asked is told of as one that cannot be used. */
static nn_status
gather (inspect_gpus *gpus, nn_error *err)
{
  if (nn_cuda_describe (&gpus->cuda, &gpus->error) != NN_OK)
    return NN_OK;
  gpus->devices = calloc ((size_t) gpus->cuda.n_devices + 1, sizeof *gpus->devices);
  if (gpus->devices == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  for (int i = 0; i < gpus->cuda.n_devices; i++) {
    nn_error error;
    if (nn_device_describe (i, &gpus->devices[i], &error) != NN_OK)
      gpus->devices[i].problem = error;
  }
  return NN_OK;
}

inspect_status
inspect_devices (bool as_json)
{
  inspect_gpus gpus = { 0 };
  inspect_status status = INSPECT_WILL_NOT_RUN;
  nn_error err;
  if (gather (&gpus, &err) != NN_OK) {
    fprintf (stderr, "nn-inspect: %s\n", err.message);
    return status;
  }
  (as_json ? inspect_write_gpus_json : write_text) (stdout, &gpus);
  for (int i = 0; i < gpus.cuda.n_devices; i++)
    if (gpus.devices[i].problem.status == NN_OK)
      status = INSPECT_WILL_RUN;
  free (gpus.devices);
  if (fflush (stdout) == 0)
    return status;
  fprintf (stderr, "nn-inspect: cannot write the report: %s\n", strerror (errno));
  return INSPECT_WILL_NOT_RUN;
}
