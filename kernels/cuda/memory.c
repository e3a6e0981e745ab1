/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory.h"

#include "cuda.h"

#include <stdlib.h>
#include <string.h>

int
nn_cuda_attribute (int index, enum cudaDeviceAttr what)
{
  int value = 0;
  if (cudaDeviceGetAttribute (&value, what, index) != cudaSuccess) {
    cudaGetLastError ();
    return 0;
  }
  return value;
}

/* Pageable access alone may be the kernel's HMM, which moves pages over PCIe one fault at a time: slower than a copy. */
bool
nn_cuda_reads_pageable (int index)
{
  return nn_cuda_attribute (index, cudaDevAttrPageableMemoryAccess) != 0
         && (nn_cuda_attribute (index, cudaDevAttrPageableMemoryAccessUsesHostPageTables) != 0
             || nn_cuda_attribute (index, cudaDevAttrIntegrated) != 0);
}

nn_memory_path
nn_cuda_memory_path (int index)
{
  const char *chosen = getenv ("DOCLAYOUT_CUDA_MEMORY_PATH");
  for (nn_memory_path path = NN_MEMORY_DIRECT; chosen != NULL && path <= NN_MEMORY_STAGED; path++)
    if (strcmp (chosen, nn_memory_path_name (path)) == 0)
      return path;
  if (nn_cuda_reads_pageable (index))
    return NN_MEMORY_DIRECT;
  return nn_cuda_attribute (index, cudaDevAttrHostRegisterSupported) != 0 ? NN_MEMORY_REGISTERED : NN_MEMORY_STAGED;
}

static nn_status
register_range (int index, void *memory, size_t bytes, nn_error *err)
{
  if (NN_CUDA (cudaSetDevice (index), err))
    return err->status;
  return NN_CUDA (cudaHostRegister (memory, bytes, cudaHostRegisterPortable | cudaHostRegisterMapped), err);
}

static void
unregister_range (int index, void *memory)
{
  if (cudaSetDevice (index) != cudaSuccess || cudaHostUnregister (memory) != cudaSuccess)
    cudaGetLastError (); /* of a device that was lost: nothing reads it any more */
}

/* The host's RAM is where it stays, and the GPU reads it there: pages are read once. */
static nn_status
alloc_managed (int index, size_t bytes, void **memory, nn_error *err)
{
  const struct cudaMemLocation host = { .type = cudaMemLocationTypeHost };
  const struct cudaMemLocation device = { .type = cudaMemLocationTypeDevice, .id = index };
  if (nn_cuda_attribute (index, cudaDevAttrConcurrentManagedAccess) == 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "GPU %d cannot share managed memory with the host while it runs "
                    "(concurrentManagedAccess is 0)", index);
  if (NN_CUDA (cudaMallocManaged (memory, bytes, cudaMemAttachGlobal), err))
    return err->status;
  if (NN_CUDA (cudaMemAdvise (*memory, bytes, cudaMemAdviseSetPreferredLocation, host), err)
      || NN_CUDA (cudaMemAdvise (*memory, bytes, cudaMemAdviseSetAccessedBy, device), err)) {
    cudaFree (*memory);
    *memory = NULL;
    return err->status;
  }
  return NN_OK;
}

static nn_status
alloc (int index, nn_memory_kind kind, size_t bytes, void **memory, nn_error *err)
{
  if (NN_CUDA (cudaSetDevice (index), err))
    return err->status;
  if (kind == NN_MEMORY_MANAGED)
    return alloc_managed (index, bytes, memory, err);
  return NN_CUDA (cudaHostAlloc (memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped), err);
}

static void
free_memory (int index, nn_memory_kind kind, void *memory)
{
  if (cudaSetDevice (index) != cudaSuccess
      || (kind == NN_MEMORY_MANAGED ? cudaFree (memory) : cudaFreeHost (memory)) != cudaSuccess)
    cudaGetLastError ();
}

const nn_memory_backend nn_cuda_memory = {
  .path = nn_cuda_memory_path,
  .register_range = register_range,
  .unregister_range = unregister_range,
  .alloc = alloc,
  .free = free_memory,
};
