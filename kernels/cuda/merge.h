/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../graph/graph.h"

/* A rewrite for backend.h: products of one value with constant matrices become one product and a Split of its columns,
 * where those that read the parts take them as they lie (nn_graph_takes_rows()): projections in front of attention. */
nn_status nn_cuda_merge_products (nn_graph *graph, nn_error *err);
