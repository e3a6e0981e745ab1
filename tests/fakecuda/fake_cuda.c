/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_cuda.h"

#include <cuda.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__ ((visibility ("default")))

#define PITCH 256 /* bytes, that rows are a multiple of */
#define DEEPEST 64

static char primary;
static atomic_int n_retained;
static _Thread_local CUcontext stack[DEEPEST];
static _Thread_local int depth;

EXPORT int
fake_cuda_n_retained (void)
{
  return n_retained;
}

/* ---- device and contexts ---- */

EXPORT CUresult
cuInit (unsigned flags)
{
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDriverGetVersion (int *version)
{
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuGetErrorName (CUresult error, const char **text)
{
  *text = "error";
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuGetErrorString (CUresult error, const char **text)
{
  *text = "an error";
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGetCount (int *n)
{
  *n = 1;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGet (CUdevice *device, int index)
{
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORT CUresult
cuDeviceGetName (char *name, int size, CUdevice device)
{
  strncpy (name, "Fake", (size_t) size);
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceGetAttribute (int *value, CUdevice_attribute attribute, CUdevice device)
{
  *value = attribute == CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT ? PITCH : 0;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDeviceCanAccessPeer (int *can, CUdevice device, CUdevice peer)
{
  *can = 0;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDevicePrimaryCtxRetain (CUcontext *context, CUdevice device)
{
  *context = (CUcontext) &primary;
  n_retained++;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuDevicePrimaryCtxRelease (CUdevice device)
{
  return n_retained-- > 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

EXPORT CUresult
cuCtxPushCurrent (CUcontext context)
{
  if (depth == DEEPEST)
    return CUDA_ERROR_OUT_OF_MEMORY;
  stack[depth++] = context;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuCtxPopCurrent (CUcontext *context)
{
  if (depth == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  depth--;
  if (context != NULL)
    *context = stack[depth];
  return CUDA_SUCCESS;
}

/* As libgstcuda knows it; newer drivers have newer ones beside it. */
EXPORT CUresult cuCtxCreate_v2 (CUcontext *context, unsigned flags, CUdevice device);
EXPORT CUresult
cuCtxCreate_v2 (CUcontext *context, unsigned flags, CUdevice device)
{
  *context = malloc (1);
  return cuCtxPushCurrent (*context);
}

EXPORT CUresult
cuCtxDestroy (CUcontext context)
{
  free (context);
  return CUDA_SUCCESS;
}

/* ---- memory: in the current context only ---- */

static CUresult
allocate (void **memory, size_t bytes, uintptr_t bit)
{
  if (depth == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  *memory = (void *) ((uintptr_t) calloc (1, bytes) | bit);
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuMemAllocPitch (CUdeviceptr *memory, size_t *pitch, size_t width, size_t height, unsigned element)
{
  void *allocated = NULL;
  *pitch = (width + PITCH - 1) / PITCH * PITCH;
  CUresult result = allocate (&allocated, *pitch * height, FAKE_CUDA_BIT);
  *memory = (CUdeviceptr) allocated;
  return result;
}

EXPORT CUresult
cuMemAllocHost (void **memory, size_t bytes)
{
  return allocate (memory, bytes, 0);
}

EXPORT CUresult
cuMemFree (CUdeviceptr memory)
{
  free ((void *) ((uintptr_t) memory & ~FAKE_CUDA_BIT));
  return depth > 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

EXPORT CUresult
cuMemFreeHost (void *memory)
{
  free (memory);
  return CUDA_SUCCESS;
}

static char *
address (CUmemorytype type, const void *host, CUdeviceptr device)
{
  return type == CU_MEMORYTYPE_HOST ? (char *) host : (char *) ((uintptr_t) device & ~FAKE_CUDA_BIT);
}

EXPORT CUresult
cuMemcpy2D (const CUDA_MEMCPY2D *copy)
{
  const char *from = address (copy->srcMemoryType, copy->srcHost, copy->srcDevice);
  char *to = address (copy->dstMemoryType, copy->dstHost, copy->dstDevice);
  if (depth == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  for (size_t y = 0; y < copy->Height; y++)
    memcpy (to + y * copy->dstPitch, from + y * copy->srcPitch, copy->WidthInBytes);
  return CUDA_SUCCESS;
}

/* ---- streams: what is enqueued is done when somebody waits for it, or when there is more ---- */

static CUDA_MEMCPY2D enqueued; /* height 0: nothing */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Does what is enqueued, and enqueues `next`. */
static CUresult
enqueue (CUDA_MEMCPY2D next)
{
  pthread_mutex_lock (&lock);
  CUresult result = cuMemcpy2D (&enqueued);
  enqueued = next;
  pthread_mutex_unlock (&lock);
  return result;
}

EXPORT CUresult
cuMemcpy2DAsync (const CUDA_MEMCPY2D *copy, CUstream stream)
{
  return enqueue (*copy);
}

EXPORT CUresult
cuStreamSynchronize (CUstream stream)
{
  return enqueue ((CUDA_MEMCPY2D) { 0 });
}

EXPORT CUresult
cuStreamCreate (CUstream *stream, unsigned flags)
{
  *stream = (CUstream) &enqueued;
  return CUDA_SUCCESS;
}

EXPORT CUresult
cuStreamDestroy (CUstream stream)
{
  return CUDA_SUCCESS;
}
