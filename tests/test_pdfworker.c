/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One render worker (fakepdfworker.c): what it keeps, and how its end is told. */
#include "elements/pdfworker.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gst_harness.h"

#define MIB ((guint64) 1 << 20)

/* Bytes of all frames of this process that have not been freed, by their descriptors. */
static guint64
count_frame_bytes (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const gchar *name;
  guint64 bytes = 0;

  while ((name = g_dir_read_name (dir))) {
    gchar *path = g_strdup_printf ("/proc/self/fd/%s", name);
    gchar *target = g_file_read_link (path, NULL);

    if (target && strstr (target, "memfd:"))
      bytes += (guint64) lseek (atoi (name), 0, SEEK_END);
    g_free (target);
    g_free (path);
  }
  g_dir_close (dir);
  return bytes;
}

/* Each page in another size, up to the greatest: what a worker keeps of them has a limit. */
GST_START_TEST (frames_kept)
{
  GstPdfWorker *worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);

  fail_unless (worker != NULL);
  for (guint height = 1; height <= 16384; height += height / 4 + 1) {
    const GstPdfGeometry geometry = {.width = 8192,.height = height,.stride = 32768 };
    GstBuffer *frame = gst_pdf_worker_acquire_frame (worker, &geometry);

    fail_unless (frame != NULL);
    fail_unless (gst_buffer_get_size (frame) == gst_pdf_geometry_size (&geometry));
    gst_buffer_unref (frame);
    fail_unless (count_frame_bytes () <= 128 * MIB, "%" G_GUINT64_FORMAT
        " bytes after a frame of %u rows", count_frame_bytes (), height);
  }
  g_free (gst_pdf_worker_free (worker));
  fail_unless (count_frame_bytes () == 0);
}
GST_END_TEST

/* A frame of a size that has been there is used again. */
GST_START_TEST (frames_used_again)
{
  GstPdfWorker *worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);
  const GstPdfGeometry geometry = {.width = 850,.height = 1100,.stride = 3408 };
  GstBuffer *frame = gst_pdf_worker_acquire_frame (worker, &geometry);
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);

  gst_buffer_unref (frame);
  frame = gst_pdf_worker_acquire_frame (worker, &geometry);
  fail_unless (gst_buffer_peek_memory (frame, 0) == memory);
  gst_buffer_unref (frame);
  g_free (gst_pdf_worker_free (worker));
}
GST_END_TEST

/* The frame that came back last is the next, and those that nobody needs go in the end. */
GST_START_TEST (frames_not_needed)
{
  GstPdfWorker *worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);
  const GstPdfGeometry geometry = {.width = 256,.height = 256,.stride = 1024 };
  GstBuffer *frames[9], *frame;
  GstMemory *memory;
  guint64 all;

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    frames[i] = gst_pdf_worker_acquire_frame (worker, &geometry);
  all = count_frame_bytes ();
  memory = gst_buffer_peek_memory (frames[4], 0);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    if (i != 4)
      gst_buffer_unref (frames[i]);
  gst_buffer_unref (frames[4]);
  fail_unless (count_frame_bytes () == all);
  for (guint i = 0; i < 600; i++) {
    frame = gst_pdf_worker_acquire_frame (worker, &geometry);
    fail_unless (gst_buffer_peek_memory (frame, 0) == memory, "page %u", i);
    gst_buffer_unref (frame);
  }
  fail_unless (count_frame_bytes () == all / 9, "%" G_GUINT64_FORMAT
      " bytes of %" G_GUINT64_FORMAT, count_frame_bytes (), all);
  g_free (gst_pdf_worker_free (worker));
  fail_unless (count_frame_bytes () == 0);
}
GST_END_TEST

/* Memory that another buffer has too does not come again. */
GST_START_TEST (frames_held)
{
  GstPdfWorker *worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);
  const GstPdfGeometry geometry = {.width = 256,.height = 256,.stride = 1024 };
  GstBuffer *frame = gst_pdf_worker_acquire_frame (worker, &geometry);
  GstMemory *held = gst_buffer_peek_memory (frame, 0);
  GstBuffer *other = gst_buffer_new ();

  gst_buffer_append_memory (other, gst_memory_ref (held));
  gst_buffer_unref (frame);
  frame = gst_pdf_worker_acquire_frame (worker, &geometry);
  fail_unless (gst_buffer_peek_memory (frame, 0) != held);
  gst_buffer_unref (frame);
  gst_buffer_unref (other);
  g_free (gst_pdf_worker_free (worker));
}
GST_END_TEST

GST_START_TEST (end)
{
  GstPdfWorker *worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);
  gchar *text = gst_pdf_worker_free (worker);

  fail_unless (strstr (text, "signal 9") != NULL, "%s", text);
  g_free (text);

  /* The kernel takes the exit status at once, and the process's number is free. */
  signal (SIGCHLD, SIG_IGN);
  worker = gst_pdf_worker_new (G_MAXUINT32, FALSE, NULL);
  text = gst_pdf_worker_free (worker);
  signal (SIGCHLD, SIG_DFL);
  fail_unless (strstr (text, "the application took") != NULL, "%s", text);
  g_free (text);
}
GST_END_TEST

static Suite *
pdfworker_suite (void)
{
  Suite *s = suite_create ("pdfworker");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, frames_kept);
  tcase_add_test (tc, frames_used_again);
  tcase_add_test (tc, frames_not_needed);
  tcase_add_test (tc, frames_held);
  tcase_add_test (tc, end);
  return s;
}

GST_CHECK_MAIN (pdfworker)
