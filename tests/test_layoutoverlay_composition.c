/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay: when it leaves frames alone and has the sink lay a picture over them, and what that looks like. */
#include "gst/gstdocpagemeta.h"
#include "overlay_harness.h"

#define FEATURE "meta:GstVideoOverlayComposition"
#define COMPOSED "video/x-raw(memory:SystemMemory," FEATURE ")"

/* A sink that takes `caps` (NULL: any), and knows compositions or not. */
static GstHarness *
harness_new (const gchar * launch, const gchar * caps, gboolean knows)
{
  GstHarness *h = gst_harness_new_parse (launch);

  if (caps)
    gst_harness_set_sink_caps_str (h, caps);
  if (knows)
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  return h;
}

static GstBuffer *
white_frame (const gchar * caps)
{
  const GstDocRegion regions[] = { TEXT, TABLE };
  GstBuffer *frame = doc_frame_new (caps, 0xff, 0);

  overlay_add_regions (frame, regions, 2);
  return frame;
}

static gboolean
is_white (GstBuffer * buffer)
{
  return overlay_count_color (buffer, WIDTH, HEIGHT, 0xffffff) == WIDTH * HEIGHT;
}

/* Whether the caps that came out say that frames have compositions. */
static gboolean
says_composition (GstHarness * h)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  gboolean says = gst_caps_features_contains (gst_caps_get_features (caps, 0), FEATURE);

  gst_caps_unref (caps);
  return says;
}

/* ------------------------------------------------------------------ the choice */

GST_START_TEST (test_choice)
{
  static const struct
  {
    const gchar *takes;         /* NULL: any caps */
    gboolean knows, composes;
  } rows[] = {
    {NULL, FALSE, FALSE}, {NULL, TRUE, TRUE},
    {"video/x-raw", FALSE, FALSE}, {"video/x-raw", TRUE, FALSE},
    {COMPOSED, FALSE, TRUE}, {COMPOSED, TRUE, TRUE},
    {COMPOSED ";video/x-raw", FALSE, FALSE}, {"video/x-raw;" COMPOSED, TRUE, TRUE},
    {COMPOSED ",format=RGB;video/x-raw", TRUE, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *h = harness_new ("layoutoverlay", rows[i].takes, rows[i].knows);
    GstBuffer *out;

    gst_harness_set_src_caps_str (h, CAPS);
    fail_unless_equals_int (gst_harness_push (h, white_frame (CAPS)), GST_FLOW_OK);
    out = gst_harness_pull (h);
    fail_unless ((gst_buffer_get_video_overlay_composition_meta (out) != NULL) == rows[i].composes, "row %u", i);
    fail_unless (is_white (out) == rows[i].composes, "row %u", i);
    fail_unless_equals_int (says_composition (h), rows[i].composes);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* A sink that begins to know compositions, and one that ceases to. */
GST_START_TEST (test_change)
{
  GstHarness *h = harness_new ("layoutoverlay", NULL, FALSE);
  GstBuffer *out;

  gst_harness_set_src_caps_str (h, CAPS);
  out = gst_harness_push_and_pull (h, white_frame (CAPS));
  fail_if (is_white (out));
  gst_buffer_unref (out);

  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_push_upstream_event (h, gst_event_new_reconfigure ());
  out = gst_harness_push_and_pull (h, white_frame (CAPS));
  fail_unless (is_white (out) && says_composition (h));
  gst_buffer_unref (out);

  gst_harness_set_sink_caps_str (h, "video/x-raw");
  out = gst_harness_push_and_pull (h, white_frame (CAPS));
  fail_unless (!is_white (out) && !says_composition (h));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST

/* What cannot be drawn on goes to sinks that compose (`__i__`), whatever it is, and to those that take anything; to no
 * others. */
GST_START_TEST (test_not_drawable)
{
  static const gchar *const caps[] = {
    "video/x-raw(memory:Elsewhere),format=NV12,width=200,height=100,framerate=1/1",
    "video/x-raw,format=v210,width=200,height=100,framerate=1/1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    GstHarness *h = harness_new ("layoutoverlay", NULL, __i__);
    GstBuffer *out;

    gst_harness_set_src_caps_str (h, caps[i]);
    fail_unless_equals_int (gst_harness_push (h, white_frame (caps[i])), GST_FLOW_OK);
    out = gst_harness_pull (h);
    fail_unless (gst_buffer_get_video_overlay_composition_meta (out) != NULL);
    fail_unless (says_composition (h));
    gst_buffer_unref (out);
    gst_harness_teardown (h);

    h = harness_new ("layoutoverlay", "video/x-raw(memory:Elsewhere);video/x-raw", FALSE);
    gst_harness_set_src_caps_str (h, caps[i]);
    fail_unless_equals_int (gst_harness_push (h, white_frame (caps[i])), GST_FLOW_NOT_NEGOTIATED);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* What upstream is told of caps, by what downstream takes. */
GST_START_TEST (test_caps)
{
  static const struct
  {
    const gchar *takes, *in;
    gboolean accepted;
  } rows[] = {
    {"video/x-raw,format=RGB", "video/x-raw,format=RGB", TRUE},
    {"video/x-raw,format=RGB", "video/x-raw,format=BGRx", FALSE},
    {"video/x-raw,format=v210", "video/x-raw,format=v210", FALSE},
    {COMPOSED ",format=v210", "video/x-raw,format=v210", TRUE},
    {COMPOSED ",format=v210", COMPOSED ",format=v210", TRUE},
    {"video/x-raw", COMPOSED ",format=BGRx", FALSE},
    {"video/x-raw(memory:Elsewhere)", "video/x-raw(memory:Elsewhere),format=BGRx", FALSE},
    {"video/x-raw(memory:Elsewhere," FEATURE ")", "video/x-raw(memory:Elsewhere),format=BGRx", TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *h = harness_new ("layoutoverlay", rows[i].takes, FALSE);
    GstCaps *filter = gst_caps_from_string (rows[i].in);
    GstCaps *caps = gst_pad_peer_query_caps (h->srcpad, filter);

    fail_unless (gst_caps_is_empty (caps) != rows[i].accepted, "row %u: %" GST_PTR_FORMAT, i, (gpointer) caps);
    gst_caps_unref (caps);
    gst_caps_unref (filter);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* ------------------------------------------------------------------ frames */

/* Neither copied nor touched, also where somebody else holds the frame; metas stay. Where there is nothing to draw the
 * buffer itself goes on. */
GST_START_TEST (test_zero_copy)
{
  GstHarness *h = harness_new ("layoutoverlay", NULL, TRUE);
  GstBuffer *in = white_frame (CAPS), *out;
  GstMemory *memory = gst_buffer_peek_memory (in, 0);
  GstDocLayout *layout;

  gst_harness_set_src_caps_str (h, CAPS);
  out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  fail_unless (out != in && gst_buffer_n_memory (out) == 1);
  fail_unless (gst_buffer_peek_memory (out, 0) == memory && is_white (out));
  fail_unless (gst_buffer_get_video_overlay_composition_meta (in) == NULL);
  layout = gst_doc_layout_meta_get (out);
  fail_unless (layout && layout->regions->len == 2);
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);

  out = gst_harness_push_and_pull (h, in);
  fail_unless (out == in && gst_buffer_peek_memory (out, 0) == memory && is_white (out));
  fail_unless (gst_buffer_get_video_overlay_composition_meta (out) != NULL);
  gst_buffer_unref (out);

  in = doc_frame_new (CAPS, 0xff, 0);
  out = gst_harness_push_and_pull (h, gst_buffer_ref (in));
  fail_unless (out == in);
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  gst_harness_teardown (h);
}

GST_END_TEST

/* GStreamer's own blending of the composition. */
static void
blend (GstBuffer * buffer)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoFrame frame;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT);
  fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE));
  fail_unless (gst_video_overlay_composition_blend (meta->overlay, &frame));
  gst_video_frame_unmap (&frame);
}

/* What a sink makes of it looks as what is drawn: outlines exactly, mixed colours but for rounding. */
GST_START_TEST (test_same_picture)
{
  static const gchar *const launches[] = {
    "layoutoverlay", PLAIN "thickness=3", "layoutoverlay thickness=60", "layoutoverlay dash-below=1",
    "layoutoverlay fill-alpha=0.3 draw-order=true", "layoutoverlay draw-order-path=true thickness=2",
    "layoutoverlay draw-legend=true",
  };

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    GstHarness *h = harness_new (launches[i], NULL, TRUE);
    GstBuffer *in = white_frame (CAPS), *drawn, *composed;

    if (i == 0)
      overlay_add_error (in, "damaged");
    drawn = overlay_push (launches[i], CAPS, gst_buffer_ref (in));
    gst_harness_set_src_caps_str (h, CAPS);
    composed = gst_harness_push_and_pull (h, in);
    blend (composed);
    for (guint k = 0; k < WIDTH * HEIGHT; k++) {
      guint32 a = overlay_pixel (drawn, WIDTH, k % WIDTH, k / WIDTH);
      guint32 b = overlay_pixel (composed, WIDTH, k % WIDTH, k / WIDTH);

      for (guint shift = 0; shift < 24; shift += 8)
        fail_unless (ABS ((gint) (a >> shift & 0xff) - (gint) (b >> shift & 0xff)) <= 2,
            "%s: pixel %u, %u is %06x instead of %06x", launches[i], k % WIDTH, k / WIDTH, b, a);
    }
    fail_if (is_white (drawn));
    gst_buffer_unref (drawn);
    gst_buffer_unref (composed);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

static GstVideoOverlayRectangle *
rectangle_new (void)
{
  GstBuffer *pixels = gst_buffer_new_allocate (NULL, 4 * 4 * 4, NULL);
  GstVideoOverlayRectangle *rectangle;

  gst_buffer_add_video_meta (pixels, 0, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 4, 4);
  rectangle = gst_video_overlay_rectangle_new_raw (pixels, 1, 2, 4, 4, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  gst_buffer_unref (pixels);
  return rectangle;
}

/* What others have laid over the frame stays, below what is drawn, and their own composition is not changed. They have
 * asked whether the sink knows such: nobody else need (`__i__`). */
GST_START_TEST (test_merge)
{
  const gchar *caps = COMPOSED ",format=BGRx,width=200,height=100,framerate=1/1";
  GstHarness *h = harness_new ("layoutoverlay", NULL, __i__);
  GstVideoOverlayRectangle *theirs = rectangle_new (), *first;
  GstVideoOverlayComposition *composition = gst_video_overlay_composition_new (theirs), *both;
  GstBuffer *in = white_frame (CAPS), *out;
  gint x, y;

  gst_buffer_add_video_overlay_composition_meta (in, composition);
  gst_harness_set_src_caps_str (h, caps);
  out = gst_harness_push_and_pull (h, in);
  both = gst_buffer_get_video_overlay_composition_meta (out)->overlay;
  fail_unless (gst_video_overlay_composition_n_rectangles (both) > 8);
  first = gst_video_overlay_composition_get_rectangle (both, 0);
  gst_video_overlay_rectangle_get_render_rectangle (first, &x, &y, NULL, NULL);
  fail_unless (x == 1 && y == 2);
  fail_unless_equals_int (gst_video_overlay_composition_n_rectangles (composition), 1);
  fail_unless (is_white (out));
  gst_buffer_unref (out);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (theirs);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
layoutoverlay_composition_suite (void)
{
  Suite *s = suite_create ("layoutoverlay composition");
  TCase *tc = doc_tcase_new ("composition");

  tcase_add_test (tc, test_choice);
  tcase_add_test (tc, test_change);
  tcase_add_loop_test (tc, test_not_drawable, 0, 2);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_zero_copy);
  tcase_add_test (tc, test_same_picture);
  tcase_add_loop_test (tc, test_merge, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (layoutoverlay_composition)
