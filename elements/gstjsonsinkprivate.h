/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of jsonsink share. */
#pragma once

#include "gstjsonsink.h"

#include "jsonmessages.h"
#include "layoutoutput.h"

G_BEGIN_DECLS

struct _GstJsonSink
{
  GstBaseSink parent;

  GstLayoutOutputSettings settings; /* properties: under the object lock */
  gboolean flush, post_messages, empty_pages;

  GstLayoutOutput *output;      /* under the object lock, for unlock() */
  gboolean failed;              /* an error was posted */
  gboolean skipping;            /* until the next file, for this one could not be written */
  guint n_files, n_failed_files; /* of this run */
  gboolean warned;              /* that nothing looked for regions */
  gboolean new_stream;          /* ask for the document again */
  gchar *document;              /* URI, where the page metas have none */
  guint number;                 /* of the last page without a page meta */
  gint width, height;
  GstJsonTotals totals;         /* of this run */
  guint64 written;              /* of its pages, those that are in files */
};

/* gstjsonsinkproperties.c */
void gst_json_sink_install_properties (GObjectClass * klass);
void gst_json_sink_init_properties (GstJsonSink * self);
void gst_json_sink_free_properties (GstJsonSink * self);

/* A flag that may be set while pages flow. */
gboolean gst_json_sink_get_flag (GstJsonSink * self, const gboolean * flag);

/* gstjsonsinkfiles.c. Each failure has been posted when they return. */

/* Ready for pages. FALSE: nothing can be written. */
gboolean gst_json_sink_open (GstJsonSink * self);

/* Writes a page to the file that it belongs to; before it, ends the one before. */
GstFlowReturn gst_json_sink_write (GstJsonSink * self, const GstLayoutJsonPage * in,
    const GArray * regions);

/* The end of the stream, or (`interrupted`) of what was done of it: waits for no reader then.
 * Without a single page a file stays as it was. */
gboolean gst_json_sink_close (GstJsonSink * self, gboolean interrupted);

G_END_DECLS
