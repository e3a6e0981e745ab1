/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with a GPU that has two batches in flight (fake_engine.h), disturbed in every way. */
#include "fake_harness.h"
#include "fake_pipeline.h"
#include "stress.h"

/* Every batch that was started was finished or dropped. */
static void
check_engine (void)
{
  fail_unless_equals_int (fake_engine.n_started,
      fake_engine.n_finished + fake_engine.n_dropped);
  fail_unless_equals_int (fake_engine.n_alive, 0);
  fail_unless (fake_engine.most_alive <= 2);    /* one in use, one being loaded */
  fail_unless_equals_int (fake_engine.most_in_flight, 2);
}

static void
run (gint kind)
{
  GstElement *element = fake_element_new ("batch-size=3 batch-timeout=3");

  fake_engine.ms = 1;
  stress_run (element, kind);
  gst_object_unref (element);
  check_engine ();
}

GST_START_TEST (one_kind)
{
  g_print ("  %s\n", stress_kind (__i__));
  run (__i__);
}

GST_END_TEST

GST_START_TEST (all_kinds)
{
  run (STRESS_ALL);
}

GST_END_TEST

static GstPadProbeReturn
count (GstPad * pad, GstPadProbeInfo * info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

static void
seek (GstElement * pipeline, GstSeekFlags flags, gint64 start, gint64 stop)
{
  fail_unless (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME, flags,
          GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop));
}

/* A source that can seek does, at every moment; the last part that is asked for comes, all of it. */
GST_START_TEST (seeks)
{
  GstElement *pipeline = fake_pipeline_new ("videotestsrc ! "
      "video/x-raw,format=GRAY8,width=16,height=16,framerate=10/1 ! "
      "cudalayoutdetect name=detect batch-size=3 batch-timeout=3 ! fakesink "
      "sync=false");
  GRand *rand = g_rand_new_with_seed (7);
  gint n = 0, before = 0;

  fake_engine.ms = 1;
  fake_pipeline_probe (pipeline, "detect", "src", count, &n);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 100; i++) {
    while (i % 4 == 0 && g_atomic_int_get (&n) < before + (gint) i % 7)
      g_usleep (200);
    before = g_atomic_int_get (&n);
    /* Without a flush it would wait for a sink that still waits to play. */
    if (i % 5 == 0)
      gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
    seek (pipeline, i % 5 ? GST_SEEK_FLAG_FLUSH : GST_SEEK_FLAG_NONE,
        g_rand_int_range (rand, 0, 1000) * GST_SECOND, 100000 * GST_SECOND);
  }
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  seek (pipeline, GST_SEEK_FLAG_FLUSH, 5 * GST_SECOND, 8 * GST_SECOND);
  g_atomic_int_set (&n, 0);
  fake_pipeline_play (pipeline);
  fail_unless_equals_int (n, 30);
  fake_pipeline_free (pipeline);
  g_rand_free (rand);
  check_engine ();
}

GST_END_TEST

static Suite *
stress_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect under stress");
  TCase *tc = fake_tcase_new ("stress");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, one_kind, 0, stress_n_kinds ());
  tcase_add_test (tc, all_kinds);
  tcase_add_test (tc, seeks);
  return s;
}

GST_CHECK_MAIN (stress)
