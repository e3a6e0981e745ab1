/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay: which pixels change, to which colour, and which must not. */
#include "overlay_harness.h"

#include <glib/gstdio.h>
#include <math.h>

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
  GstBuffer *out = overlay_draw (launch, &region, 1);

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      gboolean in = overlay_inside (x, y, outer) && !overlay_inside (x, y, inner);
      guint32 expected = in ? gst_doc_label_color ("text") : 0xffffff;

      fail_unless (overlay_pixel (out, WIDTH, x, y) == expected,
          "%s: pixel %d, %d is %06x instead of %06x", outlines[__i__].what, x, y,
          overlay_pixel (out, WIDTH, x, y), expected);
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
    {"-text", FALSE, TRUE}, {"-TEXT,-table", FALSE, FALSE}, {"-figure", TRUE, TRUE}, {"-text,table", FALSE, TRUE},
    {"text,-figure", TRUE, FALSE},
  };
  const GstDocRegion regions[] = { TEXT, TABLE };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *launch =
        g_strdup_printf (PLAIN "classes=%s", rows[i].classes[0] ? rows[i].classes : "\"\"");
    GstBuffer *out = overlay_draw (launch, regions, 2);
    gsize text = overlay_count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("text"));
    gsize table = overlay_count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("table"));

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
    n += overlay_pixel (a, WIDTH, i % WIDTH, i / WIDTH) != overlay_pixel (b, WIDTH, i % WIDTH, i / WIDTH);
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
    out[i] = overlay_draw (launches[i], &region, 1);
    again = overlay_draw (launches[i], &region, 1);
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

    if (overlay_pixel (buffer, WIDTH, x, y) == color) {
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
    GstBuffer *plain = overlay_draw (PLAIN "thickness=1", &region, 1);
    GstBuffer *tagged = overlay_draw ("layoutoverlay thickness=1", &region, 1);
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
  GstBuffer *out = overlay_draw ("layoutoverlay", &dark, 1);

  fail_unless_equals_int (overlay_count_color (out, WIDTH, HEIGHT, 0), 0);
  gst_buffer_unref (out);
  out = overlay_draw ("layoutoverlay", &light, 1);
  fail_unless (overlay_count_color (out, WIDTH, HEIGHT, 0) > 10);
  gst_buffer_unref (out);
}

GST_END_TEST

/* Two regions on one box: the second tag does not hide the first. */
GST_START_TEST (test_tags_apart)
{
  const GstDocRegion both[] = {
    {0, 0, "text", 0.9, 50, 40, 150, 80}, {1, 4, "table", 0.8, 50, 40, 150, 80}
  };
  GstBuffer *one = overlay_draw ("layoutoverlay thickness=1", both, 1);
  GstBuffer *two = overlay_draw ("layoutoverlay thickness=1", both, 2);

  for (guint i = 0; i < 39 * WIDTH; i++) {
    guint32 before = overlay_pixel (one, WIDTH, i % WIDTH, i / WIDTH);
    fail_unless (before == 0xffffff || before == overlay_pixel (two, WIDTH, i % WIDTH, i / WIDTH));
  }
  fail_unless (overlay_count_color (two, WIDTH, HEIGHT, gst_doc_label_color ("table")) > 500);
  gst_buffer_unref (one);
  gst_buffer_unref (two);
}

GST_END_TEST

GST_START_TEST (test_banner)
{
  GstBuffer *in = doc_frame_new (CAPS, 0xff, 0), *out, *other;

  overlay_add_error (in, "the page took too long");
  out = overlay_push ("layoutoverlay", CAPS, in);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 0, 0), 0xb00020);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, WIDTH - 1, 0), 0xb00020);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 0, HEIGHT - 1), 0xffffff);

  in = doc_frame_new (CAPS, 0xff, 0);
  overlay_add_error (in, "the page is damaged");
  other = overlay_push ("layoutoverlay", CAPS, in);
  fail_unless (difference (out, other) > 20, "the banner does not say why");
  gst_buffer_unref (out);
  gst_buffer_unref (other);
}

GST_END_TEST

/* Pages that are well and have no regions, or no metas, pass as they are. */
GST_START_TEST (test_nothing)
{
  GstBuffer *out = overlay_draw ("layoutoverlay", NULL, 0);

  fail_unless_equals_int (overlay_count_color (out, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
  gst_buffer_unref (out);
  out = overlay_push ("layoutoverlay", CAPS, doc_frame_new (CAPS, 0xff, 0));
  fail_unless_equals_int (overlay_count_color (out, WIDTH, HEIGHT, 0xffffff), WIDTH * HEIGHT);
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
  overlay_add_regions (in, &region, 1);
  overlay_add_error (in, "damaged");
  out = overlay_push ("layoutoverlay", CAPS, in);
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 100, 70), gst_doc_label_color ("text"));
  fail_unless_equals_int (overlay_pixel (out, WIDTH, 0, 0), 0xb00020);
  gst_buffer_unref (out);
  g_unlink (config);
  g_rmdir (folder);
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
  tcase_add_test (no_fonts, test_no_fonts);
  suite_add_tcase (s, tc);
  suite_add_tcase (s, no_fonts);
  return s;
}

GST_CHECK_MAIN (layoutoverlay)
