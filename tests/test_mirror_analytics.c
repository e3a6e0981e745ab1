/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer ≥ 1.24: the regions as object detections of GstAnalytics. */
#include "gst/gstdoclayoutmeta.h"
#include "gst_harness.h"

#include <gst/analytics/analytics.h>

GST_START_TEST (object_detections)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstDocLayout *layout = gst_doc_layout_new (200, 100);
  const GstDocRegion region = { 5, 4, "table", 0.75, 20.5, 10.25, 300, 50 };
  GstAnalyticsRelationMeta *meta;
  GstAnalyticsODMtd mtd;
  gint x, y, w, h;
  gfloat confidence;

  /* an empty page has the meta too */
  gst_doc_layout_meta_add (buffer, layout);
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  fail_unless (meta != NULL);
  fail_unless_equals_int (gst_analytics_relation_get_length (meta), 0);

  for (guint i = 0; i < 40; i++)
    g_array_append_val (layout->regions, region);
  gst_doc_layout_meta_add (buffer, layout);
  gst_doc_layout_meta_add (buffer, layout);
  fail_unless_equals_int (gst_buffer_get_n_meta (buffer,
          GST_ANALYTICS_RELATION_META_API_TYPE), 1);
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  fail_unless_equals_int (gst_analytics_relation_get_length (meta), 40);
  fail_unless (gst_analytics_relation_meta_get_od_mtd (meta, 39, &mtd));
  fail_unless (gst_analytics_od_mtd_get_location (&mtd, &x, &y, &w, &h,
          &confidence));
  fail_unless (x == 20 && y == 10 && w == 180 && h == 40
      && confidence == 0.75f);
  fail_unless_equals_string (g_quark_to_string
      (gst_analytics_od_mtd_get_obj_type (&mtd)), "table");
  gst_doc_layout_free (layout);
  gst_buffer_unref (buffer);
}

GST_END_TEST

static Suite *
mirror_suite (void)
{
  Suite *s = suite_create ("object detections");
  TCase *tc = doc_tcase_new ("mirror");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, object_detections);
  return s;
}

GST_CHECK_MAIN (mirror)
