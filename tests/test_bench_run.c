/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What doclayout-bench measures with. */
#include "gst_harness.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pipelines/bench-process.h"
#include "pipelines/bench-run.h"

#define CHILD_SECONDS 0.5
#define CHILD_BYTES (64 << 20)

/* A process that takes time and memory, says so, and then waits for the end of `stop`. */
static void
be_child (gint ready, gint stop)
{
  void *memory = mmap (NULL, CHILD_BYTES, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gchar byte = 0;

  memset (memory, 1, CHILD_BYTES);
  while ((double) clock () / CLOCKS_PER_SEC < CHILD_SECONDS);
  if (write (ready, &byte, 1) != 1 || read (stop, &byte, 1) != 0)
    _exit (1);
  _exit (0);
}

/* What a child takes counts while it lives, and its time once it has ended, once. */
GST_START_TEST (test_process)
{
  gdouble self, child, memory = bench_process_memory (), more;
  gint ready[2], stop[2], status;
  gchar byte;
  pid_t pid;

  fail_unless (memory > 0);
  bench_process_cpu (&self, &child);
  fail_unless (self > 0 && child == 0);
  fail_unless (pipe (ready) == 0 && pipe (stop) == 0);
  pid = fork ();
  if (pid == 0) {
    close (stop[1]);
    be_child (ready[1], stop[0]);
  }
  fail_unless (read (ready[0], &byte, 1) == 1);
  bench_process_cpu (&self, &child);
  fail_unless (child > CHILD_SECONDS - 0.1 && child < CHILD_SECONDS + 0.1,
      "%g s", child);
  more = bench_process_memory () - memory;
  fail_unless (more > 0.9 * CHILD_BYTES && more < 1.5 * CHILD_BYTES,
      "%g bytes", more);
  close (stop[1]);
  fail_unless (waitpid (pid, &status, 0) == pid && status == 0);
  bench_process_cpu (&self, &child);
  fail_unless (child > CHILD_SECONDS - 0.1 && child < CHILD_SECONDS + 0.1,
      "%g s", child);
  fail_unless (bench_process_memory () < memory + 0.5 * CHILD_BYTES);
}
GST_END_TEST

static gboolean
run (const gchar * line, guint warm_up, bench_result * result, GError ** error)
{
  GstElement *pipeline = gst_parse_launch (line, NULL);
  gboolean ok = bench_run (pipeline, warm_up, result, error);

  gst_object_unref (pipeline);
  return ok;
}

static GstPadProbeReturn
slow_first_pages (GstPad * pad, GstPadProbeInfo * info, gpointer n)
{
  if ((*(guint *) n)++ < 10)
    g_usleep (G_USEC_PER_SEC / 10);
  return GST_PAD_PROBE_OK;
}

/* Of 30 pages the first ten take a second. */
static gdouble
measure_slow_pages (guint warm_up)
{
  GstElement *pipeline =
      gst_parse_launch ("fakesrc num-buffers=30 ! fakesink name=sink", NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  bench_result result;
  gdouble seconds;
  guint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, slow_first_pages, &n, NULL);
  fail_unless (bench_run (pipeline, warm_up, &result, NULL));
  fail_unless (result.figures[BENCH_PAGES] == 30 - warm_up);
  seconds = result.figures[BENCH_SECONDS];
  bench_result_clear (&result);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  return seconds;
}

/* The clock runs from the page that ends the warm-up to the end, no longer and no shorter. */
GST_START_TEST (test_clock)
{
  fail_unless (measure_slow_pages (1) >= 0.9);
  fail_unless (measure_slow_pages (6) >= 0.4);
  fail_unless (measure_slow_pages (10) < 0.9);
}
GST_END_TEST

/* What is not there is not known. */
GST_START_TEST (test_figures)
{
  bench_result result;

  fail_unless (run ("fakesrc num-buffers=9 sizetype=fixed ! fakesink name=sink",
          4, &result, NULL));
  fail_unless (result.figures[BENCH_PAGES] == 5);
  fail_unless (result.figures[BENCH_CPU_PROCESS] >= 0);
  fail_unless (result.figures[BENCH_MEMORY] > 0);
  fail_unless (isnan (result.figures[BENCH_COPIED_PDFSRC]));
  fail_unless (isnan (result.figures[BENCH_STAGED]));
  fail_unless_equals_string (result.memory_type, GST_ALLOCATOR_SYSMEM);
  fail_unless (result.device == NULL && result.warning == NULL);
  bench_result_clear (&result);
}
GST_END_TEST

GST_START_TEST (test_failures)
{
  bench_result result;
  GError *error = NULL;

  fail_if (run ("fakesrc num-buffers=4 ! fakesink name=sink", 4, &result,
          &error));
  fail_unless (strstr (error->message, "only 4 pages") != NULL);
  g_clear_error (&error);
  fail_if (run ("fakesrc ! fakesink name=sink state-error=ready-to-paused", 4,
          &result, &error));
  fail_unless (g_error_matches (error, GST_CORE_ERROR,
          GST_CORE_ERROR_STATE_CHANGE), "%s", error->message);
  g_clear_error (&error);
  fail_if (run ("filesrc location=/nowhere/x ! fakesink name=sink", 4, &result,
          &error));
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  g_clear_error (&error);
}
GST_END_TEST

static Suite *
bench_run_suite (void)
{
  Suite *s = suite_create ("bench_run");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_process);
  tcase_add_test (tc, test_clock);
  tcase_add_test (tc, test_figures);
  tcase_add_test (tc, test_failures);
  return s;
}

GST_CHECK_MAIN (bench_run)
