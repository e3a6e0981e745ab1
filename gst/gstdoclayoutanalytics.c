/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer ≥ 1.24: an object detection in a GstAnalyticsRelationMeta for each region. */
#include "gstdoclayoutmirror.h"

#include <gst/analytics/analytics.h>

void
gst_doc_layout_mirror (GstBuffer * buffer, const GstDocLayout * layout,
    gboolean replace)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  guint n = layout->regions->len;

  if (meta && replace) {
    gst_buffer_remove_meta (buffer, (GstMeta *) meta);
    meta = NULL;
  }
  if (meta == NULL) {
    /* An empty page gets the meta too: overlays of GStreamer draw their last picture again on
     * buffers without one. The sizes are a start, enough for not growing here. */
    GstAnalyticsRelationMetaInitParams params = {
      .initial_relation_order = MAX (n, 1),
      .initial_buf_size = MAX (n, 1) * 64,
    };
    meta = gst_buffer_add_analytics_relation_meta_full (buffer, &params);
  }

  for (guint i = 0; i < n; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);
    gint x, y, width, height;
    GstAnalyticsODMtd mtd;

    gst_doc_outer_span (r->x0, r->x1, layout->width, &x, &width);
    gst_doc_outer_span (r->y0, r->y1, layout->height, &y, &height);
    gst_analytics_relation_meta_add_od_mtd (meta,
        g_quark_from_string (r->label), x, y, width, height, r->score, &mtd);
  }
}
