/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nn-inspect.h"
#include "session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_SHOWN = 20 }; /* of a profile; --json has them all */

/* "float32[?,3,640,640]" */
static void
write_shape (FILE *to, const nn_value_info *info)
{
  fprintf (to, "%s[", nn_dtype_name (info->dtype));
  for (int i = 0; i < info->rank; i++)
    if (info->dim[i] < 0)
      fprintf (to, "%s?", i > 0 ? "," : "");
    else
      fprintf (to, "%s%" PRId64, i > 0 ? "," : "", info->dim[i]);
  fputc (']', to);
}

/* ---------------------------------------------------------------- the file */

static void
write_values (FILE *to, const char *what, const nn_model *model, int n,
              nn_value_info (*value) (const nn_model *, int))
{
  for (int i = 0; i < n; i++) {
    nn_value_info info = value (model, i);
    fprintf (to, "%-11s%s ", i == 0 ? what : "", info.name);
    write_shape (to, &info);
    fputc ('\n', to);
  }
}

static void
write_file (FILE *to, const inspect_report *r)
{
  nn_origin origin = nn_model_origin (r->model);
  fprintf (to, "file       %s\n", r->options->model);
  fprintf (to, "           %.1f MB, operator set %" PRId64 ", IR version %" PRId64,
           (double) r->file_bytes / 1e6, origin.opset, origin.ir_version);
  if (origin.producer[0] != '\0')
    fprintf (to, ", written by %s %s", origin.producer, origin.producer_version);
  fputc ('\n', to);
  write_values (to, "inputs", r->model, nn_model_n_inputs (r->model), nn_model_input);
  write_values (to, "outputs", r->model, nn_model_n_outputs (r->model), nn_model_output);
}

/* A line for each, the most frequent first; by name they are already. */
static int
compare_operators (const void *a, const void *b)
{
  const nn_operator_info *x = a, *y = b;
  int order = (x->n_nodes < y->n_nodes) - (x->n_nodes > y->n_nodes);
  return order != 0 ? order : strcmp (x->name, y->name);
}

static void
write_operators (FILE *to, const nn_model *model)
{
  int n = nn_model_n_operator_infos (model), nodes = 0, unsupported = 0;
  nn_operator_info *infos = calloc ((size_t) n + 1, sizeof *infos);
  for (int i = 0; infos != NULL && i < n; i++) {
    infos[i] = nn_model_operator_info (model, i);
    nodes += infos[i].n_nodes;
    unsupported += !infos[i].supported;
  }
  if (infos == NULL)
    return;
  qsort (infos, (size_t) n, sizeof *infos, compare_operators);
  fprintf (to, "operators  %d, in %d nodes; ", n, nodes);
  fprintf (to, unsupported > 0 ? "%d not supported\n" : "all supported\n", unsupported);
  for (int i = 0; i < n; i++)
    fprintf (to, "  %6d   %s%s%s%s\n", infos[i].n_nodes, infos[i].domain,
             infos[i].domain[0] != '\0' ? "." : "", infos[i].name,
             infos[i].supported ? "" : "   NOT SUPPORTED");
  free (infos);
}

static void
write_family (FILE *to, const inspect_report *r)
{
  if (r->detector == NULL)
    return;
  fprintf (to, "family     %s\n", nn_detector_family (r->detector));
  fprintf (to, "labels     %d:", nn_detector_n_labels (r->detector));
  for (int i = 0; i < nn_detector_n_labels (r->detector); i++)
    fprintf (to, "%s %s", i > 0 ? "," : "", nn_detector_label (r->detector, i));
  fputc ('\n', to);
}

/* ---------------------------------------------------------------- the plan */

static double
total_flop (const nn_plan *plan)
{
  double flop = 0;
  for (int i = 0; i < nn_plan_nodes_after (plan); i++)
    flop += nn_plan_node (plan, i).flop;
  return flop;
}

static void
write_plan (FILE *to, const inspect_report *r)
{
  const inspect_options *o = r->options;
  fprintf (to, "plan       for %s", nn_plan_device_name (r->plan));
  if (o->device != NN_DEVICE_CPU)
    fprintf (to, " in %s", inspect_precision_name (o));
  fprintf (to, ", %d page%s a run, %d thread%s: %d nodes become %d\n", o->batch,
           o->batch > 1 ? "s" : "", o->threads, o->threads > 1 ? "s" : "",
           nn_plan_nodes_before (r->plan), nn_plan_nodes_after (r->plan));
  for (int i = 0; i < nn_plan_n_changes (r->plan); i++) {
    nn_plan_change change = nn_plan_change_at (r->plan, i);
    fprintf (to, "  %+6d   %s\n", change.nodes, change.name);
  }
  fprintf (to, "work       %.2f GFLOP a run\n", total_flop (r->plan) / 1e9);
  fprintf (to, "memory     weights %.1f MB; each session %.1f MB and %.1f MB of scratch\n",
           (double) nn_plan_weight_bytes (r->plan) / 1e6, (double) nn_plan_arena_bytes (r->plan) / 1e6,
           (double) nn_plan_scratch_bytes (r->plan) / 1e6);
  fprintf (to, "set-up     reading %.0f ms, planning %.0f ms\n", r->load_ms, r->plan_ms);
}

/* ---------------------------------------------------------------- the profile */

/* A node's line, or an operator's: then `nodes` counts them. */
typedef struct cost {
  nn_node_info info;
  double seconds, flop;
  int nodes;
} cost;

static int
compare_costs (const void *a, const void *b)
{
  const cost *x = a, *y = b;
  int order = (x->seconds < y->seconds) - (x->seconds > y->seconds);
  return order != 0 ? order : strcmp (x->info.name, y->info.name);
}

static void
write_cost (FILE *to, const cost *c, double total)
{
  fprintf (to, "%9.3f  %5.1f %%", c->seconds * 1e3, total > 0 ? c->seconds / total * 100 : 0);
  if (c->flop > 0 && c->seconds > 0)
    fprintf (to, "  %7.1f", c->flop / c->seconds / 1e9);
  else
    fputs ("        -", to);
}

/* Adds up the nodes of each operator; returns how many there are. */
static int
sum_operators (const cost *nodes, int n, cost *operators)
{
  int n_operators = 0;
  for (int i = 0; i < n; i++) {
    int at = 0;
    while (at < n_operators && strcmp (operators[at].info.op, nodes[i].info.op) != 0)
      at++;
    if (at == n_operators)
      operators[n_operators++] = (cost){ .info = nodes[i].info };
    operators[at].seconds += nodes[i].seconds;
    operators[at].flop += nodes[i].flop;
    operators[at].nodes++;
  }
  qsort (operators, (size_t) n_operators, sizeof *operators, compare_costs);
  return n_operators;
}

static void
write_node_costs (FILE *to, const cost *nodes, int n, double total)
{
  int shown = n > NODES_SHOWN ? NODES_SHOWN : n;
  fprintf (to, "\n       ms    share  GFLOP/s  node\n");
  for (int i = 0; i < shown; i++) {
    const nn_node_info *info = &nodes[i].info;
    write_cost (to, &nodes[i], total);
    fprintf (to, "  %s%s%s%s ", info->op, info->fused[0] != '\0' ? " (" : "", info->fused,
             info->fused[0] != '\0' ? ")" : "");
    write_shape (to, &info->result);
    fprintf (to, " %s\n", info->name);
  }
  cost rest = { 0 };
  for (int i = shown; i < n; i++) {
    rest.seconds += nodes[i].seconds;
    rest.flop += nodes[i].flop;
  }
  if (shown < n) {
    write_cost (to, &rest, total);
    fprintf (to, "  the other %d\n", n - shown);
  }
}

static void
write_profile (FILE *to, const inspect_report *r)
{
  int n = nn_plan_nodes_after (r->plan);
  double total = 0;
  cost *nodes = calloc (2 * (size_t) n + 1, sizeof *nodes), *operators = nodes + n;
  if (nodes == NULL)
    return;
  for (int i = 0; i < n; i++) {
    nn_node_info info = nn_plan_node (r->plan, i);
    nodes[i] = (cost){ .info = info, .seconds = r->seconds[i], .flop = info.flop, .nodes = 1 };
    total += r->seconds[i];
  }
  fprintf (to, "time       %.2f ms a run, %.1f GFLOP/s; the mean of %d\n", r->run_ms,
           total_flop (r->plan) / r->run_ms / 1e6, r->options->runs);
  int n_operators = sum_operators (nodes, n, operators);
  fprintf (to, "\n       ms    share  GFLOP/s  operator\n");
  for (int i = 0; i < n_operators; i++) {
    write_cost (to, &operators[i], total);
    fprintf (to, "  %s, %d nodes\n", operators[i].info.op, operators[i].nodes);
  }
  qsort (nodes, (size_t) n, sizeof *nodes, compare_costs);
  write_node_costs (to, nodes, n, total);
  fputc ('\n', to);
  free (nodes);
}

/* ---------------------------------------------------------------- all */

static void
write_regions (FILE *to, const inspect_report *r)
{
  fprintf (to, "page       %s, %d × %d pixels: %d regions in %.1f ms\n", r->options->image, r->image.width,
           r->image.height, r->found.n, r->infer_ms);
  for (int i = 0; i < r->found.n; i++) {
    const nn_region *region = &r->found.regions[i];
    fprintf (to, "  %6.4f   %8.2f %8.2f %8.2f %8.2f  %s\n", (double) region->score, (double) region->x0,
             (double) region->y0, (double) region->x1, (double) region->y1,
             nn_detector_label (r->detector, region->class_id));
  }
}

static void
write_verdict (FILE *to, const inspect_report *r)
{
  if (r->plan == NULL)
    fprintf (to, "It will not run: %s\n", inspect_cause (r, &r->plan_error));
  else if (r->detector == NULL)
    fprintf (to, "The network runs, but its outputs cannot be turned into regions: %s\n",
             inspect_cause (r, &r->detector_error));
  else
    fputs ("It will run.\n", to);
}

void
inspect_write_text (FILE *to, const inspect_report *report)
{
  write_file (to, report);
  write_family (to, report);
  write_operators (to, report->model);
  if (report->plan != NULL)
    write_plan (to, report);
  if (report->seconds != NULL)
    write_profile (to, report);
  if (report->image.data != NULL && report->detector != NULL)
    write_regions (to, report);
  write_verdict (to, report);
}
