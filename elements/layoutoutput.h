/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files the pages of a stream go to: one for all, or where the location is a pattern
 * (locationpattern.h) one a document or page. A format may have a second file beside each, named NAME.images.json
 * after NAME.json unless a location is given; it gets its name first.
 *
 * For each page: where gst_layout_output_is_elsewhere(), finish and commit the file at hand and
 * begin() the next one; then page(). Errors are in G_FILE_ERROR, with a message for the user. After
 * one gst_layout_output_discard() drops the file at hand, and those before it stay. One thread at a
 * time, but for gst_layout_output_set_flushing().
 */
#pragma once

#include <gst/gst.h>

#include "layoutwriter.h"

G_BEGIN_DECLS

typedef struct _GstLayoutOutput GstLayoutOutput;

/* Strings are copied by gst_layout_output_new(). */
typedef struct {
  GstLayoutFormat format;
  gchar *location;
  gchar *images_location; /* of a format's second file; NULL: beside the first, if that is a regular file */
  gboolean append;
} GstLayoutOutputSettings;

/* Opens the file, unless the location is a pattern. NULL and `error` if it cannot be opened, or if
 * the settings do not go together. */
GstLayoutOutput *gst_layout_output_new (const GstLayoutOutputSettings * settings, GError ** error);
void gst_layout_output_free (GstLayoutOutput * output);

/* TRUE where files come and go with documents or pages. */
gboolean gst_layout_output_is_pattern (const GstLayoutOutput * output);

/* TRUE if no file is open, or the page belongs to another one. */
gboolean gst_layout_output_is_elsewhere (const GstLayoutOutput * output,
    const GstLayoutJsonPage * in);

/* Opens the page's file. FALSE and `error` also where there is one file, and it is full. */
gboolean gst_layout_output_begin (GstLayoutOutput * output, const GstLayoutJsonPage * in,
    GError ** error);

/* GST_FLOW_FLUSHING: interrupted; drain() writes what is left. */
GstFlowReturn gst_layout_output_page (GstLayoutOutput * output, const GstLayoutJsonPage * in,
    const GArray * regions, gboolean flush, GError ** error);
GstFlowReturn gst_layout_output_drain (GstLayoutOutput * output, GError ** error);

/* The end of the file at hand, if it has pages, as above; then commit() gives it its name. A file
 * without pages is dropped. */
GstFlowReturn gst_layout_output_finish (GstLayoutOutput * output, GError ** error);
gboolean gst_layout_output_commit (GstLayoutOutput * output, GError ** error);

/* The file at hand is as it was before. */
void gst_layout_output_discard (GstLayoutOutput * output);

/* TRUE if a file is open and has pages. */
gboolean gst_layout_output_has_pages (const GstLayoutOutput * output);

/* The name of the file at hand; NULL: none is open. Valid until the next call. */
const gchar *gst_layout_output_file_name (const GstLayoutOutput * output);

/* TRUE if appending found a last line without a line break. */
gboolean gst_layout_output_was_unfinished (const GstLayoutOutput * output);

/* TRUE ends a wait for a slow or missing reader, and every later one until FALSE. Any thread. */
void gst_layout_output_set_flushing (GstLayoutOutput * output, gboolean flushing);

G_END_DECLS
