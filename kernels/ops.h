/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The op table: one row an operator, shared by the loader, the shape pass and the backends.
 * To add an operator: a shape rule in graph/shape.c (or one that is there already), a kernel in
 * cpu/ and one in cuda/, a row in ops.c, cases in tests/ops/ (or checkops.py). Other lists are of some operators
 * only: what a product costs (inspect.c), and which keep or end float32 in a plan for halves (graph/precision.c): a new
 * product, normalisation or operator that only moves elements belongs there too.
 */
#pragma once

#include "graph/graph.h"

/* What a kernel needs to know of the memory layout of its rank-4 operands. */
typedef enum nn_layout_policy {
  NN_LAYOUT_POLICY_ROW_MAJOR,     /* every operand and result row-major */
  NN_LAYOUT_POLICY_CHANNELS_LAST, /* rank-4 float activations channels-last; constants as they are */
  NN_LAYOUT_POLICY_FOLLOW,        /* any, as long as all rank-4 activations of one node agree */
} nn_layout_policy;

/* One node at run time. The tensors' addresses never change between runs of one session. */
typedef struct nn_call {
  const nn_node *node;
  const void *device; /* what the backend's kernels run with (cuda/cuda.h); NULL on the CPU */
  void *shared;      /* from prepare(): one for all sessions of a plan, read-only in run() */
  nn_tensor *in;     /* node->n_in tensors; data NULL where the operand is left out, or packed */
  nn_tensor *out;    /* node->n_out tensors; data NULL where the result is left out */
  void *scratch;     /* scratch_bytes() bytes aligned to 64 (on a GPU: 256), contents undefined before each run */
  uint32_t packed;   /* from prepare(): bit i where constant operand i is needed no longer */
} nn_call;

/* An implementation of one operator. Only run() is required. Constants' data are visible to
 * prepare() as in[i].data; activations' data pointers are NULL there. */
typedef struct nn_kernel {
  /* Checks that it can do this node (types, attributes), and packs weights. `call` has node, in
   * and out set; what it leaves in call->shared is freed by release(). Where it has copied all it
   * needs of constant operand i < 32 it sets bit i of call->packed: the plan then frees the
   * operand's elements once all their readers have, and in[i].data is NULL from there on, also in
   * scratch_bytes() and run(). A large constant without that bit is in memory twice. */
  nn_status (*prepare) (nn_call *call, nn_error *err);
  size_t (*scratch_bytes) (const nn_call *call);
  nn_status (*run) (const nn_call *call, nn_error *err); /* allocates nothing */
  void (*release) (void *shared);
} nn_kernel;

/* Sets dtype, rank and dim of the node's results from its operands and attributes. Operands that
 * the shape depends on (Reshape's shape, Slice's starts …) have `constant` set or the rule fails. */
typedef nn_status (*nn_shape_rule) (nn_node *node, const nn_graph *graph, nn_error *err);

struct nn_op {
  const char *name;    /* ONNX's; fused ones of our own: see graph/fuse.h */
  int min_in, max_in;  /* operands; max_in -1: any number */
  nn_layout_policy layout;
  nn_shape_rule shape;
  const nn_kernel *cpu;
  const nn_kernel *cuda; /* NULL: not on that device */
};

/* The row of an operator of ONNX's default domain, or NULL. */
const nn_op *nn_op_find (const char *name);

/* Walks the table: row `index`, or NULL past its end. */
const nn_op *nn_op_at (int index);
