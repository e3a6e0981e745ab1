/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect behind a live source: what it says of latency, and which frames it drops. */
#include "live_harness.h"

#define MS GST_MSECOND
#define T 1000                  /* that a batch takes, ms */
#define UPSTREAM LIVE_UPSTREAM_MS

static GstBuffer *
frame (gint64 pts_ms)
{
  return doc_frame_new (FAKE_CAPS, 0, pts_ms * MS);
}

static void
push (GstHarness * h, gint64 pts_ms)
{
  fail_unless_equals_int (gst_harness_push (h, frame (pts_ms)), GST_FLOW_OK);
}

/* The next buffer, whose DISCONT flag says whether one before it was dropped. */
static void
pull (GstHarness * h, gint64 pts_ms, gboolean discont)
{
  GstBuffer *buffer = gst_harness_pull (h);

  fail_unless (buffer != NULL, "the frame at %d ms did not come",
      (gint) pts_ms);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts_ms * MS);
  fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer,
          GST_BUFFER_FLAG_DISCONT), discont);
  gst_buffer_unref (buffer);
}

/* The frame at 0 is looked at, so that it is known what a batch takes: it is T then. */
static void
measure (GstHarness * h)
{
  push (h, 0);
  pull (h, 0, FALSE);
  fail_unless_equals_uint64 (live_now (), T * MS);
}

/* One message says that this frame was dropped, `late_ms` too late; at least so, where the clock goes on. */
static void
check_dropped (gint64 pts_ms, gint64 late_ms, guint64 processed,
    guint64 dropped)
{
  GstMessage *message = live_pop_qos ();
  guint64 running, stream, pts, duration, n_processed, n_dropped;
  gint64 jitter;
  gboolean live;
  GstFormat format;

  fail_unless (message != NULL, "no message of the frame at %d ms",
      (gint) pts_ms);
  gst_message_parse_qos (message, &live, &running, &stream, &pts, &duration);
  fail_unless (live);
  fail_unless_equals_uint64 (pts, pts_ms * MS);
  fail_unless_equals_uint64 (duration, GST_SECOND);
  fail_unless_equals_uint64 (running, pts_ms * MS);
  fail_unless_equals_uint64 (stream, pts_ms * MS);
  gst_message_parse_qos_values (message, &jitter, NULL, NULL);
  fail_unless_equals_int64 (jitter, late_ms * (gint64) MS);
  gst_message_parse_qos_stats (message, &format, &n_processed, &n_dropped);
  fail_unless_equals_int (format, GST_FORMAT_BUFFERS);
  fail_unless_equals_uint64 (n_processed, processed);
  fail_unless_equals_uint64 (n_dropped, dropped);
  gst_message_unref (message);
}

static void
check_none_dropped (void)
{
  GstMessage *message = live_pop_qos ();

  fail_unless (message == NULL, "a frame was dropped");
}

#define OWN (T * 3 / 2)         /* what is announced for batches of one, one in flight */

/* To the millisecond; then within what the pipeline's latency allows. */
GST_START_TEST (late_when_it_comes)
{
  GstHarness *h = live_start ("batch-size=1", T, 1);

  measure (h);
  push (h, 2 * T - OWN - UPSTREAM - 1);
  check_dropped (2 * T - OWN - UPSTREAM - 1, 1, 1, 1);
  push (h, 2 * T - OWN - UPSTREAM);
  pull (h, 2 * T - OWN - UPSTREAM, TRUE);
  push (h, 2 * T);
  pull (h, 2 * T, FALSE);
  check_none_dropped ();

  /* it is 3 * T */
  gst_harness_push_upstream_event (h, gst_event_new_latency (3 * T * MS));
  push (h, T - 1);
  check_dropped (T - 1, 1, 3, 2);
  push (h, T);
  pull (h, T, TRUE);
  fail_unless_equals_int (fake_engine.n_started, 4);
  check_none_dropped ();
  live_stop (h);
}

GST_END_TEST

/* What is never late, however long ago it should have been there. */
GST_START_TEST (never_late)
{
  GstHarness *h = live_start ("batch-size=1", T, 1);
  GstBuffer *buffer;

  if (__i__ == 0)
    measure (h);
  live_move_to ((__i__ == 0 ? 3 : 100) * T * MS);
  switch (__i__) {
    case 0:                    /* no time */
      buffer = frame (0);
      GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
      gst_harness_push (h, buffer);
      buffer = gst_harness_pull (h);
      gst_buffer_unref (buffer);
      break;
    case 1:                    /* nothing was measured, */
      push (h, 0);
      pull (h, 0, FALSE);
      push (h, 1);              /* and now it was */
      check_dropped (1, 100 * T + 2 * T - OWN - UPSTREAM - 1, 1, 1);
      break;
    case 2:                    /* not asked for */
      g_object_set (h->element, "qos", FALSE, NULL);
      break;
    case 3:                    /* not live */
      gst_pad_set_query_function (h->srcpad, live_answer_not);
      gst_harness_query_latency (h);
      break;
    default:                   /* no clock */
      gst_element_set_clock (h->element, NULL);
      break;
  }
  for (gint64 i = 0; i < 3 && __i__ > 1; i++) {
    push (h, i);
    pull (h, i, FALSE);
  }
  check_none_dropped ();
  live_stop (h);
}

GST_END_TEST

static void
wait_for_start (gint n)
{
  while (g_atomic_int_get (&fake_engine.n_started) < n)
    g_usleep (1000);
}

/* Frames that came in time, and waited too long for the batch ahead. What is between them stays, in its place. */
GST_START_TEST (late_when_it_begins)
{
  GstHarness *h = live_start ("batch-size=2 batch-timeout=10", T, 1);
  GString *text = g_string_new (NULL);
  const gint64 limit = 2 * OWN + UPSTREAM;
  const gint64 begins = 5 * T;

  measure (h);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, doc_note,
      text, NULL);
  live_may_end (0);
  push (h, T);
  wait_for_start (2);
  push (h, begins + T - limit - 1);
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  push (h, begins + T - limit - 1 + __i__);
  check_none_dropped ();
  live_move_to (begins * MS);
  live_may_end (-1);
  pull (h, T, FALSE);
  if (__i__ == 1)
    pull (h, begins + T - limit, TRUE);
  while (strcmp (text->str, "tag ") != 0)
    g_usleep (1000);
  check_dropped (begins + T - limit - 1, 1, 2, 1);
  if (__i__ == 0)
    check_dropped (begins + T - limit - 1, 1, 2, 2);
  push (h, begins + T);
  pull (h, begins + T, __i__ == 0);
  fail_unless_equals_int (fake_engine.n_started, 3 + __i__);
  check_none_dropped ();
  live_stop (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

/* A batch behind one in flight is not done before both are, so less is in time than if it were alone. */
GST_START_TEST (late_behind_another)
{
  GstHarness *h = live_start ("batch-size=1", T, 2);
  const gint64 limit = 2 * OWN + UPSTREAM;
  const gint64 begins = 5 * T;

  measure (h);
  live_may_end (0);
  push (h, T);
  push (h, T);
  wait_for_start (3);
  /* to be begun when one of the two is done */
  push (h, begins + 2 * T - limit - 1 + __i__);
  check_none_dropped ();
  live_move_to (begins * MS);
  live_may_end (1);
  pull (h, T, FALSE);
  /* either way the other one is not kept from having one behind it */
  push (h, begins);
  wait_for_start (4);
  live_may_end (-1);
  pull (h, T, FALSE);
  if (__i__ == 1)
    pull (h, begins + 2 * T - limit, FALSE);
  else
    check_dropped (begins + 2 * T - limit - 1, 1, 2, 1);
  pull (h, begins, __i__ == 0);
  fail_unless_equals_int (fake_engine.n_started, 4 + __i__);
  check_none_dropped ();
  live_stop (h);
}

GST_END_TEST

/* A flush forgets the dropped frame, and a stop what was said of the pipeline: it has to be said again. */
GST_START_TEST (forgotten)
{
  GstHarness *h = live_start ("batch-size=1", T, 1);
  GstSegment segment;

  measure (h);
  live_move_to (3 * T * MS);
  push (h, 1);
  check_dropped (1, 4 * T - 1 - OWN - UPSTREAM, 1, 1);
  if (__i__ == 0) {
    gst_harness_push_event (h, gst_event_new_flush_start ());
    gst_harness_push_event (h, gst_event_new_flush_stop (FALSE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    push (h, 3 * T);
    pull (h, 3 * T, FALSE);
  } else {
    gst_element_set_state (h->element, GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    gst_element_set_base_time (h->element, 0);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, FAKE_CAPS);
    for (gint64 i = 0; i < 2; i++) {
      push (h, i);
      pull (h, i, FALSE);
    }
    gst_harness_query_latency (h);
    push (h, 2);
    check_dropped (2, 6 * T - 2 - OWN - UPSTREAM, 2, 1);
  }
  check_none_dropped ();
  live_stop (h);
}

GST_END_TEST

/* A source whose times cannot be meant: a frame now and then all the same. */
GST_START_TEST (times_that_cannot_be)
{
  GstHarness *h = live_start ("batch-size=1", T, 1);
  const gint64 limit = OWN + UPSTREAM;

  measure (h);
  live_move_to ((2 * limit) * MS);
  push (h, 1);
  check_dropped (1, 2 * limit + T - limit - 1, 1, 1);
  live_move_to ((2 * limit + 1) * MS);
  push (h, 2);
  pull (h, 2, TRUE);
  push (h, 3);
  fail_unless_equals_int (fake_engine.n_started, 2);
  live_stop (h);
}

GST_END_TEST

/* Upstream's, the engine's for all batches in flight, and what a page waits for others. */
GST_START_TEST (latency)
{
  static const struct
  {
    guint batch, timeout;
    gint ms, capacity;
    guint wanted;               /* ms, beyond upstream's */
  } cases[] = {
    {1, 3000, 1000, 1, 1500},
    {1, 3000, 1000, 2, 3000},
    {2, 3000, 1000, 1, 1500 + 3000},
    {2, 10, 1000, 1, 1500 + 1500},
    {2, 10, 1000, 2, 3000 + 1500},
  };
  g_autofree gchar *properties = g_strdup_printf ("batch-size=%u "
      "batch-timeout=%u", cases[__i__].batch, cases[__i__].timeout);
  GstHarness *h = live_start (properties, cases[__i__].ms, cases[__i__].capacity);

  fail_unless_equals_uint64 (gst_harness_query_latency (h),
      (UPSTREAM + (cases[__i__].batch > 1 ? cases[__i__].timeout : 0)) * MS);
  for (guint i = 0; i < cases[__i__].batch; i++)
    push (h, 0);
  for (guint i = 0; i < cases[__i__].batch; i++)
    pull (h, 0, FALSE);
  fail_unless_equals_uint64 (gst_harness_query_latency (h),
      (UPSTREAM + cases[__i__].wanted) * MS);
  live_stop (h);
}

GST_END_TEST

static Suite *
live_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, live sources");
  TCase *tc = fake_tcase_new ("live");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, late_when_it_comes);
  tcase_add_loop_test (tc, never_late, 0, 5);
  tcase_add_loop_test (tc, late_when_it_begins, 0, 2);
  tcase_add_loop_test (tc, late_behind_another, 0, 2);
  tcase_add_loop_test (tc, forgotten, 0, 2);
  tcase_add_test (tc, times_that_cannot_be);
  tcase_add_loop_test (tc, latency, 0, 5);
  return s;
}

GST_CHECK_MAIN (live)
