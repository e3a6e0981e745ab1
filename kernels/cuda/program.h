/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs (elementwise.h) from nodes, and how they are run. */
#pragma once

#include "cuda.h"
#include "elementwise.h"

/* Which kinds of numbers a program computes with: one of the launchers each. */
typedef enum nn_kind {
  NN_KIND_FLOAT = 1, /* float32, float16, bfloat16, bool */
  NN_KIND_REAL = 2,  /* as float64: where an operand is float64, and real numbers to or from integers */
  NN_KIND_INTEGER = 4,
} nn_kind;

/* Whether the node is elementwise and computes with this kind of numbers. */
bool nn_program_knows (const nn_node *node, nn_kind kind);

/* The operands that are read at run time, bit i for operand i: not Clip's bounds where they are constant. */
uint32_t nn_program_reads (const nn_node *node);

/* Appends what a node computes from registers and returns the register of its result. Operand i is in reg[i]; where
 * that is NN_STEP_VALUE it is value[i] (operators of two or more operands only). Beyond NN_PROGRAM_STEPS the steps are
 * counted only. */
int nn_program_append (nn_program *program, const nn_node *node, const int *reg, const float *value);

/* prepare(): leaves in call->shared what the other two need. Input i is operand[i] of the node, seen as in[i]. */
nn_status nn_program_prepare (nn_call *call, const nn_program *program, nn_kind kind, const nn_tensor *in,
                              const int *operand, nn_error *err);
nn_status nn_program_run (const nn_call *call, nn_error *err);
void nn_program_release (void *shared);
