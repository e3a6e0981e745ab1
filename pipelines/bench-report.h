/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doclayout-bench prints, on standard output. */
#pragma once

#include "bench-run.h"

typedef enum {
  BENCH_RENDERER,
  BENCH_NETWORK,
  BENCH_WHOLE,
  BENCH_N_STAGES
} bench_stage;

/* "renderer", "network", "whole", NULL */
extern const char *const bench_stage_names[BENCH_N_STAGES + 1];

/* Of one document. */
typedef struct {
  char *path;
  bench_result *rounds[BENCH_N_STAGES]; /* an array each, a result a round; cleared where it was not measured */
} bench_document;

/* Medians over the rounds of the sums over the documents, and the ratios' medians over rounds: a Markdown
 * table, with pages a second of each document too where `each` is set; or all of it as one JSON object on
 * a line. `documents` is of bench_document, with at least one. */
void bench_report_table (const GPtrArray *documents, guint rounds, gboolean each);
void bench_report_json (const GPtrArray *documents, guint rounds);

/* One row of the comparison of memories: `name` is the value of the property; `results` one a round, or
 * NULL where it was left out; `note` says why, or what was warned of, or is NULL. */
typedef struct {
  char *name;
  bench_result *results;
  char *note;
} bench_memory;

void bench_report_memories_table (const GPtrArray *memories, guint rounds);
void bench_report_memories_json (const GPtrArray *memories, guint rounds);
