/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the detector needs of plans and sessions beyond nn.h. */
#pragma once

#include "decode/decode.h"
#include "nn.h"
#include "page/page.h"

const char *nn_plan_device_name (const nn_plan *plan); /* "cpu", "cuda:0 NVIDIA GB10" */

/* Memory that the plan and its sessions have on a device of its own at present; 0 on the CPU. */
size_t nn_plan_device_bytes (const nn_plan *plan);

/* Fills the first pages of input `index`, [batch,3,H,W], from `n` frames, for the next run, and tells where each came to
 * lie. Other pages hold what they held. On a GPU that is enqueued and done there: frames stay as they are until the run is over. */
nn_status nn_session_fill_pages (nn_session *session, int index, const nn_frame *frames, int n,
                                 const nn_page_spec *spec, nn_page_placement *placements, nn_error *err);

/* How many bytes of these frames had to be copied before a GPU could read them. */
size_t nn_session_staged_bytes (const nn_session *session);

/* ---- dense heads ---- */

/* As nn_session_new(), but where the device can, runs find the candidates of a dense head (decode/dense.h) and copy no
 * outputs. `input` tells about the outputs what dense->head() asks for; that sets the outputs themselves. NULL for
 * `dense`, a head that does not fit, or a device that cannot: a session like others. */
nn_session *nn_session_new_dense (nn_plan *plan, const nn_dense *dense, const nn_decode_input *input, nn_error *err);

/* For the next runs; other sessions have none. */
void nn_session_set_threshold (nn_session *session, float threshold);

/* What the last run found on a page, in any order, valid until the next. NULL where its outputs are to be decoded:
 * there were too many, or the session is like others. */
const nn_candidate *nn_session_candidates (const nn_session *session, int page, int *n);
