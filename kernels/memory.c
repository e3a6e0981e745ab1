/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nn_memory_*(): what a device's backend says of memory. */
#include "backend.h"

/* NULL with the reason in `err`. */
static const nn_memory_backend *
find_memory (nn_error *err)
{
  const nn_backend *backend = nn_backend_find (NN_DEVICE_CUDA, err);
  return backend != NULL ? backend->memory : NULL;
}

nn_memory_path
nn_memory_path_of (nn_device_kind device, int index)
{
  nn_error ignored;
  const nn_memory_backend *memory = device == NN_DEVICE_CUDA ? find_memory (&ignored) : NULL;
  return memory != NULL ? memory->path (index) : NN_MEMORY_CPU;
}

const char *
nn_memory_path_name (nn_memory_path path)
{
  static const char *const names[] = { "cpu", "direct", "registered", "staged" };
  return (unsigned) path < sizeof names / sizeof *names ? names[path] : "unknown";
}

nn_status
nn_memory_register (int cuda_device, void *range, size_t bytes, nn_error *err)
{
  const nn_memory_backend *memory = find_memory (err);
  return memory != NULL ? memory->register_range (cuda_device, range, bytes, err) : err->status;
}

void
nn_memory_unregister (int cuda_device, void *range)
{
  nn_error ignored;
  const nn_memory_backend *memory = find_memory (&ignored);
  if (memory != NULL)
    memory->unregister_range (cuda_device, range);
}

nn_status
nn_memory_alloc (int cuda_device, nn_memory_kind kind, size_t bytes, void **allocated, nn_error *err)
{
  const nn_memory_backend *memory = find_memory (err);
  return memory != NULL ? memory->alloc (cuda_device, kind, bytes, allocated, err) : err->status;
}

void
nn_memory_free (int cuda_device, nn_memory_kind kind, void *allocated)
{
  nn_error ignored;
  const nn_memory_backend *memory = allocated != NULL ? find_memory (&ignored) : NULL;
  if (memory != NULL)
    memory->free (cuda_device, kind, allocated);
}
