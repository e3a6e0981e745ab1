/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../backend.h"
#include "cpu.h"

#include <stdlib.h>

static const nn_kernel *
kernel (const nn_op *op)
{
  return op->cpu;
}

static void *
alloc (size_t bytes, nn_error *err)
{
  size_t whole = (bytes + 63) / 64 * 64;
  void *memory = aligned_alloc (64, whole ? whole : 64);
  if (memory == NULL)
    nn_fail (err, NN_ERR_MEMORY, "out of memory: %zu bytes for the network's values", bytes);
  return memory;
}

/* The thread is the application's: it gets its own number back. */
static _Thread_local int threads_before;

static nn_status
begin (int threads, nn_error *err)
{
  threads_before = nn_cpu_set_threads (threads);
  return NN_OK;
}

static nn_status
end (nn_error *err)
{
  nn_cpu_set_threads (threads_before);
  return NN_OK;
}

const nn_backend nn_backend_cpu = {
  .kind = NN_DEVICE_CPU,
  .name = "cpu",
  .kernel = kernel,
  .rewrite = nn_cpu_pair_convs,
  .alloc = alloc,
  .free = free,
  .begin = begin,
  .end = end,
};
