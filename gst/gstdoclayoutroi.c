/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer < 1.24: one GstVideoRegionOfInterestMeta a region, with the parameter structure
 * "detection" of the Intel DL Streamer elements (coordinates in 0 … 1). */
#include "gstdoclayoutmirror.h"

#include <gst/video/video.h>

/* Marks our metas, so that replacing leaves those of other detectors. */
#define OURS "doclayout"

static gboolean
remove_ours (GstBuffer * buffer, GstMeta ** meta, gpointer user_data)
{
  if ((*meta)->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE
      && gst_video_region_of_interest_meta_get_param (
          (GstVideoRegionOfInterestMeta *) * meta, OURS))
    *meta = NULL;
  return TRUE;
}

void
gst_doc_layout_mirror (GstBuffer * buffer, const GstDocLayout * layout,
    gboolean replace)
{
  if (replace)
    gst_buffer_foreach_meta (buffer, remove_ours, NULL);
  for (guint i = 0; i < layout->regions->len; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);
    GstVideoRegionOfInterestMeta *roi;
    gint x, y, width, height;

    gst_doc_outer_span (r->x0, r->x1, layout->width, &x, &width);
    gst_doc_outer_span (r->y0, r->y1, layout->height, &y, &height);
    roi = gst_buffer_add_video_region_of_interest_meta (buffer, r->label, x, y,
        width, height);
    roi->id = r->id;
    gst_video_region_of_interest_meta_add_param (roi,
        gst_structure_new ("detection",
            "x_min", G_TYPE_DOUBLE, r->x0 / layout->width,
            "x_max", G_TYPE_DOUBLE, r->x1 / layout->width,
            "y_min", G_TYPE_DOUBLE, r->y0 / layout->height,
            "y_max", G_TYPE_DOUBLE, r->y1 / layout->height,
            "confidence", G_TYPE_DOUBLE, r->score,
            "label_id", G_TYPE_INT, r->class_id, NULL));
    gst_video_region_of_interest_meta_add_param (roi,
        gst_structure_new_empty (OURS));
  }
}
