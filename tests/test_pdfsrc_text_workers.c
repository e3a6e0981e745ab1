/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of pages from render workers that lie about them (fakepdfworker.c), and what it costs to ask for none. */
#include "fakeworker_harness.h"
#include "gst/gstdoctextmeta.h"
#include "gst_harness.h"

/* The words "page" and `number` on the buffer of that page. */
static void
check_words (PdfRun * run, guint number)
{
  GVariant *spans =
      gst_doc_text_meta_get (g_ptr_array_index (run->buffers, number - 1));
  gchar *digits = g_strdup_printf ("%u", number);
  GstDocTextSpan span;

  fail_unless (spans != NULL, "page %u has no words", number);
  fail_unless_equals_int (gst_doc_text_n_spans (spans), 2);
  gst_doc_text_get_span (spans, 0, &span);
  fail_unless_equals_string (span.text, "page");
  fail_unless_equals_string (span.font, "Fake-Bold");
  fail_unless (span.flags == GST_DOC_TEXT_BOLD && span.x0 == 1 && span.y0 == 2
      && span.x1 == 30 && span.y1 == 12 && span.size == 11);
  gst_doc_text_get_span (spans, 1, &span);
  fail_unless_equals_string (span.text, digits);
  g_variant_unref (spans);
  g_free (digits);
}

static gboolean
has_words (PdfRun * run, guint number)
{
  GVariant *spans =
      gst_doc_text_meta_get (g_ptr_array_index (run->buffers, number - 1));
  gboolean has = spans != NULL;

  g_clear_pointer (&spans, g_variant_unref);
  return has;
}

/* What a worker does about the words of page 2, how often it is tried, and what becomes of the page. */
static const struct
{
  const gchar *deed;
  guint tries;
  const gchar *pages;
  gboolean words, warning;
} deeds[] = {
  {"text-fine", 1, "1 2 3 4 5 6 7 8 9 10", TRUE, FALSE},
  {"text-long", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-endless", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-cut", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-zeros", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-garbage", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-latin1", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-padding", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-nan", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-box", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-size", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-line", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-long-1", 2, "1 2 3 4 5 6 7 8 9 10", TRUE, FALSE},
  {"text-reason", 1, "1 2 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"text-fail", 1, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
  {"die", 2, "1 2! 3 4 5 6 7 8 9 10", FALSE, TRUE},
};

GST_START_TEST (test_deed)
{
  gchar *entry = g_strdup_printf ("2=%s", deeds[__i__].deed);
  gchar *line = g_strdup_printf ("2 %s", deeds[__i__].deed), *pages;
  PdfRun *run;

  g_setenv ("FAKE_WORKER", entry, TRUE);
  run = pdf_run ("location=%s render-workers=2 text=true", fake_worker_document);
  pages = pdf_run_pages (run);
  fail_unless (run->eos && run->n_errors == 0, "%s", entry);
  fail_unless_equals_string (pages, deeds[__i__].pages);
  for (guint i = 1; i <= 10; i++) {
    if (i == 2 && !deeds[__i__].words)
      fail_if (has_words (run, i), "%s", entry);
    else
      check_words (run, i);
  }
  fail_unless_equals_int (run->n_warnings, deeds[__i__].warning);
  fail_unless_equals_int (fake_worker_count (line), deeds[__i__].tries);
  fail_unless_equals_int (fake_worker_stat (run, "failed-texts"),
      g_str_equal (deeds[__i__].deed, "text-reason"));
  pdf_run_free (run);
  g_free (pages);
  g_free (line);
  g_free (entry);
}

GST_END_TEST

/* The page is well, one warning says why the first one has no words, and none of the others does. */
GST_START_TEST (test_reasons)
{
  gchar *line;
  GstElement *pipeline;
  GstMessage *message;
  GstBus *bus;
  guint n = 0;

  g_setenv ("FAKE_WORKER", "2=text-reason,5=text-reason,6=text-reason", TRUE);
  line = g_strdup_printf ("pdfsrc location=%s text=true ! fakesink",
      fake_worker_document);
  pipeline = gst_parse_launch (line, NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
              GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
      && GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    const GstStructure *details = NULL;
    GError *error;

    gst_message_parse_warning (message, &error, NULL);
    gst_message_parse_warning_details (message, &details);
    fail_unless (strstr (error->message, "text of page 2")
        && strstr (error->message, "no ?words"), "%s", error->message);
    /* that is how applications know pages that failed */
    fail_unless (!details || !gst_structure_has_field (details, "page"));
    g_error_free (error);
    gst_message_unref (message);
    n++;
  }
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  fail_unless_equals_int (n, 1);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (line);
}

GST_END_TEST

/* Words of a page stay what they were while the worker writes those of others into the same memory. */
GST_START_TEST (test_many_pages)
{
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "", TRUE);
  g_setenv ("FAKE_WORKER_PAGES", "500", TRUE);
  run = pdf_run ("location=%s render-workers=1 dpi=12 text=true",
      fake_worker_document);
  fail_unless (run->eos && run->n_warnings == 0);
  fail_unless_equals_int (run->buffers->len, 500);
  for (guint i = 1; i <= 500; i++)
    check_words (run, i);
  pdf_run_free (run);
}

GST_END_TEST

/* The lines of the log for each kind of request: 1 opens, 2 asks for a size, 3 renders. */
static void
count_requests (const gchar * options, guint counts[4])
{
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "0=requests", TRUE);
  run = pdf_run ("location=%s render-workers=1 %s", fake_worker_document, options);
  fail_unless (run->eos && run->n_warnings == 0);
  fail_unless_equals_int (run->buffers->len, 10);
  for (guint i = 1; i <= 10; i++)
    fail_unless (has_words (run, i) == (*options != '\0'));
  pdf_run_free (run);
  counts[0] = fake_worker_count ("request 1 1 0");
  counts[1] = fake_worker_count ("request 1 2 16777216");
  counts[2] = fake_worker_count ("request 2 0 0");
  counts[3] = fake_worker_count ("request 3 1 0");
}

/* Without words no request is another than it was, and words need no further one. */
GST_START_TEST (test_requests)
{
  guint plain[4], with_words[4];

  count_requests ("", plain);
  count_requests ("text=true", with_words);
  fail_unless (plain[0] == 1 && plain[1] == 0);
  fail_unless (with_words[0] == 1 && with_words[1] == 1);
  fail_unless (plain[2] == 1 && with_words[2] == 2);
  fail_unless (plain[3] == 10 && with_words[3] == 20);
}

GST_END_TEST

static Suite *
pdfsrc_text_workers_suite (void)
{
  Suite *s = suite_create ("pdfsrc-text-workers");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, fake_worker_setup, fake_worker_teardown);
  tcase_add_loop_test (tc, test_deed, 0, G_N_ELEMENTS (deeds));
  tcase_add_test (tc, test_reasons);
  tcase_add_test (tc, test_many_pages);
  tcase_add_test (tc, test_requests);
  return s;
}

GST_CHECK_MAIN (pdfsrc_text_workers)
