/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with the default model: pages go in, their regions come out, in order. */
#include "detect_harness.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

#include <glib/gstdio.h>
#include <math.h>

static void
check_same (GstBuffer * a, GstBuffer * b, gdouble tolerance)
{
  GstDocLayout *x = gst_doc_layout_meta_get (a), *y =
      gst_doc_layout_meta_get (b);

  fail_unless (x->regions->len > 0);
  fail_unless_equals_int (x->regions->len, y->regions->len);
  for (guint i = 0; i < x->regions->len; i++) {
    const GstDocRegion *p = &g_array_index (x->regions, GstDocRegion, i);
    const GstDocRegion *q = &g_array_index (y->regions, GstDocRegion, i);

    fail_unless_equals_string (p->label, q->label);
    fail_unless (fabs (p->x0 - q->x0) <= tolerance
        && fabs (p->y0 - q->y0) <= tolerance
        && fabs (p->x1 - q->x1) <= tolerance
        && fabs (p->y1 - q->y1) <= tolerance
        && fabs (p->score - q->score) <= tolerance, "region %u differs", i);
  }
  gst_doc_layout_free (x);
  gst_doc_layout_free (y);
}

/* Five pages, the last batch not full: in order, each with its own region, and then EOS. */
GST_START_TEST (pages_in_order)
{
  static const guint batches[] = { 1, 2, 3, 8 };
  GstHarness *h = detect_start (batches[__i__]);
  GstStructure *stats;
  guint64 n_pages, n_regions, n_batches;
  GstDocLayout *layout;

  for (guint i = 0; i < 5; i++)
    fail_unless_equals_int (gst_harness_push (h, detect_page (i)), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  for (guint i = 0; i < 5; i++) {
    GstBuffer *out = gst_harness_pull (h);

    fail_unless_equals_uint64 (GST_BUFFER_PTS (out), i * GST_SECOND);
    detect_check_found (out, i);
    if (i == 0) {
      layout = gst_doc_layout_meta_get (out);
      fail_unless_equals_int (layout->width, 848);
      fail_unless_equals_int (layout->height, 1100);
      fail_unless_equals_string (layout->device, "cpu");
      fail_unless_equals_int (strlen (layout->model_sha256), 64);
      fail_unless (layout->infer_ms > 0.0);
      gst_doc_layout_free (layout);
    }
    gst_buffer_unref (out);
  }
  while (gst_harness_events_received (h) < 4)
    g_usleep (1000);
  fail_unless_equals_int (gst_harness_push (h, detect_page (0)), GST_FLOW_EOS);

  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get (stats, "pages", G_TYPE_UINT64, &n_pages, "regions",
      G_TYPE_UINT64, &n_regions, "batches", G_TYPE_UINT64, &n_batches, NULL);
  fail_unless_equals_uint64 (n_pages, 5);
  fail_unless_equals_uint64 (n_regions, 5);
  fail_unless_equals_uint64 (n_batches,
      (5 + batches[__i__] - 1) / batches[__i__]);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

/* One batch or three, the numbers are the same to the last bit. */
GST_START_TEST (batches_do_not_matter)
{
  GstHarness *one = detect_start (1), *three = detect_start (3);

  for (guint i = 0; i < 3; i++) {
    gst_harness_push (one, detect_page (i));
    gst_harness_push (three, detect_page (i));
  }
  for (guint i = 0; i < 3; i++) {
    GstBuffer *a = gst_harness_pull (one), *b = gst_harness_pull (three);

    check_same (a, b, 0.0);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
  }
  gst_harness_teardown (one);
  gst_harness_teardown (three);
}

GST_END_TEST

/* The drawn page is grey, so every format and stride shows the same one. */
GST_START_TEST (formats_and_strides)
{
  static const gchar *const formats[] =
      { "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR", "GRAY8" };
  DrawnBlock block = drawn_block (3);
  GstBuffer *first = NULL;

  for (guint i = 0; i <= G_N_ELEMENTS (formats); i++) {
    GstHarness *h = detect_start (1);
    g_autofree gchar *caps = g_strdup_printf ("video/x-raw,format=%s,%s",
        formats[i % G_N_ELEMENTS (formats)], DETECT_SIZE);
    GstBuffer *out;

    gst_harness_set_src_caps_str (h, caps);
    gst_harness_push (h, drawn_page_new (caps, &block, i > 0 ? 52 : 0, 3));
    out = gst_harness_pull (h);
    detect_check_found (out, 3);
    if (first)
      check_same (first, out, 0.0);
    else
      first = gst_buffer_ref (out);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
  gst_buffer_unref (first);
}

GST_END_TEST

GST_START_TEST (failed_pages_and_gaps_pass)
{
  GstHarness *h = detect_start (2);
  GstDocPage failed = GST_DOC_PAGE_INIT;
  GstBuffer *in[4], *out;
  GstStructure *stats;
  guint64 skipped;

  for (guint i = 0; i < 4; i++)
    in[i] = detect_page (i);
  failed.error = "damaged";
  gst_doc_page_meta_add (in[1], &failed);
  GST_BUFFER_FLAG_SET (in[2], GST_BUFFER_FLAG_GAP);
  for (guint i = 0; i < 4; i++)
    gst_harness_push (h, in[i]);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 4; i++) {
    GstDocLayout *layout;

    out = gst_harness_pull (h);
    fail_unless (out == in[i], "page %u is another buffer", i);
    layout = gst_doc_layout_meta_get (out);
    fail_unless_equals_int (layout != NULL, i == 0 || i == 3);
    gst_doc_layout_free (layout);
    gst_buffer_unref (out);
  }
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "skipped", &skipped);
  fail_unless_equals_uint64 (skipped, 2);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (shared_buffer)
{
  GstHarness *h = detect_start (1);
  GstBuffer *in = detect_page (0), *out;

  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);
  detect_check_found (out, 0);
  fail_unless (gst_doc_layout_meta_get (in) == NULL,
      "a buffer that others hold was written to");
  fail_unless (gst_buffer_peek_memory (in, 0) == gst_buffer_peek_memory (out,
          0), "pixels were copied");
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (two_elements)
{
  GstHarness *a = detect_start (1), *b = detect_start (2);
  GstBuffer *out;

  gst_harness_push (a, detect_page (0));
  gst_harness_push (b, detect_page (1));
  gst_harness_push (b, detect_page (2));
  out = gst_harness_pull (a);
  detect_check_found (out, 0);
  gst_buffer_unref (out);
  /* the model is shared, and stays the other's when one goes */
  gst_harness_teardown (a);
  for (guint i = 1; i < 3; i++) {
    out = gst_harness_pull (b);
    detect_check_found (out, i);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (b);
}

GST_END_TEST

static guint
count_regions (GstHarness * h)
{
  GstBuffer *out;
  GstDocLayout *layout;
  guint n;

  gst_harness_push (h, detect_page (0));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless (layout != NULL);
  n = layout->regions->len;
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  return n;
}

GST_START_TEST (settings_while_playing)
{
  GstHarness *h = detect_start (1);

  fail_unless_equals_int (count_regions (h), 1);
  g_object_set (h->element, "threshold", 1.0, NULL);
  fail_unless_equals_int (count_regions (h), 0);
  g_object_set (h->element, "threshold", 0.001, "duplicates", 1, NULL);
  fail_unless (count_regions (h) > 3);
  g_object_set (h->element, "max-detections", 3, NULL);
  fail_unless_equals_int (count_regions (h), 3);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (labels_file)
{
  GstHarness *h;
  g_autofree gchar *path = NULL, *launch = NULL;
  gint fd = g_file_open_tmp ("gst-doclayout-labels-XXXXXX", &path, NULL);
  GstBuffer *out;
  GstDocLayout *layout;

  g_file_set_contents (path, "prose\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", -1, NULL);
  launch = g_strdup_printf ("cudalayoutdetect batch-size=1 labels-file=%s",
      path);
  h = detect_start_with (launch);
  gst_harness_push (h, detect_page (0));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless_equals_string (g_array_index (layout->regions, GstDocRegion,
          0).label, "prose");
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_close (fd, NULL);
  g_unlink (path);
}

GST_END_TEST

static void
keep_line (GstDebugCategory * category, GstDebugLevel level, const gchar * file,
    const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer text)
{
  if (level == GST_LEVEL_INFO
      && g_str_equal (gst_debug_category_get_name (category),
          "cudalayoutdetect"))
    g_string_append_printf (text, "%s\n", gst_debug_message_get (message));
}

/* What the network became stands in the log: fewer nodes than the file has. */
GST_START_TEST (log_of_the_network)
{
  GString *text = g_string_new (NULL);
  GstHarness *h;
  const gchar *nodes;
  gint before = 0, after = 0;

  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_for_name ("cudalayoutdetect", GST_LEVEL_INFO);
  gst_debug_add_log_function (keep_line, text, NULL);
  h = detect_start (1);
  gst_debug_remove_log_function (keep_line);
  gst_debug_unset_threshold_for_name ("cudalayoutdetect");
  nodes = strstr (text->str, " nodes fused to ");
  fail_unless (nodes != NULL, "no count of nodes in: %s", text->str);
  while (nodes > text->str && g_ascii_isdigit (nodes[-1]))
    nodes--;
  fail_unless_equals_int (sscanf (nodes, "%d nodes fused to %d", &before,
          &after), 2);
  fail_unless (after > 0 && after < before, "%d nodes became %d", before,
      after);
  gst_harness_teardown (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

static Suite *
pages_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, regions");
  TCase *tc = doc_tcase_new ("pages");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, pages_in_order, 0, 4);
  tcase_add_test (tc, batches_do_not_matter);
  tcase_add_test (tc, formats_and_strides);
  tcase_add_test (tc, failed_pages_and_gaps_pass);
  tcase_add_test (tc, shared_buffer);
  tcase_add_test (tc, two_elements);
  tcase_add_test (tc, settings_while_playing);
  tcase_add_test (tc, labels_file);
  tcase_add_test (tc, log_of_the_network);
  return s;
}

int
main (int argc, char **argv)
{
  return detect_main (&argc, &argv, pages_suite (), "cudalayoutdetect_pages", __FILE__);
}
