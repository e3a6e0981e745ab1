/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joins elementwise nodes to one node "Chain" where results between them are read by nobody else: a launch, and
 * a pass through memory, instead of several. A chain is a tree or a net that ends in one node, its root, and all of
 * its results have the root's shape; what else it reads may be broadcast to that. */
#include "chains.h"
#include "floats.h"
#include "program.h"

#include "../graph/fuse.h"
#include "../graph/shape.h"

#include <stdio.h>
#include <string.h>

typedef struct chain {
  int n;
  nn_node *node[NN_PROGRAM_STEPS]; /* the root first */
  int reg[NN_PROGRAM_STEPS];       /* of their results, once they have steps; else -1 */
  nn_program program;
  nn_value *in[NN_PROGRAM_INPUTS];
  char names[256];
} chain;

/* ---- which nodes ---- */

/* Before or after the precision is chosen (graph/precision.c). */
static bool
has_floats (const nn_value *value)
{
  return nn_cuda_is_float (value->dtype) || value->dtype == NN_BOOL;
}

/* BatchNormalization's vectors would need another shape than they have. */
static bool
can_join (const nn_node *node)
{
  if (node == NULL || node->n_out != 1 || node->n_in > NN_PROGRAM_INPUTS || !nn_program_knows (node, NN_KIND_FLOAT)
      || nn_node_is (node, "BatchNormalization") || !has_floats (node->out[0]))
    return false;
  uint32_t reads = nn_program_reads (node);
  for (int i = 0; i < node->n_in; i++)
    if ((reads >> i & 1) != 0 && !has_floats (node->in[i]))
      return false;
  return true;
}

static int
index_of (const chain *c, const nn_node *node)
{
  for (int i = 0; i < c->n && node != NULL; i++)
    if (c->node[i] == node)
      return i;
  return -1;
}

static bool
is_read_inside (const chain *c, const nn_value *value)
{
  int n = 0;
  for (int i = 0; i < c->n; i++)
    for (int k = 0; k < c->node[i]->n_in; k++)
      n += c->node[i]->in[k] == value;
  return n == value->n_uses;
}

static bool
same_shape (const nn_value *a, const nn_value *b)
{
  return a->rank == b->rank && memcmp (a->dim, b->dim, (size_t) a->rank * sizeof a->dim[0]) == 0;
}

/* ---- their steps ---- */

/* Numbers that are known are part of the steps. */
static bool
is_number (const nn_node *node, int operand, float *number)
{
  return node->n_in >= 2 && nn_fuse_scalar (node->in[operand], number);
}

/* The register of something from outside; one more input if need be; -1: there are too many. */
static int
input_of (chain *c, nn_value *value)
{
  for (int i = 0; i < c->program.n_in; i++)
    if (c->in[i] == value)
      return i;
  if (c->program.n_in == NN_PROGRAM_INPUTS)
    return -1;
  c->in[c->program.n_in] = value;
  return c->program.n_in++;
}

/* In the order in which the steps will read them; no deeper than the chain has nodes. */
static bool
gather_inputs (chain *c, int index)
{
  const nn_node *node = c->node[index];
  uint32_t reads = nn_program_reads (node);
  float number;
  for (int k = 0; k < node->n_in; k++) {
    if ((reads >> k & 1) == 0)
      continue;
    int inside = index_of (c, node->in[k]->producer);
    if (inside >= 0 ? !gather_inputs (c, inside) : !is_number (node, k, &number) && input_of (c, node->in[k]) < 0)
      return false;
  }
  return true;
}

/* The steps of node number `index`, behind those of what it reads; returns the register of its result. No deeper than
 * the chain has nodes. */
static int
append (chain *c, int index)
{
  const nn_node *node = c->node[index];
  int reg[NN_PROGRAM_INPUTS] = { 0 };
  float value[NN_PROGRAM_INPUTS] = { 0 };
  uint32_t reads = nn_program_reads (node);
  if (c->reg[index] >= 0)
    return c->reg[index];
  for (int k = 0; k < node->n_in; k++) {
    if ((reads >> k & 1) == 0)
      continue;
    int inside = index_of (c, node->in[k]->producer);
    reg[k] = inside >= 0                          ? append (c, inside)
             : is_number (node, k, &value[k]) ? NN_STEP_VALUE
                                                  : input_of (c, node->in[k]);
  }
  size_t length = strlen (c->names);
  snprintf (c->names + length, sizeof c->names - length, "%s%s", length > 0 ? ", " : "", node->op->name);
  return c->reg[index] = nn_program_append (&c->program, node, reg, value);
}

/* Makes the program; false if that is too long. */
static bool
compile (chain *c)
{
  c->names[0] = '\0';
  for (int i = 0; i < c->n; i++)
    c->reg[i] = -1;
  c->program = (nn_program){ 0 };
  if (!gather_inputs (c, 0) || c->program.n_in == 0)
    return false;
  append (c, 0);
  return c->program.n_steps <= NN_PROGRAM_STEPS;
}

/* Takes the node in if it may and there is room. */
static void
take (chain *c, const nn_value *value)
{
  nn_node *node = value->producer;
  if (c->n == NN_PROGRAM_STEPS || !can_join (node) || index_of (c, node) >= 0 || !is_read_inside (c, value)
      || !same_shape (value, c->node[0]->out[0]))
    return;
  c->node[c->n++] = node;
  if (!compile (c))
    c->n--;
}

/* A value that several nodes read is tried again at each; at the last of them that is in the chain, it is in. */
static void
grow (chain *c, nn_node *root)
{
  c->n = 1;
  c->node[0] = root;
  for (int i = 0; i < c->n; i++)
    for (int k = 0; k < c->node[i]->n_in; k++)
      if (c->node[i]->in[k] != NULL)
        take (c, c->node[i]->in[k]);
}

/* ---- the node ---- */

static nn_status
set_attributes (nn_graph *graph, nn_node *node, const chain *c, nn_error *err)
{
  size_t n = (size_t) c->program.n_steps;
  nn_attr *attrs = nn_graph_alloc (graph, 3 * sizeof *attrs);
  int64_t *steps = nn_graph_alloc (graph, 4 * n * sizeof *steps);
  float *values = nn_graph_alloc (graph, 2 * n * sizeof *values);
  const char *names = nn_graph_strdup (graph, c->names);
  if (attrs == NULL || steps == NULL || values == NULL || names == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for attributes");
  for (size_t i = 0; i < n; i++) {
    const nn_step *s = &c->program.step[i];
    memcpy (&steps[4 * i], (int64_t[]){ s->function, s->a, s->b, s->c }, 4 * sizeof *steps);
    memcpy (&values[2 * i], (float[]){ s->alpha, s->beta }, 2 * sizeof *values);
  }
  attrs[0] = (nn_attr){ .name = NN_CHAIN_STEPS, .type = NN_ATTR_INTS, .ints = steps, .n = 4 * n };
  attrs[1] = (nn_attr){ .name = NN_CHAIN_VALUES, .type = NN_ATTR_FLOATS, .floats = values, .n = 2 * n };
  attrs[2] = (nn_attr){ .name = NN_CHAIN_NAMES, .type = NN_ATTR_STRING, .s = names };
  node->attrs = attrs;
  node->n_attrs = 3;
  return NN_OK;
}

/* Puts a node in the root's place, which is behind all that the chain reads. */
static nn_node *
join (nn_graph *graph, chain *c, nn_error *err)
{
  nn_node *root = c->node[0];
  nn_value *result = root->out[0];
  compile (c);
  nn_node *node = nn_graph_add_node (graph, root, nn_op_find ("Chain"), root->name, c->in, c->program.n_in, &result, 1);
  if (node == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
    return NULL;
  }
  for (int i = 0; i < c->n; i++)
    nn_graph_remove_node (graph, c->node[i]);
  return set_attributes (graph, node, c, err) == NN_OK ? node : NULL;
}

/* From the end on, so that each chain has as many nodes as it can. */
nn_status
nn_cuda_join_chains (nn_graph *graph, nn_error *err)
{
  for (nn_node *node = graph->last; node != NULL; node = node->prev) {
    chain c;
    if (!can_join (node))
      continue;
    grow (&c, node);
    if (c.n > 1 && (node = join (graph, &c, err)) == NULL)
      return err->status;
  }
  nn_graph_release_unread (graph);
  return NN_OK;
}

/* ---- running it ---- */

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_attr *steps = nn_node_attr (call->node, NN_CHAIN_STEPS);
  const nn_attr *values = nn_node_attr (call->node, NN_CHAIN_VALUES);
  const int operand[NN_PROGRAM_INPUTS] = { 0, 1, 2, 3, 4, 5, 6, 7 };
  nn_program program = { .n_in = call->node->n_in, .n_steps = (int) (steps->n / 4) };
  for (int i = 0; i < program.n_steps; i++) {
    const int64_t *s = &steps->ints[4 * i];
    program.step[i] = (nn_step){ (uint8_t) s[0], (uint8_t) s[1], (uint8_t) s[2], (uint8_t) s[3], values->floats[2 * i],
                                 values->floats[2 * i + 1] };
  }
  return nn_program_prepare (call, &program, NN_KIND_FLOAT, call->in, operand, err);
}

const nn_kernel nn_cuda_chain = { .prepare = prepare, .run = nn_program_run, .release = nn_program_release };
