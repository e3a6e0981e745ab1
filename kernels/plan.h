/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What session.c and inspect.c need of a plan beyond nn.h. */
#pragma once

#include "backend.h"
#include "graph/graph.h"
#include "schedule.h"

#include <pthread.h>
#include <stdatomic.h>

/* A node made ready: its kernel, and tensors whose data pointers are set for constants only. */
typedef struct nn_step {
  const nn_kernel *kernel;
  nn_call call;
  size_t scratch_bytes;
} nn_step;

struct nn_plan {
  atomic_int refs;
  nn_model *model; /* owns the constants' data */
  nn_graph *graph;
  const nn_backend *backend;
  nn_plan_options options; /* that it was made with; `beside` is the caller's */
  nn_plan *next;   /* in the model's list, under its mutex */
  void *device;    /* what the backend opened */
  nn_plan *beside; /* whose memory this one may use too; NULL: none */
  nn_step *steps;
  int n_steps;
  size_t *offset;  /* by value index; SIZE_MAX: none */
  void **uploaded; /* by value index: a constant's copy on the device; NULL: none */
  size_t arena_bytes, scratch_bytes;
  nn_span *scratch_of;   /* by step: which bytes of the scratch memory it has */
  nn_schedule *schedule; /* on a device that runs steps side by side; else NULL */

  pthread_mutex_t mutex; /* guards the making of: */
  char *arena, *scratch; /* of all sessions, on a device where they share them (backend.h) */
};

/* Whether sessions' memory is out of the host's reach. */
static inline bool
nn_plan_is_remote (const nn_plan *plan)
{
  return plan->backend->upload != NULL;
}

const nn_graph *nn_plan_graph (const nn_plan *plan);          /* after all passes */
const nn_node *nn_plan_step (const nn_plan *plan, int index); /* 0 … nn_plan_nodes_after() - 1, in order */

/* The type, shape and strides of a value; a constant's data too. All zero for NULL. */
nn_tensor nn_plan_tensor (const nn_value *value);
