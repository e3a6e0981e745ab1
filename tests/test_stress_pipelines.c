/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin with the engine on the CPU and a network that takes no time: under stress, and in a hundred pipelines that
 * are ended at any moment of their lives. Nothing stays behind of them: no descriptor, no process, no thread.
 */
#include "fake_pipeline.h"
#include "gst_harness.h"
#include "pdfwriter.h"
#include "stress.h"
#include "tiny_yolo.h"

#include <errno.h>
#include <sys/wait.h>

#define N_PIPELINES 100
#define N_PAGES 40

static const char *model;

static void
write_model (void)
{
  model = tiny_yolo_write ();
  fail_unless (model != NULL);
}

GST_START_TEST (engine)
{
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);

  gst_object_ref_sink (element);
  g_object_set (element, "model-file", model, "batch-size", 3, "batch-timeout",
      3, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "device", "cpu");
  stress_run (element, STRESS_ALL);
  gst_object_unref (element);
}

GST_END_TEST

static guint
count_threads (void)
{
  /* Those that GLib keeps for whoever needs one next. */
  g_thread_pool_stop_unused_threads ();
  return doc_count_entries ("/proc/self/task");
}

static GstPadProbeReturn
on_page (GstPad * pad, GstPadProbeInfo * info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* One life: how far it gets, and how it ends. */
static void
live (const gchar * document, GRand * rand)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_PAUSED,
    GST_STATE_PLAYING, GST_STATE_PLAYING, GST_STATE_PLAYING
  };
  GstState state = states[g_rand_int_range (rand, 0, G_N_ELEMENTS (states))];
  GstElement *pipeline = fake_pipeline_new ("pdfsrc location=%s "
      "render-workers=2 ! cudalayoutdetect name=detect device=cpu "
      "model-file=%s batch-size=%d ! jsonsink location=/dev/null", document,
      model, g_rand_int_range (rand, 1, 9));
  gint n = 0, pages = g_rand_int_range (rand, 0, N_PAGES + 1);

  fake_pipeline_probe (pipeline, "detect", "src", on_page, &n);
  gst_element_set_state (pipeline, state);
  if (g_rand_boolean (rand)) {
    g_usleep (g_rand_int_range (rand, 0, 100000));
  } else if (state == GST_STATE_PLAYING) {
    while (g_atomic_int_get (&n) < pages)
      g_usleep (500);
    if (pages == N_PAGES)
      fake_pipeline_wait (pipeline);
  }
  if (g_rand_boolean (rand)) {
    gst_element_set_state (pipeline, GST_STATE_READY);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  }
  fake_pipeline_free (pipeline);
}

GST_START_TEST (pipelines)
{
  g_autofree gchar *document = pdf_write_plain ("pages.pdf", N_PAGES);
  GRand *rand = g_rand_new_with_seed (1);
  guint descriptors, threads;

  for (guint i = 0; i < 3; i++) /* what is made once a process */
    live (document, rand);
  descriptors = doc_count_entries ("/proc/self/fd");
  threads = count_threads ();
  for (guint i = 0; i < N_PIPELINES; i++)
    live (document, rand);
  fail_unless_equals_int (doc_count_entries ("/proc/self/fd"), descriptors);
  fail_unless (waitpid (-1, NULL, WNOHANG) == -1 && errno == ECHILD,
      "a render worker is left");
  while (count_threads () > threads)    /* they are about to end, or the time limit tells */
    g_usleep (1000);
  g_rand_free (rand);
  pdf_remove_files ();
}

GST_END_TEST

static Suite *
stress_pipelines_suite (void)
{
  Suite *s = suite_create ("pipelines under stress");
  TCase *tc = doc_tcase_new ("stress");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 150);
  tcase_add_checked_fixture (tc, write_model, NULL);
  tcase_add_test (tc, engine);
  tcase_add_test (tc, pipelines);
  return s;
}

GST_CHECK_MAIN (stress_pipelines)
