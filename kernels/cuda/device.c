/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device.h"
#include "memory.h"
#include "tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list and the users' counts */
static nn_cuda_device *devices;

/* ---- errors of the libraries ---- */

static const char *
base_name (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* "cudaMalloc (&p, n)" → "cudaMalloc" */
static int
name_length (const char *call)
{
  return (int) strcspn (call, " (");
}

static nn_status
fail (nn_status status, const char *what, const char *reason, const char *file, int line, nn_error *err)
{
  return nn_fail (err, status, "%.*s: %s (%s:%d)", name_length (what), what, reason, base_name (file), line);
}

/* How much there is to have, for those who lack it. */
static nn_status
fail_memory (const char *what, const char *file, int line, nn_error *err)
{
  size_t left = 0, all = 0;
  char text[96] = "out of memory on the GPU";
  if (cudaMemGetInfo (&left, &all) == cudaSuccess)
    snprintf (text, sizeof text, "out of memory on the GPU: %zu of %zu MiB are free", left >> 20, all >> 20);
  return fail (NN_ERR_MEMORY, what, text, file, line, err);
}

nn_status
nn_cuda_check (cudaError_t result, const char *what, const char *file, int line, nn_error *err)
{
  if (result == cudaSuccess)
    return NN_OK;
  cudaGetLastError (); /* told here; the next call is not to find it */
  if (result == cudaErrorMemoryAllocation)
    return fail_memory (what, file, line, err);
  return fail (NN_ERR_DEVICE, what, cudaGetErrorString (result), file, line, err);
}

/* A library that lacks memory may say anything: cudnnCreate() of cuDNN 9.19 says CUDNN_STATUS_INTERNAL_ERROR. Loading its
 * kernels takes about as much as is asked for here. */
static nn_status
fail_library (const char *what, const char *reason, const char *file, int line, nn_error *err)
{
  enum { LEAST = 64 << 20 };
  size_t left = 0, all = 0;
  cudaGetLastError ();
  if (cudaMemGetInfo (&left, &all) == cudaSuccess && left < LEAST)
    return fail_memory (what, file, line, err);
  return fail (NN_ERR_DEVICE, what, reason, file, line, err);
}

nn_status
nn_cudnn_check (cudnnStatus_t result, const char *what, const char *file, int line, nn_error *err)
{
  return result == CUDNN_STATUS_SUCCESS ? NN_OK : fail_library (what, cudnnGetErrorString (result), file, line, err);
}

nn_status
nn_blas_check (cublasStatus_t result, const char *what, const char *file, int line, nn_error *err)
{
  return result == CUBLAS_STATUS_SUCCESS ? NN_OK : fail_library (what, cublasLtGetStatusString (result), file, line, err);
}

nn_status
nn_cuda_launched (const char *kernel, nn_error *err)
{
  cudaError_t result = cudaGetLastError ();
  if (result == cudaErrorMemoryAllocation) /* its code is loaded when it is first launched */
    return fail_memory (kernel, __FILE__, __LINE__, err);
  return result == cudaSuccess
             ? NN_OK
             : nn_fail (err, NN_ERR_DEVICE, "kernel %s: %s", kernel, cudaGetErrorString (result));
}

/* ---- devices ---- */

nn_status
nn_cuda_alloc (const nn_cuda *cuda, size_t n_bytes, void **memory, nn_error *err)
{
  return NN_CUDA (cudaMalloc (memory, n_bytes), err);
}

static nn_status
check_code (int index, nn_error *err)
{
  struct cudaDeviceProp properties;
  cudaError_t result = nn_cuda_has_code ();
  if (result == cudaSuccess)
    return NN_OK;
  if ((result != cudaErrorNoKernelImageForDevice && result != cudaErrorInvalidDeviceFunction
       && result != cudaErrorUnsupportedPtxVersion)
      || cudaGetDeviceProperties (&properties, index) != cudaSuccess)
    return NN_CUDA (result, err);
  cudaGetLastError ();
  return nn_fail (err, NN_ERR_DEVICE,
                  "GPU %d, %s, is of architecture sm_%d%d, for which this build has no code: it has " NN_CUDA_ARCHITECTURES
                  "; build with -Dcuda-arch=native",
                  index, properties.name, properties.major, properties.minor);
}

/* None is an error, and leaves 0 in `n`. */
static nn_status
count_devices (int *n, nn_error *err)
{
  *n = 0;
  cudaError_t result = cudaGetDeviceCount (n);
  if (result == cudaErrorInsufficientDriver)
    return nn_fail (err, NN_ERR_DEVICE, "no NVIDIA driver for CUDA %d or newer is loaded", CUDART_VERSION / 1000);
  if (result == cudaErrorNoDevice || (result == cudaSuccess && *n == 0))
    return nn_fail (err, NN_ERR_DEVICE, "the NVIDIA driver shows no GPU");
  if (result != cudaSuccess)
    return nn_fail (err, NN_ERR_DEVICE, "the NVIDIA driver does not start: %s", cudaGetErrorString (result));
  return NN_OK;
}

nn_status
nn_cuda_device_check (int index, nn_error *err)
{
  int n;
  if (count_devices (&n, err) != NN_OK)
    return err->status;
  if (index < 0 || index >= n)
    return nn_fail (err, NN_ERR_DEVICE, "there is no GPU %d: %d are there, counted from 0", index, n);
  if (NN_CUDA (cudaSetDevice (index), err) || NN_CUDA (cudaFree (NULL), err))
    return err->status;
  return check_code (index, err);
}

/* ---- what is told of them ---- */

nn_status
nn_cuda_describe_all (nn_cuda_info *info, nn_error *err)
{
  int runtime = 0, driver = 0;
  size_t cudnn = cudnnGetVersion (), blas = cublasLtGetVersion ();
  if (NN_CUDA (cudaRuntimeGetVersion (&runtime), err) || NN_CUDA (cudaDriverGetVersion (&driver), err))
    return err->status;
  snprintf (info->architectures, sizeof info->architectures, "%s", NN_CUDA_ARCHITECTURES);
  snprintf (info->runtime, sizeof info->runtime, "%d.%d", runtime / 1000, runtime % 1000 / 10);
  if (driver > 0)
    snprintf (info->driver, sizeof info->driver, "%d.%d", driver / 1000, driver % 1000 / 10);
  snprintf (info->cudnn, sizeof info->cudnn, "%zu.%zu.%zu", cudnn / 10000, cudnn / 100 % 100, cudnn % 100);
  snprintf (info->cublaslt, sizeof info->cublaslt, "%zu.%zu.%zu", blas / 10000, blas / 100 % 100, blas % 100);
  info->problem.status = NN_OK;
  count_devices (&info->n_devices, &info->problem);
  return NN_OK;
}

nn_status
nn_cuda_describe_device (int index, nn_device_info *info, nn_error *err)
{
  struct cudaDeviceProp properties;
  if (NN_CUDA (cudaGetDeviceProperties (&properties, index), err))
    return err->status;
  snprintf (info->name, sizeof info->name, "%s", properties.name);
  info->major = properties.major;
  info->minor = properties.minor;
  info->memory_bytes = properties.totalGlobalMem;
  info->integrated = nn_cuda_attribute (index, cudaDevAttrIntegrated) != 0;
  info->pageable_access = nn_cuda_attribute (index, cudaDevAttrPageableMemoryAccess) != 0;
  info->host_page_tables = nn_cuda_attribute (index, cudaDevAttrPageableMemoryAccessUsesHostPageTables) != 0;
  info->concurrent_managed = nn_cuda_attribute (index, cudaDevAttrConcurrentManagedAccess) != 0;
  info->host_register = nn_cuda_attribute (index, cudaDevAttrHostRegisterSupported) != 0;
  info->memory_path = nn_cuda_memory_path (index);
  info->problem.status = NN_OK;
  nn_cuda_device_check (index, &info->problem);
  return NN_OK;
}

static nn_status
open_libraries (nn_cuda_device *d, nn_error *err)
{
  if (NN_CUDA (cudaGetDeviceProperties (&d->properties, d->index), err)
      || NN_CUDNN (cudnnCreate (&d->cudnn), err) || NN_BLAS (cublasLtCreate (&d->blas), err))
    return err->status;
  snprintf (d->name, sizeof d->name, "cuda:%d %s", d->index, d->properties.name);
  nn_cuda cuda = { .index = d->index,
                   .architecture = d->properties.major * 10 + d->properties.minor,
                   .n_multiprocessors = d->properties.multiProcessorCount };
  d->tuning = nn_tuning_open (&cuda);
  return NN_OK;
}

static void
close_device (nn_cuda_device *d)
{
  nn_tuning_close (d->tuning);
  if (d->cudnn != NULL)
    cudnnDestroy (d->cudnn);
  if (d->blas != NULL)
    cublasLtDestroy (d->blas);
  pthread_mutex_destroy (&d->mutex);
  free (d);
}

static nn_cuda_device *
new_device (int index, nn_error *err)
{
  nn_cuda_device *d = calloc (1, sizeof *d);
  if (d == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory");
    return NULL;
  }
  d->index = index;
  pthread_mutex_init (&d->mutex, NULL);
  if (open_libraries (d, err) == NN_OK)
    return d;
  close_device (d);
  return NULL;
}

nn_status
nn_cuda_device_take (int index, nn_cuda_device **device, nn_error *err)
{
  if (nn_cuda_device_check (index, err) != NN_OK)
    return err->status;
  pthread_mutex_lock (&mutex);
  nn_cuda_device *d = devices;
  while (d != NULL && d->index != index)
    d = d->next;
  if (d == NULL && (d = new_device (index, err)) != NULL) {
    d->next = devices;
    devices = d;
  }
  if (d != NULL)
    d->users++;
  pthread_mutex_unlock (&mutex);
  *device = d;
  return d != NULL ? NN_OK : err->status;
}

void
nn_cuda_device_give_back (nn_cuda_device *device)
{
  pthread_mutex_lock (&mutex);
  if (--device->users == 0) {
    nn_cuda_device **at = &devices;
    while (*at != device)
      at = &(*at)->next;
    *at = device->next;
    close_device (device);
  }
  pthread_mutex_unlock (&mutex);
}

nn_cuda_choice
nn_cuda_chosen (void)
{
  const char *text = getenv ("DOCLAYOUT_CUDA_KERNELS");
  if (text != NULL && strcmp (text, "own") == 0)
    return NN_CUDA_CHOICE_OWN;
  return text != NULL && strcmp (text, "library") == 0 ? NN_CUDA_CHOICE_LIBRARY : NN_CUDA_CHOICE_BEST;
}
