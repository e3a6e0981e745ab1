/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pipelines made of launch lines, in tests of fake_tcase_new() and others that have the elements. */
#pragma once

#include <gst/gst.h>

/* A pipeline as in a launch line, which `format` makes; a line that is wrong fails the test. (transfer full) */
GstElement *fake_pipeline_new (const gchar * format, ...) G_GNUC_PRINTF (1, 2);
/* Sets it to NULL and drops it. */
void fake_pipeline_free (GstElement * pipeline);

/* Calls `probe` with `data` for each buffer that passes the pad of the element. */
void fake_pipeline_probe (GstElement * pipeline, const gchar * element, const gchar * pad,
    GstPadProbeCallback probe, gpointer data);

/* Plays until the end of the stream. An error fails the test; so does a minute without an end, far more than it
 * takes. */
void fake_pipeline_play (GstElement * pipeline);
/* Waits for that end where it plays already. */
void fake_pipeline_wait (GstElement * pipeline);
