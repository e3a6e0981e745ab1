/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of one value that become one product, whose columns attention reads where they lie. */
#include "kernels/cuda/merge.h"
#include "kernels/ops.h"
#include "nn-check.h"

enum { PAGES = 2, ROWS = 5, INNER = 3 };

static nn_graph *graph;

static nn_value *
add (const char *op, const char *name, nn_value *const *in, int n_in, int64_t columns)
{
  nn_value *out = nn_graph_add_value (graph, name);
  out->dtype = NN_F32;
  out->rank = 3;
  out->dim[0] = PAGES;
  out->dim[1] = ROWS;
  out->dim[2] = columns;
  if (op != NULL)
    nn_graph_add_node (graph, NULL, nn_op_find (op), name, in, n_in, &out, 1);
  return out;
}

/* Numbers from `first` on. */
static nn_value *
constant (int rank, int64_t d0, int64_t d1, float first)
{
  const int64_t dim[] = { d0, d1 };
  nn_tensor tensor = nn_tensor_make (NN_F32, rank, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  tensor.data = nn_graph_alloc_weights (graph, nn_tensor_bytes (&tensor));
  for (int64_t i = 0; i < nn_tensor_count (&tensor); i++)
    ((float *) tensor.data)[i] = first + (float) i;
  return nn_graph_add_constant (graph, "constant", &tensor);
}

static nn_value *
project (nn_value *x, const char *name, int64_t columns, float first, nn_value *bias)
{
  nn_value *in[] = { x, constant (2, INNER, columns, first), bias };
  return add ("MatMul", name, in, bias != NULL ? 3 : 2, columns);
}

static int
count (const char *op)
{
  int n = 0;
  for (const nn_node *i = graph->first; i != NULL; i = i->next)
    n += nn_node_is (i, op);
  return n;
}

/* Projections of x to 4, 4 and 6 columns, the second with a bias, for an Attention; and one for a Relu. */
static nn_node *
begin (nn_value *parts[3])
{
  nn_error err;
  graph = nn_graph_new (&err);
  nn_value *x = add (NULL, "x", NULL, 0, INNER);
  parts[0] = project (x, "q", 4, 100, NULL);
  parts[1] = project (x, "k", 4, 200, constant (1, 4, 0, 1));
  nn_value *other = project (x, "other", 7, 0, NULL);
  parts[2] = project (x, "v", 6, 300, NULL);
  nn_value *relu = add ("Relu", "relu", &other, 1, 7), *y = add ("Attention", "y", parts, 3, 6);
  graph->outputs = nn_graph_alloc (graph, 2 * sizeof *graph->outputs);
  graph->outputs[graph->n_outputs++] = y;
  graph->outputs[graph->n_outputs++] = relu;
  y->n_uses++;
  relu->n_uses++;
  CHECK (nn_cuda_merge_products (graph, &err) == NN_OK);
  return graph->first;
}

static void
check_merged (void)
{
  nn_value *parts[3];
  const nn_node *product = begin (parts), *split = product->next;
  CHECK (count ("MatMul") == 2 && count ("Split") == 1 && nn_node_is (product, "MatMul") && nn_node_is (split, "Split"));
  CHECK (product->n_in == 3 && product->in[1]->dim[0] == INNER && product->in[1]->dim[1] == 14);
  CHECK (product->out[0]->rank == 3 && product->out[0]->dim[2] == 14 && split->n_out == 3);
  const float *w = product->in[1]->constant->data, *b = product->in[2]->constant->data;
  for (int row = 0; row < INNER; row++)
    for (int i = 0; i < 14; i++) {
      float expected = i < 4 ? 100 + row * 4 + i : i < 8 ? 200 + row * 4 + i - 4 : 300 + row * 6 + i - 8;
      CHECK (w[row * 14 + i] == expected, "weight %d %d is %g", row, i, w[row * 14 + i]);
    }
  for (int i = 0; i < 14; i++)
    CHECK (b[i] == (i >= 4 && i < 8 ? (float) (i - 3) : 0), "bias %d is %g", i, b[i]);
  for (int i = 0; i < 3; i++)
    CHECK (parts[i]->producer == split && parts[i]->n_uses == 1);
  nn_graph_free (graph);
}

static bool
takes_part (const nn_node *node, int index, const nn_value *root, size_t offset)
{
  return true;
}

static void
check_views (void)
{
  nn_error err;
  nn_value *parts[3];
  nn_value *whole = begin (parts)->out[0];
  CHECK (nn_graph_find_views (graph, takes_part, false, &err) == NN_OK);
  CHECK (count ("Split") == 1 && parts[0]->view_of == NULL);
  CHECK (nn_graph_find_views (graph, NULL, true, &err) == NN_OK && count ("Split") == 0);
  for (int i = 0; i < 3; i++) {
    nn_tensor tensor = nn_value_tensor (parts[i]);
    CHECK (parts[i]->view_of == whole && parts[i]->view_offset == (size_t) i * 16 && parts[i]->is_part);
    CHECK (tensor.stride[0] == ROWS * 14 && tensor.stride[1] == 14 && tensor.stride[2] == 1);
  }
  nn_graph_free (graph);
}

int
main (void)
{
  check_merged ();
  check_views ();
  return nn_check_report ("products merged");
}
