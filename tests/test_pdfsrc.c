/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc with the real render worker. */
#include "gst_harness.h"
#include "pdfpipeline.h"
#include "pdfwriter.h"

#include <unistd.h>

static void
teardown (void)
{
  pdf_remove_files ();
}

static guint
get_uint (PdfRun * run, const gchar * property)
{
  GstElement *src = gst_bin_get_by_name (GST_BIN (run->pipeline), "src");
  guint value;

  g_object_get (src, property, &value, NULL);
  gst_object_unref (src);
  return value;
}

/* Every page of the selection, in order, as itself, with its place in the timeline. */
static void
check_selection (const gchar * path, const gchar * options,
    const gchar * expected)
{
  PdfRun *run = pdf_run ("location=%s %s", path, options);
  gchar *pages = pdf_run_pages (run);
  gchar *uri = gst_filename_to_uri (path, NULL);

  fail_unless (run->eos && run->n_warnings == 0, "%s: %s", options,
      run->error ? run->error->message : "");
  fail_unless_equals_string (pages, expected);
  for (guint i = 0; i < run->buffers->len; i++) {
    GstBuffer *buffer = g_ptr_array_index (run->buffers, i);
    GstDocPage page = pdf_run_page (run, i);

    fail_unless_equals_int (pdf_run_grey (run, i), pdf_grey (page.page));
    fail_unless_equals_int (page.pages, get_uint (run, "n-pages"));
    fail_unless_equals_string (page.document, uri);
    fail_unless (page.render_ms > 0 && page.wait_ms >= 0);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * GST_SECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), GST_SECOND);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), i);
    fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)
        || GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_CORRUPTED));
  }
  pdf_run_free (run);
  g_free (uri);
  g_free (pages);
}

GST_START_TEST (test_pages)
{
  const guint workers[] = { 1, 2, 8 };
  gchar *path = pdf_write_plain ("twelve.pdf", 12);

  for (guint i = 0; i < G_N_ELEMENTS (workers); i++) {
    gchar *options = g_strdup_printf ("render-workers=%u", workers[i]);

    check_selection (path, options, "1 2 3 4 5 6 7 8 9 10 11 12");
    g_free (options);
  }
  check_selection (path, "pages=11-", "11 12");
  check_selection (path, "pages=-2", "1 2");
  check_selection (path, "pages=5,3,3,20", "5 3 3");
  check_selection (path, "num-buffers=2", "1 2");
  g_free (path);
}
GST_END_TEST

/* The size of a frame in pixels, for pages of several sizes, boxes and rotations. */
GST_START_TEST (test_sizes)
{
  const PdfPageSpec pages[] = {
    {72, 144},
    {73, 145},
    {612, 792},
    {72, 144,.rotate = 90},
    {200, 300,.crop = {50, 60, 150, 200}},
    {200, 300,.crop = {50, 60, 150, 200},.rotate = 270},
  };
  const struct
  {
    guint width, height;
    gdouble width_pt, height_pt;
  } expected[] = { {100, 200, 72, 144}, {102, 202, 73, 145},
  {850, 1100, 612, 792}, {200, 100, 144, 72}, {139, 195, 100, 140},
  {195, 139, 140, 100}
  };
  gchar *path = pdf_write ("sizes.pdf", pages, G_N_ELEMENTS (pages));
  PdfRun *run = pdf_run ("location=%s ! videoconvert", path);

  fail_unless (run->eos);
  fail_unless_equals_int (run->buffers->len, G_N_ELEMENTS (pages));
  for (guint i = 0; i < run->buffers->len; i++) {
    GstDocPage page = pdf_run_page (run, i);
    GstVideoInfo info;

    fail_unless (gst_video_info_from_caps (&info,
            g_ptr_array_index (run->caps, i)));
    fail_unless_equals_int (page.width, expected[i].width);
    fail_unless_equals_int (page.height, expected[i].height);
    fail_unless_equals_int (info.width, expected[i].width);
    fail_unless_equals_int (info.height, expected[i].height);
    fail_unless_equals_float (page.width_pt, expected[i].width_pt);
    fail_unless_equals_float (page.height_pt, expected[i].height_pt);
    fail_unless_equals_int (pdf_run_grey (run, i), pdf_grey (i + 1));
  }
  pdf_run_free (run);
  g_free (path);
}
GST_END_TEST

/* A page too large at this resolution is refused; the others are there. */
GST_START_TEST (test_too_large)
{
  const PdfPageSpec pages[] = { {72, 72}, {14400, 72}, {10000, 10000}, {72, 72} };
  gchar *path = pdf_write ("large.pdf", pages, G_N_ELEMENTS (pages));
  PdfRun *run = pdf_run ("location=%s dpi=90", path);
  gchar *numbers = pdf_run_pages (run);

  fail_unless_equals_string (numbers, "1 2! 3! 4");
  fail_unless (strstr (pdf_run_page (run, 1).error, "18000 × 90 pixels"));
  fail_unless_equals_int (pdf_run_page (run, 1).width, 90);
  fail_unless_equals_float (pdf_run_page (run, 1).width_pt, 14400);
  fail_unless_equals_float (pdf_run_page (run, 1).scale, 0);
  fail_unless_equals_float (pdf_run_page (run, 3).scale, 90 / 72.0);
  g_free (numbers);
  pdf_run_free (run);
  g_free (path);
}
GST_END_TEST

static guint64
bytes_copied (GstElement * src)
{
  GstStructure *stats;
  guint64 bytes;

  g_object_get (src, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-copied", &bytes));
  gst_structure_free (stats);
  return bytes;
}

/* Rows are a multiple of 16 bytes long where the next element looks at GstVideoMeta, else they
 * touch each other. */
GST_START_TEST (test_strides)
{
  const PdfPageSpec page = { 73, 50 };
  gchar *path = pdf_write ("odd.pdf", &page, 1);
  GstHarness *h = gst_harness_new ("pdfsrc");
  GstVideoMeta *meta;
  GstBuffer *buffer;

  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  g_object_set (h->element, "location", path, "dpi", 72.0, NULL);
  gst_harness_play (h);
  buffer = gst_harness_pull (h);
  meta = gst_buffer_get_video_meta (buffer);
  fail_unless (meta != NULL);
  fail_unless_equals_int (meta->stride[0], 304);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 304 * 50);
  fail_unless_equals_uint64 (bytes_copied (h->element), 0);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);

  h = gst_harness_new ("pdfsrc");
  g_object_set (h->element, "location", path, "dpi", 72.0, NULL);
  gst_harness_play (h);
  buffer = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 73 * 4 * 50);
  fail_unless_equals_uint64 (bytes_copied (h->element), 0);
  fail_unless (gst_buffer_memcmp (buffer, 0, (guint8[]) {249, 249, 249, 255,
              249}, 5) == 0);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  g_free (path);
}
GST_END_TEST

static GstPadProbeReturn
slow_down (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  g_usleep (50000);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
refuse_allocation (GstPad * pad, GstPadProbeInfo * info, gpointer refuse)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  return GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION
      && g_atomic_int_get ((gint *) refuse) ? GST_PAD_PROBE_DROP :
      GST_PAD_PROBE_OK;
}

/* Where the next element looks at GstVideoMeta no more, what is rendered already is copied, and later pages are
 * not. */
GST_START_TEST (test_strides_change)
{
  PdfPageSpec pages[20];
  gchar *path;
  GstHarness *h = gst_harness_new ("pdfsrc");
  guint64 copied = 0;
  gint refuse = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    pages[i] = (PdfPageSpec) { 73, 50 };
  path = pdf_write ("odd.pdf", pages, G_N_ELEMENTS (pages));
  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      refuse_allocation, &refuse, NULL);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, slow_down, NULL,
      NULL);
  g_object_set (h->element, "location", path, "dpi", 72.0, "render-workers", 1,
      NULL);
  gst_harness_play (h);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    GstBuffer *buffer = gst_harness_pull (h);

    if (i == 0) {
      g_atomic_int_set (&refuse, TRUE);
      gst_harness_push_upstream_event (h, gst_event_new_reconfigure ());
    }
    if (i > 2)                  /* the one under way may have been decided on */
      fail_unless_equals_int (gst_buffer_get_size (buffer), 73 * 4 * 50);
    if (i == 14)
      copied = bytes_copied (h->element);
    gst_buffer_unref (buffer);
  }
  fail_unless (copied > 0 && copied % (73 * 4 * 50) == 0);
  fail_unless_equals_uint64 (bytes_copied (h->element), copied);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless_equals_uint64 (bytes_copied (h->element), 0);
  gst_harness_teardown (h);
  g_free (path);
}
GST_END_TEST

/* White around, the page in the middle, in its own proportions. */
GST_START_TEST (test_fit)
{
  const PdfPageSpec pages[] = { {100, 200}, {200, 100}, {50, 50} };
  const guint left[] = { 25, 0, 0 }, top[] = { 0, 25, 0 };
  gchar *path = pdf_write ("fit.pdf", pages, G_N_ELEMENTS (pages));
  PdfRun *run = pdf_run ("location=%s page-size-mode=fit ! "
      "video/x-raw,width=100,height=100", path);

  fail_unless (run->eos);
  fail_unless_equals_int (run->buffers->len, 3);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = g_ptr_array_index (run->buffers, i);
    guint8 edge = pdf_grey (i + 1), pixel[4];

    fail_unless_equals_int (gst_buffer_get_size (buffer), 100 * 100 * 4);
    fail_unless_equals_int (pdf_run_grey (run, i), edge);
    for (guint at = 0; at < 100; at++) {
      gst_buffer_extract (buffer, (50 * 100 + at) * 4, pixel, 4);
      fail_unless_equals_int (pixel[0],
          at >= left[i] && at < 100 - left[i] ? edge : 255);
      gst_buffer_extract (buffer, (at * 100 + 50) * 4, pixel, 4);
      fail_unless_equals_int (pixel[0],
          at >= top[i] && at < 100 - top[i] ? edge : 255);
    }
  }
  pdf_run_free (run);

  /* Asked for nothing, it gives all pages the size of the first. */
  run = pdf_run ("location=%s page-size-mode=fit dpi=72 pages=2-", path);
  fail_unless (run->eos);
  for (guint i = 0; i < 2; i++)
    fail_unless (pdf_run_page (run, i).width == 200
        && pdf_run_page (run, i).height == 100);
  pdf_run_free (run);
  g_free (path);
}
GST_END_TEST

/* Where the next element asks for another size in the middle, pages come in it from some page on. */
GST_START_TEST (test_fit_changes)
{
  gchar *path = pdf_write_plain ("twelve.pdf", 12);
  GstHarness *h = gst_harness_new ("pdfsrc");
  guint height = 60;

  g_object_set (h->element, "location", path, "render-workers", 1, NULL);
  gst_util_set_object_arg (G_OBJECT (h->element), "page-size-mode", "fit");
  gst_harness_set_sink_caps_str (h, "video/x-raw,width=40,height=60");
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, slow_down, NULL,
      NULL);
  gst_harness_play (h);
  for (guint number = 1; number <= 12; number++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstDocPage page;

    fail_unless (gst_doc_page_meta_get (buffer, &page));
    fail_unless_equals_int (page.page, number);
    fail_unless_equals_int (gst_buffer_get_size (buffer),
        page.width * page.height * 4);
    fail_unless (number == 1 ? page.height == 60 : page.height <= height);
    height = page.height;
    gst_buffer_unref (buffer);
    if (number == 1)
      gst_harness_set_sink_caps_str (h, "video/x-raw,width=20,height=30");
  }
  fail_unless_equals_int (height, 30);
  gst_harness_teardown (h);
  g_free (path);
}
GST_END_TEST

/* A frame of a gigabyte is refused before anything is rendered. */
GST_START_TEST (test_fit_too_large)
{
  gchar *path = pdf_write_plain ("plain.pdf", 1);
  PdfRun *run = pdf_run ("location=%s page-size-mode=fit ! "
      "video/x-raw,width=16384,height=16384", path);

  fail_unless (g_error_matches (run->error, GST_CORE_ERROR,
          GST_CORE_ERROR_NEGOTIATION));
  fail_unless (strstr (run->error->message, "16384 × 16384") != NULL);
  fail_unless_equals_int (run->n_errors, 1);
  fail_unless_equals_int (run->buffers->len, 0);
  pdf_run_free (run);
  g_free (path);
}
GST_END_TEST

/* Caps of a fixed size are an error in native mode, with the way out in it. */
GST_START_TEST (test_not_negotiated)
{
  gchar *path = pdf_write_plain ("plain.pdf", 2);
  PdfRun *run = pdf_run ("location=%s ! video/x-raw,width=64,height=64", path);

  fail_unless (g_error_matches (run->error, GST_CORE_ERROR,
          GST_CORE_ERROR_NEGOTIATION));
  fail_unless (strstr (run->error->message, "page-size-mode=fit") != NULL);
  fail_unless_equals_int (run->n_errors, 1);
  pdf_run_free (run);
  g_free (path);
}
GST_END_TEST

/* Queries, before a document is open, while it is, and for a framerate that is no whole number. */
GST_START_TEST (test_queries)
{
  gchar *path = pdf_write_plain ("nine.pdf", 9);
  gchar *uri = gst_filename_to_uri (path, NULL), *answer = NULL;
  GstHarness *h = gst_harness_new ("pdfsrc");
  GstQuery *seeking = gst_query_new_seeking (GST_FORMAT_TIME);
  GstQuery *query = gst_query_new_uri ();
  gboolean seekable = TRUE;
  GstBuffer *buffer;
  gint64 value;
  guint n_pages;

  g_object_set (h->element, "location", path, "pages", "3-", NULL);
  gst_util_set_object_arg (G_OBJECT (h->element), "framerate", "3/2");
  fail_if (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_DEFAULT, &value));
  gst_harness_play (h);
  gst_buffer_unref (gst_harness_pull (h));
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 666666666);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), 666666667);
  gst_buffer_unref (buffer);
  fail_unless (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_DEFAULT, &value));
  fail_unless_equals_int64 (value, 7);
  fail_unless (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_TIME, &value));
  fail_unless_equals_int64 (value, 4666666666);
  fail_unless (gst_pad_peer_query_position (h->sinkpad, GST_FORMAT_DEFAULT, &value));
  fail_unless (value >= 2 && value <= 7);
  fail_if (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_BYTES, &value));
  g_object_get (h->element, "n-pages", &n_pages, NULL);
  fail_unless_equals_int (n_pages, 9);

  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_uri (query, &answer);
  fail_unless_equals_string (answer, uri);
  fail_unless (gst_pad_peer_query (h->sinkpad, seeking));
  gst_query_parse_seeking (seeking, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  gst_query_unref (query);
  gst_query_unref (seeking);
  gst_harness_teardown (h);
  g_free (answer);
  g_free (uri);
  g_free (path);
}
GST_END_TEST

/* One element, several documents, from every state. */
GST_START_TEST (test_reuse)
{
  gchar *first = pdf_write_plain ("first.pdf", 3);
  gchar *second = pdf_write_plain ("second.pdf", 2);
  GstElement *src = gst_element_factory_make ("pdfsrc", NULL);
  GstHarness *h;
  guint n_pages;

  for (GstState state = GST_STATE_READY; state <= GST_STATE_PLAYING; state++) {
    g_object_set (src, "location", first, NULL);
    fail_if (gst_element_set_state (src, state) == GST_STATE_CHANGE_FAILURE);
    fail_if (gst_element_set_state (src, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE);
    g_object_get (src, "n-pages", &n_pages, NULL);
    fail_unless_equals_int (n_pages, 0);
    fail_if (gst_element_set_state (src, GST_STATE_NULL) == GST_STATE_CHANGE_FAILURE);
  }
  for (guint i = 0; i < 4; i++) {
    h = gst_harness_new_with_element (src, NULL, "src");
    g_object_set (src, "location", i % 2 ? second : first, NULL);
    gst_harness_play (h);
    for (guint page = 0; page < (i % 2 ? 2 : 3); page++)
      gst_buffer_unref (gst_harness_pull (h));
    g_object_get (src, "n-pages", &n_pages, NULL);
    fail_unless_equals_int (n_pages, i % 2 ? 2 : 3);
    gst_element_set_state (src, GST_STATE_NULL);
    gst_harness_teardown (h);
  }
  gst_object_unref (src);
  g_free (first);
  g_free (second);
}
GST_END_TEST

/* Settings that are changed in the middle count for the next document only. */
GST_START_TEST (test_settings_later)
{
  gchar *path = pdf_write_plain ("five.pdf", 5);
  GstHarness *h = gst_harness_new ("pdfsrc");
  GstBuffer *buffer;

  g_object_set (h->element, "location", path, "num-buffers", 3, NULL);
  gst_harness_play (h);
  gst_buffer_unref (gst_harness_pull (h));
  g_object_set (h->element, "pages", "1", NULL);
  gst_util_set_object_arg (G_OBJECT (h->element), "framerate", "100/1");
  gst_buffer_unref (gst_harness_pull (h));
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer),
      3 * GST_SECOND);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  g_free (path);
}
GST_END_TEST

static gchar *
children (void)
{
  gchar *path = g_strdup_printf ("/proc/self/task/%d/children", (gint) getpid ());
  gchar *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    text = g_strdup ("");
  g_free (path);
  return text;
}

/* A hundred pipelines, every other one left in the middle, leave no descriptor and no process. */
GST_START_TEST (test_nothing_left)
{
  gchar *path = pdf_write_plain ("plain.pdf", 6);
  guint before = 0;
  gchar *left;

  for (guint i = 0; i < 101; i++) {
    PdfRun *run = pdf_run ("location=%s render-workers=2 text=%d %s", path,
        i % 3 == 0, i % 2 ? "num-buffers=1" : "");

    fail_unless (run->eos);
    pdf_run_free (run);
    if (i == 0)
      before = doc_count_entries ("/proc/self/fd");
  }
  fail_unless_equals_int (doc_count_entries ("/proc/self/fd"), before);
  left = children ();
  fail_unless_equals_string (left, "");
  g_free (left);
  g_free (path);
}
GST_END_TEST

static Suite *
pdfsrc_suite (void)
{
  Suite *s = suite_create ("pdfsrc");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, NULL, teardown);
  tcase_add_test (tc, test_pages);
  tcase_add_test (tc, test_sizes);
  tcase_add_test (tc, test_too_large);
  tcase_add_test (tc, test_strides);
  tcase_add_test (tc, test_strides_change);
  tcase_add_test (tc, test_fit);
  tcase_add_test (tc, test_fit_changes);
  tcase_add_test (tc, test_fit_too_large);
  tcase_add_test (tc, test_not_negotiated);
  tcase_add_test (tc, test_queries);
  tcase_add_test (tc, test_reuse);
  tcase_add_test (tc, test_settings_later);
  tcase_add_test (tc, test_nothing_left);
  return s;
}

GST_CHECK_MAIN (pdfsrc)
