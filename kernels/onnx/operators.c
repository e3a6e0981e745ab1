/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "onnx.h"

#include <stdlib.h>
#include <string.h>

static bool
is_own_domain (const char *domain)
{
  return domain == NULL || domain[0] == '\0' || strcmp (domain, "ai.onnx") == 0;
}

/* A node without operator is none of ours to count: building refuses it. */
static bool
is_counted (const Onnx__NodeProto *node)
{
  return node->op_type != NULL && node->op_type[0] != '\0'
         && (strcmp (node->op_type, "Constant") != 0 || !is_own_domain (node->domain));
}

static nn_operator_info
info_of (const Onnx__NodeProto *node)
{
  bool own = is_own_domain (node->domain);
  return (nn_operator_info){ .name = node->op_type,
                             .domain = own ? "" : node->domain,
                             .n_nodes = 1,
                             .supported = own && nn_op_find (node->op_type) != NULL };
}

static int
compare (const void *a, const void *b)
{
  const nn_operator_info *x = a, *y = b;
  int order = strcmp (x->name, y->name);
  return order != 0 ? order : strcmp (x->domain, y->domain);
}

/* Sorted, and equal ones next to each other made one. */
static int
merge (nn_operator_info *infos, int n)
{
  int last = -1;
  qsort (infos, (size_t) n, sizeof *infos, compare);
  for (int i = 0; i < n; i++)
    if (last >= 0 && compare (&infos[last], &infos[i]) == 0)
      infos[last].n_nodes++;
    else
      infos[++last] = infos[i];
  return last + 1;
}

nn_status
nn_onnx_count_operators (const Onnx__ModelProto *proto, nn_operator_info **infos, int *n, nn_error *err)
{
  const Onnx__GraphProto *graph = proto->graph;
  nn_operator_info *list = calloc (graph->n_node + 1, sizeof *list);
  if (list == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu nodes", graph->n_node);
  int counted = 0;
  for (size_t i = 0; i < graph->n_node; i++)
    if (is_counted (graph->node[i]))
      list[counted++] = info_of (graph->node[i]);
  *n = merge (list, counted);
  *infos = list;
  return NN_OK;
}

static const Onnx__NodeProto *
first_unsupported (const Onnx__GraphProto *graph)
{
  for (size_t i = 0; i < graph->n_node; i++)
    if (is_counted (graph->node[i]) && !info_of (graph->node[i]).supported)
      return graph->node[i];
  return NULL;
}

/* Cut where an error's message would be. */
static void
append (nn_error *list, const nn_operator_info *info)
{
  nn_error before = *list;
  nn_fail (list, NN_ERR_UNSUPPORTED, "%s%s%s%s%s (%d)", before.message, before.message[0] != '\0' ? ", " : "",
           info->domain, info->domain[0] != '\0' ? "." : "", info->name, info->n_nodes);
}

nn_status
nn_onnx_check_operators (const Onnx__ModelProto *proto, const nn_operator_info *infos, int n, nn_error *err)
{
  const Onnx__NodeProto *first = first_unsupported (proto->graph);
  nn_error list = { 0 };
  if (first == NULL)
    return NN_OK;
  for (int i = 0; i < n; i++)
    if (!infos[i].supported)
      append (&list, &infos[i]);
  return nn_fail (err, NN_ERR_UNSUPPORTED, "operators that are not supported, first in node '%s' (%s): %s",
                  nn_onnx_node_name (first), first->op_type, list.message);
}
