/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fakeworker_harness.h"

#include "gst_harness.h"
#include "pdfwriter.h"

gchar *fake_worker_document;
static gchar *log_name;

void
fake_worker_setup (void)
{
  fake_worker_document = pdf_write_plain ("plain.pdf", 10);
  log_name = pdf_write_bytes ("deeds", "", 0);
  g_setenv ("FAKE_WORKER_LOG", log_name, TRUE);
  g_setenv ("FAKE_WORKER_PAGES", "10", TRUE);
}

void
fake_worker_teardown (void)
{
  pdf_remove_files ();
  g_free (fake_worker_document);
  g_free (log_name);
}

guint
fake_worker_count (const gchar * deed)
{
  gchar *text = NULL;
  gchar **lines;
  guint n = 0;

  fail_unless (g_file_get_contents (log_name, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    n += g_str_equal (lines[i], deed);
  g_strfreev (lines);
  g_free (text);
  return n;
}

guint
fake_worker_stat (PdfRun * run, const gchar * name)
{
  GstElement *src = gst_bin_get_by_name (GST_BIN (run->pipeline), "src");
  GstStructure *stats = NULL;
  guint value = 0;

  g_object_get (src, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint (stats, name, &value));
  gst_structure_free (stats);
  gst_object_unref (src);
  return value;
}
