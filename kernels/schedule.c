/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

/* What a step touches: n_reads spans that it reads, then those that it writes. */
typedef struct access {
  nn_span *spans;
  int n_reads, n;
  nn_span scratch;
} access;

typedef struct scheduler {
  const nn_graph *graph;
  const size_t *offset;
  access *steps;
  nn_span *spans;  /* of all steps */
  uint64_t *after; /* a row of `words` a step: bit j says that it runs after step j anyway */
  size_t words;
  nn_schedule *schedule;
  int room;
} scheduler;

/* All of the memory that the value has, or that it is a view of: a view may have gaps. */
static nn_span
span_of (const scheduler *s, const nn_value *value)
{
  const nn_value *root = value->view_of != NULL ? value->view_of : value;
  size_t begin = s->offset[root->index];
  if (root->constant != NULL || begin == SIZE_MAX)
    return (nn_span){ 0, 0 };
  return (nn_span){ begin, begin + (size_t) nn_shape_count (root->rank, root->dim) * nn_dtype_size (root->dtype) };
}

static bool
overlap (nn_span a, nn_span b)
{
  return a.begin < b.end && b.begin < a.end;
}

/* Whether the later step has to wait for the earlier one. */
static bool
conflict (const access *a, const access *b)
{
  if (overlap (a->scratch, b->scratch))
    return true;
  for (int i = 0; i < a->n; i++)
    for (int k = i < a->n_reads ? b->n_reads : 0; k < b->n; k++)
      if (overlap (a->spans[i], b->spans[k]))
        return true;
  return false;
}

static void
find_accesses (scheduler *s, const nn_span *scratch)
{
  nn_span *next = s->spans;
  access *a = s->steps;
  for (const nn_node *node = s->graph->first; node != NULL; node = node->next, a++) {
    *a = (access){ .spans = next, .scratch = scratch[a - s->steps] };
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] != NULL)
        *next++ = span_of (s, node->in[i]);
    a->n_reads = (int) (next - a->spans);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != NULL)
        *next++ = span_of (s, node->out[i]);
    a->n = (int) (next - a->spans);
  }
}

static nn_status
add_before (scheduler *s, int *n, int j, nn_error *err)
{
  if (*n == s->room) {
    int room = 2 * s->room + 64;
    int *more = realloc (s->schedule->before, (size_t) room * sizeof *more);
    if (more == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for the schedule");
    s->schedule->before = more;
    s->room = room;
  }
  s->schedule->before[(*n)++] = j;
  return NN_OK;
}

/* From the nearest step back, so that what follows from a nearer one is known by then. */
static nn_status
find_dependencies (scheduler *s, nn_error *err)
{
  nn_schedule *schedule = s->schedule;
  int n = 0;
  for (int k = 0; k < schedule->n; k++) {
    uint64_t *mine = s->after + (size_t) k * s->words;
    schedule->first[k] = n;
    for (int j = k - 1; j >= 0; j--) {
      if ((mine[j / 64] >> (j % 64) & 1) != 0 || !conflict (&s->steps[j], &s->steps[k]))
        continue;
      if (add_before (s, &n, j, err) != NN_OK)
        return err->status;
      const uint64_t *its = s->after + (size_t) j * s->words;
      for (size_t w = 0; w < s->words; w++)
        mine[w] |= its[w];
      mine[j / 64] |= (uint64_t) 1 << (j % 64);
    }
  }
  schedule->first[schedule->n] = n;
  return NN_OK;
}

static size_t
count_operands (const nn_graph *graph)
{
  size_t n = 0;
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    n += (size_t) node->n_in + (size_t) node->n_out;
  return n;
}

nn_schedule *
nn_schedule_new (const nn_graph *graph, const size_t *offset, const nn_span *scratch, nn_error *err)
{
  size_t n = (size_t) graph->n_nodes;
  scheduler s = { .graph = graph, .offset = offset, .words = n / 64 + 1 };
  s.schedule = calloc (1, sizeof *s.schedule);
  s.steps = calloc (n + 1, sizeof *s.steps);
  s.spans = calloc (count_operands (graph) + 1, sizeof *s.spans);
  s.after = calloc ((n + 1) * s.words, sizeof *s.after);
  nn_status status = NN_ERR_MEMORY;
  if (s.schedule != NULL) {
    s.schedule->n = graph->n_nodes;
    s.schedule->first = calloc (n + 1, sizeof *s.schedule->first);
  }
  if (s.schedule == NULL || s.schedule->first == NULL || s.steps == NULL || s.spans == NULL || s.after == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the schedule");
  } else {
    find_accesses (&s, scratch);
    status = find_dependencies (&s, err);
  }
  free (s.steps);
  free (s.spans);
  free (s.after);
  if (status == NN_OK)
    return s.schedule;
  nn_schedule_free (s.schedule);
  return NULL;
}

void
nn_schedule_free (nn_schedule *schedule)
{
  if (schedule == NULL)
    return;
  free (schedule->first);
  free (schedule->before);
  free (schedule);
}
