/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What inspect.c needs of a plan beyond nn.h. */
#pragma once

#include "graph/graph.h"
#include "nn.h"

const nn_graph *nn_plan_graph (const nn_plan *plan);          /* after all passes */
const nn_node *nn_plan_step (const nn_plan *plan, int index); /* 0 … nn_plan_nodes_after() - 1, in order */
