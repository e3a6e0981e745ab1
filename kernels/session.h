/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the detector needs of plans and sessions beyond nn.h. */
#pragma once

#include "nn.h"
#include "page/page.h"

const char *nn_plan_device_name (const nn_plan *plan); /* "cpu", "cuda:0 NVIDIA GB10" */

/* Memory that the plan and its sessions have on a device of its own at present; 0 on the CPU. */
size_t nn_plan_device_bytes (const nn_plan *plan);

/* Fills input `index`, [n,3,H,W], from `n` frames (as many as the plan's batch), for the next run, and tells where
 * each came to lie. On a GPU that is enqueued and done there: frames stay as they are until the run is over. */
nn_status nn_session_fill_pages (nn_session *session, int index, const nn_frame *frames, int n,
                                 const nn_page_spec *spec, nn_page_placement *placements, nn_error *err);
