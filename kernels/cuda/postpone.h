/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../graph/graph.h"

/* A rewrite for backend.h, before nn_cuda_join_chains(): an activation that no library applies behind its convolutions
 * becomes a node in front of the elementwise one that alone reads the result, and so part of a chain, instead of a pass
 * over a large result. */
nn_status nn_cuda_postpone_activations (nn_graph *graph, nn_error *err);
