/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect while everything about it is changed from other threads, all the time and at once.
 *
 * To add a kind of disturbance: a function in stress.c and a row in its table.
 */
#pragma once

#include "gst_harness.h"

#define STRESS_ALL (-1)

/* How many kinds there are, and what they are called. */
guint stress_n_kinds (void);
const gchar *stress_kind (guint kind);

/* Pages pass through `element`, whose engine finds one region on each, scored with the page's grey, 0 … 1, while it
 * is disturbed by the one kind, or by all of them, many times. Fails the test where a page that comes out has another
 * one's regions or size, is out of order, where an error was posted, or where the element does not work as it should
 * afterwards: `batch-size` and `threshold` are set anew for that. */
void stress_run (GstElement * element, gint kind);
