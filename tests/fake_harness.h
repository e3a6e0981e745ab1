/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect around the fake engine, and pages for it. The other elements are there for launch lines too, and
 * are the real ones. */
#pragma once

#include "fake_engine.h"
#include "gst_harness.h"

#define FAKE_CAPS "video/x-raw,format=GRAY8,width=4,height=4,framerate=1/1"

/* A test case with a file that passes for a model, and an engine that is as new in each test. */
TCase *fake_tcase_new (const gchar *name);

/* The element, with properties as in a launch line. (transfer full) */
GstElement *fake_element_new (const gchar *properties);
GstHarness *fake_start (const gchar *properties);

/* A page of one grey, `number`, which is its PTS in seconds too. */
GstBuffer *fake_page (guint number);
/* Takes the next buffer, which is page `number` with what the engine finds on it. */
void fake_pull (GstHarness *h, guint number);
