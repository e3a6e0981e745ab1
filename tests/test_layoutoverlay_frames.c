/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay: frames of all sizes, strides and owners; states and properties. */
#include "gst/gstdocpagemeta.h"
#include "overlay_harness.h"

#include <string.h>

GST_START_TEST (test_small_frames)
{
  static const guint sizes[][2] = { {1, 1}, {1, 300}, {300, 1}, {33, 17}, {2, 3} };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const guint w = sizes[i][0], h = sizes[i][1];
    const GstDocRegion region = { 0, 0, "text", 0.9, 0, 0, w, h };
    g_autofree gchar *caps =
        g_strdup_printf ("video/x-raw,format=BGRx,width=%u,height=%u,framerate=1/1", w, h);
    GstBuffer *in = doc_frame_new (caps, 0xff, 0), *out;

    overlay_add_regions (in, &region, 1);
    out = overlay_push ("layoutoverlay draw-labels=false draw-scores=false", caps, in);
    fail_unless_equals_int (overlay_pixel (out, w, 0, 0), gst_doc_label_color ("text"));
    fail_unless_equals_int (overlay_pixel (out, w, w - 1, h - 1), gst_doc_label_color ("text"));
    gst_buffer_unref (out);

    in = doc_frame_new (caps, 0xff, 0);
    overlay_add_regions (in, &region, 1);
    overlay_add_error (in, "a reason that is longer than the frame is wide");
    gst_buffer_unref (overlay_push ("layoutoverlay", caps, in));
  }
}

GST_END_TEST

/* A frame that is shared is copied, metas and all; one that is not is drawn on where it lies. */
GST_START_TEST (test_in_place)
{
  const GstDocRegion region = TEXT;
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0), *out;
  GstMemory *memory = gst_buffer_peek_memory (in, 0);
  GstDocLayout *layout;
  GstDocPage page;

  overlay_add_regions (in, &region, 1);
  overlay_add_error (in, "damaged");
  out = overlay_push (PLAIN, CAPS, gst_buffer_ref (in));
  fail_unless (out != in);
  fail_unless_equals_int (overlay_count_color (in, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 49, 50), gst_doc_label_color ("text"));
  layout = gst_doc_layout_meta_get (out);
  fail_unless (layout != NULL && layout->regions->len == 1);
  gst_doc_layout_free (layout);
  fail_unless (gst_doc_page_meta_get (out, &page));
  fail_unless_equals_string (page.error, "damaged");
  gst_buffer_unref (out);

  out = overlay_push (PLAIN, CAPS, in);
  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 49, 50), gst_doc_label_color ("text"));
  gst_buffer_unref (out);
}

GST_END_TEST

/* Rows with padding behind them, shared (`__i__`) or not. */
GST_START_TEST (test_stride)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 16 };
  gint stride[GST_VIDEO_MAX_PLANES] = { WIDTH * 4 + 48 };
  const gsize size = 16 + stride[0] * HEIGHT;
  const GstDocRegion region = TEXT;
  GstBuffer *in = gst_buffer_new_allocate (NULL, size, NULL), *out;
  GstVideoFrame frame;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT);
  gst_buffer_memset (in, 0, 0xff, size);
  gst_buffer_add_video_meta_full (in, 0, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT, 1, offset, stride);
  overlay_add_regions (in, &region, 1);
  out = overlay_push (PLAIN "thickness=3", CAPS, __i__ ? gst_buffer_ref (in) : in);

  fail_unless (gst_video_frame_map (&frame, &info, out, GST_MAP_READ));
  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      const gint outer[] = { 47, 27, 153, 73 }, inner[] = { 50, 30, 150, 70 };
      gboolean marked = overlay_inside (x, y, outer) && !overlay_inside (x, y, inner);
      guint32 p;

      memcpy (&p, (guint8 *) frame.data[0] + y * frame.info.stride[0] + 4 * x, 4);
      fail_unless_equals_int (p & 0xffffff, marked ? gst_doc_label_color ("text") : 0xffffff);
    }
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (out);
  if (__i__)
    gst_buffer_unref (in);
}

GST_END_TEST

/* What is translucent stays so, within rounding; outlines are opaque. */
GST_START_TEST (test_alpha)
{
  const gchar *caps = "video/x-raw,format=BGRA,width=200,height=100,framerate=1/1";
  static const guint8 before[][4] = {
    {10, 200, 30, 255}, {100, 50, 250, 128}, {0, 0, 0, 0}, {255, 255, 255, 1}
  };
  const GstDocRegion region = TEXT;
  GstBuffer *in = doc_frame_new (caps, 0xff, 0), *out;
  guint8 p[4];

  for (guint i = 0; i < G_N_ELEMENTS (before); i++)
    gst_buffer_fill (in, 4 * i, before[i], 4);
  overlay_add_regions (in, &region, 1);
  out = overlay_push (PLAIN, caps, in);
  for (guint i = 0; i < G_N_ELEMENTS (before); i++) {
    gst_buffer_extract (out, 4 * i, p, 4);
    fail_unless_equals_int (p[3], before[i][3]);
    for (guint k = 0; k < 3; k++)
      fail_unless (ABS (p[k] - before[i][k]) <= (before[i][3] == 255 ? 0 : 1),
          "pixel %u: %u became %u", i, before[i][k], p[k]);
  }
  gst_buffer_extract (out, 4 * (WIDTH * 50 + 49), p, 4);
  fail_unless_equals_int (p[3], 255);
  fail_unless_equals_int (p[2] << 16 | p[1] << 8 | p[0], gst_doc_label_color ("text"));
  gst_buffer_unref (out);
}

GST_END_TEST

static GstBuffer *
push_regions (const gchar * launch)
{
  const GstDocRegion regions[] = { TEXT, TABLE };
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0);

  overlay_add_regions (in, regions, 2);
  return overlay_push (launch, CAPS, in);
}

/* Drawn on a frame of the format, it looks as what is drawn in BGRx and made that format by GStreamer's converter. Edges
 * are not looked at: formats have less colour there than pixels. GStreamer blends with BT.709's colours. */
static const struct
{
  const gchar *format;
  gint tolerance;
} formats[] = {
  {"RGBx", 1}, {"RGBA", 1}, {"xRGB", 1}, {"ARGB", 1}, {"xBGR", 1}, {"ABGR", 1}, {"BGRA", 1}, {"RGB", 1},
  {"BGR", 1}, {"GRAY8", 4}, {"NV12", 6}, {"NV21", 6}, {"I420", 6}, {"YV12", 6}, {"YUY2", 6}, {"UYVY", 6},
  {"Y42B", 6}, {"Y444", 6}, {"NV16", 6}, {"P010_10LE", 6}, {"I420_10LE", 6}, {"AYUV", 6},
};

GST_START_TEST (test_formats)
{
  static const guint points[][2] = {            /* outlines, insides, and beside them */
    {46, 50}, {100, 26}, {154, 50}, {100, 74}, {100, 50}, {6, 50}, {20, 16}, {20, 50}, {100, 10}, {180, 50}, {100, 90}
  };
  const gchar *overlay = "layoutoverlay draw-labels=false draw-scores=false thickness=8 fill-alpha=0.5";
  const gchar *format = formats[__i__].format;
  const gint tolerance = formats[__i__].tolerance;
  g_autofree gchar *there = g_strdup_printf ("videoconvert ! capsfilter caps=video/x-raw,format=%s%s", format,
      tolerance > 1 ? ",colorimetry=bt709" : "");
  const gchar *back = "videoconvert ! capsfilter caps=video/x-raw,format=BGRx,colorimetry=sRGB";
  g_autofree gchar *ours = g_strdup_printf ("%s ! %s ! %s", there, overlay, back);
  g_autofree gchar *theirs = g_strdup_printf ("%s ! %s ! %s", overlay, there, back);
  GstBuffer *out = push_regions (ours), *expected = push_regions (theirs);

  for (guint i = 0; i < G_N_ELEMENTS (points); i++) {
    guint32 a = overlay_pixel (out, WIDTH, points[i][0], points[i][1]);
    guint32 b = overlay_pixel (expected, WIDTH, points[i][0], points[i][1]);

    for (guint shift = 0; shift < 24; shift += 8)
      fail_unless (ABS ((gint) (a >> shift & 0xff) - (gint) (b >> shift & 0xff)) <= tolerance,
          "%s: pixel %u, %u is %06x instead of %06x", format, points[i][0], points[i][1], a, b);
    fail_unless ((i < 8) == (b != 0xffffff) || tolerance > 1, "%u, %u is not what it was", points[i][0], points[i][1]);
  }
  gst_buffer_unref (out);
  gst_buffer_unref (expected);
}

GST_END_TEST

/* What comes of an odd number of pixels with regions at odd places, in the format, as shades of grey. */
static GstBuffer *
push_odd (const gchar * launch)
{
  const gchar *caps = "video/x-raw,format=BGRx,width=33,height=17,framerate=1/1";
  const GstDocRegion regions[] = { {0, 0, "text", 0.9, 5, 3, 20, 11}, {1, 0, "text", 0.9, 24, 8, 33, 17} };
  GstBuffer *in = doc_frame_new (caps, 0xff, 0);

  overlay_add_regions (in, regions, 2);
  return overlay_push (launch, caps, in);
}

/* Brightness is exact to the pixel in every format, at the edges of the frame too. */
GST_START_TEST (test_odd_frames)
{
  const gchar *overlay = "layoutoverlay draw-labels=false draw-scores=false thickness=1 fill-alpha=0.5";
  const gchar *format = formats[__i__].format;
  g_autofree gchar *there = g_strdup_printf ("videoconvert ! capsfilter caps=video/x-raw,format=%s%s", format,
      formats[__i__].tolerance > 1 ? ",colorimetry=bt709" : "");
  const gchar *grey = "videoconvert ! capsfilter caps=video/x-raw,format=GRAY8,colorimetry=bt709";
  g_autofree gchar *ours = g_strdup_printf ("%s ! %s ! %s", there, overlay, grey);
  g_autofree gchar *theirs = g_strdup_printf ("%s ! %s ! %s", overlay, there, grey);
  GstBuffer *out = push_odd (ours), *expected = push_odd (theirs);
  GstMapInfo a, b;

  gst_buffer_map (out, &a, GST_MAP_READ);
  gst_buffer_map (expected, &b, GST_MAP_READ);
  for (gint y = 0; y < 17; y++)
    for (gint x = 0; x < 33; x++)
      fail_unless (ABS (a.data[y * 36 + x] - b.data[y * 36 + x]) <= 6, "%s: pixel %d, %d is %u instead of %u", format,
          x, y, a.data[y * 36 + x], b.data[y * 36 + x]);
  fail_unless (b.data[36 * 2 + 4] < 100 && b.data[36 * 16 + 23] < 100 && b.data[36 * 16 + 31] < 200);
  gst_buffer_unmap (out, &a);
  gst_buffer_unmap (expected, &b);
  gst_buffer_unref (out);
  gst_buffer_unref (expected);
}

GST_END_TEST

GST_START_TEST (test_properties_and_states)
{
  GstElement *e = gst_element_factory_make ("layoutoverlay", NULL);
  g_autofree gchar *font = NULL, *classes = NULL;
  gboolean labels, scores;
  guint thickness;

  g_object_get (e, "thickness", &thickness, "font", &font, "draw-labels", &labels,
      "draw-scores", &scores, "classes", &classes, NULL);
  fail_unless_equals_int (thickness, 0);
  fail_unless_equals_string (font, "Sans Bold");
  fail_unless (labels && scores && classes == NULL);
  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
  g_object_set (e, "classes", "text, table", "font", NULL, NULL);
  g_object_get (e, "classes", &classes, NULL);
  fail_unless_equals_string (classes, "text, table");
  gst_object_unref (e);
}

GST_END_TEST

/* What downstream can take (`__i__`: padded rows) is what upstream is told, and no more. */
GST_START_TEST (test_allocation)
{
  GstHarness *h = gst_harness_new ("layoutoverlay");
  g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);

  if (__i__)
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_src_caps_str (h, CAPS);
  gst_harness_push (h, doc_frame_new (CAPS, 0xff, 0));
  gst_pad_peer_query (h->srcpad, query);
  fail_unless_equals_int (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL), __i__);
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 0);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
layoutoverlay_frames_suite (void)
{
  Suite *s = suite_create ("layoutoverlay frames");
  TCase *tc = doc_tcase_new ("general");

  tcase_add_test (tc, test_small_frames);
  tcase_add_test (tc, test_in_place);
  tcase_add_loop_test (tc, test_stride, 0, 2);
  tcase_add_test (tc, test_alpha);
  tcase_add_loop_test (tc, test_formats, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_odd_frames, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tc, test_properties_and_states);
  tcase_add_loop_test (tc, test_allocation, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (layoutoverlay_frames)
