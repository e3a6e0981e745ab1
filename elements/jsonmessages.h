/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What jsonsink tells on the bus. The fields are listed in docs/json.md. */
#pragma once

#include "layoutjson.h"

G_BEGIN_DECLS

typedef struct {
  guint64 pages, failed, regions;
} GstJsonTotals;

/* An element message "jsonsink-page" from `source`; `regions` and `line` as layoutjson gave them. */
GstMessage *gst_json_message_page (GstElement * source, const GstLayoutJsonPage * in,
    const GArray * regions, const gchar * line);

/* An element message "jsonsink-summary" from `source`. */
GstMessage *gst_json_message_summary (GstElement * source, const GstJsonTotals * totals);

/* An element message "jsonsink-file" from `source`: a file is complete. */
GstMessage *gst_json_message_file (GstElement * source, const gchar * location);

G_END_DECLS
