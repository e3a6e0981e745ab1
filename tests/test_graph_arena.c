/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arena on random graphs: what lives at the same time never shares a byte, and reuse happens. */
#include "kernels/graph/graph.h"
#include "kernels/ops.h"
#include "nn-check.h"

#include <stdlib.h>

#define MAX_VALUES 400

static unsigned
next_random (unsigned *state, unsigned below)
{
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % below;
}

static nn_value *
add_value (nn_graph *graph, int64_t elements)
{
  char name[16];
  snprintf (name, sizeof name, "v%d", graph->n_values);
  nn_value *value = nn_graph_add_value (graph, name);
  value->dtype = NN_F32;
  value->rank = 1;
  value->dim[0] = elements;
  return value;
}

/* Nodes of one or two operands, each any earlier value; some results are outputs, some unread. */
static nn_graph *
random_graph (unsigned *state)
{
  nn_error err;
  nn_graph *graph = nn_graph_new (&err);
  int n_nodes = 2 + (int) next_random (state, MAX_VALUES - 10);
  graph->inputs = nn_graph_alloc (graph, 2 * sizeof *graph->inputs);
  graph->outputs = nn_graph_alloc (graph, 4 * sizeof *graph->outputs);
  for (int i = 0; i < 2; i++)
    graph->inputs[graph->n_inputs++] = add_value (graph, 1 + next_random (state, 1000));
  for (int i = 0; i < n_nodes; i++) {
    int window = next_random (state, 4) == 0 ? graph->n_values : 4;
    nn_value *in[2], *out;
    for (int k = 0; k < 2; k++) {
      int back =
          1 + (int) next_random (state, (unsigned) (window < graph->n_values ? window : graph->n_values));
      in[k] = graph->values[graph->n_values - back];
    }
    out = add_value (graph, next_random (state, 20) == 0 ? 0 : 1 + next_random (state, 5000));
    nn_graph_add_node (graph, NULL, nn_op_find ("Add"), out->name, in, 2, &out, 1);
  }
  for (int i = 0; i < 4; i++) {
    nn_value *output = graph->values[2 + next_random (state, (unsigned) n_nodes)];
    graph->outputs[graph->n_outputs++] = output;
    output->n_uses++;
  }
  return graph;
}

/* First and last position at which a value's bytes matter, found by looking at every node. */
static void
lifetime (const nn_graph *graph, const nn_value *value, int *from, int *to)
{
  int position = 0;
  *from = -1;
  *to = -1;
  for (const nn_node *node = graph->first; node != NULL; node = node->next, position++) {
    if (node->out[0] == value)
      *from = *to = position;
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] == value)
        *to = position;
  }
  for (int i = 0; i < graph->n_inputs; i++)
    if (graph->inputs[i] == value)
      *to = position;
  for (int i = 0; i < graph->n_outputs; i++)
    if (graph->outputs[i] == value)
      *to = position;
}

static size_t
bytes_of (const nn_value *value)
{
  return (size_t) value->dim[0] * 4;
}

static void
check_graph (const nn_graph *graph, size_t *arena_total, size_t *sum_total)
{
  static size_t offset[MAX_VALUES];
  static int from[MAX_VALUES], to[MAX_VALUES];
  nn_error err = { 0 };
  size_t arena;
  CHECK (nn_graph_plan_arena (graph, false, (size_t) 1 << 30, offset, &arena, &err) == NN_OK, "%s", err.message);
  for (int i = 0; i < graph->n_values; i++) {
    lifetime (graph, graph->values[i], &from[i], &to[i]);
    CHECK (offset[i] % 64 == 0, "offset %zu", offset[i]);
    CHECK (offset[i] + bytes_of (graph->values[i]) <= arena, "value %d ends beyond %zu", i, arena);
    *sum_total += bytes_of (graph->values[i]);
  }
  for (int i = 0; i < graph->n_values; i++)
    for (int k = i + 1; k < graph->n_values; k++) {
      bool together = from[i] <= to[k] && from[k] <= to[i];
      bool shared = offset[i] < offset[k] + bytes_of (graph->values[k]) &&
                    offset[k] < offset[i] + bytes_of (graph->values[i]);
      CHECK (!together || !shared, "values %d and %d share bytes at %zu and %zu", i, k, offset[i], offset[k]);
    }
  *arena_total += arena;
  CHECK (nn_graph_plan_arena (graph, false, arena, offset, &arena, &err) == NN_OK, "%s", err.message);
  CHECK (nn_graph_plan_arena (graph, false, arena - 1, offset, &arena, &err) == NN_ERR_LIMIT, "no limit");
  CHECK (strstr (err.message, "node 'v") != NULL || strstr (err.message, "'v0'") != NULL ||
             strstr (err.message, "'v1'") != NULL,
         "no node named: %s", err.message);
}

/* One value after another: the arena is as large as the two that are alive at once, and no larger. */
static void
check_chain (void)
{
  static const int64_t elements[] = { 160, 1600, 16000, 320, 32 };
  size_t offset[5], arena;
  nn_error err = { 0 };
  nn_graph *graph = nn_graph_new (&err);
  nn_value *x = add_value (graph, elements[0]);
  for (int i = 1; i < 5; i++) {
    nn_value *y = add_value (graph, elements[i]);
    nn_graph_add_node (graph, NULL, nn_op_find ("Relu"), y->name, &x, 1, &y, 1);
    x = y;
  }
  CHECK (nn_graph_plan_arena (graph, false, 1 << 20, offset, &arena, &err) == NN_OK, "%s", err.message);
  CHECK (arena == (1600 + 16000) * sizeof (float), "%zu bytes", arena);
  nn_graph_free (graph);
}

int
main (void)
{
  check_chain ();
  unsigned state = 7;
  size_t arena = 0, sum = 0;
  for (int i = 0; i < 60; i++) {
    nn_graph *graph = random_graph (&state);
    check_graph (graph, &arena, &sum);
    nn_graph_free (graph);
  }
  printf ("arenas of %zu bytes for values of %zu\n", arena, sum);
  CHECK (arena < sum / 3, "hardly any memory is used twice");
  return nn_check_report ("the arena");
}
