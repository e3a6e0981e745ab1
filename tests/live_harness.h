/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect behind a live source. Time is a test clock's, which the fake engine moves on by what a batch
 * takes. */
#pragma once

#include "fake_harness.h"

#define LIVE_UPSTREAM_MS 5 /* the source's latency */

/* The element with properties as in a launch line, and an engine that takes `ms` a batch with `capacity` of them in
 * flight. It has been asked for its latency. */
GstHarness *live_start (const gchar *properties, gint ms, gint capacity);
void live_stop (GstHarness *h);

GstClockTime live_now (void);
/* Where the clock is not there yet. */
void live_move_to (GstClockTime time);

/* So many batches may end, and no more; < 0: all. */
void live_may_end (gint batches);

/* The next QoS message; NULL: there is none. (transfer full) */
GstMessage *live_pop_qos (void);

/* Query function of a pad whose source is not live. */
gboolean live_answer_not (GstPad *pad, GstObject *parent, GstQuery *query);
