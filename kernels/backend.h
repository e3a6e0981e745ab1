/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device that networks run on: one const struct each, in cpu/backend.c and cuda/backend.c. plan.c and
 * session.c do everything through it and know no device. Which kernels a device has is told by the op
 * table (ops.h).
 *
 * A plan opens the device once; a session opens a stream of runs on it. On a device whose memory the host cannot
 * read (`upload` set) constants, inputs and outputs are copied, and the values of one plan lie in one arena that
 * its sessions share, since their runs follow each other.
 */
#pragma once

#include "decode/candidates.h"
#include "nn.h"
#include "ops.h"
#include "page/page.h"

/* Does the work of all nodes once: what a run calls, or records. */
typedef nn_status (*nn_steps) (void *arg, nn_error *err);

/* What nn.h says of nn_memory_*(), for a device that check() finds well. */
typedef struct nn_memory_backend {
  nn_memory_path (*path) (int index);
  nn_status (*register_range) (int index, void *memory, size_t bytes, nn_error *err);
  void (*unregister_range) (int index, void *memory);
  nn_status (*alloc) (int index, nn_memory_kind kind, size_t bytes, void **memory, nn_error *err);
  void (*free) (int index, nn_memory_kind kind, void *memory);
} nn_memory_backend;

typedef struct nn_backend {
  nn_device_kind kind;
  const char *name; /* "cpu", "cuda" */

  nn_takes_part takes_part; /* which kernels take values whose pixels have gaps between them (graph.h); NULL: none */

  bool takes_rows; /* its attention takes operands whose rows have gaps between them (graph.h) */

  bool adds_in_place; /* its products take a residual that lies where the result goes (graph.h) */

  /* As nn_device_check(). */
  nn_status (*check) (int index, nn_error *err);

  /* nn_cuda_describe() and nn_device_describe(); NULL: there is nothing to tell. */
  nn_status (*describe) (nn_cuda_info *info, nn_error *err);
  nn_status (*describe_device) (int index, nn_device_info *info, nn_error *err);

  const nn_memory_backend *memory; /* NULL: it is the host's */

  /* The device's slot of a row of the op table, which may be another copy of the table's; NULL: no kernel. */
  const nn_kernel *(*kernel) (const nn_op *op);

  /* Puts nodes in that only this device has, after the fusions and before the layouts; may be NULL. */
  nn_status (*rewrite) (nn_graph *graph, nn_error *err);

  /* ---- what a plan has of the device: `device`, which kernels get as nn_call.device ---- */
  /* `beside`: what another plan opened, whose runs this one's follow; or NULL. */
  nn_status (*open) (const nn_plan_options *options, const void *beside, void **device, nn_error *err);
  void (*close) (void *device); /* NULL is fine */
  const char *(*device_name) (const void *device);
  nn_dtype (*dtype) (const void *device); /* of products' operands: NN_F32, or a half (graph/precision.c) */
  size_t (*bytes) (const void *device);   /* of memory taken there for the plan, arenas and packed constants included */

  /* Memory for an arena, aligned to 64 bytes at least; NULL with `err` set. Contents: 0 with `upload`, else undefined. */
  void *(*alloc) (void *device, size_t bytes, nn_error *err);
  void (*free) (void *device, void *memory); /* NULL is fine */

  /* Brackets the preparing and the releasing of a plan's kernels, on the calling thread. */
  nn_status (*begin) (void *device, nn_error *err);
  void (*end) (void *device);

  /* A copy of a constant that kernels read in run(), freed with the device. NULL: they read it where it is. */
  nn_status (*upload) (void *device, const nn_tensor *constant, void **memory, nn_error *err);

  /* Called by the steps of a run before node `step`, which waits for the `n` earlier ones in `before`, and after the
   * last with step -1, which waits for all. NULL: nodes run in their order. */
  nn_status (*depend) (void *device, int step, const int *before, int n, nn_error *err);

  /* ---- what a session has: a stream of runs ---- */
  /* `steps` is what a run does, each time the same. May run it. */
  nn_status (*open_stream) (void *device, nn_steps steps, void *arg, void **stream, nn_error *err);
  void (*close_stream) (void *stream); /* NULL is fine */

  /* Host memory that a stream copies from and to while the program goes on; used with `upload` only. */
  void *(*alloc_host) (void *device, size_t bytes, nn_error *err);
  void (*free_host) (void *device, void *memory);
  /* Enqueue copies: of an input before the next run, and, as the last of the steps, of an output. */
  nn_status (*send) (void *stream, void *to, const void *from, size_t bytes, nn_error *err);
  nn_status (*receive) (void *device, void *to, const void *from, size_t bytes, nn_error *err);
  /* Enqueues, as the last of the steps and in place of receive(), what finds a dense head's candidates. NULL: the host
   * decodes outputs. */
  nn_status (*find_candidates) (void *device, const nn_candidates_job *job, nn_error *err);
  /* Enqueues what fills an input's first `n` pages there from as many frames, before the next run. Frames stay as they are
   * until that has been waited for. NULL: nn_page_fill() does it on the host. */
  nn_status (*fill_pages) (void *stream, const nn_frame *frames, int n, const nn_page_spec *spec,
                           const nn_tensor *input, nn_page_placement *placements, nn_error *err);

  nn_status (*run) (void *stream, nn_error *err);  /* starts the steps; what was started before goes first */
  nn_status (*wait) (void *stream, nn_error *err); /* until what was started and received is there */

  double (*last_run) (const void *stream); /* seconds that the device took for the last run's steps; 0: not known */
  size_t (*staged) (const void *stream);   /* bytes that fill_pages() copied for it; NULL: it never copies */

  /* The seconds that `steps` (of one node) take, after the nodes before it have run. */
  nn_status (*time) (void *stream, nn_steps steps, void *arg, double *seconds, nn_error *err);
} nn_backend;

extern const nn_backend nn_backend_cpu;
extern const nn_backend nn_backend_cuda; /* in the module */

/* The backend of a device, or NULL with the reason in `err`. CUDA's is loaded from a module on the first call: the
 * file that DOCLAYOUT_CUDA_MODULE names, else the installed one. */
const nn_backend *nn_backend_find (nn_device_kind kind, nn_error *err);

/* What a module exports, by the name "nn_cuda_module": its backend if it was built with the same engine, else NULL. */
typedef const nn_backend *(*nn_cuda_module_entry) (const char *version);
