/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which steps of a plan wait for which, on random graphs in an arena: two that touch the same bytes, one of them
 * writing, are in order; and no wait is listed that these pairs do not ask for, or that others imply. */
#include "kernels/schedule.h"
#include "kernels/ops.h"
#include "nn-check.h"

#include <stdlib.h>

#define MAX_NODES 120

static unsigned state = 1;

static unsigned
below (unsigned n)
{
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % n;
}

static nn_value *
add_value (nn_graph *graph)
{
  char name[16];
  snprintf (name, sizeof name, "v%d", graph->n_values);
  nn_value *value = nn_graph_add_value (graph, name);
  value->dtype = NN_F32;
  value->rank = 1;
  value->dim[0] = 1 + below (1000);
  return value;
}

static nn_graph *
random_graph (void)
{
  nn_error err;
  nn_graph *graph = nn_graph_new (&err);
  int n = 2 + (int) below (MAX_NODES - 2);
  graph->inputs = nn_graph_alloc (graph, sizeof *graph->inputs);
  graph->outputs = nn_graph_alloc (graph, sizeof *graph->outputs);
  graph->inputs[graph->n_inputs++] = add_value (graph);
  for (int i = 0; i < n; i++) {
    nn_value *in[2], *out;
    for (int k = 0; k < 2; k++)
      in[k] = graph->values[below ((unsigned) graph->n_values)];
    out = add_value (graph);
    if (below (8) == 0 && in[0]->view_of == NULL) { /* lies in its operand's memory */
      out->view_of = in[0];
      out->dim[0] = in[0]->dim[0];
      in[0]->n_uses++;
    }
    nn_graph_add_node (graph, NULL, nn_op_find ("Add"), out->name, in, 2, &out, 1);
  }
  nn_value *output = graph->values[graph->n_values - 1];
  graph->outputs[graph->n_outputs++] = output;
  output->n_uses++;
  return graph;
}

static bool
share (const size_t *offset, const nn_value *a, const nn_value *b)
{
  a = a->view_of != NULL ? a->view_of : a;
  b = b->view_of != NULL ? b->view_of : b;
  size_t x = offset[a->index], y = offset[b->index];
  if (x == SIZE_MAX || y == SIZE_MAX)
    return false;
  return x < y + (size_t) b->dim[0] * 4 && y < x + (size_t) a->dim[0] * 4;
}

static bool
must_wait (const size_t *offset, const nn_node *a, const nn_node *b, nn_span sa, nn_span sb)
{
  bool any = sa.begin < sb.end && sb.begin < sa.end;
  for (int i = 0; i < 2; i++)
    any = any || share (offset, a->out[0], b->in[i]) || share (offset, a->in[i], b->out[0]);
  return any || share (offset, a->out[0], b->out[0]);
}

/* `reach` of all pairs by the listed waits, but for one that is left out. */
static void
find_reach (const nn_schedule *s, int skip, bool reach[MAX_NODES][MAX_NODES])
{
  memset (reach, 0, sizeof (bool[MAX_NODES][MAX_NODES]));
  for (int k = 0; k < s->n; k++)
    for (int e = s->first[k]; e < s->first[k + 1]; e++)
      if (e != skip) {
        int j = s->before[e];
        reach[k][j] = true;
        for (int i = 0; i < j; i++)
          reach[k][i] = reach[k][i] || reach[j][i];
      }
}

static void
check_graph (const nn_graph *graph, bool apart, int *n_waits, int *n_pairs)
{
  static size_t offset[MAX_NODES + 2];
  static bool reach[MAX_NODES][MAX_NODES], must[MAX_NODES][MAX_NODES];
  nn_span scratch[MAX_NODES];
  const nn_node *nodes[MAX_NODES];
  nn_error err = { 0 };
  size_t arena;
  int n = 0;
  CHECK (nn_graph_plan_arena (graph, apart, 1 << 24, offset, &arena, &err) == NN_OK, "%s", err.message);
  for (const nn_node *node = graph->first; node != NULL; node = node->next) {
    size_t at = below (6) * 100;
    scratch[n] = below (4) == 0 ? (nn_span){ at, at + 100 } : (nn_span){ 0, 0 };
    nodes[n++] = node;
  }
  nn_schedule *s = nn_schedule_new (graph, offset, scratch, &err);
  CHECK (s != NULL && s->n == n);
  find_reach (s, -1, reach);
  for (int k = 0; k < n; k++)
    for (int j = 0; j < k; j++) {
      must[k][j] = must_wait (offset, nodes[j], nodes[k], scratch[j], scratch[k]);
      CHECK (!must[k][j] || reach[k][j], "step %d does not wait for %d", k, j);
      *n_pairs += 1;
    }
  for (int k = 0; k < n; k++)
    for (int e = s->first[k]; e < s->first[k + 1]; e++, ++*n_waits) {
      CHECK (must[k][s->before[e]], "step %d waits for %d", k, s->before[e]);
      find_reach (s, e, reach);
      CHECK (!reach[k][s->before[e]], "that step %d waits for %d is known already", k, s->before[e]);
    }
  nn_schedule_free (s);
}

int
main (void)
{
  int n_waits = 0, n_pairs = 0;
  for (int i = 0; i < 60; i++) {
    nn_graph *graph = random_graph ();
    check_graph (graph, i % 2 == 0, &n_waits, &n_pairs);
    nn_graph_free (graph);
  }
  CHECK (n_waits > 1000 && n_waits < n_pairs / 4, "%d waits of %d pairs", n_waits, n_pairs);
  return nn_check_report ("schedules of random graphs");
}
