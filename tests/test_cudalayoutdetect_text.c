/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading order and text of the regions that the engine finds. */
#include "fake_harness.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstdoctextmeta.h"

#include <math.h>

/* A page of 200 × 100 points, 2 pixels a point, that begins 10 pixels from the left edge. */
#define CAPS "video/x-raw,format=GRAY8,width=420,height=200,framerate=1/1"

/* Two columns, the left one 10 … 200, in which nothing is told of an order. */
static const nn_region columns[] = {
  {220, 0, 410, 60, 0.9f, 0, -1}, {10, 140, 200, 200, 0.8f, 0, -1}, {10, 0, 200, 90, 0.7f, 0, -1}
};

static GVariant *
words_new (const gchar * const *words, gdouble x0)
{
  GVariantBuilder builder;

  /* Each in a line of its own, 10, 25 … points from the top. */
  g_variant_builder_init (&builder, G_VARIANT_TYPE (GST_DOC_TEXT_SPANS_TYPE));
  for (guint i = 0; words[i]; i++)
    g_variant_builder_add (&builder, "(sdddddsuu)", words[i], x0, 10.0 + 15 * i, x0 + 20, 20.0 + 15 * i, 10.0, "Font", 0, i);
  return g_variant_builder_end (&builder);
}

static GstBuffer *
page_new (guint number, gboolean has_page, GVariant * spans)
{
  GstBuffer *buffer = doc_frame_new (CAPS, 255, number * GST_SECOND);
  GstDocPage page = GST_DOC_PAGE_INIT;

  page.width = 420;
  page.height = 200;
  page.width_pt = 200;
  page.height_pt = 100;
  page.scale = 2;
  page.x = 10;
  if (has_page)
    fail_unless (gst_doc_page_meta_add (buffer, &page));
  if (spans)
    fail_unless (gst_doc_text_meta_add (buffer, spans));
  return buffer;
}

/* What comes out for a page; one at a time. */
static GstDocLayout *
detect (GstHarness * h, guint number, gboolean has_page, GVariant * spans)
{
  GstDocLayout *layout;
  GstBuffer *buffer;

  fail_unless_equals_int (gst_harness_push (h, page_new (number, has_page, spans)), GST_FLOW_OK);
  buffer = gst_harness_pull (h);
  fail_unless (buffer != NULL);
  layout = gst_doc_layout_meta_get (buffer);
  fail_unless (layout != NULL);
  gst_buffer_unref (buffer);
  return layout;
}

static GstHarness *
start (const gchar * properties)
{
  g_autofree gchar *all = g_strconcat ("device=cpu batch-size=1 ", properties, NULL);
  GstHarness *h = fake_start (all);

  gst_harness_set_src_caps_str (h, CAPS);
  fake_engine.regions = columns;
  fake_engine.n_regions = G_N_ELEMENTS (columns);
  return h;
}

/* Orders and texts of the regions, best first, in one line. */
static void
check (GstDocLayout * layout, const gchar * wanted)
{
  GString *got = g_string_new (NULL);

  for (guint i = 0; i < layout->regions->len; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    fail_unless_equals_int (r->id, i);
    g_string_append_printf (got, "%u %s|", r->order, r->text ? r->text : "(none)");
  }
  if (layout->orphans)
    g_string_append_printf (got, " %u = %u + %u:", layout->characters, layout->region_characters,
        layout->orphan_characters);
  for (guint i = 0; layout->orphans && i < layout->orphans->len; i++) {
    const GstDocTextLine *line = &g_array_index (layout->orphans, GstDocTextLine, i);

    g_string_append_printf (got, " %s %g %g", line->text, line->x0, line->y0);
  }
  fail_unless_equals_string (got->str, wanted);
  g_string_free (got, TRUE);
  gst_doc_layout_free (layout);
}

GST_START_TEST (text_where_it_is_known)
{
  static const gchar *const words[] = { "One", "exam-", "ple", "and", "more", "below", NULL };
  static const gchar *const none[] = { NULL };
  GstHarness *h = start ("");
  GVariant *spans = g_variant_ref_sink (words_new (words, 20));

  check (detect (h, 0, TRUE, spans), "2 |1 more\nbelow|0 One\nexam-\nple| 23 = 20 + 3: and 50 110");
  check (detect (h, 1, TRUE, words_new (none, 0)), "2 |1 |0 | 0 = 0 + 0:");
  check (detect (h, 2, TRUE, NULL), "2 (none)|1 (none)|0 (none)|");
  /* words that cannot be placed */
  check (detect (h, 3, FALSE, spans), "2 (none)|1 (none)|0 (none)|");
  /* what is not a number is at the page's edge */
  check (detect (h, 4, TRUE, words_new (words, NAN)), "2 |1 more\nbelow|0 One\nexam-\nple| 23 = 20 + 3: and 10 110");
  g_variant_unref (spans);
  gst_harness_teardown (h);
}

GST_END_TEST

/* They count from the next page on. */
GST_START_TEST (properties_while_playing)
{
  static const gchar *const words[] = { "One", "exam-", "ple", NULL };
  GstHarness *h = start ("");
  GVariant *spans = g_variant_ref_sink (words_new (words, 20));
  GstDocLayout *layout;
  const GstDocRegion *r;

  check (detect (h, 0, TRUE, spans), "2 |1 |0 One\nexam-\nple| 11 = 11 + 0:");
  g_object_set (h->element, "join-hyphens", TRUE, NULL);
  check (detect (h, 1, TRUE, spans), "2 |1 |0 One\nexample| 11 = 11 + 0:");
  g_object_set (h->element, "join-hyphens", FALSE, "snap", TRUE, "reading-direction", 2, NULL);
  layout = detect (h, 2, TRUE, spans);
  r = &g_array_index (layout->regions, GstDocRegion, 2);
  fail_unless (r->x0 == 50 && r->y0 == 20 && r->x1 == 90 && r->y1 == 100, "%g %g %g %g", r->x0, r->y0, r->x1, r->y1);
  fail_unless (r[-1].x0 == 10 && r[-1].y0 == 140);
  check (layout, "0 |2 |1 One\nexam-\nple| 11 = 11 + 0:");
  g_variant_unref (spans);
  gst_harness_teardown (h);
}

GST_END_TEST

static const struct
{
  const gchar *direction;
  const gchar *words[5];        /* NULL: no text */
  gboolean right_to_left;
} directions[] = {
  {"auto", {NULL}, FALSE},
  {"rtl", {NULL}, TRUE},
  {"auto", {"العربية", "Latin", NULL}, TRUE},
  {"auto", {"עברית", "12345678901234567890", "«»()", NULL}, TRUE},
  {"auto", {"العربية", "mostly", "Latin", NULL}, FALSE},
  {"auto", {"عرب", "abc", NULL}, FALSE},
  {"auto", {"123", NULL}, FALSE},
  {"ltr", {"العربية", NULL}, FALSE},
  {"rtl", {"Latin", NULL}, TRUE},
};

GST_START_TEST (direction)
{
  g_autofree gchar *property = g_strconcat ("reading-direction=", directions[__i__].direction, NULL);
  GstHarness *h = start (property);
  const gboolean has_text = directions[__i__].words[0] != NULL;
  GstDocLayout *layout = detect (h, 0, TRUE, has_text ? words_new (directions[__i__].words, 120) : NULL);
  const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, 0);

  fail_unless_equals_int (r[0].order, directions[__i__].right_to_left ? 0 : 2);
  fail_unless_equals_int (r[1].order, directions[__i__].right_to_left ? 2 : 1);
  gst_doc_layout_free (layout);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (order_of_the_model)
{
  static const nn_region told[] = {
    {220, 0, 410, 60, 0.9f, 0, 4}, {10, 140, 200, 200, 0.8f, 0, 9}, {10, 0, 200, 90, 0.7f, 0, 0}
  };
  GstHarness *h = start ("reading-direction=rtl");

  check (detect (h, 0, TRUE, NULL), "0 (none)|2 (none)|1 (none)|");
  fake_engine.regions = told;
  check (detect (h, 1, TRUE, NULL), "1 (none)|2 (none)|0 (none)|");
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
cudalayoutdetect_text_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect_text");
  TCase *tc = fake_tcase_new ("cudalayoutdetect_text");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, text_where_it_is_known);
  tcase_add_test (tc, properties_while_playing);
  tcase_add_loop_test (tc, direction, 0, G_N_ELEMENTS (directions));
  tcase_add_test (tc, order_of_the_model);
  return s;
}

GST_CHECK_MAIN (cudalayoutdetect_text)
