/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../backend.h"
#include "cpu.h"
#include "parallel.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* What a plan has of the device: how many threads its runs may use. */
typedef struct cpu {
  int threads;
} cpu;

/* A session's, with a team where there is more than one thread. */
typedef struct stream {
  const cpu *cpu;
  nn_team *team;
  nn_steps steps;
  void *arg;
} stream;

static nn_status
check (int index, nn_error *err)
{
  return NN_OK;
}

static const nn_kernel *
kernel (const nn_op *op)
{
  return op->cpu;
}

static nn_status
open_cpu (const nn_plan_options *options, const void *beside, void **device, nn_error *err)
{
  if (options->precision != NN_PRECISION_AUTO && options->precision != NN_PRECISION_FP32)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a CPU computes in fp32 only");
  cpu *c = calloc (1, sizeof *c);
  if (c == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  c->threads = options->threads;
  *device = c;
  return NN_OK;
}

static const char *
device_name (const void *device)
{
  return "cpu";
}

static nn_dtype
dtype (const void *device)
{
  return NN_F32;
}

static size_t
bytes (const void *device)
{
  return 0;
}

/* Large pages where the system has them and lets programs ask: the values of a network lie megabytes
 * apart, and 4 KiB pages of that many outnumber what a core remembers of its page tables. */
static void *
alloc (void *device, size_t bytes, nn_error *err)
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

static void
free_memory (void *device, void *memory)
{
  free (memory);
}

static nn_status
begin (void *device, nn_error *err)
{
  const cpu *c = device;
  nn_team_enter (NULL, c->threads);
  return NN_OK;
}

static void
end (void *device)
{
  nn_team_leave ();
}

static nn_status
open_stream (void *device, nn_steps steps, void *arg, void **opened, nn_error *err)
{
  stream *s = calloc (1, sizeof *s);
  if (s == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  *s = (stream){ .cpu = device, .steps = steps, .arg = arg };
  if (s->cpu->threads > 1 && (s->team = nn_team_new (s->cpu->threads, err)) == NULL) {
    free (s);
    return err->status;
  }
  *opened = s;
  return NN_OK;
}

static void
close_stream (void *opened)
{
  stream *s = opened;
  if (s != NULL)
    nn_team_free (s->team);
  free (s);
}

static nn_status
run_on_team (const stream *s, nn_steps steps, void *arg, nn_error *err)
{
  nn_team_enter (s->team, s->cpu->threads);
  nn_status status = steps (arg, err);
  nn_team_leave ();
  return status;
}

static nn_status
run (void *opened, nn_error *err)
{
  const stream *s = opened;
  return run_on_team (s, s->steps, s->arg, err);
}

static nn_status
wait (void *opened, nn_error *err)
{
  return NN_OK;
}

static double
now (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static double
last_run (const void *opened)
{
  return 0;
}

static nn_status
time_steps (void *opened, nn_steps steps, void *arg, double *seconds, nn_error *err)
{
  double before = now ();
  nn_status status = run_on_team (opened, steps, arg, err);
  *seconds = now () - before;
  return status;
}

/* Kernels take any strides of pixels. */
static bool
takes_part (const nn_node *node, int index, const nn_value *root, size_t offset)
{
  return true;
}

const nn_backend nn_backend_cpu = {
  .kind = NN_DEVICE_CPU,
  .name = "cpu",
  .takes_part = takes_part,
  .check = check,
  .kernel = kernel,
  .rewrite = nn_cpu_pair_convs,
  .open = open_cpu,
  .close = free,
  .device_name = device_name,
  .dtype = dtype,
  .bytes = bytes,
  .alloc = alloc,
  .free = free_memory,
  .begin = begin,
  .end = end,
  .open_stream = open_stream,
  .close_stream = close_stream,
  .run = run,
  .wait = wait,
  .last_run = last_run,
  .time = time_steps,
};
