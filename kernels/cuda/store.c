/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of packed constants: device memory found by a hash of what went in, so that plans for several batch
 * sizes, and several pipelines with one model, have one copy. 128 bits of XXH3 make a collision of two of the
 * some thousand constants of a process less likely than a broken memory cell. */
#include "cuda.h"
#include "device.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct item {
  XXH128_hash_t hash; /* of the elements */
  char kind[128];
  int device;
  size_t bytes, packed_bytes;
  void *packed;
  int users;
  struct item *next;
} item;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list and counts; held while an item is made */
static item *items;

static item *
find (const nn_cuda *cuda, XXH128_hash_t hash, const char *kind, size_t bytes)
{
  for (item *i = items; i != NULL; i = i->next)
    if (XXH128_isEqual (i->hash, hash) && i->bytes == bytes && i->device == cuda->index
        && strcmp (i->kind, kind) == 0)
      return i;
  return NULL;
}

static nn_status
copy_as_it_is (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  return NN_CUDA (cudaMemcpyAsync (packed, elements, *(const size_t *) arg, cudaMemcpyDeviceToDevice, cuda->stream),
                  err);
}

static nn_status
pack_into (const nn_cuda *cuda, void *packed, void *staged, const void *elements, size_t bytes, nn_cuda_packer pack,
           const void *arg, nn_error *err)
{
  if (NN_CUDA (cudaMemcpyAsync (staged, elements, bytes, cudaMemcpyHostToDevice, cuda->stream), err))
    return err->status;
  nn_status status = pack != NULL ? pack (cuda, packed, staged, arg, err)
                                  : copy_as_it_is (cuda, packed, staged, &bytes, err);
  /* `elements` may be freed after this, and so may `staged`. */
  return status == NN_OK ? NN_CUDA (cudaStreamSynchronize (cuda->stream), err) : status;
}

static nn_status
fill_item (const nn_cuda *cuda, item *i, const void *elements, nn_cuda_packer pack, const void *arg, nn_error *err)
{
  void *staged = NULL;
  if (nn_cuda_alloc (cuda, i->packed_bytes + 1, &i->packed, err))
    return err->status;
  if (i->bytes == 0)
    return NN_OK;
  nn_status status = NN_CUDA (cudaMalloc (&staged, i->bytes), err);
  if (status == NN_OK)
    status = pack_into (cuda, i->packed, staged, elements, i->bytes, pack, arg, err);
  cudaFree (staged);
  return status;
}

static item *
new_item (const nn_cuda *cuda, const void *elements, XXH128_hash_t hash, size_t bytes, const char *kind,
          size_t packed_bytes, nn_cuda_packer pack, const void *arg, nn_error *err)
{
  item *i = calloc (1, sizeof *i);
  if (i == NULL || strlen (kind) >= sizeof i->kind) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a constant (%s)", kind);
    free (i);
    return NULL;
  }
  *i = (item){ .hash = hash, .device = cuda->index, .bytes = bytes, .packed_bytes = packed_bytes };
  strcpy (i->kind, kind);
  if (fill_item (cuda, i, elements, pack, arg, err) != NN_OK) {
    cudaFree (i->packed);
    free (i);
    return NULL;
  }
  i->next = items;
  return items = i;
}

nn_status
nn_cuda_store_take (const nn_cuda *cuda, const void *elements, size_t bytes, const char *kind, size_t packed_bytes,
                    nn_cuda_packer pack, const void *arg, const void **packed, nn_error *err)
{
  XXH128_hash_t hash = XXH3_128bits (elements, bytes);
  pthread_mutex_lock (&mutex);
  item *i = find (cuda, hash, kind, bytes);
  if (i == NULL)
    i = new_item (cuda, elements, hash, bytes, kind, packed_bytes, pack, arg, err);
  if (i != NULL) {
    i->users++;
    *packed = i->packed;
  }
  pthread_mutex_unlock (&mutex);
  return i != NULL ? NN_OK : err->status;
}

void
nn_cuda_store_give_back (const void *packed)
{
  pthread_mutex_lock (&mutex);
  item **at = &items;
  while (*at != NULL && (*at)->packed != packed)
    at = &(*at)->next;
  item *i = *at;
  if (i != NULL && packed != NULL && --i->users == 0) {
    *at = i->next;
    cudaFree (i->packed);
    free (i);
  }
  pthread_mutex_unlock (&mutex);
}

size_t
nn_cuda_store_bytes (int device)
{
  size_t bytes = 0;
  pthread_mutex_lock (&mutex);
  for (const item *i = items; i != NULL; i = i->next)
    bytes += i->device == device ? i->packed_bytes : 0;
  pthread_mutex_unlock (&mutex);
  return bytes;
}
