/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_stage_names[BENCH_N_STAGES + 1] = { "renderer", "network", "whole", NULL };

/* A figure divided by another, or by `unit` alone where that is itself. */
typedef struct {
  const char *label, *json;
  bench_figure figure, by;
  double unit;
  const char *format;
} row;

static const row rows[] = {
  { "pages", "pages", BENCH_PAGES, BENCH_PAGES, 1, "%.0f" },
  { "pages/s", "pages_per_second", BENCH_PAGES, BENCH_SECONDS, 1, "%.1f" },
  { "CPU of this process, cores", "cpu_process", BENCH_CPU_PROCESS, BENCH_SECONDS, 1, "%.2f" },
  { "CPU of the render workers, cores", "cpu_workers", BENCH_CPU_WORKERS, BENCH_SECONDS, 1, "%.2f" },
  { "pages a second of CPU time", "pages_per_cpu_second", BENCH_PAGES, BENCH_CPU, 1, "%.1f" },
  { "peak memory, process and workers, MiB", "peak_memory_mib", BENCH_MEMORY, BENCH_MEMORY, 1 << 20, "%.0f" },
  { "copied by pdfsrc, bytes a page", "copied_by_pdfsrc", BENCH_COPIED_PDFSRC, BENCH_PAGES, 1, "%.0f" },
  { "copied by cudalayoutdetect, bytes a page", "copied_by_cudalayoutdetect", BENCH_COPIED_DETECT, BENCH_PAGES, 1,
    "%.0f" },
  { "staged to the device, bytes a page", "staged", BENCH_STAGED, BENCH_PAGES, 1, "%.0f" },
  { "device busy", "device_busy", BENCH_BUSY, BENCH_SECONDS, 1, "%.3f" },
  { "device memory, MiB", "device_memory_mib", BENCH_DEVICE_MEMORY, BENCH_DEVICE_MEMORY, 1 << 20, "%.0f" },
};

#define RATE (&rows[1])
#define RATIO "%.3f"

static double
value_of (const row *r, const double *figures)
{
  return figures[r->figure] / (r->by == r->figure ? r->unit : figures[r->by]);
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Sorts `values`. NAN where one of them is. */
static double
median (double *values, guint n)
{
  for (guint i = 0; i < n; i++)
    if (isnan (values[i]))
      return (double) NAN;
  qsort (values, n, sizeof *values, compare);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* Documents run one after the other, so that times and bytes add up; of memory the most counts. */
static void
add_up (const GPtrArray *documents, bench_stage stage, guint round, double *figures)
{
  for (guint i = 0; i < documents->len; i++) {
    const bench_document *document = g_ptr_array_index (documents, i);
    const double *more = document->rounds[stage][round].figures;
    for (int f = 0; f < BENCH_N_FIGURES; f++) {
      gboolean most = f == BENCH_MEMORY || f == BENCH_DEVICE_MEMORY;
      figures[f] = i == 0 ? more[f] : most ? MAX (figures[f], more[f]) : figures[f] + more[f];
    }
  }
}

static double
median_of_row (const GPtrArray *documents, guint rounds, bench_stage stage, const row *r)
{
  g_autofree double *values = g_new (double, rounds);
  for (guint round = 0; round < rounds; round++) {
    double figures[BENCH_N_FIGURES];
    add_up (documents, stage, round, figures);
    values[round] = value_of (r, figures);
  }
  return median (values, rounds);
}

/* Where the network ran, or NULL. */
static const char *
device_of (const GPtrArray *documents)
{
  const bench_document *first = g_ptr_array_index (documents, 0);
  const char *device = first->rounds[BENCH_WHOLE][0].device;
  return device ? device : first->rounds[BENCH_NETWORK][0].device;
}

static gboolean
on_cpu (const GPtrArray *documents)
{
  const char *device = device_of (documents);
  return device && g_str_has_prefix (device, "cpu");
}

/* The whole pipeline's pages a second, to those of its slower part, or to what is left of both where they share
 * the cores. */
static double
median_ratio (const GPtrArray *documents, guint rounds, gboolean shared)
{
  g_autofree double *values = g_new (double, rounds);
  for (guint round = 0; round < rounds; round++) {
    double rates[BENCH_N_STAGES];
    for (int stage = 0; stage < BENCH_N_STAGES; stage++) {
      double figures[BENCH_N_FIGURES];
      add_up (documents, stage, round, figures);
      rates[stage] = value_of (RATE, figures);
    }
    double bound = shared ? 1 / (1 / rates[BENCH_RENDERER] + 1 / rates[BENCH_NETWORK])
                          : MIN (rates[BENCH_RENDERER], rates[BENCH_NETWORK]);
    values[round] = rates[BENCH_WHOLE] / bound;
  }
  return median (values, rounds);
}

/* The text of a number, or `unknown`, in a buffer of the caller's; with a point in any locale. */
static const char *
text_of (double value, const char *format, const char *unknown, char text[G_ASCII_DTOSTR_BUF_SIZE])
{
  return isfinite (value) ? g_ascii_formatd (text, G_ASCII_DTOSTR_BUF_SIZE, format, value) : unknown;
}

static void
print_cell (double value, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  printf (" %s |", text_of (value, format, "–", text));
}

static void
print_member (const char *before, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  printf ("%s\"%s\": %s", before, name, text_of (value, "%.9g", "null", text));
}

static void
print_string (const char *text)
{
  if (!text) {
    fputs ("null", stdout);
    return;
  }
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  putchar ('"');
  for (const char *c = valid; *c; c++) {
    if ((guchar) *c < ' ')
      printf ("\\u%04x", (unsigned) *c);
    else
      printf (*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
  }
  putchar ('"');
}

static void
print_document (const bench_document *document, guint rounds)
{
  bench_document *one[] = { (bench_document *) document };
  GPtrArray alone = { (gpointer *) one, 1 };
  printf ("| %s, pages/s |", document->path);
  for (int stage = 0; stage < BENCH_N_STAGES; stage++)
    print_cell (median_of_row (&alone, rounds, stage, RATE), RATE->format);
  putchar ('\n');
}

void
bench_report_table (const GPtrArray *documents, guint rounds, gboolean each)
{
  const char *device = device_of (documents);
  printf ("| %s, %u processors |", device ? device : "–", g_get_num_processors ());
  for (int stage = 0; stage < BENCH_N_STAGES; stage++)
    printf (" %s |", bench_stage_names[stage]);
  puts ("\n|---|---|---|---|");
  for (const row *r = rows; r < rows + G_N_ELEMENTS (rows); r++) {
    printf ("| %s |", r->label);
    for (int stage = 0; stage < BENCH_N_STAGES; stage++)
      print_cell (median_of_row (documents, rounds, stage, r), r->format);
    putchar ('\n');
    for (guint i = 0; each && r == RATE && i < documents->len; i++)
      print_document (g_ptr_array_index (documents, i), rounds);
  }
  fputs ("| whole ÷ the slower of the two | | |", stdout);
  print_cell (median_ratio (documents, rounds, FALSE), RATIO);
  if (on_cpu (documents)) {
    fputs ("\n| whole ÷ 1/(1/renderer + 1/network) | | |", stdout);
    print_cell (median_ratio (documents, rounds, TRUE), RATIO);
  }
  putchar ('\n');
}

void
bench_report_json (const GPtrArray *documents, guint rounds)
{
  fputs ("{\"device\": ", stdout);
  print_string (device_of (documents));
  printf (", \"processors\": %u, \"rounds\": %u", g_get_num_processors (), rounds);
  for (int stage = 0; stage < BENCH_N_STAGES; stage++) {
    printf (", \"%s\": {", bench_stage_names[stage]);
    for (const row *r = rows; r < rows + G_N_ELEMENTS (rows); r++)
      print_member (r == rows ? "" : ", ", r->json, median_of_row (documents, rounds, stage, r));
    putchar ('}');
  }
  print_member (", ", "whole_to_slower", median_ratio (documents, rounds, FALSE));
  print_member (", ", "whole_to_shared", on_cpu (documents) ? median_ratio (documents, rounds, TRUE) : (double) NAN);
  fputs (", \"documents\": [", stdout);
  for (guint i = 0; i < documents->len; i++) {
    bench_document *one[] = { g_ptr_array_index (documents, i) };
    GPtrArray alone = { (gpointer *) one, 1 };
    fputs (i ? ", {\"file\": " : "{\"file\": ", stdout);
    print_string (one[0]->path);
    for (int stage = 0; stage < BENCH_N_STAGES; stage++)
      print_member (", ", bench_stage_names[stage], median_of_row (&alone, rounds, stage, RATE));
    putchar ('}');
  }
  puts ("]}");
}

static double
median_of_memory (const bench_memory *memory, guint rounds, const row *r)
{
  g_autofree double *values = g_new (double, rounds);
  for (guint round = 0; round < rounds; round++)
    values[round] = memory->results ? value_of (r, memory->results[round].figures) : (double) NAN;
  return median (values, rounds);
}

/* No renderer runs beside this, so that its rows are left out. */
static gboolean
is_of_renderer (const row *r)
{
  return r->figure == BENCH_COPIED_PDFSRC || r->figure == BENCH_CPU_WORKERS;
}

void
bench_report_memories_table (const GPtrArray *memories, guint rounds)
{
  fputs ("| memory |", stdout);
  for (guint i = 0; i < memories->len; i++)
    printf (" %s |", ((bench_memory *) g_ptr_array_index (memories, i))->name);
  fputs ("\n|---|", stdout);
  for (guint i = 0; i < memories->len; i++)
    fputs ("---|", stdout);
  fputs ("\n| frames lie in |", stdout);
  for (guint i = 0; i < memories->len; i++) {
    const bench_memory *memory = g_ptr_array_index (memories, i);
    printf (" %s |", memory->results ? memory->results[0].memory_type : "–");
  }
  fputs ("\n| and reach the network as |", stdout);
  for (guint i = 0; i < memories->len; i++) {
    const bench_memory *memory = g_ptr_array_index (memories, i);
    printf (" %s |", memory->results && memory->results[0].memory_path ? memory->results[0].memory_path : "–");
  }
  putchar ('\n');
  for (const row *r = rows; r < rows + G_N_ELEMENTS (rows); r++) {
    if (is_of_renderer (r))
      continue;
    printf ("| %s |", r->label);
    for (guint i = 0; i < memories->len; i++)
      print_cell (median_of_memory (g_ptr_array_index (memories, i), rounds, r), r->format);
    putchar ('\n');
  }
  for (guint i = 0; i < memories->len; i++) {
    const bench_memory *memory = g_ptr_array_index (memories, i);
    if (memory->note)
      printf ("\n%s%s: %s\n", memory->name, memory->results ? "" : " was left out", memory->note);
  }
}

void
bench_report_memories_json (const GPtrArray *memories, guint rounds)
{
  printf ("{\"rounds\": %u, \"memories\": [", rounds);
  for (guint i = 0; i < memories->len; i++) {
    const bench_memory *memory = g_ptr_array_index (memories, i);
    fputs (i ? ", {\"memory\": " : "{\"memory\": ", stdout);
    print_string (memory->name);
    fputs (", \"frames_in\": ", stdout);
    print_string (memory->results ? memory->results[0].memory_type : NULL);
    fputs (", \"memory_path\": ", stdout);
    print_string (memory->results ? memory->results[0].memory_path : NULL);
    fputs (", \"note\": ", stdout);
    print_string (memory->note);
    for (const row *r = rows; r < rows + G_N_ELEMENTS (rows); r++)
      if (!is_of_renderer (r))
        print_member (", ", r->json, median_of_memory (memory, rounds, r));
    putchar ('}');
  }
  puts ("]}");
}
