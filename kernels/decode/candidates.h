/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a dense head's candidates where its outputs lie: what a session asks its backend for. */
#pragma once

#include "dense.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NN_CANDIDATES_MOST 4096 /* of a page; with more the host decodes it */

/* What has been found on a page so far. */
typedef struct nn_candidate_count {
  int n, cells[NN_LEVELS_MAX], blocks_done;
} nn_candidate_count;

/* An output, all its pages in turn. */
typedef struct nn_output_copy {
  void *to;
  const void *from;
  int64_t page_bytes; /* a multiple of 4 */
} nn_output_copy;

/* `found`, `candidates` and outputs[].to are host memory that the device writes (nn_backend.alloc_host), so that just
 * what there is crosses over; all else is the device's. */
typedef struct nn_candidates_job {
  nn_head head;
  const float *threshold;
  nn_candidate_count *counts; /* [pages], all 0 before and after */
  int *found;                 /* [pages] candidates; -1: too many, and the page's outputs were copied instead */
  nn_candidate *candidates;   /* [pages][NN_CANDIDATES_MOST] */
  int n_outputs;
  nn_output_copy outputs[2 * NN_LEVELS_MAX];
} nn_candidates_job;

#ifdef __cplusplus
}
#endif
