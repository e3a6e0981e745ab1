/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernels read and write some channels of an image's pixels where they lie in a larger image (graph.h). */
#pragma once

#include "../graph/graph.h"

bool nn_cuda_takes_part (const nn_node *node, int index, const nn_value *root, size_t offset);
