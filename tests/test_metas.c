/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page, layout and text metas: what they store, and what stock elements make of them. */
#include "gst/gstdoclabels.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstdoctextmeta.h"
#include "gst_harness.h"

#include <math.h>

#define PAGE_CAPS "video/x-raw,format=BGRx,width=200,height=100,framerate=1/1"

/* Two words, of one line; not serialised yet. (transfer full) */
static GVariant *
make_spans (void)
{
  GVariant *words[] = {
    g_variant_new ("(sdddddsuu)", "Größe", 10.0, 20.0, 40.5, 32.25, 11.0,
        "Foo-BoldItalic", GST_DOC_TEXT_BOLD | GST_DOC_TEXT_ITALIC, 0),
    g_variant_new ("(sdddddsuu)", "\327\251\327\234\327\225\327\235", 44.0,
        20.0, 60.0, 32.0, 11.5, "", 0, 0)
  };

  return g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE
          ("(sdddddsuu)"), words, G_N_ELEMENTS (words)));
}

static void
check_spans (GVariant * spans)
{
  GstDocTextSpan name, hebrew;

  fail_unless_equals_int (gst_doc_text_n_spans (spans), 2);
  gst_doc_text_get_span (spans, 0, &name);
  gst_doc_text_get_span (spans, 1, &hebrew);
  fail_unless_equals_string (name.text, "Größe");
  fail_unless (name.x0 == 10 && name.y0 == 20 && name.x1 == 40.5
      && name.y1 == 32.25 && name.size == 11);
  fail_unless_equals_string (name.font, "Foo-BoldItalic");
  fail_unless_equals_int (name.flags, 3);
  fail_unless_equals_string (hebrew.text, "\327\251\327\234\327\225\327\235");
  fail_unless (hebrew.x0 == 44 && hebrew.size == 11.5 && hebrew.flags == 0
      && hebrew.line == 0);
  fail_unless_equals_string (hebrew.font, "");
}

static void
add_metas (GstBuffer * buffer)
{
  GVariant *spans = make_spans ();
  GstDocPage page = GST_DOC_PAGE_INIT;
  GstDocLayout *layout = gst_doc_layout_new (200, 100);
  GstDocRegion regions[] = {
    {0, 4, "table", 0.9, 20.5, 10.25, 100, 50, 1, g_strdup ("Größe\n12 cm")},
    {1, 0, "text", 0.6, 0, 0, 200, 100, 0, g_strdup ("")},
  };
  GstDocTextLine orphan = { g_strdup ("page 3"), 20.5, 60.25, 100, 100 };

  page.document = "file:///a.pdf";
  page.page = 3;
  page.error = "page 3: damaged";
  fail_unless (gst_doc_page_meta_add (buffer, &page));

  g_array_append_vals (layout->regions, regions, G_N_ELEMENTS (regions));
  layout->device = g_strdup ("cpu");
  layout->infer_ms = 12.5;
  layout->orphans = gst_doc_text_lines_new ();
  g_array_append_val (layout->orphans, orphan);
  layout->characters = 14;
  layout->region_characters = 9;
  layout->orphan_characters = 5;
  fail_unless (gst_doc_layout_meta_add (buffer, layout));
  gst_doc_layout_free (layout);
  fail_unless (gst_doc_text_meta_add (buffer, spans));
  g_variant_unref (spans);
}

/* Pushes a page with metas through `launch`; NULL where the element cannot be made. */
static GstBuffer *
through (const gchar * launch)
{
  GstHarness *h = gst_harness_new_parse (launch);
  GstBuffer *in = doc_frame_new (PAGE_CAPS, 255, 0), *out;

  add_metas (in);
  gst_harness_set_src_caps_str (h, PAGE_CAPS);
  fail_unless_equals_int (gst_harness_push (h, in), GST_FLOW_OK);
  out = gst_harness_pull (h);
  fail_unless (out != NULL);
  gst_harness_teardown (h);
  return out;
}

static void
check_page (GstBuffer * buffer, const gchar * launch)
{
  GstDocPage page;

  fail_unless (gst_doc_page_meta_get (buffer, &page), "lost by %s", launch);
  fail_unless_equals_string (page.document, "file:///a.pdf");
  fail_unless_equals_int (page.page, 3);
  fail_unless_equals_string (page.error, "page 3: damaged");
}

/* Boxes of text are in points of the page, which no element moves. */
static void
check_text (GstBuffer * buffer, const gchar * launch)
{
  GVariant *spans = gst_doc_text_meta_get (buffer);

  fail_unless (spans != NULL, "text is lost by %s", launch);
  check_spans (spans);
  g_variant_unref (spans);
}

static void
check_box (const GstDocLayout * layout, guint index, gdouble x0, gdouble y0,
    gdouble x1, gdouble y1)
{
  const GstDocRegion *r =
      &g_array_index (layout->regions, GstDocRegion, index);

  fail_unless (fabs (r->x0 - x0) < 1e-9 && fabs (r->y0 - y0) < 1e-9
      && fabs (r->x1 - x1) < 1e-9 && fabs (r->y1 - y1) < 1e-9,
      "region %u is %g %g %g %g, not %g %g %g %g", index, r->x0, r->y0, r->x1,
      r->y1, x0, y0, x1, y1);
}

/* The text of add_metas(), the orphan's box being where the table's is but for its y. */
static void
check_layout_text (const GstDocLayout * layout, gdouble y0, gdouble y1)
{
  const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, 0);
  const GstDocTextLine *line;

  fail_unless_equals_string (r[0].text, "Größe\n12 cm");
  fail_unless_equals_string (r[1].text, "");
  fail_unless (r[0].order == 1 && r[1].order == 0);
  fail_unless (layout->characters == 14 && layout->region_characters == 9
      && layout->orphan_characters == 5);
  fail_unless (layout->orphans != NULL && layout->orphans->len == 1);
  line = &g_array_index (layout->orphans, GstDocTextLine, 0);
  fail_unless_equals_string (line->text, "page 3");
  fail_unless_equals_float (line->x0, r->x0);
  fail_unless_equals_float (line->x1, r->x1);
  fail_unless_equals_float (line->y0, y0);
  fail_unless_equals_float (line->y1, y1);
}

/* What each stock element does to a layout of 200×100 with the boxes of add_metas(). */
static const struct
{
  const gchar *launch;
  gint width, height;           /* of the layout; 0: it is to be gone */
  gdouble box[4];               /* of the first region */
} elements[] = {
  {"queue", 200, 100, {20.5, 10.25, 100, 50}},
  {"tee name=t ! queue t. ! fakesink async=false", 200, 100, {20.5, 10.25, 100, 50}},
  {"identity", 200, 100, {20.5, 10.25, 100, 50}},
  {"videoconvert ! capsfilter caps=video/x-raw,format=GRAY8", 200, 100,
      {20.5, 10.25, 100, 50}},
  {"videoconvert ! capsfilter caps=video/x-raw,format=I420", 200, 100,
      {20.5, 10.25, 100, 50}},
  {"videoscale ! capsfilter caps=video/x-raw,width=400,height=200", 400, 200,
      {41, 20.5, 200, 100}},
  /* stretched: the display aspect is kept by pixels that are not square */
  {"videoscale ! capsfilter caps=video/x-raw,width=100,height=100", 100, 100,
      {10.25, 10.25, 50, 50}},
  /* with borders: 50 pixels above and below */
  {"videoscale ! "
      "capsfilter caps=video/x-raw,width=200,height=200,pixel-aspect-ratio=1/1",
      200, 200, {20.5, 60.25, 100, 100}},
  /* and 100 left and right */
  {"videoscale ! "
      "capsfilter caps=video/x-raw,width=400,height=100,pixel-aspect-ratio=1/1",
      400, 100, {120.5, 10.25, 200, 50}},
  {"videoflip video-direction=horiz", 0, 0, {0}},
  {"videoflip video-direction=90r", 0, 0, {0}},
  {"videocrop left=10 top=10", 0, 0, {0}},
};

GST_START_TEST (stock_elements)
{
  const gchar *launch = elements[__i__].launch;
  GstBuffer *out = through (launch);
  GstDocLayout *layout = gst_doc_layout_meta_get (out);
  const gdouble *box = elements[__i__].box;

  check_page (out, launch);
  check_text (out, launch);
  if (elements[__i__].width == 0) {
    fail_unless (layout == NULL, "%s keeps boxes that it does not move",
        launch);
  } else {
    fail_unless (layout != NULL, "lost by %s", launch);
    fail_unless_equals_int (layout->width, elements[__i__].width);
    fail_unless_equals_int (layout->height, elements[__i__].height);
    fail_unless_equals_int (layout->regions->len, 2);
    check_box (layout, 0, box[0], box[1], box[2], box[3]);
    check_layout_text (layout, (60.25 - layout->origin_ty) / layout->origin_sy,
        (100 - layout->origin_ty) / layout->origin_sy);
    fail_unless_equals_int (layout->origin_width, 200);
    /* the origin mapping leads back to where the detector saw it */
    fail_unless_equals_float (box[0] * layout->origin_sx + layout->origin_tx,
        20.5);
    fail_unless_equals_float (box[1] * layout->origin_sy + layout->origin_ty,
        10.25);
    fail_unless_equals_float (box[2] * layout->origin_sx + layout->origin_tx,
        100);
    fail_unless_equals_float (box[3] * layout->origin_sy + layout->origin_ty,
        50);
    gst_doc_layout_free (layout);
  }
  gst_buffer_unref (out);
}

GST_END_TEST

GST_START_TEST (origin_through_two_scalings)
{
  GstBuffer *out = through ("videoscale ! capsfilter "
      "caps=video/x-raw,width=200,height=200,pixel-aspect-ratio=1/1 ! "
      "videoscale ! capsfilter caps=video/x-raw,width=100,height=100");
  GstDocLayout *layout = gst_doc_layout_meta_get (out);
  const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, 0);

  check_box (layout, 0, 10.25, 30.125, 50, 50);
  fail_unless_equals_float (r->x0 * layout->origin_sx + layout->origin_tx,
      20.5);
  fail_unless_equals_float (r->y0 * layout->origin_sy + layout->origin_ty,
      10.25);
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
}

GST_END_TEST

GST_START_TEST (page_round_trip)
{
  GstBuffer *buffer = gst_buffer_new ();
  const GstDocPage unknown = GST_DOC_PAGE_INIT;
  GstDocPage page = unknown, got;

  fail_if (gst_doc_page_meta_get (buffer, &got));
  fail_unless (got.document == NULL && got.rotation == -1);

  fail_unless (gst_doc_page_meta_add (buffer, &page));
  fail_unless (gst_doc_page_meta_get (buffer, &got));
  fail_unless (got.document == NULL && got.page == 0 && got.pages == 0
      && got.width_pt == 0.0 && got.rotation == -1 && got.error == NULL
      && got.render_ms == -1.0 && got.wait_ms == -1.0);

  page.document = "file:///ä.pdf";
  page.page = 2;
  page.pages = 7;
  page.width = 827;
  page.height = 1170;
  page.width_pt = 595.28;
  page.height_pt = 841.89;
  page.scale = 1.25;
  page.x = 3.5;
  page.y = 4.5;
  page.rotation = 0;
  page.render_ms = 6.5;
  page.wait_ms = 0.0;
  fail_unless (gst_doc_page_meta_add (buffer, &page));
  fail_unless (gst_doc_page_meta_get (buffer, &got));
  fail_unless_equals_string (got.document, page.document);
  fail_unless (got.page == 2 && got.pages == 7 && got.width == 827
      && got.height == 1170 && got.width_pt == 595.28
      && got.height_pt == 841.89 && got.rotation == 0 && got.error == NULL
      && got.scale == 1.25 && got.x == 3.5 && got.y == 4.5
      && got.render_ms == 6.5 && got.wait_ms == 0.0);

  /* replaced, and nothing of the former stays */
  fail_unless (gst_doc_page_meta_add (buffer, &unknown));
  fail_unless (gst_doc_page_meta_get (buffer, &got));
  fail_unless (got.document == NULL && got.page == 0 && got.rotation == -1);
  gst_buffer_unref (buffer);
}

GST_END_TEST

GST_START_TEST (layout_round_trip)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstDocLayout *got, *layout = gst_doc_layout_new (10, 20);

  fail_unless (gst_doc_layout_meta_get (buffer) == NULL);
  fail_unless (gst_doc_layout_meta_add (buffer, layout));
  got = gst_doc_layout_meta_get (buffer);
  fail_unless (got->regions->len == 0 && got->model == NULL
      && got->orphans == NULL && got->characters == 0);
  gst_doc_layout_free (got);

  add_metas (buffer);
  got = gst_doc_layout_meta_get (buffer);
  fail_unless_equals_int (got->regions->len, 2);
  fail_unless_equals_int (got->width, 200);
  fail_unless_equals_int (got->origin_height, 100);
  fail_unless_equals_string (got->device, "cpu");
  fail_unless_equals_float (got->infer_ms, 12.5);
  check_box (got, 0, 20.5, 10.25, 100, 50);
  fail_unless_equals_string (g_array_index (got->regions, GstDocRegion,
          0).label, "table");
  fail_unless_equals_int (g_array_index (got->regions, GstDocRegion, 0).class_id,
      4);
  fail_unless_equals_float (g_array_index (got->regions, GstDocRegion, 1).score,
      0.6);
  fail_unless_equals_int (g_array_index (got->regions, GstDocRegion, 1).id, 1);
  check_layout_text (got, 60.25, 100);
  gst_doc_layout_free (got);

  /* replaced, and nothing of the former text stays */
  fail_unless (gst_doc_layout_meta_add (buffer, layout));
  got = gst_doc_layout_meta_get (buffer);
  fail_unless (got->orphans == NULL && got->characters == 0);
  gst_doc_layout_free (got);
  gst_doc_layout_free (layout);
  gst_buffer_unref (buffer);
}

GST_END_TEST

GST_START_TEST (text_round_trip)
{
  GstBuffer *buffer = gst_buffer_new (), *copy;
  GVariant *spans = make_spans (), *got, *copied;

  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  fail_unless (gst_doc_text_meta_add (buffer, spans));
  got = gst_doc_text_meta_get (buffer);
  check_spans (got);

  /* a copy of the buffer has no copy of the text, and keeps it */
  copy = gst_buffer_copy (buffer);
  gst_buffer_unref (buffer);
  copied = gst_doc_text_meta_get (copy);
  fail_unless (copied == got && copied == spans);
  g_variant_unref (got);
  g_variant_unref (spans);
  check_spans (copied);
  g_variant_unref (copied);

  /* replaced, by a floating variant of no words */
  fail_unless (gst_doc_text_meta_add (copy, g_variant_new_array (G_VARIANT_TYPE
              ("(sdddddsuu)"), NULL, 0)));
  got = gst_doc_text_meta_get (copy);
  fail_unless (got != NULL && gst_doc_text_n_spans (got) == 0);
  g_variant_unref (got);
  gst_buffer_unref (copy);
}

GST_END_TEST

/* A variant that was built of others lets them go when it is serialised; a span's strings stay (GLib sees to it). */
GST_START_TEST (text_strings)
{
  GVariant *spans = make_spans ();
  GstDocTextSpan span;
  const gchar *data;

  gst_doc_text_get_span (spans, 0, &span);
  data = g_variant_get_data (spans);
  fail_unless (span.text >= data
      && span.text < data + g_variant_get_size (spans));
  fail_unless (span.font >= data
      && span.font < data + g_variant_get_size (spans));
  g_variant_unref (spans);
}

GST_END_TEST

GST_START_TEST (not_writable)
{
  GVariant *spans = make_spans ();
  GstBuffer *buffer = gst_buffer_new (), *second = gst_buffer_ref (buffer);
  GstDocLayout *layout = gst_doc_layout_new (10, 20);
  GstDocPage page = GST_DOC_PAGE_INIT;

  fail_if (gst_doc_page_meta_add (buffer, &page));
  fail_if (gst_doc_layout_meta_add (buffer, layout));
  fail_if (gst_doc_text_meta_add (buffer, spans));
  fail_unless (gst_doc_layout_meta_get (buffer) == NULL);
  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  g_variant_unref (spans);
  gst_doc_layout_free (layout);
  gst_buffer_unref (second);
  gst_buffer_unref (buffer);
}

GST_END_TEST

GST_START_TEST (part_of_the_bytes)
{
  GstBuffer *frame = doc_frame_new (PAGE_CAPS, 0, 0), *part;

  add_metas (frame);
  part = gst_buffer_copy_region (frame, GST_BUFFER_COPY_ALL, 100, 400);
  fail_unless (gst_doc_layout_meta_get (part) == NULL);
  gst_buffer_unref (part);
  gst_buffer_unref (frame);
}

GST_END_TEST

GST_START_TEST (label_comparison)
{
  static const struct
  {
    const gchar *a, *b;
    gboolean equal;
  } rows[] = {
    {"text", "Text", TRUE}, {"List-item", "list_item", TRUE}, {"list item", "LIST-ITEM", TRUE}, {"", "", TRUE},
    {"text", "texts", FALSE}, {"texts", "text", FALSE}, {"list_item", "listitem", FALSE}, {"", "text", FALSE},
    {NULL, NULL, TRUE}, {NULL, "", FALSE}, {"", NULL, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    fail_unless_equals_int (gst_doc_label_equal (rows[i].a, rows[i].b), rows[i].equal);
}

GST_END_TEST

GST_START_TEST (label_colors)
{
  fail_unless_equals_int (gst_doc_label_color ("figure"),
      gst_doc_label_color ("Picture"));
  fail_unless_equals_int (gst_doc_label_color ("list_item"),
      gst_doc_label_color ("List-item"));
  fail_unless_equals_int (gst_doc_label_color ("plain text"),
      gst_doc_label_color ("text"));
  fail_if (gst_doc_label_color ("table") == gst_doc_label_color ("figure"));
  fail_if (gst_doc_label_color ("tab") == gst_doc_label_color ("table")
      && gst_doc_label_color ("tabl") == gst_doc_label_color ("table")
      && gst_doc_label_color ("tables") == gst_doc_label_color ("table"),
      "a part of a label counts as the label");
  /* FNV-1a of "x-ray" is 0xeb1d7572, 3 modulo 9, computed apart from our code */
  fail_unless_equals_int (gst_doc_label_color ("x-ray"),
      gst_doc_label_color ("table"));
  fail_unless_equals_int (gst_doc_label_color (NULL),
      gst_doc_label_color (""));
}

GST_END_TEST

static Suite *
metas_suite (void)
{
  Suite *s = suite_create ("metas");
  TCase *tc = doc_tcase_new ("metas");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, stock_elements, 0, G_N_ELEMENTS (elements));
  tcase_add_test (tc, origin_through_two_scalings);
  tcase_add_test (tc, page_round_trip);
  tcase_add_test (tc, layout_round_trip);
  tcase_add_test (tc, text_round_trip);
  tcase_add_test (tc, text_strings);
  tcase_add_test (tc, not_writable);
  tcase_add_test (tc, part_of_the_bytes);
  tcase_add_test (tc, label_comparison);
  tcase_add_test (tc, label_colors);
  return s;
}

GST_CHECK_MAIN (metas)
