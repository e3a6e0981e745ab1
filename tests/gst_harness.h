/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element tests share. */
#pragma once

#include <gst/check/check.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

/* A test case whose tests each fail when they leave a GStreamer object behind, as the leaks tracer
 * sees it. Without GST_TRACERS=leaks, which the meson tests set, it looks for none. */
TCase *doc_tcase_new (const gchar *name);

/* A frame of `caps` (video/x-raw, system memory, default strides) filled with `value`, with `pts`
 * and a duration of one second. */
GstBuffer *doc_frame_new (const gchar *caps, guint8 value, GstClockTime pts);

/* A pad probe that writes what passes to the GString `text`: a buffer's whole seconds, an event's name, a space
 * behind each. */
GstPadProbeReturn doc_note (GstPad *pad, GstPadProbeInfo *info, gpointer text);

/* How many entries a folder has, such as /proc/self/fd, where one is the descriptor that this takes. */
guint doc_count_entries (const gchar *folder);
