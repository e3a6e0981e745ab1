/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session has where its device finds the candidates of a dense head (decode/dense.h). */
#pragma once

#include "decode/decode.h"
#include "plan.h"

typedef struct nn_finder nn_finder;

/* `there`: the outputs as they lie on the device; `here`: their copies in the host's reach, for pages with too many
 * candidates. NN_OK with NULL for `*finder` where the device cannot, or the head does not fit. */
nn_status nn_finder_new (const nn_plan *plan, const nn_dense *dense, nn_decode_input input, const nn_tensor *there,
                         const nn_tensor *here, nn_finder **finder, nn_error *err);
void nn_finder_free (nn_finder *finder); /* NULL is fine */

void nn_finder_set_threshold (nn_finder *finder, float threshold);
nn_status nn_finder_send (nn_finder *finder, void *stream, nn_error *err); /* the threshold, before a run */
nn_status nn_finder_find (const nn_finder *finder, nn_error *err);         /* the last step of a run */

/* As nn_session_candidates(). */
const nn_candidate *nn_finder_candidates (const nn_finder *finder, int page, int *n);
