/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Activations that leave large convolutions for the elementwise node behind them. */
#include "kernels/cuda/postpone.h"
#include "kernels/ops.h"
#include "nn-check.h"

#include <string.h>

static nn_graph *graph;

static nn_value *
add (const char *op, nn_value *const *in, int n_in, int64_t side)
{
  nn_value *out = nn_graph_add_value (graph, op != NULL ? op : "input");
  const int64_t dim[] = { 1, 64, side, side };
  out->dtype = NN_F32;
  out->rank = 4;
  memcpy (out->dim, dim, sizeof dim);
  if (op != NULL)
    nn_graph_add_node (graph, NULL, nn_op_find (op), op, in, n_in, &out, 1);
  return out;
}

static nn_value *
convolve (nn_value *x, nn_activation_kind kind, int64_t side)
{
  nn_value *in[] = { x, add (NULL, NULL, 0, 1) }, *y = add ("Conv", in, 2, side);
  y->producer->activation = (nn_activation){ kind, 0.25f, 0.75f };
  return y;
}

/* The results of two convolutions, added. */
static nn_node *
begin (nn_activation_kind a, nn_activation_kind b, int64_t side)
{
  nn_error err;
  graph = nn_graph_new (&err);
  nn_value *x = add (NULL, NULL, 0, side), *in[] = { convolve (x, a, side), convolve (x, b, side) };
  nn_value *y = add ("Add", in, 2, side);
  graph->outputs = nn_graph_alloc (graph, sizeof *graph->outputs);
  graph->outputs[graph->n_outputs++] = y;
  y->n_uses++;
  return y->producer;
}

static void
check_moved (nn_activation_kind kind, const char *op)
{
  nn_error err;
  nn_node *sum = begin (kind, NN_ACT_RELU, 512);
  CHECK (nn_cuda_postpone_activations (graph, &err) == NN_OK && graph->n_nodes == 4);
  const nn_node *node = sum->in[0]->producer, *conv = node->in[0]->producer;
  CHECK (nn_node_is (node, op) && node->next == sum && nn_node_is (conv, "Conv"));
  CHECK (conv->activation.kind == NN_ACT_NONE && node->activation.kind == NN_ACT_NONE);
  CHECK (node->in[0]->n_uses == 1 && node->out[0]->n_uses == 1 && node->in[0]->dim[2] == 512);
  CHECK (nn_node_float (node, "alpha", 0) == 0.25f && nn_node_float (node, "beta", 0) == 0.75f);
  CHECK (nn_node_is (sum->in[1]->producer, "Conv"), "a rectifier is the library's");
  nn_graph_free (graph);
}

static void
check_left (nn_node *sum, bool read_twice)
{
  nn_error err;
  sum->in[0]->n_uses += read_twice;
  CHECK (nn_cuda_postpone_activations (graph, &err) == NN_OK && graph->n_nodes == 3);
  CHECK (nn_node_is (sum->in[0]->producer, "Conv") && sum->in[0]->producer->activation.kind == NN_ACT_SILU);
  nn_graph_free (graph);
}

int
main (void)
{
  check_moved (NN_ACT_SILU, "Silu");
  check_moved (NN_ACT_HARD_SWISH, "HardSwish");
  check_moved (NN_ACT_LEAKY_RELU, "LeakyRelu");
  check_left (begin (NN_ACT_SILU, NN_ACT_RELU, 64), false);
  check_left (begin (NN_ACT_SILU, NN_ACT_RELU, 512), true);
  return nn_check_report ("activations postponed");
}
