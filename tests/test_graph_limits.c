/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a small graph may cost the passes: memory and steps of folding, bytes of constants, and time
 * for many nodes. */
#include "kernels/graph/graph.h"
#include "kernels/graph/weights.h"
#include "kernels/ops.h"
#include "nn-check.h"

#include <stdlib.h>
#include <time.h>

#define MIB ((size_t)1 << 20)
#define SLOW_S 5 /* for what takes some hundredths */

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static nn_graph *
new_graph (nn_value **x, int64_t n)
{
  nn_error err;
  nn_graph *graph = nn_graph_new (&err);
  graph->opset = 13;
  graph->inputs = nn_graph_alloc (graph, sizeof *graph->inputs);
  graph->outputs = nn_graph_alloc (graph, sizeof *graph->outputs);
  *x = graph->inputs[graph->n_inputs++] = nn_graph_add_value (graph, "x");
  (*x)->dtype = NN_F32;
  (*x)->rank = 1;
  (*x)->dim[0] = n;
  return graph;
}

static nn_value *
constant (nn_graph *graph, const char *name, int rank, const int64_t *dim)
{
  nn_tensor tensor = nn_tensor_make (NN_F32, rank, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  tensor.data = nn_graph_alloc_weights (graph, nn_tensor_bytes (&tensor));
  return nn_graph_add_constant (graph, name, &tensor);
}

static nn_value *
node (nn_graph *graph, const char *op, const char *name, nn_value **in, int n_in)
{
  nn_value *out = nn_graph_add_value (graph, name);
  nn_graph_add_node (graph, NULL, nn_op_find (op), name, in, n_in, &out, 1);
  return out;
}

static void
set_output (nn_graph *graph, nn_value *value)
{
  graph->outputs[graph->n_outputs++] = value;
  value->n_uses++;
}

static const nn_attr axis_0 = { .name = "axis", .type = NN_ATTR_INT, .i = 0 };

static nn_value *
concat (nn_graph *graph, const char *name, nn_value **in, int n_in)
{
  nn_value *out = node (graph, "Concat", name, in, n_in);
  out->producer->attrs = &axis_0;
  out->producer->n_attrs = 1;
  return out;
}

/* Three times 100 MiB in one constant. */
static void
test_folded_bytes (void)
{
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, 1);
  const int64_t n = 25 << 20;
  nn_value *c = constant (graph, "c", 1, &n);
  set_output (graph, concat (graph, "three", (nn_value *[]){ c, c, c }, 3));
  CHECK (nn_graph_infer (graph, &err) == NN_ERR_LIMIT, "300 MiB were folded");
  CHECK (strstr (err.message, "node 'three' (Concat): constants computed when loading") != NULL, "%s",
         err.message);
  nn_graph_free (graph);
}

/* Tables on the way to a table do not count once they have been read: 40 MiB ten times. */
static void
test_folded_chain (void)
{
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, 1);
  const int64_t n = 10 << 20;
  nn_value *c = constant (graph, "c", 1, &n);
  ((float *)c->constant->data)[7] = 3;
  for (int i = 0; i < 10; i++)
    c = node (graph, i == 4 ? "Identity" : "Relu", i == 4 ? "same" : "relu", &c, 1);
  set_output (graph, c);
  CHECK (nn_graph_infer (graph, &err) == NN_OK, "%s", err.message);
  CHECK (graph->n_nodes == 0, "%d nodes are left", graph->n_nodes);
  const nn_tensor *folded = graph->outputs[0]->constant;
  CHECK (folded != NULL && ((float *)folded->data)[7] == 3, "the result is wrong");
  CHECK (nn_weights_bytes (graph->weights) == 40 * MIB, "%zu MiB are kept",
         nn_weights_bytes (graph->weights) / MIB);
  nn_graph_free (graph);
}

/* A table that is read again after the Identity of it and by a folded node too. */
static void
test_folded_shared (void)
{
  nn_error err = { 0 };
  nn_value *x;
  const int64_t n = 1 << 20;
  nn_graph *graph = new_graph (&x, n);
  nn_value *c = constant (graph, "c", 1, &n), *same, *relu, *sum;
  ((float *)c->constant->data)[5] = 2;
  same = node (graph, "Identity", "same", &c, 1);
  relu = node (graph, "Relu", "relu", &c, 1);
  sum = node (graph, "Add", "a", (nn_value *[]){ x, same }, 2);
  set_output (graph, node (graph, "Add", "b", (nn_value *[]){ sum, relu }, 2));
  CHECK (nn_graph_infer (graph, &err) == NN_OK, "%s", err.message);
  const nn_tensor *read = graph->first->in[1]->constant;
  CHECK (read != NULL && read->data != NULL && ((float *)read->data)[5] == 2, "released before it was read");
  nn_graph_free (graph);
}

/* 2^30 multiplications and more are left to the run. */
static void
test_folded_steps (void)
{
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, 1);
  nn_value *large = constant (graph, "large", 2, (int64_t[]){ 2048, 2048 });
  nn_value *small = constant (graph, "small", 2, (int64_t[]){ 64, 64 });
  double start = now ();
  nn_value *product = node (graph, "MatMul", "large", (nn_value *[]){ large, large }, 2);
  set_output (graph,
              concat (graph, "both", (nn_value *[]){ node (graph, "Flatten", "flat", &product, 1) }, 1));
  nn_value *quick = node (graph, "MatMul", "small", (nn_value *[]){ small, small }, 2);
  quick->n_uses++;
  CHECK (nn_graph_infer (graph, &err) == NN_OK, "%s", err.message);
  CHECK (product->constant == NULL, "a product of 2^33 multiplications was folded");
  CHECK (quick->constant != NULL, "a small product was not folded");
  CHECK (now () - start < SLOW_S, "it took %.1f s", now () - start);
  nn_graph_free (graph);
}

/* Of an Attention the scores count too, though they are no result: here 2^32 of them. */
static void
test_folded_scores (void)
{
  static const nn_attr heads = { .name = "q_num_heads", .type = NN_ATTR_INT, .i = 1 };
  const int64_t tokens = 65536, values[] = { 1, 0 };
  for (int i = 0; i < 2; i++) {
    nn_error err = { 0 };
    nn_value *x;
    nn_graph *graph = new_graph (&x, 1);
    nn_value *q = constant (graph, "q", 3, (int64_t[]){ 1, tokens, 1 });
    nn_value *v = constant (graph, "v", 3, (int64_t[]){ 1, tokens, values[i] });
    nn_value *y = node (graph, "Attention", "scores", (nn_value *[]){ q, q, v }, 3);
    y->producer->attrs = &heads;
    y->producer->n_attrs = 1;
    set_output (graph, y);
    CHECK (nn_graph_infer (graph, &err) == NN_OK, "%s", err.message);
    CHECK (y->constant == NULL, "%d values a token: folded", (int)values[i]);
    nn_graph_free (graph);
  }
}

/* Attributes of Gemm mean nothing to a MatMul: its result has no room for what they would make. */
static void
test_attributes_of_another (void)
{
  static const nn_attr attrs[] = { { .name = "transA", .type = NN_ATTR_INT, .i = 1 },
                                   { .name = "transB", .type = NN_ATTR_INT, .i = 1 } };
  enum { ROWS = 500, INNER = 3 };
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, 1);
  nn_value *a = constant (graph, "a", 2, (int64_t[]){ ROWS, INNER });
  nn_value *b = constant (graph, "b", 2, (int64_t[]){ INNER, 1 });
  float *as = a->constant->data, *bs = b->constant->data;
  for (int i = 0; i < ROWS * INNER; i++)
    as[i] = (float)i;
  for (int i = 0; i < INNER; i++)
    bs[i] = (float)(i + 1);
  nn_value *y = node (graph, "MatMul", "y", (nn_value *[]){ a, b }, 2);
  y->producer->attrs = attrs;
  y->producer->n_attrs = 2;
  set_output (graph, y);
  CHECK (nn_graph_infer (graph, &err) == NN_OK && y->constant != NULL, "%s", err.message);
  for (int i = 0; y->constant != NULL && i < ROWS; i++)
    CHECK (((float *)y->constant->data)[i] == (float)(18 * i + 8), "row %d: %g", i,
           (double)((float *)y->constant->data)[i]);
  nn_graph_free (graph);
}

/* Kernels pack a constant once for each node that reads it. */
static void
test_read_bytes (void)
{
  nn_error err = { 0 };
  nn_value *x;
  const int64_t n = (int64_t)1 << 30;
  nn_graph *graph = new_graph (&x, n);
  static float nothing;
  nn_tensor tensor = nn_tensor_make (NN_F32, 1, &n, NN_LAYOUT_ROW_MAJOR, &nothing);
  nn_value *c = nn_graph_add_constant (graph, "c", &tensor), *y = x;
  for (int i = 0; i < 5; i++) {
    char name[8];
    snprintf (name, sizeof name, "add%d", i);
    y = node (graph, "Add", name, (nn_value *[]){ y, c }, 2);
  }
  set_output (graph, y);
  CHECK (nn_graph_infer (graph, &err) == NN_ERR_LIMIT, "20 GiB of constants");
  CHECK (strstr (err.message, "node 'add4' (Add)") != NULL, "%s", err.message);
  nn_graph_free (graph);
}

static void
test_empty_operands (void)
{
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, (int64_t)1 << 62);
  set_output (graph, node (graph, "Relu", "relu", &x, 1));
  CHECK (nn_graph_infer (graph, &err) == NN_ERR_LIMIT, "2^64 bytes");
  CHECK (strstr (err.message, "input 'x' is too large") != NULL, "%s", err.message);
  nn_graph_free (graph);
}

/* 25000 Identities first, then 25000 readers, all of whose results live until the last node. */
static void
test_many_nodes (void)
{
  enum { N = 25000 };
  nn_error err = { 0 };
  nn_value *x;
  nn_graph *graph = new_graph (&x, 8);
  nn_value **values = calloc (N, sizeof *values), *y;
  size_t arena = 0, *offset;
  double start = now ();
  for (int i = 0; i < N; i++)
    values[i] = node (graph, "Identity", "same", &x, 1);
  for (int i = 0; i < N; i++)
    values[i] = node (graph, "Relu", "relu", &values[i], 1);
  set_output (graph, y = concat (graph, "all", values, N));
  double built = now ();
  CHECK (nn_graph_infer (graph, &err) == NN_OK, "%s", err.message);
  CHECK (graph->n_nodes == N + 1 && graph->first->in[0] == x && x->n_uses == N, "%d nodes", graph->n_nodes);
  CHECK (nn_graph_fuse (graph, &err) >= 0 && nn_graph_assign_layouts (graph, &err) == NN_OK, "%s",
         err.message);
  double fused = now ();
  offset = calloc ((size_t)graph->n_values, sizeof *offset);
  CHECK (nn_graph_plan_arena (graph, false, 1u << 30, offset, &arena, &err) == NN_OK, "%s", err.message);
  CHECK (arena >= (size_t)N * 64, "%zu bytes", arena);
  printf ("%d nodes: built in %.2f s, passes %.2f s, arena %.2f s\n", 2 * N + 1, built - start, fused - built,
          now () - fused);
  CHECK (now () - start < SLOW_S, "it took %.1f s", now () - start);
  free (offset);
  free (values);
  nn_graph_free (graph);
}

int
main (void)
{
  test_folded_bytes ();
  test_folded_chain ();
  test_folded_shared ();
  test_folded_steps ();
  test_folded_scores ();
  test_attributes_of_another ();
  test_read_bytes ();
  test_empty_operands ();
  test_many_nodes ();
  return nn_check_report ("what a graph may cost");
}
