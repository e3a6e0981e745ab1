/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offsets for values whose lifetimes are known: the largest first, each into the smallest gap
 * between those that live at the same time (greedy by size; Pisarchyk and Lee, "Efficient Memory
 * Management for Deep Neural Net Inference", 2020, section 4). */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t) 64)

typedef struct block {
  int value;        /* index */
  int birth, death; /* positions of nodes, both inclusive */
  size_t size, offset;
} block;

/* What a search looks at, side by side in memory: it passes over all of them for each block. */
typedef struct taken {
  int birth, death;
  size_t offset, end;
} taken;

typedef struct planner {
  const nn_graph *graph;
  block *blocks; /* by value at first, then by size */
  taken *placed; /* by offset */
  int n, n_placed;
  bool inputs_apart;
  size_t limit;
} planner;

static void
live_at (planner *p, const nn_value *value, int position)
{
  block *b = &p->blocks[value->view_of != NULL ? value->view_of->index : value->index];
  if (position < b->birth)
    b->birth = position;
  if (position > b->death)
    b->death = position;
}

static void
find_lifetimes (planner *p)
{
  int position = 0;
  for (const nn_node *node = p->graph->first; node != NULL; node = node->next, position++) {
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] != NULL)
        live_at (p, node->in[i], position);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] != NULL)
        live_at (p, node->out[i], position);
  }
  for (int i = 0; i < p->graph->n_inputs; i++) {
    live_at (p, p->graph->inputs[i], 0);
    live_at (p, p->graph->inputs[i], position);
    if (p->inputs_apart)
      p->blocks[p->graph->inputs[i]->index].death = -1;
  }
  for (int i = 0; i < p->graph->n_outputs; i++)
    live_at (p, p->graph->outputs[i], position);
}

static int
compare_size (const void *a, const void *b)
{
  const block *x = a, *y = b;
  if (x->size != y->size)
    return x->size < y->size ? 1 : -1;
  return x->value - y->value;
}

/* Keeps the blocks that need memory, largest first. */
static nn_status
collect_blocks (planner *p, nn_error *err)
{
  int n = 0;
  for (int i = 0; i < p->n; i++) {
    const nn_value *value = p->graph->values[i];
    block b = p->blocks[i];
    if (value->constant != NULL || b.death < b.birth)
      continue;
    size_t bytes = (size_t) nn_shape_count (value->rank, value->dim) * nn_dtype_size (value->dtype);
    if (bytes > p->limit)
      return nn_fail (err, NN_ERR_LIMIT, "node '%s': its result of %zu bytes exceeds the limit of %zu",
                      value->producer != NULL ? value->producer->name : value->name, bytes, p->limit);
    b.value = i;
    b.size = bytes > 0 ? (bytes + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
    p->blocks[n++] = b;
  }
  p->n = n;
  qsort (p->blocks, (size_t) n, sizeof p->blocks[0], compare_size);
  return NN_OK;
}

static size_t
best_offset (const planner *p, const block *b)
{
  size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
  for (const taken *other = p->placed, *last = other + p->n_placed; other < last; other++) {
    if (other->death < b->birth || other->birth > b->death)
      continue;
    if (other->offset > end && other->offset - end >= b->size && other->offset - end < best_gap) {
      best = end;
      best_gap = other->offset - end;
    }
    if (other->end > end)
      end = other->end;
  }
  return best != SIZE_MAX ? best : end;
}

static void
place (planner *p, block *b)
{
  b->offset = best_offset (p, b);
  int low = 0, high = p->n_placed;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (p->placed[middle].offset > b->offset)
      high = middle;
    else
      low = middle + 1;
  }
  memmove (p->placed + low + 1, p->placed + low, (size_t) (p->n_placed - low) * sizeof *p->placed);
  p->placed[low] = (taken){ b->birth, b->death, b->offset, b->offset + b->size };
  p->n_placed++;
}

static nn_status
place_all (planner *p, size_t *offset, size_t *arena_bytes, nn_error *err)
{
  nn_status status = collect_blocks (p, err);
  for (int i = 0; status == NN_OK && i < p->n; i++) {
    block *b = &p->blocks[i];
    place (p, b);
    const nn_value *value = p->graph->values[b->value];
    offset[b->value] = b->offset;
    if (b->offset + b->size > *arena_bytes)
      *arena_bytes = b->offset + b->size;
    if (*arena_bytes > p->limit)
      status =
          nn_fail (err, NN_ERR_LIMIT, "node '%s': values that live at once exceed the limit of %zu bytes",
                   value->producer != NULL ? value->producer->name : value->name, p->limit);
  }
  return status;
}

static void
place_views (const nn_graph *graph, size_t *offset)
{
  for (int i = 0; i < graph->n_values; i++) {
    const nn_value *value = graph->values[i];
    if (value->view_of != NULL && offset[value->view_of->index] != SIZE_MAX)
      offset[i] = offset[value->view_of->index] + value->view_offset;
  }
}

nn_status
nn_graph_plan_arena (const nn_graph *graph, bool inputs_apart, size_t limit, size_t *offset, size_t *arena_bytes,
                     nn_error *err)
{
  size_t n = (size_t) graph->n_values;
  planner p = { .graph = graph, .n = graph->n_values, .inputs_apart = inputs_apart, .limit = limit };
  p.blocks = calloc (n + 1, sizeof *p.blocks);
  p.placed = calloc (n + 1, sizeof *p.placed);
  nn_status status = NN_OK;
  *arena_bytes = 0;
  if (p.blocks == NULL || p.placed == NULL) {
    status = nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu values", n);
  } else {
    for (size_t i = 0; i < n; i++) {
      p.blocks[i] = (block){ .birth = INT32_MAX, .death = -1 };
      offset[i] = SIZE_MAX;
    }
    find_lifetimes (&p);
    status = place_all (&p, offset, arena_bytes, err);
    place_views (graph, offset);
  }
  free (p.blocks);
  free (p.placed);
  return status;
}
