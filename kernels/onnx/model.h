/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What session.c needs of a model beyond nn.h. */
#pragma once

#include "../graph/graph.h"
#include "../nn.h"

#include <pthread.h>

/* A fresh graph of the model, whose constants point into it: keep a reference to the model as long
 * as the graph. */
nn_graph *nn_model_build_graph (const nn_model *model, nn_error *err);

int nn_model_n_operators (const nn_model *model); /* nodes of the file that are no Constant */

/* The plans of the model that live and may be given to others (plan.c). None is kept alive by it. */
typedef struct nn_plan_list {
  pthread_mutex_t mutex;
  nn_plan *first;
} nn_plan_list;
nn_plan_list *nn_model_plans (nn_model *model); /* the model's, as long as it lives */
