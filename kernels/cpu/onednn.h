/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What differs between oneDNN 2.x and 3.x, hidden: memory descriptors and how primitives are
 * described. Everything is float32 on the CPU; statuses are oneDNN's.
 */
#pragma once

#include "../graph/graph.h"

#include <oneapi/dnnl/dnnl.h>

typedef struct nn_onednn_conv {
  dnnl_dims_t x, y, weights; /* x, y: N, C, H, W, channels-last in memory; weights (G,) O, I, H, W */
  int weights_rank;
  dnnl_dims_t stride, dilation, pad_begin, pad_end; /* dilation 0: none */
  bool bias, residual; /* the residual is like y and is post-op 0 */
  nn_activation activation;
} nn_onednn_conv;

/* dnnl_unimplemented where the library has no such kernel or activation. */
dnnl_status_t nn_onednn_conv_desc (const nn_onednn_conv *conv, dnnl_primitive_desc_t *desc);

/* Whether the library would run its unoptimised code. */
bool nn_onednn_is_reference (const_dnnl_primitive_desc_t desc);

/* Copies row-major weights into the layout that `desc` wants, query_size() bytes at `to`. */
dnnl_status_t nn_onednn_pack (const_dnnl_primitive_desc_t desc, int rank, const dnnl_dims_t dims, void *from,
                              void *to);

size_t nn_onednn_query_size (const_dnnl_primitive_desc_t desc, dnnl_query_t query, int index);
dnnl_status_t nn_onednn_memory (const_dnnl_primitive_desc_t desc, dnnl_query_t query, int index, void *data,
                                dnnl_memory_t *memory);
dnnl_status_t nn_onednn_stream (dnnl_stream_t *stream);
