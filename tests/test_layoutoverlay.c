/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay: which pixels change, to which colour, and which must not. */
#include "gst/gstdoclabels.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst_harness.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define WIDTH 200
#define HEIGHT 100
#define CAPS "video/x-raw,format=BGRx,width=200,height=100,framerate=1/1"
#define PLAIN "layoutoverlay draw-labels=false draw-scores=false "

/* Text and a table, and pixel columns and rows of their boxes. */
#define TEXT {0, 0, "text", 0.9, 50, 30, 150, 70}
#define TABLE {1, 4, "table", 0.5, 10, 20, 30, 90}

static void
add_regions (GstBuffer * buffer, const GstDocRegion * regions, guint n)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (WIDTH, HEIGHT);

  g_array_append_vals (layout->regions, regions, n);
  fail_unless (gst_doc_layout_meta_add (buffer, layout));
}

/* Pushes `in` through `launch`. */
static GstBuffer *
push (const gchar * launch, const gchar * caps, GstBuffer * in)
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

static GstBuffer *
draw (const gchar * launch, const GstDocRegion * regions, guint n)
{
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0);

  add_regions (in, regions, n);
  return push (launch, CAPS, in);
}

static guint32
pixel (GstBuffer * buffer, guint width, guint x, guint y)
{
  guint8 p[4];

  fail_unless_equals_int (gst_buffer_extract (buffer, 4 * (y * width + x), p, 4), 4);
  return p[2] << 16 | p[1] << 8 | p[0];
}

static gboolean
inside (gint x, gint y, const gint * box)
{
  return x >= box[0] && y >= box[1] && x < box[2] && y < box[3];
}

static gsize
count_color (GstBuffer * buffer, guint width, guint height, guint32 color)
{
  gsize n = 0;

  for (guint i = 0; i < width * height; i++)
    n += pixel (buffer, width, i % width, i / width) == color;
  return n;
}

/* Every pixel of the frame is either in the outline, and has the class's colour, or as it was. */
static const struct
{
  const gchar *what, *thickness;
  gdouble box[4];
  gint outer[4], inner[4];      /* x0, y0, x1, y1 */
} outlines[] = {
  {"whole pixels", "3", {50, 30, 150, 70}, {47, 27, 153, 73}, {50, 30, 150, 70}},
  {"one pixel wide", "1", {50, 30, 150, 70}, {49, 29, 151, 71}, {50, 30, 150, 70}},
  {"between pixels", "2", {50.4, 30.6, 149.2, 69.9}, {48, 28, 152, 72}, {50, 30, 150, 70}},
  {"at the corner", "4", {0, 0, 60, 40}, {0, 0, 64, 44}, {4, 4, 60, 40}},
  {"all of the frame", "5", {0, 0, 200, 100}, {0, 0, 200, 100}, {5, 5, 195, 95}},
  {"partly outside", "2", {-30, 50, 80, 500}, {0, 48, 82, 100}, {2, 50, 80, 98}},
  {"far outside", "2", {-1e300, -1e300, 1e300, 1e300}, {0, 0, 200, 100}, {2, 2, 198, 98}},
  {"beside the frame", "2", {201, 10, 300, 50}, {0}, {0}},
  {"not a number", "2", {NAN, 10, 30, 50}, {0}, {0}},
  {"infinite", "2", {0, 0, INFINITY, 50}, {0}, {0}},
  {"inside out", "2", {80, 10, 30, 50}, {0}, {0}},
  {"no area", "2", {80, 50, 80, 50}, {78, 48, 82, 52}, {0}},
  {"by the frame's size", "0", {50, 30, 150, 70}, {49, 29, 151, 71}, {50, 30, 150, 70}},
  {"thicker than the frame", "1000", {50, 30, 150, 70}, {0, 0, 200, 100}, {0}},
};

GST_START_TEST (test_outline)
{
  const gint *outer = outlines[__i__].outer, *inner = outlines[__i__].inner;
  const gdouble *b = outlines[__i__].box;
  const GstDocRegion region = { 0, 0, "text", 0.9, b[0], b[1], b[2], b[3] };
  g_autofree gchar *launch =
      g_strdup_printf (PLAIN "thickness=%s", outlines[__i__].thickness);
  GstBuffer *out = draw (launch, &region, 1);

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      gboolean in = inside (x, y, outer) && !inside (x, y, inner);
      guint32 expected = in ? gst_doc_label_color ("text") : 0xffffff;

      fail_unless (pixel (out, WIDTH, x, y) == expected,
          "%s: pixel %d, %d is %06x instead of %06x", outlines[__i__].what, x, y,
          pixel (out, WIDTH, x, y), expected);
    }
  gst_buffer_unref (out);
}

GST_END_TEST

GST_START_TEST (test_classes)
{
  static const struct
  {
    const gchar *classes;
    gboolean text, table;
  } rows[] = {
    {"", TRUE, TRUE}, {"text", TRUE, FALSE}, {"Table", FALSE, TRUE},
    {"\" table , text\"", TRUE, TRUE}, {"figure", FALSE, FALSE}, {",", TRUE, TRUE},
  };
  const GstDocRegion regions[] = { TEXT, TABLE };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *launch =
        g_strdup_printf (PLAIN "classes=%s", rows[i].classes[0] ? rows[i].classes : "\"\"");
    GstBuffer *out = draw (launch, regions, 2);
    gsize text = count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("text"));
    gsize table = count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("table"));

    fail_unless (gst_doc_label_color ("text") != gst_doc_label_color ("table"));
    fail_unless ((text > 0) == rows[i].text, "classes=%s", rows[i].classes);
    fail_unless ((table > 0) == rows[i].table, "classes=%s", rows[i].classes);
    gst_buffer_unref (out);
  }
}

GST_END_TEST

static gsize
difference (GstBuffer * a, GstBuffer * b)
{
  gsize n = 0;

  for (guint i = 0; i < WIDTH * HEIGHT; i++)
    n += pixel (a, WIDTH, i % WIDTH, i / WIDTH) != pixel (b, WIDTH, i % WIDTH, i / WIDTH);
  return n;
}

/* Labels, scores and fonts each change the picture; the same once more does not. */
GST_START_TEST (test_tags)
{
  static const gchar *const launches[] = {
    PLAIN, "layoutoverlay draw-labels=false", "layoutoverlay draw-scores=false",
    "layoutoverlay", "layoutoverlay font=\"Sans 20\"",
  };
  const GstDocRegion region = TEXT;
  GstBuffer *out[G_N_ELEMENTS (launches)], *again;

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    out[i] = draw (launches[i], &region, 1);
    again = draw (launches[i], &region, 1);
    fail_unless_equals_int (difference (out[i], again), 0);
    gst_buffer_unref (again);
    for (guint k = 0; k < i; k++)
      fail_unless (difference (out[i], out[k]) > 10, "%s looks as %s", launches[i], launches[k]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (launches); i++)
    gst_buffer_unref (out[i]);
}

GST_END_TEST

/* The smallest rectangle around the pixels of `color`: x0, y0, x1, y1. */
static void
extent (GstBuffer * buffer, guint32 color, gint * e)
{
  e[0] = e[1] = G_MAXINT;
  e[2] = e[3] = 0;
  for (gint i = 0; i < WIDTH * HEIGHT; i++) {
    gint x = i % WIDTH, y = i / WIDTH;

    if (pixel (buffer, WIDTH, x, y) == color) {
      e[0] = MIN (e[0], x);
      e[1] = MIN (e[1], y);
      e[2] = MAX (e[2], x + 1);
      e[3] = MAX (e[3], y + 1);
    }
  }
}

/* Where the tag of a box goes, as the outline of both grows: above it; where there is no room
 * above, beside or below it; and always into the frame. */
GST_START_TEST (test_tag_place)
{
  static const struct
  {
    const gchar *what;
    gdouble box[4];
    gint sides[4];              /* left, top, right, bottom: 1 where the extent is beyond the outline */
  } rows[] = {
    {"above", {50, 40, 150, 80}, {0, 1, 0, 0}},
    {"moved in", {190, 40, 199, 80}, {1, 1, 0, 0}},
    {"beside", {100, 1, 190, 90}, {1, 0, 0, 0}},
    {"below", {20, 1, 180, 70}, {0, 0, 0, 1}},
    {"inside", {1, 1, 199, 99}, {0, 0, 0, 0}},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gdouble *b = rows[i].box;
    const GstDocRegion region = { 0, 0, "text", 0.9, b[0], b[1], b[2], b[3] };
    GstBuffer *plain = draw (PLAIN "thickness=1", &region, 1);
    GstBuffer *tagged = draw ("layoutoverlay thickness=1", &region, 1);
    gint outer[4], all[4];

    extent (plain, gst_doc_label_color ("text"), outer);
    extent (tagged, gst_doc_label_color ("text"), all);
    for (guint k = 0; k < 4; k++)
      fail_unless ((all[k] != outer[k]) == rows[i].sides[k], "%s: side %u is at %d, outline at %d",
          rows[i].what, k, all[k], outer[k]);
    fail_unless (difference (plain, tagged) > 200, "%s: no tag", rows[i].what);
    gst_buffer_unref (plain);
    gst_buffer_unref (tagged);
  }
}

GST_END_TEST

/* White letters on a dark tag, black ones on a light tag. */
GST_START_TEST (test_contrast)
{
  const GstDocRegion dark = TEXT, light = TABLE;
  GstBuffer *out = draw ("layoutoverlay", &dark, 1);

  fail_unless_equals_int (count_color (out, WIDTH, HEIGHT, 0), 0);
  gst_buffer_unref (out);
  out = draw ("layoutoverlay", &light, 1);
  fail_unless (count_color (out, WIDTH, HEIGHT, 0) > 10);
  gst_buffer_unref (out);
}

GST_END_TEST

/* Two regions on one box: the second tag does not hide the first. */
GST_START_TEST (test_tags_apart)
{
  const GstDocRegion both[] = {
    {0, 0, "text", 0.9, 50, 40, 150, 80}, {1, 4, "table", 0.8, 50, 40, 150, 80}
  };
  GstBuffer *one = draw ("layoutoverlay thickness=1", both, 1);
  GstBuffer *two = draw ("layoutoverlay thickness=1", both, 2);

  for (guint i = 0; i < 39 * WIDTH; i++) {
    guint32 before = pixel (one, WIDTH, i % WIDTH, i / WIDTH);
    fail_unless (before == 0xffffff || before == pixel (two, WIDTH, i % WIDTH, i / WIDTH));
  }
  fail_unless (count_color (two, WIDTH, HEIGHT, gst_doc_label_color ("table")) > 500);
  gst_buffer_unref (one);
  gst_buffer_unref (two);
}

GST_END_TEST

static void
add_error (GstBuffer * buffer, const gchar * error)
{
  GstDocPage page = GST_DOC_PAGE_INIT;

  page.page = 7;
  page.error = error;
  fail_unless (gst_doc_page_meta_add (buffer, &page));
}

GST_START_TEST (test_banner)
{
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0), *out, *other;

  add_error (in, "the page took too long");
  out = push ("layoutoverlay", CAPS, in);
  fail_unless_equals_int (pixel (out, WIDTH, 0, 0), 0xb00020);
  fail_unless_equals_int (pixel (out, WIDTH, WIDTH - 1, 0), 0xb00020);
  fail_unless_equals_int (pixel (out, WIDTH, 0, HEIGHT - 1), 0xffffff);

  in = doc_frame_new (CAPS, 0xff, 0);
  add_error (in, "the page is damaged");
  other = push ("layoutoverlay", CAPS, in);
  fail_unless (difference (out, other) > 20, "the banner does not say why");
  gst_buffer_unref (out);
  gst_buffer_unref (other);
}

GST_END_TEST

/* Pages that are well and have no regions, or no metas, pass as they are. */
GST_START_TEST (test_nothing)
{
  GstBuffer *out = draw ("layoutoverlay", NULL, 0);

  fail_unless_equals_int (count_color (out, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
  gst_buffer_unref (out);
  out = push ("layoutoverlay", CAPS, doc_frame_new (CAPS, 0xff, 0));
  fail_unless_equals_int (count_color (out, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
  gst_buffer_unref (out);
}

GST_END_TEST

GST_START_TEST (test_small_frames)
{
  static const guint sizes[][2] = { {1, 1}, {1, 300}, {300, 1}, {33, 17}, {2, 3} };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const guint w = sizes[i][0], h = sizes[i][1];
    const GstDocRegion region = { 0, 0, "text", 0.9, 0, 0, w, h };
    g_autofree gchar *caps =
        g_strdup_printf ("video/x-raw,format=BGRx,width=%u,height=%u,framerate=1/1", w, h);
    GstBuffer *in = doc_frame_new (caps, 0xff, 0), *out;

    add_regions (in, &region, 1);
    out = push ("layoutoverlay draw-labels=false draw-scores=false", caps, in);
    fail_unless_equals_int (pixel (out, w, 0, 0), gst_doc_label_color ("text"));
    fail_unless_equals_int (pixel (out, w, w - 1, h - 1), gst_doc_label_color ("text"));
    gst_buffer_unref (out);

    in = doc_frame_new (caps, 0xff, 0);
    add_regions (in, &region, 1);
    add_error (in, "a reason that is longer than the frame is wide");
    gst_buffer_unref (push ("layoutoverlay", caps, in));
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

  add_regions (in, &region, 1);
  add_error (in, "damaged");
  out = push (PLAIN, CAPS, gst_buffer_ref (in));
  fail_unless (out != in);
  fail_unless_equals_int (count_color (in, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
  fail_unless_equals_int (pixel (out, WIDTH, 49, 50), gst_doc_label_color ("text"));
  layout = gst_doc_layout_meta_get (out);
  fail_unless (layout != NULL && layout->regions->len == 1);
  gst_doc_layout_free (layout);
  fail_unless (gst_doc_page_meta_get (out, &page));
  fail_unless_equals_string (page.error, "damaged");
  gst_buffer_unref (out);

  out = push (PLAIN, CAPS, in);
  fail_unless (gst_buffer_peek_memory (out, 0) == memory);
  fail_unless_equals_int (pixel (out, WIDTH, 49, 50), gst_doc_label_color ("text"));
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
  add_regions (in, &region, 1);
  out = push (PLAIN "thickness=3", CAPS, __i__ ? gst_buffer_ref (in) : in);

  fail_unless (gst_video_frame_map (&frame, &info, out, GST_MAP_READ));
  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      const gint outer[] = { 47, 27, 153, 73 }, inner[] = { 50, 30, 150, 70 };
      gboolean marked = inside (x, y, outer) && !inside (x, y, inner);
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
  add_regions (in, &region, 1);
  out = push (PLAIN, caps, in);
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

/* A system without a single font: outlines and the banner are drawn all the same. */
GST_START_TEST (test_no_fonts)
{
  const GstDocRegion region = TEXT;
  g_autofree gchar *folder = g_dir_make_tmp ("no-fonts-XXXXXX", NULL);
  g_autofree gchar *config = g_build_filename (folder, "fonts.conf", NULL);
  GstBuffer *in, *out;

  fail_unless (g_file_set_contents (config, "<fontconfig></fontconfig>", -1, NULL));
  g_setenv ("FONTCONFIG_FILE", config, TRUE);
  in = doc_frame_new (CAPS, 0xff, 0);
  add_regions (in, &region, 1);
  add_error (in, "damaged");
  out = push ("layoutoverlay", CAPS, in);
  fail_unless_equals_int (pixel (out, WIDTH, 100, 70), gst_doc_label_color ("text"));
  fail_unless_equals_int (pixel (out, WIDTH, 0, 0), 0xb00020);
  gst_buffer_unref (out);
  g_unlink (config);
  g_rmdir (folder);
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
layoutoverlay_suite (void)
{
  Suite *s = suite_create ("layoutoverlay");
  TCase *tc = doc_tcase_new ("drawing");
  TCase *no_fonts = doc_tcase_new ("no fonts");

  tcase_add_loop_test (tc, test_outline, 0, G_N_ELEMENTS (outlines));
  tcase_add_test (tc, test_classes);
  tcase_add_test (tc, test_tags);
  tcase_add_test (tc, test_tag_place);
  tcase_add_test (tc, test_contrast);
  tcase_add_test (tc, test_tags_apart);
  tcase_add_test (tc, test_banner);
  tcase_add_test (tc, test_nothing);
  tcase_add_test (tc, test_small_frames);
  tcase_add_test (tc, test_in_place);
  tcase_add_loop_test (tc, test_stride, 0, 2);
  tcase_add_test (tc, test_alpha);
  tcase_add_test (tc, test_properties_and_states);
  tcase_add_loop_test (tc, test_allocation, 0, 2);
  tcase_add_test (no_fonts, test_no_fonts);
  suite_add_tcase (s, tc);
  suite_add_tcase (s, no_fonts);
  return s;
}

GST_CHECK_MAIN (layoutoverlay)
