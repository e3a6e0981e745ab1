/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc with render workers that hang, die and lie (fakepdfworker.c). */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fakeworker_harness.h"
#include "gst_harness.h"
#include "pdfwriter.h"

/* A page on which a worker goes wrong: what it does, how often it is tried, and what the error says.
 * The pages around it must be there, in order and with their own pixels. */
static const struct
{
  const gchar *deed;
  guint tries;
  const gchar *reason;          /* NULL: the page is well in the end */
  gdouble width_pt;             /* that the page meta tells */
} deeds[] = {
  {"hang", 1, "page-timeout", 72},
  {"die", 2, "exit status 3", 72},
  {"crash", 2, "signal 11", 72},
  {"garbage", 2, "protocol", 72},
  {"short", 2, "protocol", 72},
  {"close", 2, "died", 72},
  {"no-memory", 2, "memory", 72},
  {"bad-status", 2, "protocol", 72},
  {"bad-id", 2, "protocol", 72},
  {"bad-type", 2, "protocol", 72},
  {"fail", 1, "asked to ?fail", 72},
  {"endless-reason", 1, "xxxxxxxx", 72},
  {"nan", 1, "makes no sense", 0},
  {"infinite", 1, "makes no sense", 0},
  {"huge", 1, "limits", 1e9},
  {"zero", 1, "makes no sense", 0},
  {"negative", 1, "makes no sense", 0},
  {"die-1", 2, NULL, 72},
  {"garbage-1", 2, NULL, 72},
  {"no-memory-1", 2, NULL, 72},
  {"slow", 1, NULL, 72},
};

static void
check_page (PdfRun * run, guint number, const gchar * reason, gdouble width_pt)
{
  GstDocPage page = pdf_run_page (run, number - 1);
  GstBuffer *buffer = g_ptr_array_index (run->buffers, number - 1);

  fail_unless_equals_int (page.page, number);
  fail_unless_equals_int (page.width, 100);
  fail_unless_equals_int (page.height, 150);
  fail_unless_equals_float (page.width_pt, width_pt);
  fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer,
          GST_BUFFER_FLAG_GAP), reason != NULL);
  fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer,
          GST_BUFFER_FLAG_CORRUPTED), reason != NULL);
  fail_unless_equals_int (pdf_run_grey (run, number - 1),
      reason ? 255 : number);
  if (reason)
    fail_unless (page.error && strstr (page.error, reason), "page %u: \"%s\"",
        number, page.error);
  else
    fail_unless (page.error == NULL, "page %u: \"%s\"", number, page.error);
}

GST_START_TEST (test_deed)
{
  const gchar *deed = deeds[__i__].deed, *reason = deeds[__i__].reason;
  gchar *entry = g_strdup_printf ("2=%s", deed);
  gchar *line = g_strdup_printf ("2 %s", deed);
  PdfRun *run;

  g_setenv ("FAKE_WORKER", entry, TRUE);
  run = pdf_run ("location=%s render-workers=2 page-timeout=%u",
      fake_worker_document,
      g_str_equal (deed, "hang") ? 300 : 20000);
  fail_unless (run->eos && run->n_errors == 0, "%s", deed);
  fail_unless_equals_int (run->buffers->len, 10);
  for (guint i = 1; i <= 10; i++)
    check_page (run, i, i == 2 ? reason : NULL,
        i == 2 ? deeds[__i__].width_pt : 72);
  fail_unless_equals_int (run->n_warnings, reason ? 1 : 0);
  fail_unless_equals_int (fake_worker_count (line), deeds[__i__].tries);
  fail_unless_equals_int (fake_worker_stat (run, "failed-pages"), reason ? 1 : 0);
  pdf_run_free (run);
  g_free (entry);
  g_free (line);
}

GST_END_TEST

/* Several bad pages at once, the first and the last among them, with one worker and with more workers
 * than pages. */
GST_START_TEST (test_many_deeds)
{
  const guint workers[] = { 1, 2, 8 };
  PdfRun *run;
  gchar *pages;

  g_setenv ("FAKE_WORKER", "1=die,2=hang,3=crash,6=nan,7=hang,10=garbage", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++) {
    run = pdf_run ("location=%s render-workers=%u page-timeout=200", fake_worker_document,
        workers[i]);
    pages = pdf_run_pages (run);
    fail_unless (run->eos);
    fail_unless_equals_string (pages, "1! 2! 3! 4 5 6! 7! 8 9 10!");
    g_free (pages);
    pdf_run_free (run);
  }
}

GST_END_TEST

/* Other pages go on while one hangs. */
GST_START_TEST (test_hang_does_not_idle_others)
{
  gint64 began;
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "2=hang,3=slow,4=slow,5=slow", TRUE);
  began = g_get_monotonic_time ();
  run = pdf_run ("location=%s render-workers=2 page-timeout=1500", fake_worker_document);
  fail_unless (run->eos);
  /* One after the other: 2.4 s. */
  fail_unless (g_get_monotonic_time () - began < 2300000);
  pdf_run_free (run);
}

GST_END_TEST

/* What a worker can do to the opening, and the error that comes of it. */
static const struct
{
  const gchar *deed;
  GQuark (*domain) (void);
  gint code;
  const gchar *text;
} openings[] = {
  {"die", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "exit status 3"},
  {"garbage", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "damaged"},
  {"hang", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "page-timeout"},
  {"fail", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "asked to"},
  {"no-pages", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "no pages"},
  {"many-pages", gst_stream_error_quark, GST_STREAM_ERROR_DECODE, "damaged"},
  {"encrypted", gst_stream_error_quark, GST_STREAM_ERROR_DECRYPT_NOKEY,
      "password"},
};

GST_START_TEST (test_opening)
{
  gchar *entry = g_strdup_printf ("0=%s", openings[__i__].deed);
  PdfRun *run;

  g_setenv ("FAKE_WORKER", entry, TRUE);
  run = pdf_run ("location=%s page-timeout=300", fake_worker_document);
  fail_unless (!run->eos && run->buffers->len == 0);
  fail_unless_equals_int (run->n_errors, 1);
  fail_unless (g_error_matches (run->error, openings[__i__].domain (),
          openings[__i__].code), "%s: %s", entry, run->error->message);
  fail_unless (strstr (run->error->message, openings[__i__].text)
      && strstr (run->error->message, fake_worker_document), "%s: %s", entry,
      run->error->message);
  pdf_run_free (run);
  g_free (entry);
}

GST_END_TEST

GST_START_TEST (test_opening_retried)
{
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "0=die-1", TRUE);
  run = pdf_run ("location=%s", fake_worker_document);
  fail_unless (run->eos && run->n_warnings == 0);
  fail_unless_equals_int (run->buffers->len, 10);
  fail_unless_equals_int (fake_worker_stat (run, "workers-lost"), 1);
  pdf_run_free (run);
}

GST_END_TEST

/* Workers that do not agree about the document end the stream, not the process. */
GST_START_TEST (test_later_openings_fail)
{
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "0=fewer-pages,1=die", TRUE);
  run = pdf_run ("location=%s render-workers=1", fake_worker_document);
  fail_unless (g_error_matches (run->error, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_INIT), "%s", run->error ? run->error->message : "");
  fail_unless_equals_int (run->n_errors, 1);
  pdf_run_free (run);
}

GST_END_TEST

GST_START_TEST (test_no_such_worker)
{
  const gchar *path = g_getenv ("DOCLAYOUT_RENDER_WORKER");
  gchar *kept = g_strdup (path);
  PdfRun *run;

  g_setenv ("DOCLAYOUT_RENDER_WORKER", "/nonexistent/worker", TRUE);
  run = pdf_run ("location=%s", fake_worker_document);
  fail_unless (g_error_matches (run->error, GST_LIBRARY_ERROR,
          GST_LIBRARY_ERROR_INIT));
  fail_unless (strstr (run->error->message, "/nonexistent/worker") != NULL);
  fail_unless_equals_int (run->n_errors, 1);
  pdf_run_free (run);
  g_setenv ("DOCLAYOUT_RENDER_WORKER", kept, TRUE);
  g_free (kept);
}

GST_END_TEST

/* Takes the program away once a worker is opening the document. */
static gpointer
remove_program (gpointer program)
{
  while (fake_worker_count ("0 slow") == 0)
    g_usleep (1000);
  g_unlink (program);
  return NULL;
}

/* Where no further worker can be started, the first one does it all. */
GST_START_TEST (test_no_second_worker)
{
  gchar *before = g_strdup (g_getenv ("DOCLAYOUT_RENDER_WORKER"));
  gchar *program = pdf_write_bytes ("worker", "", 0), *pages;
  GThread *thread;
  PdfRun *run;

  g_unlink (program);
  fail_unless (symlink (before, program) == 0);
  g_setenv ("DOCLAYOUT_RENDER_WORKER", program, TRUE);
  g_setenv ("FAKE_WORKER", "0=slow", TRUE);
  thread = g_thread_new ("remove", remove_program, program);
  run = pdf_run ("location=%s render-workers=3", fake_worker_document);
  g_thread_join (thread);
  fail_unless (run->eos && run->n_errors == 0);
  fail_unless_equals_int (fake_worker_stat (run, "workers-started"), 1);
  pages = pdf_run_pages (run);
  fail_unless_equals_string (pages, "1 2 3 4 5 6 7 8 9 10");
  g_setenv ("DOCLAYOUT_RENDER_WORKER", before, TRUE);
  pdf_run_free (run);
  g_free (pages);
  g_free (program);
  g_free (before);
}
GST_END_TEST

GST_START_TEST (test_max_errors)
{
  const struct
  {
    gint max_errors;
    const gchar *pages;
  } cases[] = { {0, "1"}, {1, "1 2! 3 4"}, {2, "1 2! 3 4 5! 6 7"},
  {3, "1 2! 3 4 5! 6 7 8! 9 10"}, {-1, "1 2! 3 4 5! 6 7 8! 9 10"}
  };

  g_setenv ("FAKE_WORKER", "2=fail,5=fail,8=fail", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    PdfRun *run = pdf_run ("location=%s max-errors=%d", fake_worker_document,
        cases[i].max_errors);
    gchar *pages = pdf_run_pages (run);

    fail_unless_equals_string (pages, cases[i].pages);
    fail_unless_equals_int (run->eos, i >= 3);
    fail_unless_equals_int (run->n_errors, i >= 3 ? 0 : 1);
    fail_unless (run->eos || (g_error_matches (run->error, GST_STREAM_ERROR,
                GST_STREAM_ERROR_DECODE)
            && strstr (run->error->message, "max-errors")));
    g_free (pages);
    pdf_run_free (run);
  }
}

GST_END_TEST

/* A worker that has rendered very many pages is replaced, unnoticed. */
GST_START_TEST (test_renewal)
{
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "", TRUE);
  g_setenv ("FAKE_WORKER_PAGES", "4001", TRUE);
  run = pdf_run ("location=%s render-workers=1 dpi=12", fake_worker_document);
  fail_unless (run->eos && run->n_warnings == 0);
  fail_unless_equals_int (run->buffers->len, 4001);
  fail_unless_equals_int (fake_worker_stat (run, "workers-renewed"), 2);
  fail_unless_equals_int (fake_worker_stat (run, "workers-lost"), 0);
  pdf_run_free (run);
}
GST_END_TEST

/* While nobody takes pages, no more are rendered than the look-ahead allows. */
GST_START_TEST (test_look_ahead)
{
  GstElement *pipeline;
  gchar *line;
  guint n = 0;

  g_setenv ("FAKE_WORKER", "1=note,2=note,3=note,4=note,5=note,6=note,7=note,"
      "8=note,9=note,10=note", TRUE);
  line = g_strdup_printf ("pdfsrc location=%s render-workers=1 ! fakesink",
      fake_worker_document);
  pipeline = gst_parse_launch (line, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
          20 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  g_usleep (300000);
  for (guint page = 1; page <= 10; page++) {
    gchar *deed = g_strdup_printf ("%u note", page);

    n += fake_worker_count (deed);
    g_free (deed);
  }
  /* One is in the sink, two for the worker and two more wait. */
  fail_unless_equals_int (n, 5);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  g_free (line);
}
GST_END_TEST

/* A state change does not wait for a page that takes long. */
GST_START_TEST (test_unlock)
{
  const gchar *hanging[] = { "0=hang", "1=hang", "3=hang" };

  for (guint i = 0; i < G_N_ELEMENTS (hanging); i++) {
    GstHarness *h;
    gint64 began;

    g_setenv ("FAKE_WORKER", hanging[i], TRUE);
    h = gst_harness_new ("pdfsrc");
    g_object_set (h->element, "location", fake_worker_document, NULL);
    gst_harness_play (h);
    if (i == 2) {
      gst_buffer_unref (gst_harness_pull (h));
      gst_buffer_unref (gst_harness_pull (h));
    }
    g_usleep (100000);
    began = g_get_monotonic_time ();
    fail_unless (gst_element_set_state (h->element,
            GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
    fail_unless (g_get_monotonic_time () - began < G_USEC_PER_SEC, "%s",
        hanging[i]);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* A flush does not wait either, and no page is lost by it. */
GST_START_TEST (test_flush)
{
  GstHarness *h = gst_harness_new ("pdfsrc");
  gint64 began;

  g_setenv ("FAKE_WORKER", "3=hang", TRUE);
  g_object_set (h->element, "location", fake_worker_document, "page-timeout", 1000, NULL);
  gst_harness_play (h);
  gst_buffer_unref (gst_harness_pull (h));
  gst_buffer_unref (gst_harness_pull (h));
  began = g_get_monotonic_time ();
  fail_unless (gst_element_send_event (h->element, gst_event_new_flush_start ()));
  fail_unless (gst_element_send_event (h->element,
          gst_event_new_flush_stop (TRUE)));
  fail_unless (g_get_monotonic_time () - began < 800000);
  for (guint number = 3; number <= 10; number++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstDocPage page;

    fail_unless (gst_doc_page_meta_get (buffer, &page));
    fail_unless_equals_int (page.page, number);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}
GST_END_TEST

static Suite *
pdfsrc_workers_suite (void)
{
  Suite *s = suite_create ("pdfsrc-workers");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, fake_worker_setup, fake_worker_teardown);
  tcase_add_loop_test (tc, test_deed, 0, G_N_ELEMENTS (deeds));
  tcase_add_test (tc, test_many_deeds);
  tcase_add_test (tc, test_hang_does_not_idle_others);
  tcase_add_loop_test (tc, test_opening, 0, G_N_ELEMENTS (openings));
  tcase_add_test (tc, test_opening_retried);
  tcase_add_test (tc, test_later_openings_fail);
  tcase_add_test (tc, test_no_such_worker);
  tcase_add_test (tc, test_no_second_worker);
  tcase_add_test (tc, test_max_errors);
  tcase_add_test (tc, test_renewal);
  tcase_add_test (tc, test_look_ahead);
  tcase_add_test (tc, test_unlock);
  tcase_add_test (tc, test_flush);
  return s;
}

GST_CHECK_MAIN (pdfsrc_workers)
