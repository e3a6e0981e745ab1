/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device that networks run on: one const struct each, in cpu/backend.c and cuda/backend.c.
 * session.c does everything through it and knows no device. Which kernels a device has is told by
 * the op table (ops.h).
 */
#pragma once

#include "nn.h"
#include "ops.h"

typedef struct nn_backend {
  nn_device_kind kind;
  const char *name; /* "cpu", "cuda" */

  bool takes_parts; /* its kernels take channels-last values whose pixels have gaps between them (graph.h) */

  /* The device's slot of a row of the op table; NULL: no kernel. */
  const nn_kernel *(*kernel) (const nn_op *op);

  /* Puts nodes in that only this device has, after the fusions and before the layouts; may be NULL. */
  nn_status (*rewrite) (nn_graph *graph, nn_error *err);

  /* Memory for an arena, aligned to 64 bytes at least, contents undefined; NULL with `err` set. */
  void *(*alloc) (size_t bytes, nn_error *err);
  void (*free) (void *memory); /* NULL is fine */

  /* What the runs of one session need on a device (threads, a stream); `threads` as for a plan. */
  nn_status (*open) (int threads, void **state, nn_error *err);
  void (*close) (void *state); /* NULL is fine */

  /* Brackets the preparing of a plan's kernels (`state` NULL) and each run of a session, on the calling
   * thread. `threads` bounds the CPU threads that kernels use, which they may count on when they are
   * prepared. end() returns when all results can be read. */
  nn_status (*begin) (int threads, void *state, nn_error *err);
  nn_status (*end) (nn_error *err);
} nn_backend;

extern const nn_backend nn_backend_cpu;

/* The backend of a device, or NULL with the reason in `err`. */
const nn_backend *nn_backend_find (nn_device_kind kind, nn_error *err);
