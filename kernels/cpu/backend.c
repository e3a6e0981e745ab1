/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../backend.h"
#include "cpu.h"
#include "parallel.h"

#include <stdlib.h>
#include <sys/mman.h>

static const nn_kernel *
kernel (const nn_op *op)
{
  return op->cpu;
}

/* Large pages where the system has them and lets programs ask: the values of a network lie megabytes
 * apart, and 4 KiB pages of that many outnumber what a core remembers of its page tables. */
static void *
alloc (size_t bytes, nn_error *err)
{
  const size_t large = (size_t) 2 << 20;
  size_t align = bytes >= large ? large : 64;
  size_t whole = (bytes + align - 1) / align * align;
  void *memory = aligned_alloc (align, whole ? whole : align);
  if (memory == NULL)
    nn_fail (err, NN_ERR_MEMORY, "out of memory: %zu bytes for the network's values", bytes);
  else if (align == large)
    madvise (memory, whole, MADV_HUGEPAGE);
  return memory;
}

static nn_status
open_team (int threads, void **state, nn_error *err)
{
  if (threads < 2)
    return NN_OK;
  *state = nn_team_new (threads, err);
  return *state != NULL ? NN_OK : err->status;
}

static void
close_team (void *state)
{
  nn_team_free (state);
}

static nn_status
begin (int threads, void *state, nn_error *err)
{
  nn_team_enter (state, threads);
  return NN_OK;
}

static nn_status
end (nn_error *err)
{
  nn_team_leave ();
  return NN_OK;
}

const nn_backend nn_backend_cpu = {
  .kind = NN_DEVICE_CPU,
  .name = "cpu",
  .takes_parts = true,
  .kernel = kernel,
  .rewrite = nn_cpu_pair_convs,
  .alloc = alloc,
  .free = free,
  .open = open_team,
  .close = close_team,
  .begin = begin,
  .end = end,
};
