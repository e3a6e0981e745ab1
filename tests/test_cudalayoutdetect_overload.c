/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect behind a camera with more frames than the engine manages. */
#include "live_harness.h"

typedef struct
{
  guint pushed, out;
  gint64 last;                  /* number of the last frame that came out; -1: none */
  GstClockTime longest;         /* delay */
} Camera;

#define INTERVAL (GST_SECOND / 30)

static GstPadProbeReturn
note_delay (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  Camera *camera = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  gint64 number = pts / INTERVAL;

  fail_unless (number > camera->last);
  fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer,
          GST_BUFFER_FLAG_DISCONT), number > camera->last + 1);
  camera->last = number;
  camera->longest = MAX (camera->longest, live_now () - pts);
  g_atomic_int_inc (&camera->out);
  return GST_PAD_PROBE_OK;
}

static guint
count_dropped (GstHarness * h)
{
  guint64 dropped;
  GstStructure *stats;

  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "dropped", &dropped));
  gst_structure_free (stats);
  return dropped;
}

static gboolean
is_idle (GstHarness * h, Camera * camera)
{
  return g_atomic_int_get (&camera->out) + count_dropped (h) == camera->pushed;
}

/* 90 frames, each when the clock is there. While any is on its way it is the engine that moves the clock. */
static void
run_camera (GstHarness * h, Camera * camera)
{
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_delay, camera,
      NULL);
  camera->last = -1;
  for (; camera->pushed < 90; camera->pushed++) {
    GstClockTime pts = camera->pushed * INTERVAL;

    while (live_now () < pts && !is_idle (h, camera))
      g_usleep (1000);
    live_move_to (pts);
    fail_unless_equals_int (gst_harness_push (h, doc_frame_new (FAKE_CAPS, 0,
                pts)), GST_FLOW_OK);
  }
  while (!is_idle (h, camera))
    g_usleep (1000);
}

/* 30 frames a second and an engine that manages five, with one and two batches in flight: no delay builds up, what
 * is dropped is told, and the engine saw nothing of it. */
GST_START_TEST (overload)
{
  GstHarness *h = live_start ("batch-size=1", 200, __i__);
  Camera camera = { 0 };
  guint64 processed, dropped, sum = 0;
  guint n = 0;
  GstMessage *message;

  run_camera (h, &camera);
  fail_unless (camera.longest <= gst_harness_query_latency (h),
      "a delay of %" GST_TIME_FORMAT, GST_TIME_ARGS (camera.longest));
  fail_unless (camera.out >= 8, "only %u frames", camera.out);
  fail_unless_equals_int (fake_engine.n_started, camera.out);
  for (; (message = live_pop_qos ()); n++) {
    gst_message_parse_qos_stats (message, NULL, &processed, &dropped);
    fail_unless (processed <= camera.out);
    sum += dropped;
    gst_message_unref (message);
  }
  fail_unless_equals_int (camera.out + n, camera.pushed);
  fail_unless_equals_int (count_dropped (h), n);
  fail_unless_equals_uint64 (sum, n * (n + 1) / 2);
  live_stop (h);
}

GST_END_TEST

/* The same, of a source that waits. */
GST_START_TEST (overload_not_live)
{
  GstHarness *h = live_start ("batch-size=1", 200, __i__);
  Camera camera = { 0 };

  gst_pad_set_query_function (h->srcpad, live_answer_not);
  gst_harness_query_latency (h);
  run_camera (h, &camera);
  fail_unless_equals_int (camera.out, 90);
  fail_unless (live_pop_qos () == NULL);
  live_stop (h);
}

GST_END_TEST

static Suite *
overload_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, too many frames");
  TCase *tc = fake_tcase_new ("overload");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, overload, 1, 3);
  tcase_add_loop_test (tc, overload_not_live, 1, 3);
  return s;
}

GST_CHECK_MAIN (overload)
