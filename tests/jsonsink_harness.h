/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of jsonsink share. */
#pragma once

#include "gst_harness.h"

#define JSON_CAPS "video/x-raw,format=BGRx,width=200,height=100,framerate=1/1"

/* An empty folder and the name of a file in it, for each test; the folder goes with its files. */
extern gchar *json_folder, *json_path;
void json_setup (void);
void json_teardown (void);

/* Entries in the folder. */
guint json_entries (void);

/* The lines of the file, or NULL where there is none; fails if the last one is not finished. */
gchar **json_lines (void);

/* The file has lines of the pages 1 to `n` and no more; with 0, there is no file. */
void json_check_pages (guint n);

/* A frame of JSON_CAPS: page `number` of 9 of file:///a.pdf, with `n` regions, each third of them a
 * table and the others text; an error page where `error` is given. */
GstBuffer *json_page_new (guint number, guint n, const gchar * error);

/* A jsonsink that plays, with a bus of its own and properties (name, value …, NULL). */
GstHarness *json_harness_new (const gchar * location, const gchar * first_property, ...);
void json_harness_teardown (GstHarness * h);

/* The next message of `type` on its bus, or NULL. */
GstMessage *json_pop (GstHarness * h, GstMessageType type);

/* There is exactly one resource error on `bus`, with `code` and `text` in its message. */
void json_check_error (GstBus * bus, gint code, const gchar * text);

/* The next warning has `text` in its message; with NULL, there is none. */
void json_check_warning (GstHarness * h, const gchar * text);

/* Runs a launch line to the end of its stream, so many times. */
void json_run (const gchar * launch, guint times);
