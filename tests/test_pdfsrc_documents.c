/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc with documents that cannot be opened, or only with a key, or that need too much. */
#include "gst_harness.h"
#include "pdfpipeline.h"
#include "pdfwriter.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
teardown (void)
{
  pdf_remove_files ();
}

/* One error message, of this kind, that names the file and says `text`; and no page. */
static void
check_error (const gchar * path, const gchar * options, GQuark domain,
    gint code, const gchar * text)
{
  PdfRun *run = pdf_run ("location=\"%s\" %s", path, options);

  fail_unless (run->error != NULL, "%s %s is taken", path, options);
  fail_unless (g_error_matches (run->error, domain, code), "%s %s: %s", path,
      options, run->error->message);
  fail_unless (strstr (run->error->message, text) != NULL, "%s %s: %s", path,
      options, run->error->message);
  fail_unless (strstr (run->error->message, path) != NULL, "%s",
      run->error->message);
  fail_unless_equals_int (run->n_errors, 1);
  fail_unless (!run->eos && run->buffers->len == 0);
  pdf_run_free (run);
}

static void
check_bytes (const gchar * name, const gchar * bytes, gsize size, gint code,
    const gchar * text)
{
  gchar *path = pdf_write_bytes (name, bytes, size);

  check_error (path, "", GST_STREAM_ERROR, code, text);
  g_free (path);
}

GST_START_TEST (test_not_a_file)
{
  gchar *path = pdf_write_plain ("plain.pdf", 2);
  gchar *folder = g_path_get_dirname (path);
  gchar *missing = g_build_filename (folder, "missing.pdf", NULL);
  gchar *below = g_build_filename (path, "below.pdf", NULL);
  PdfRun *run;

  check_error (missing, "", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "no file");
  check_error (below, "", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "no file");
  check_error (folder, "", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
      "folder");
  check_error ("/dev/null", "", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ, "not a plain file");
  run = pdf_run (" ");
  fail_unless (g_error_matches (run->error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  fail_unless (strstr (run->error->message, "location") != NULL);
  pdf_run_free (run);
  g_free (below);
  g_free (missing);
  g_free (folder);
  g_free (path);
}
GST_END_TEST

/* The change of state fails, so nobody waits for it, and the next one may succeed. */
GST_START_TEST (test_state_without_document)
{
  gchar *path = pdf_write_plain ("plain.pdf", 1);
  GstHarness *h = gst_harness_new ("pdfsrc");

  g_object_set (h->element, "location", "/nonexistent/a.pdf", NULL);
  for (GstState state = GST_STATE_PAUSED; state <= GST_STATE_PLAYING; state++)
    fail_unless_equals_int (gst_element_set_state (h->element, state),
        GST_STATE_CHANGE_FAILURE);
  g_object_set (h->element, "location", path, NULL);
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  gst_buffer_unref (gst_harness_pull (h));
  gst_harness_teardown (h);
  g_free (path);
}
GST_END_TEST

GST_START_TEST (test_unreadable)
{
  gchar *path = pdf_write_plain ("secret.pdf", 1);

  g_chmod (path, 0);
  if (access (path, R_OK) == 0)
    g_print ("not compared: this user may read every file\n");
  else
    check_error (path, "", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ,
        "Permission denied");
  g_free (path);
}
GST_END_TEST

GST_START_TEST (test_not_a_pdf)
{
  gchar noise[4096];
  gchar *path = pdf_write ("none.pdf", NULL, 0);

  for (guint i = 0; i < sizeof noise; i++)
    noise[i] = (gchar) (i * i / 7);
  check_bytes ("empty.pdf", "", 0, GST_STREAM_ERROR_WRONG_TYPE, "is empty");
  check_bytes ("text.pdf", "Hello.\n", 7, GST_STREAM_ERROR_WRONG_TYPE,
      "not a PDF");
  check_bytes ("noise.pdf", noise, sizeof noise, GST_STREAM_ERROR_WRONG_TYPE,
      "not a PDF");
  check_bytes ("head.pdf", "%PDF-1.4\n", 9, GST_STREAM_ERROR_DECODE, "damaged");
  check_error (path, "", GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "no pages");
  g_free (path);
}
GST_END_TEST

/* However much is left of a document, it gives an error or pages, and an end. */
GST_START_TEST (test_truncated)
{
  gchar *path = pdf_write_plain ("whole.pdf", 4), *part, *bytes = NULL;
  guint refused = 0, taken = 0;
  gsize size;

  fail_unless (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize left = 12; left < size; left += 97) {
    PdfRun *run;

    part = pdf_write_bytes ("part.pdf", bytes, left);
    run = pdf_run ("location=%s", part);
    fail_unless (run->eos || (run->n_errors == 1
            && g_error_matches (run->error, GST_STREAM_ERROR,
                GST_STREAM_ERROR_DECODE)));
    fail_unless (run->eos == (run->buffers->len > 0));
    if (run->eos)
      taken++;
    else
      refused++;
    pdf_run_free (run);
    g_free (part);
  }
  g_print ("of %u truncated documents %u are refused\n", refused + taken,
      refused);
  fail_unless (refused > 0 && taken > 0);
  g_free (bytes);
  g_free (path);
}
GST_END_TEST

GST_START_TEST (test_page_selection)
{
  const gchar *malformed[] = { "0", "5-2", "x", "1,,2" };
  gchar *path = pdf_write_plain ("three.pdf", 3);
  PdfRun *run;

  check_error (path, "pages=4-9", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "which has 3");
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++) {
    run = pdf_run ("location=%s pages=\"%s\"", path, malformed[i]);
    fail_unless (g_error_matches (run->error, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_SETTINGS), "%s", malformed[i]);
    fail_unless (strstr (run->error->message, malformed[i]) != NULL);
    fail_unless_equals_int (run->n_errors, 1);
    pdf_run_free (run);
  }
  g_free (path);
}
GST_END_TEST

/* Encrypted as old and as new documents are. */
GST_START_TEST (test_encrypted)
{
  const gchar *bits[] = { "128", "256" };
  gchar *plain = pdf_write_plain ("plain.pdf", 2);
  gchar *path = pdf_write_bytes ("encrypted.pdf", "", 0);

  for (guint i = 0; i < G_N_ELEMENTS (bits); i++) {
    const gchar *argv[] = { "qpdf", "--allow-weak-crypto", "--encrypt",
      "open sesame", "owner", bits[i], "--", plain, path, NULL
    };
    gint status = -1;
    PdfRun *run;

    if (!g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
            NULL, NULL, NULL, &status, NULL)) {
      g_print ("not compared: there is no qpdf to encrypt with\n");
      break;
    }
    fail_unless_equals_int (status, 0);
    check_error (path, "", GST_STREAM_ERROR, GST_STREAM_ERROR_DECRYPT_NOKEY,
        "set the property password");
    check_error (path, "password=wrong", GST_STREAM_ERROR,
        GST_STREAM_ERROR_DECRYPT_NOKEY, "the given password");
    for (guint owner = 0; owner < 2; owner++) {
      run = pdf_run ("location=%s password=\"%s\"", path,
          owner ? "owner" : "open sesame");
      fail_unless (run->eos, "%s", run->error ? run->error->message : "");
      fail_unless_equals_int (run->buffers->len, 2);
      fail_unless_equals_int (pdf_run_grey (run, 1), pdf_grey (2));
      pdf_run_free (run);
    }
  }
  g_free (path);
  g_free (plain);
}
GST_END_TEST

/* A page that needs more memory than a worker may have: an array of six million numbers, of which
 * poppler keeps 16 bytes each. */
GST_START_TEST (test_memory_limit)
{
  GString *content = g_string_new ("0 g [");
  PdfPageSpec pages[] = { {72, 108}, {72, 108}, {72, 108} };
  gchar *path, *numbers;
  PdfRun *run;

  for (guint i = 0; i < 6000000; i++)
    g_string_append (content, "1 ");
  g_string_append (content, "] 0 d");
  pages[1].content = content->str;
  path = pdf_write ("greedy.pdf", pages, G_N_ELEMENTS (pages));
  run = pdf_run ("location=%s worker-memory-limit=67108864", path);
  numbers = pdf_run_pages (run);
  fail_unless (run->eos);
  fail_unless_equals_string (numbers, "1 2! 3");
  fail_unless (strstr (pdf_run_page (run, 1).error, "worker-memory-limit"));
  fail_unless_equals_int (pdf_run_grey (run, 2), pdf_grey (3));
  g_free (numbers);
  pdf_run_free (run);

  run = pdf_run ("location=%s", path);
  numbers = pdf_run_pages (run);
  fail_unless_equals_string (numbers, "1 2 3");
  g_free (numbers);
  pdf_run_free (run);
  g_string_free (content, TRUE);
  g_free (path);
}
GST_END_TEST

static Suite *
pdfsrc_documents_suite (void)
{
  Suite *s = suite_create ("pdfsrc-documents");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, NULL, teardown);
  tcase_add_test (tc, test_not_a_file);
  tcase_add_test (tc, test_state_without_document);
  tcase_add_test (tc, test_unreadable);
  tcase_add_test (tc, test_not_a_pdf);
  tcase_add_test (tc, test_truncated);
  tcase_add_test (tc, test_page_selection);
  tcase_add_test (tc, test_encrypted);
  tcase_add_test (tc, test_memory_limit);
  return s;
}

GST_CHECK_MAIN (pdfsrc_documents)
