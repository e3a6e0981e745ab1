/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fusions: one row of the table in fuse.c each. To add one: a function here, a row there, a test
 * in tests/test_graph_fuse.c that compares the fused run with the unfused one.
 */
#pragma once

#include "../ops.h"

/* Looks for its pattern ending at `node` (the last of its nodes in the list) and rewrites it. The
 * new node goes in front of `node`; nodes behind it are left alone. Returns how many nodes
 * vanished, 0 where the pattern is not there, or -1 with `err` set. */
typedef int (*nn_fusion) (nn_graph *graph, nn_node *node, nn_error *err);

int nn_fuse_conv_batch_norm (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_scale (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_bias (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_parallel (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_conv_residual (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_hard_swish_clip (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_gate (nn_graph *graph, nn_node *node, nn_error *err);
int nn_fuse_activation (nn_graph *graph, nn_node *node, nn_error *err);

/* ---- what patterns ask for ---- */

bool nn_node_is (const nn_node *node, const char *op); /* false for NULL */

/* The node that computes operand `index`, if it is an `op` without activation and nobody else reads
 * its (only) result; else NULL. */
nn_node *nn_fuse_sole_producer (const nn_node *node, int index, const char *op);

/* The one float32 element of a constant operand, of any rank. */
bool nn_fuse_scalar (const nn_value *value, float *scalar);

/* The operand of a two-operand node that is not `value`; NULL if neither or both are. */
nn_value *nn_fuse_other (const nn_node *node, const nn_value *value);

/* The activation that a node of one operand computes: Relu, LeakyRelu, Clip, Sigmoid … */
bool nn_fuse_activation_of (const nn_node *node, nn_activation *activation);
