/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What session.c needs of a model beyond nn.h. */
#pragma once

#include "../graph/graph.h"
#include "../nn.h"

/* A fresh graph of the model, whose constants point into it: keep a reference to the model as long
 * as the graph. */
nn_graph *nn_model_build_graph (const nn_model *model, nn_error *err);

int nn_model_n_operators (const nn_model *model); /* nodes of the file that are no Constant */
