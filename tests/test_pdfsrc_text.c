/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc with text=true: the words of pages. tests/test_pdfsrc_text.py compares them with pdftotext's. */
#include "gst/gstdoctextmeta.h"
#include "gst_harness.h"
#include "pdfpipeline.h"
#include "pdfwriter.h"

#include <math.h>

static void
teardown (void)
{
  pdf_remove_files ();
}

static GVariant *
get_spans (PdfRun * run, guint index)
{
  return gst_doc_text_meta_get (g_ptr_array_index (run->buffers, index));
}

/* Each word with its line's number, as "0:word", separated by blanks; "none" where there is no meta. (transfer full) */
static gchar *
list_words (PdfRun * run, guint index)
{
  GVariant *spans = get_spans (run, index);
  GString *text = g_string_new (spans ? NULL : "none");
  GstDocTextSpan span;

  for (guint i = 0; spans && i < gst_doc_text_n_spans (spans); i++) {
    gst_doc_text_get_span (spans, i, &span);
    g_string_append_printf (text, "%s%u:%s", i ? " " : "", span.line, span.text);
  }
  g_clear_pointer (&spans, g_variant_unref);
  return g_string_free (text, FALSE);
}

static void
check_words (PdfRun * run, guint index, const gchar * expected)
{
  gchar *words = list_words (run, index);

  fail_unless_equals_string (words, expected);
  g_free (words);
}

/* A page of words, one with none, one that fails, and one after it. */
static gchar *
write_document (void)
{
  const PdfPageSpec pages[] = {
    {300, 400, {0}, 0, "BT /F 12 Tf 20 350 Td (First line) Tj "
          "0 -20 Td (and ) Tj /B 12 Tf (the second) Tj ET"},
    {300, 400, {0}, 0, "0.5 g 10 10 100 100 re f"},
    {20000, 20000},             /* over the limits of a frame */
    {300, 400, {0}, 0, "BT /F 20 Tf 20 350 Td (Last) Tj ET"},
  };

  return pdf_write ("words.pdf", pages, G_N_ELEMENTS (pages));
}

GST_START_TEST (test_words)
{
  gchar *path = write_document ();
  PdfRun *run = pdf_run ("location=%s text=true", path);
  GVariant *spans;

  fail_unless (run->eos && run->n_errors == 0);
  fail_unless_equals_int (run->n_warnings, 1);
  check_words (run, 0, "0:First 0:line 1:and 1:the 1:second");
  check_words (run, 1, "");
  check_words (run, 2, "none");
  check_words (run, 3, "0:Last");
  spans = get_spans (run, 1);
  fail_unless (spans != NULL && gst_doc_text_n_spans (spans) == 0);
  g_variant_unref (spans);
  pdf_run_free (run);
  g_free (path);
}

GST_END_TEST

/* Not asked for, which is the default. */
GST_START_TEST (test_no_words)
{
  gchar *path = write_document ();

  for (guint i = 0; i < 2; i++) {
    PdfRun *run = pdf_run ("location=%s %s", path, i ? "text=false" : "");

    fail_unless (run->eos);
    for (guint index = 0; index < 4; index++) {
      check_words (run, index, "none");
      fail_unless (gst_buffer_get_custom_meta (g_ptr_array_index (run->buffers,
                  index), GST_DOC_TEXT_META_NAME) == NULL);
    }
    pdf_run_free (run);
  }
  g_free (path);
}

GST_END_TEST

/* Helvetica's widths are 0.611 em for F, 0.222 for i, 0.333 for r, 0.5 for s and 0.278 for t (Adobe's AFM file). */
GST_START_TEST (test_span)
{
  gchar *path = write_document ();
  PdfRun *run = pdf_run ("location=%s text=true", path);
  GVariant *spans = get_spans (run, 0);
  GstDocTextSpan span;

  gst_doc_text_get_span (spans, 0, &span);
  fail_unless_equals_string (span.font, "Helvetica");
  fail_unless_equals_int (span.flags, 0);
  fail_unless_equals_float (span.size, 12);
  fail_unless_equals_float (span.x0, 20);
  fail_unless (fabs (span.x1 - (20 + 12 * 1.944)) < 0.01, "%g", span.x1);
  /* the baseline is 50 points below the top; ascent and descent are at most an em */
  fail_unless (span.y0 < 50 - 6 && span.y0 > 50 - 12 && span.y1 > 50
      && span.y1 < 50 + 6, "%g to %g", span.y0, span.y1);
  gst_doc_text_get_span (spans, 4, &span);
  fail_unless_equals_string (span.font, "Helvetica-BoldOblique");
  fail_unless_equals_int (span.flags, GST_DOC_TEXT_BOLD | GST_DOC_TEXT_ITALIC);
  g_variant_unref (spans);
  pdf_run_free (run);
  g_free (path);
}

GST_END_TEST

/* Boxes are in points of the page as it is seen, whatever the size of its frame. */
GST_START_TEST (test_frames)
{
  const gchar *options[] = { "", "dpi=30", "dpi=300",
    "page-size-mode=fit ! capsfilter caps=video/x-raw,width=640,height=480"
  };
  gchar *path = write_document ();
  GVariant *first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (options); i++) {
    PdfRun *run = pdf_run ("location=%s pages=1 text=true %s", path, options[i]);
    GVariant *spans = get_spans (run, 0);

    fail_unless (spans != NULL);
    if (!first)
      first = g_variant_ref (spans);
    fail_unless (g_variant_equal (spans, first), "%s", options[i]);
    g_variant_unref (spans);
    pdf_run_free (run);
  }
  g_variant_unref (first);
  g_free (path);
}

GST_END_TEST

/* A document that forbids copying is one whose pages can be seen: its words come as pdftotext has them on Debian and
 * Ubuntu. */
GST_START_TEST (test_copying_forbidden)
{
  gchar *plain = write_document ();
  gchar *path = pdf_write_bytes ("forbidden.pdf", "", 0);
  const gchar *argv[] = { "qpdf", "--encrypt", "", "owner", "256",
    "--extract=n", "--", plain, path, NULL
  };
  gint status = -1;
  PdfRun *run;

  if (g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
          NULL, NULL, NULL, &status, NULL)) {
    fail_unless_equals_int (status, 0);
    run = pdf_run ("location=%s text=true pages=1", path);
    check_words (run, 0, "0:First 0:line 1:and 1:the 1:second");
    pdf_run_free (run);
  } else {
    g_print ("not compared: there is no qpdf to encrypt with\n");
  }
  g_free (path);
  g_free (plain);
}

GST_END_TEST

static Suite *
pdfsrc_text_suite (void)
{
  Suite *s = suite_create ("pdfsrc-text");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, NULL, teardown);
  tcase_add_test (tc, test_words);
  tcase_add_test (tc, test_no_words);
  tcase_add_test (tc, test_span);
  tcase_add_test (tc, test_frames);
  tcase_add_test (tc, test_copying_forbidden);
  return s;
}

GST_CHECK_MAIN (pdfsrc_text)
