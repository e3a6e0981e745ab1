/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "detect_harness.h"

#include "gst/gstdoclayoutmeta.h"

GstHarness *
detect_start_with (const gchar * launch)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, DETECT_CAPS);
  return h;
}

GstHarness *
detect_start (guint batch)
{
  g_autofree gchar *launch = g_strdup_printf ("cudalayoutdetect device=cpu batch-size=%u "
      "batch-timeout=3600000", batch);

  return detect_start_with (launch);
}

GstBuffer *
detect_page (guint number)
{
  DrawnBlock block = drawn_block (number);

  return drawn_page_new (DETECT_CAPS, &block, 0, number);
}

static gdouble
overlap (const GstDocRegion * r, const DrawnBlock * b)
{
  gdouble w = MIN (r->x1, b->x1) - MAX (r->x0, b->x0);
  gdouble h = MIN (r->y1, b->y1) - MAX (r->y0, b->y0);
  gdouble both = MAX (w, 0) * MAX (h, 0);

  return both / ((r->x1 - r->x0) * (r->y1 - r->y0)
      + (b->x1 - b->x0) * (b->y1 - b->y0) - both);
}

void
detect_check_found (GstBuffer * buffer, guint number)
{
  DrawnBlock block = drawn_block (number);
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);
  const GstDocRegion *r;

  fail_unless (layout != NULL, "page %u has no layout", number);
  fail_unless_equals_int (layout->regions->len, 1);
  r = &g_array_index (layout->regions, GstDocRegion, 0);
  fail_unless_equals_string (r->label, "text");
  fail_unless (overlap (r, &block) > 0.85, "page %u: %g,%g %g,%g, not %d,%d "
      "%d,%d", number, r->x0, r->y0, r->x1, r->y1, block.x0, block.y0,
      block.x1, block.y1);
  fail_unless (r->score > 0.5 && r->score <= 1.0);
  gst_doc_layout_free (layout);
}

int
detect_main (int *argc, char ***argv, Suite * suite, const gchar * name,
    const gchar * file)
{
  const gchar *named = g_getenv ("DOCLAYOUT_MODEL");
  g_autofree gchar *path = named ? g_strdup (named)
      : g_build_filename (g_get_user_cache_dir (), "gst-doclayout",
      "layout_cdla.onnx", NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_print ("skipped: no model at %s (tests/run.sh fetches it)\n", path);
    return 77;
  }
  gst_check_init (argc, argv);
  return gst_check_run_suite (suite, name, file);
}
