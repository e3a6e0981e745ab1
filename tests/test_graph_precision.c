/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which values of a network stored in halves stay float32, where Casts come in, and which results lie in their
 * residuals. */
#include "kernels/graph/graph.h"
#include "kernels/ops.h"
#include "nn-check.h"

static nn_graph *graph;

static nn_value *
value (const char *name, nn_dtype dtype, int rank, int64_t d0, int64_t d1, int64_t d2, int64_t d3)
{
  nn_value *v = nn_graph_add_value (graph, name);
  const int64_t dim[] = { d0, d1, d2, d3 };
  v->dtype = dtype;
  v->rank = rank;
  for (int i = 0; i < rank; i++)
    v->dim[i] = dim[i];
  return v;
}

static nn_value *
weights (const char *name, int rank, const int64_t *dim)
{
  static float zeros[4096];
  nn_tensor tensor = nn_tensor_make (NN_F32, rank, dim, NN_LAYOUT_ROW_MAJOR, zeros);
  return nn_graph_add_constant (graph, name, &tensor);
}

/* `op` of up to four operands. */
static nn_value *
node (const char *op, nn_value *a, nn_value *b, nn_value *c, nn_value *d, nn_value *out)
{
  nn_value *in[] = { a, b, c, d };
  int n = d ? 4 : c ? 3 : b ? 2 : 1;
  nn_graph_add_node (graph, NULL, nn_op_find (op), out->name, in, n, &out, 1);
  return out;
}

static void
begin (void)
{
  nn_error err;
  graph = nn_graph_new (&err);
  graph->inputs = nn_graph_alloc (graph, 2 * sizeof *graph->inputs);
  graph->outputs = nn_graph_alloc (graph, 2 * sizeof *graph->outputs);
}

static nn_value *
input (nn_value *v)
{
  return graph->inputs[graph->n_inputs++] = v;
}

static void
output (nn_value *v)
{
  v->n_uses++;
  graph->outputs[graph->n_outputs++] = v;
}

static int
count (const char *op)
{
  int n = 0;
  for (const nn_node *i = graph->first; i != NULL; i = i->next)
    n += nn_node_is (i, op);
  return n;
}

#define CHECK_DTYPE(v, type) CHECK ((v)->dtype == type, "%s is %s", (v)->name, nn_dtype_name ((v)->dtype))

/* Page → Conv → Relu → Reshape → product → (+ reference) → Sigmoid: the features are halves, boxes float32. */
static void
check_boxes (void)
{
  nn_error err = { 0 };
  begin ();
  nn_value *page = input (value ("page", NN_F32, 4, 1, 3, 8, 8));
  nn_value *conv = node ("Conv", page, weights ("w", 4, (int64_t[]){ 4, 3, 1, 1 }), NULL, NULL,
                         value ("conv", NN_F32, 4, 1, 4, 8, 8));
  nn_value *relu = node ("Relu", conv, NULL, NULL, NULL, value ("relu", NN_F32, 4, 1, 4, 8, 8));
  nn_value *flat = node ("Reshape", relu, NULL, NULL, NULL, value ("flat", NN_F32, 2, 64, 4, 0, 0));
  nn_value *box = node ("MatMul", flat, weights ("b", 2, (int64_t[]){ 4, 4 }), NULL, NULL,
                        value ("box", NN_F32, 2, 64, 4, 0, 0));
  nn_value *sum = node ("Add", box, weights ("anchors", 2, (int64_t[]){ 64, 4 }), NULL, NULL,
                        value ("sum", NN_F32, 2, 64, 4, 0, 0));
  nn_value *box2 = node ("MatMul", flat, weights ("b2", 2, (int64_t[]){ 4, 4 }), weights ("bias", 1, (int64_t[]){ 4 }),
                         sum, value ("box2", NN_F32, 2, 64, 4, 0, 0));
  nn_value *boxes = node ("Sigmoid", box2, NULL, NULL, NULL, value ("boxes", NN_F32, 2, 64, 4, 0, 0));
  nn_value *again = node ("MatMul", boxes, weights ("q", 2, (int64_t[]){ 4, 8 }), NULL, NULL,
                          value ("again", NN_F32, 2, 64, 8, 0, 0));
  nn_value *last = node ("Sigmoid", again, NULL, NULL, NULL, value ("last", NN_F32, 2, 64, 8, 0, 0));
  output (boxes);
  output (last);
  CHECK (nn_graph_assign_precision (graph, NN_F16, &err) == NN_OK, "%s", err.message);
  CHECK_DTYPE (page, NN_F16);
  CHECK_DTYPE (conv, NN_F16);
  CHECK_DTYPE (relu, NN_F16);
  CHECK_DTYPE (flat, NN_F16);
  CHECK_DTYPE (box, NN_F32);
  CHECK_DTYPE (sum, NN_F32);
  CHECK_DTYPE (box2, NN_F32);
  CHECK_DTYPE (boxes, NN_F32);
  CHECK_DTYPE (again, NN_F32);
  CHECK (count ("Cast") == 1, "%d", count ("Cast"));
  CHECK_DTYPE (again->producer->in[0], NN_F16);
  nn_graph_free (graph);
}

/* What is sorted, and positions that come from integers, are float32; a Conv that gives an output gives it by a Cast; a page
 * that is normalised in the network comes in as float32. */
static void
check_islands (void)
{
  nn_error err = { 0 };
  begin ();
  nn_value *page = input (value ("page", NN_F32, 4, 1, 3, 8, 8));
  nn_value *index = input (value ("index", NN_I64, 1, 3, 0, 0, 0));
  nn_value *mean = node ("Sub", page, weights ("mean", 1, (int64_t[]){ 1 }), NULL, NULL,
                         value ("mean", NN_F32, 4, 1, 3, 8, 8));
  nn_value *conv = node ("Conv", mean, weights ("w", 4, (int64_t[]){ 4, 3, 1, 1 }), NULL, NULL,
                         value ("conv", NN_F32, 4, 1, 4, 8, 8));
  nn_value *pooled = node ("MaxPool", conv, NULL, NULL, NULL, value ("pooled", NN_F32, 4, 1, 4, 4, 4));
  nn_value *scores = node ("Mul", pooled, pooled, NULL, NULL, value ("scores", NN_F32, 4, 1, 4, 4, 4));
  nn_value *best = value ("best", NN_F32, 4, 1, 4, 4, 1);
  node ("TopK", scores, NULL, NULL, NULL, best);
  nn_value *number = node ("Cast", index, NULL, NULL, NULL, value ("number", NN_F32, 1, 3, 0, 0, 0));
  nn_value *half = node ("Mul", number, weights ("two", 1, (int64_t[]){ 1 }), NULL, NULL,
                         value ("twice", NN_F32, 1, 3, 0, 0, 0));
  nn_value *last = node ("Conv", pooled, weights ("w2", 4, (int64_t[]){ 4, 4, 1, 1 }), NULL, NULL,
                         value ("last", NN_F32, 4, 1, 4, 4, 4));
  output (last);
  CHECK (nn_graph_assign_precision (graph, NN_BF16, &err) == NN_OK, "%s", err.message);
  CHECK_DTYPE (page, NN_F32);
  CHECK_DTYPE (mean, NN_F32);
  CHECK_DTYPE (conv, NN_BF16);
  CHECK_DTYPE (pooled, NN_BF16);
  CHECK_DTYPE (scores, NN_F32);
  CHECK_DTYPE (number, NN_F32);
  CHECK_DTYPE (half, NN_F32);
  CHECK_DTYPE (last, NN_F32);
  CHECK (nn_node_is (last->producer, "Cast"), "last is of %s", last->producer->op->name);
  CHECK (count ("Cast") == 3, "%d", count ("Cast"));
  nn_graph_free (graph);
}

static nn_value *
residual_conv (const char *name, nn_value *x, nn_value *residual)
{
  nn_value *out = value (name, NN_F32, 4, 1, 4, 8, 8);
  return node ("Conv", x, weights ("w", 4, (int64_t[]){ 4, 4, 1, 1 }), weights ("b", 1, (int64_t[]){ 4 }), residual,
               out);
}

/* A result lies in its residual where nobody reads that later; views of the result follow. */
static void
check_residuals (void)
{
  nn_error err = { 0 };
  begin ();
  nn_value *x = input (value ("x", NN_F32, 4, 1, 4, 8, 8));
  nn_value *a = node ("Relu", x, NULL, NULL, NULL, value ("a", NN_F32, 4, 1, 4, 8, 8));
  nn_value *b = node ("Relu", a, NULL, NULL, NULL, value ("b", NN_F32, 4, 1, 4, 8, 8));
  nn_value *first = residual_conv ("first", b, a);       /* a is dead: in place */
  nn_value *second = residual_conv ("second", b, first); /* so is first */
  nn_value *flat = value ("flat", NN_F32, 1, 256, 0, 0, 0);
  flat->view_of = second;
  second->n_uses++;
  nn_value *third = residual_conv ("third", b, b);   /* b is read as a whole there: not */
  nn_value *fourth = residual_conv ("fourth", third, x); /* an input: not */
  nn_value *fifth = residual_conv ("fifth", fourth, third); /* read once more: not */
  nn_value *all = node ("Add", flat, third, NULL, NULL, value ("all", NN_F32, 4, 1, 4, 8, 8));
  output (fifth);
  output (all);
  CHECK (nn_graph_reuse_residuals (graph, &err) == NN_OK, "%s", err.message);
  CHECK (first->view_of == a);
  CHECK (second->view_of == a);
  CHECK (flat->view_of == a);
  CHECK (third->view_of == NULL);
  CHECK (fourth->view_of == NULL);
  CHECK (fifth->view_of == NULL);
  size_t offset[64], arena;
  CHECK (nn_graph_plan_arena (graph, false, 1 << 20, offset, &arena, &err) == NN_OK, "%s", err.message);
  CHECK (offset[first->index] == offset[a->index]);
  CHECK (offset[flat->index] == offset[a->index]);
  CHECK (offset[third->index] != offset[a->index]);
  nn_graph_free (graph);
}

int
main (void)
{
  check_boxes ();
  check_islands ();
  check_residuals ();
  return nn_check_report ("values of plans for a GPU");
}
