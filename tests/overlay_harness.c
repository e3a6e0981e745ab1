/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay_harness.h"

#include "gst/gstdocpagemeta.h"

void
overlay_add_regions (GstBuffer * buffer, const GstDocRegion * regions, guint n)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (WIDTH, HEIGHT);

  g_array_append_vals (layout->regions, regions, n);
  fail_unless (gst_doc_layout_meta_add (buffer, layout));
}

GstBuffer *
overlay_push (const gchar * launch, const gchar * caps, GstBuffer * in)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstBuffer *out;

  gst_harness_set_src_caps_str (h, caps);
  fail_unless_equals_int (gst_harness_push (h, in), GST_FLOW_OK);
  out = gst_harness_pull (h);
  fail_unless (out != NULL);
  gst_harness_teardown (h);
  return out;
}

GstBuffer *
overlay_draw (const gchar * launch, const GstDocRegion * regions, guint n)
{
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0);

  overlay_add_regions (in, regions, n);
  return overlay_push (launch, CAPS, in);
}

guint32
overlay_pixel (GstBuffer * buffer, guint width, guint x, guint y)
{
  guint8 p[4];

  fail_unless_equals_int (gst_buffer_extract (buffer, 4 * (y * width + x), p, 4), 4);
  return p[2] << 16 | p[1] << 8 | p[0];
}

gboolean
overlay_inside (gint x, gint y, const gint * box)
{
  return x >= box[0] && y >= box[1] && x < box[2] && y < box[3];
}

gsize
overlay_count_color (GstBuffer * buffer, guint width, guint height, guint32 color)
{
  gsize n = 0;

  for (guint i = 0; i < width * height; i++)
    n += overlay_pixel (buffer, width, i % width, i / width) == color;
  return n;
}

void
overlay_add_error (GstBuffer * buffer, const gchar * error)
{
  GstDocPage page = GST_DOC_PAGE_INIT;

  page.page = 7;
  page.error = error;
  fail_unless (gst_doc_page_meta_add (buffer, &page));
}
