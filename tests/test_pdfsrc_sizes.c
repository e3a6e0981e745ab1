/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc and the sizes that render workers tell of pages (fakepdfworker.c): unknown, unlike others, never the same. */
#include "fakeworker_harness.h"
#include "gst_harness.h"

/* With no size known, an error page is like the one before, or A4 where it is the first. */
GST_START_TEST (test_error_page_size)
{
  GstDocPage page;
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "1=nan,3=nan", TRUE);
  run = pdf_run ("location=%s dpi=72", fake_worker_document);
  page = pdf_run_page (run, 0);
  fail_unless (page.width == 596 && page.height == 842, "%u × %u",
      page.width, page.height);
  page = pdf_run_page (run, 2);
  fail_unless (page.width == 72 && page.height == 108);
  pdf_run_free (run);

  run = pdf_run ("location=%s page-size-mode=fit ! "
      "video/x-raw,width=64,height=48", fake_worker_document);
  page = pdf_run_page (run, 0);
  fail_unless (page.error && page.width == 64 && page.height == 48);
  pdf_run_free (run);
}

GST_END_TEST

/* Pages are asked for as if they were of the size before; where they are not, they are drawn in their own. */
GST_START_TEST (test_other_sizes)
{
  static const gchar *const sizes[] = { "72,72,144,144,72,72,72,72,72,144",
    "144,72,72,72,72,72,72,72,72,144"
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_auto (GStrv) widths = g_strsplit (sizes[i], ",", -1);
    GString *deeds_of_pages = g_string_new (NULL);
    PdfRun *run;

    for (guint page = 0; page < 10; page++)
      if (g_str_equal (widths[page], "144"))
        g_string_append_printf (deeds_of_pages, "%s%u=wide",
            deeds_of_pages->len ? "," : "", page + 1);
    g_setenv ("FAKE_WORKER", deeds_of_pages->str, TRUE);
    run = pdf_run ("location=%s dpi=72 render-workers=%u", fake_worker_document, i + 1);
    fail_unless (run->eos && run->n_errors == 0 && run->n_warnings == 0);
    for (guint page = 0; page < 10; page++) {
      GstDocPage meta = pdf_run_page (run, page);

      fail_unless_equals_int (meta.width, atoi (widths[page]));
      fail_unless_equals_float (meta.width_pt, atoi (widths[page]));
      fail_unless_equals_int (pdf_run_grey (run, page), page + 1);
    }
    pdf_run_free (run);
    g_string_free (deeds_of_pages, TRUE);
  }
}

GST_END_TEST

/* Of another size again and again: such a worker is not asked for ever. */
GST_START_TEST (test_never_the_size)
{
  GstDocPage page;
  PdfRun *run;

  g_setenv ("FAKE_WORKER", "5=other-size", TRUE);
  run = pdf_run ("location=%s render-workers=1", fake_worker_document);
  fail_unless (run->eos && run->n_errors == 0);
  page = pdf_run_page (run, 4);
  fail_unless (page.error && strstr (page.error, "broke its protocol"));
  fail_unless_equals_int (fake_worker_stat (run, "failed-pages"), 1);
  fail_unless_equals_int (fake_worker_stat (run, "workers-lost"), 2);
  fail_unless_equals_int (fake_worker_count ("5 other-size"), 4);
  pdf_run_free (run);
}

GST_END_TEST

static Suite *
pdfsrc_sizes_suite (void)
{
  Suite *s = suite_create ("pdfsrc-sizes");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, fake_worker_setup, fake_worker_teardown);
  tcase_add_test (tc, test_error_page_size);
  tcase_add_test (tc, test_other_sizes);
  tcase_add_test (tc, test_never_the_size);
  return s;
}

GST_CHECK_MAIN (pdfsrc_sizes)
