/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with the default model in a harness, and pages for it. */
#pragma once

#include "drawn_page.h"
#include "gst_harness.h"

#define DETECT_SIZE "width=848,height=1100,framerate=1/1"
#define DETECT_CAPS "video/x-raw,format=BGRx," DETECT_SIZE

/* A harness around the element made by `launch`, with its properties set before it plays. */
GstHarness *detect_start_with (const gchar *launch);

/* On the CPU, with batches of `batch` pages: full ones or ended by the stream's end, whatever the load. */
GstHarness *detect_start (guint batch);

/* Page `number`, of DETECT_CAPS, with drawn_block (number) on it. */
GstBuffer *detect_page (guint number);

/* The buffer's one region is the block of page `number`. */
void detect_check_found (GstBuffer *buffer, guint number);

/* Runs the suite; 77, with the reason, where there is no model. */
int detect_main (int *argc, char ***argv, Suite *suite, const gchar *name, const gchar *file);
