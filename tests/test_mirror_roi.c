/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer < 1.24: the regions as GstVideoRegionOfInterestMeta. */
#include "gst/gstdoclayoutmeta.h"
#include "gst_harness.h"

static guint
count (GstBuffer * buffer)
{
  return gst_buffer_get_n_meta (buffer,
      GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

GST_START_TEST (regions_of_interest)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstDocLayout *layout = gst_doc_layout_new (200, 100);
  const GstDocRegion region = { 5, 4, "table", 0.75, 20.5, 10.25, 300, 50 };
  GstVideoRegionOfInterestMeta *roi;
  GstStructure *detection;
  gdouble x_min, y_max, confidence;
  gint label;

  gst_buffer_add_video_region_of_interest_meta (buffer, "face", 1, 2, 3, 4);
  g_array_append_val (layout->regions, region);
  gst_doc_layout_meta_add (buffer, layout);
  gst_doc_layout_meta_add (buffer, layout);
  fail_unless_equals_int (count (buffer), 2);

  roi = gst_buffer_get_video_region_of_interest_meta_id (buffer, 5);
  fail_unless_equals_string (g_quark_to_string (roi->roi_type), "table");
  fail_unless (roi->x == 20 && roi->y == 10 && roi->w == 180 && roi->h == 40);
  detection = gst_video_region_of_interest_meta_get_param (roi, "detection");
  fail_unless (gst_structure_get (detection, "x_min", G_TYPE_DOUBLE, &x_min,
          "y_max", G_TYPE_DOUBLE, &y_max, "confidence", G_TYPE_DOUBLE,
          &confidence, "label_id", G_TYPE_INT, &label, NULL));
  fail_unless (x_min == 0.1025 && y_max == 0.5 && confidence == 0.75
      && label == 4);

  g_array_set_size (layout->regions, 0);
  gst_doc_layout_meta_add (buffer, layout);
  fail_unless_equals_int (count (buffer), 1);
  gst_doc_layout_free (layout);
  gst_buffer_unref (buffer);
}

GST_END_TEST

static Suite *
mirror_suite (void)
{
  Suite *s = suite_create ("regions of interest");
  TCase *tc = doc_tcase_new ("mirror");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, regions_of_interest);
  return s;
}

GST_CHECK_MAIN (mirror)
