/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../backend.h"
#include "cpu.h"
#include "parallel.h"

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
