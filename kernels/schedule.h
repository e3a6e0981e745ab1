/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of a plan's steps have to wait for which others, so that a device can run the rest side by side. Steps are
 * numbered in the graph's order, which is one that is allowed.
 */
#pragma once

#include "graph/graph.h"

typedef struct nn_schedule {
  int n;
  int *first; /* n + 1: step k waits for before[first[k]] … before[first[k + 1] - 1] */
  int *before;
} nn_schedule;

/* Bytes of memory that a step works in beside the values; of two steps that share some, the later one waits. */
typedef struct nn_span {
  size_t begin, end;
} nn_span;

/* Two steps depend on each other where they touch the same bytes of the arena (`offset` as nn_graph_plan_arena() gives
 * it) or of the scratch memory, and one of them writes there. Of the steps that one waits for only those are
 * listed that do not follow from others. NULL with NN_ERR_MEMORY. */
nn_schedule *nn_schedule_new (const nn_graph *graph, const size_t *offset, const nn_span *scratch, nn_error *err);
void nn_schedule_free (nn_schedule *schedule); /* NULL is fine */
