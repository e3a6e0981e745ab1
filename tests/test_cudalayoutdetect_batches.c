/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with a GPU that takes its time (fake_engine.h): two batches in flight, in every order in which
 * pages, events, flushes and failures can come. */
#include "fake_harness.h"

#define OTHER_CAPS "video/x-raw,format=GRAY8,width=8,height=4,framerate=1/1"
#define LONG "batch-timeout=3600000 "

static void
push_pages (GstHarness * h, guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    fail_unless_equals_int (gst_harness_push (h, fake_page (i)), GST_FLOW_OK);
}

/* Nothing comes out for a while. */
static void
check_nothing (GstHarness * h)
{
  g_usleep (100000);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
}

static void
wait_for_start (gint n)
{
  while (g_atomic_int_get (&fake_engine.n_started) < n)
    g_usleep (1000);
}

/* The device always has the next batch, and what comes out is in order, the last batch not full. */
GST_START_TEST (in_order)
{
  GstHarness *h = fake_start (LONG "batch-size=2");

  fake_engine.ms = 20;
  push_pages (h, 0, 11);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 11; i++)
    fake_pull (h, i);
  fail_unless_equals_int (fake_engine.n_started, 6);
  fail_unless_equals_int (fake_engine.n_finished, 6);
  fail_unless_equals_int (fake_engine.most_in_flight, 2);
  fail_unless (fake_engine.n_behind >= 4, "%d batches were there in time",
      fake_engine.n_behind);
  gst_harness_teardown (h);
}

GST_END_TEST

/* A batch comes out although the next one is not there, or not full. */
GST_START_TEST (not_kept_waiting)
{
  GstHarness *h = fake_start (LONG "batch-size=2");

  push_pages (h, 0, 2 + __i__);
  fake_pull (h, 0);
  fake_pull (h, 1);
  check_nothing (h);
  push_pages (h, 2 + __i__, 2 - __i__);
  fake_pull (h, 2);
  fake_pull (h, 3);
  gst_harness_teardown (h);
}

GST_END_TEST

/* A batch that its time-out ends, while another is in flight. */
GST_START_TEST (time_out)
{
  GstHarness *h = fake_start ("batch-timeout=30 batch-size=4");

  fake_engine.ms = 100;
  push_pages (h, 0, 5);
  for (guint i = 0; i < 5; i++)
    fake_pull (h, i);
  fail_unless_equals_int (fake_engine.n_started, 2);
  gst_harness_teardown (h);
}

GST_END_TEST

/* Events, gaps, and pages that are not looked at, between batches in flight and within one. */
GST_START_TEST (everything_in_its_place)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GString *text = g_string_new (NULL);
  GstBuffer *gap = fake_page (4);
  GstSegment segment;

  while (gst_harness_events_received (h) < 3)   /* stream-start, caps, segment */
    g_usleep (1000);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, doc_note, text, NULL);
  fake_engine.ms = 30;
  push_pages (h, 0, 3);
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, GST_SECOND));
  push_pages (h, 3, 1);
  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  gst_harness_push (h, gap);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_pages (h, 5, 3);
  gst_harness_push_event (h, gst_event_new_eos ());
  while (gst_harness_events_received (h) < 6)
    g_usleep (1000);
  fail_unless_equals_string (text->str, "0 1 2 gap 3 4 segment 5 6 7 eos ");
  gst_harness_teardown (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

/* What was before a query is out before it is answered. */
GST_START_TEST (query)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstCaps *caps = gst_caps_from_string (FAKE_CAPS);
  GstQuery *allocation = gst_query_new_allocation (caps, TRUE);
  guint size, min;

  fake_engine.ms = 50;
  push_pages (h, 0, 5);
  fail_unless (gst_pad_peer_query (h->srcpad, allocation));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 5);
  gst_query_parse_nth_allocation_pool (allocation, 0, NULL, &size, &min, NULL);
  fail_unless (min >= 3 * 2 + 2);       /* two batches in the engine, one in the queue */
  gst_query_unref (allocation);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST

static void
push_flush (GstHarness * h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
}

/* Flushed with two batches in flight they are gone, and the next pages are as ever. */
GST_START_TEST (flush)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstSegment segment;
  GstBuffer *out;

  fake_engine.ms = 60;
  for (guint round = 0; round < 3; round++) {
    push_pages (h, 0, 4);
    wait_for_start (4 * round + 2);
    g_usleep (round * 40000);
    push_flush (h);
    while ((out = gst_harness_try_pull (h)))
      gst_buffer_unref (out);
    fake_engine.n_started = 4 * round + 2;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));
    push_pages (h, 10, 4);
    for (guint i = 10; i < 14; i++)
      fake_pull (h, i);
  }
  gst_harness_teardown (h);
}

GST_END_TEST

/* An application that hears of caps may set a property then. */
static void
on_caps (GstPad * pad, GParamSpec * pspec, gpointer element)
{
  g_object_set (element, "batch-timeout", 3600000, NULL);
}

/* Caps that are flushed, in the queue or within a batch in flight, are those of what comes next all the same, for
 * upstream does not send them again. */
GST_START_TEST (flushed_caps)
{
  GstHarness *h = fake_start (LONG "batch-size=4");
  GstSegment segment;
  GstCaps *wanted = gst_caps_from_string (OTHER_CAPS), *caps;
  GstPad *pad = GST_PAD_PEER (h->sinkpad);

  g_signal_connect (pad, "notify::caps", G_CALLBACK (on_caps), h->element);

  fake_engine.ms = 50;
  push_pages (h, 0, __i__ ? 3 : 1);
  gst_harness_set_src_caps (h, gst_caps_ref (wanted));
  gst_harness_push (h, doc_frame_new (OTHER_CAPS, 3, 3 * GST_SECOND));
  if (__i__)
    wait_for_start (1);
  push_flush (h);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 10; i < 14; i++)
    gst_harness_push (h, doc_frame_new (OTHER_CAPS, i, i * GST_SECOND));
  for (guint i = 10; i < 14; i++)
    fake_pull (h, i);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_is_equal (caps, wanted));
  gst_caps_unref (caps);
  gst_caps_unref (wanted);
  gst_harness_teardown (h);
}

GST_END_TEST

/* The end of a flush does not start what has been stopped meanwhile. */
GST_START_TEST (flush_while_stopping)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstPad *pad = gst_element_get_static_pad (h->element, "src");

  fake_engine.ms = 50;
  push_pages (h, 0, 3);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_pad_set_active (pad, FALSE);
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless (gst_pad_get_task_state (pad) != GST_TASK_STARTED);
  gst_object_unref (pad);
  gst_harness_teardown (h);
}

GST_END_TEST

/* Stopped with batches in flight, and started again with the same detector. */
GST_START_TEST (stop_and_start)
{
  GstHarness *h = fake_start (LONG "batch-size=2");

  fake_engine.ms = 60;
  push_pages (h, 0, 5);
  wait_for_start (2);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless_equals_int (fake_engine.n_started,
      fake_engine.n_finished + fake_engine.n_dropped);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (fake_engine.n_detectors, 1);
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (h, FAKE_CAPS);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  push_pages (h, 20, 2);
  fake_pull (h, 20);
  fake_pull (h, 21);
  gst_harness_teardown (h);
}

GST_END_TEST

static GError *
pop_error (GstBus * bus)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR);
  GError *error;

  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  gst_message_unref (message);
  message = gst_bus_timed_pop_filtered (bus, 50 * GST_MSECOND,
      GST_MESSAGE_ERROR);
  fail_unless (message == NULL, "more than one error");
  return error;
}

/* The device fails when a batch is started or finished, with another in flight or not: one error. Started again,
 * the element has a new detector. */
GST_START_TEST (device_fails)
{
  GstHarness *h = fake_start (LONG "batch-size=1");
  GstBus *bus = gst_bus_new ();
  gint at = 1 + __i__ / 2;
  GError *error;

  gst_element_set_bus (h->element, bus);
  fake_engine.ms = 20;
  fake_engine.failure = NN_ERR_DEVICE;
  if (__i__ % 2)
    fake_engine.fail_start = at;
  else
    fake_engine.fail_finish = at;
  while (gst_harness_push (h, fake_page (0)) == GST_FLOW_OK)
    g_usleep (1000);
  fail_unless_equals_int (gst_harness_push (h, fake_page (0)), GST_FLOW_ERROR);
  gst_harness_push_event (h, gst_event_new_eos ());
  error = pop_error (bus);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_FAILED), "%s", error->message);
  g_error_free (error);

  gst_element_set_state (h->element, GST_STATE_READY);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  fail_unless_equals_int (fake_engine.n_detectors, 2);
  while (gst_harness_buffers_in_queue (h) > 0)
    gst_buffer_unref (gst_harness_pull (h));
  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (h, FAKE_CAPS);
  push_pages (h, 30, 3);
  for (guint i = 30; i < 33; i++)
    fake_pull (h, i);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

static GstBuffer *
short_page (guint number)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 3, NULL);

  GST_BUFFER_PTS (buffer) = number * GST_SECOND;
  return buffer;
}

/* A frame that cannot be mapped: the batch in flight still comes out. */
GST_START_TEST (short_frame)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstBus *bus = gst_bus_new ();
  GError *error;

  gst_element_set_bus (h->element, bus);
  fake_engine.ms = 50;
  push_pages (h, 0, 3);
  gst_harness_push (h, short_page (3));
  fake_pull (h, 0);
  fake_pull (h, 1);
  error = pop_error (bus);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_READ), "%s", error->message);
  fail_unless (strstr (error->message, "The frame at 0:00:03") != NULL
      && strstr (error->message, "its 3 bytes") != NULL
      && strstr (error->message, "say (16)") != NULL, "%s", error->message);
  g_error_free (error);
  fail_unless_equals_int (fake_engine.n_started, 1);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

/* It fails with the end of the stream behind it, and where a frame of the next batch is bad too. */
GST_START_TEST (fails_at_the_end)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstBus *bus = gst_bus_new ();
  GError *error;

  gst_element_set_bus (h->element, bus);
  fake_engine.ms = 50;
  fake_engine.failure = NN_ERR_DEVICE;
  fake_engine.fail_finish = 2;
  push_pages (h, 0, 2);
  fake_pull (h, 0);
  fake_pull (h, 1);
  push_pages (h, 2, 3);
  if (__i__)
    gst_harness_push (h, short_page (5));
  gst_harness_push_event (h, gst_event_new_eos ());
  error = pop_error (bus);
  g_error_free (error);
  while (gst_harness_events_received (h) < 4)   /* and the end */
    g_usleep (1000);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

static guint refused;

/* Takes pages of less than 10, and from 20 on. */
static GstPadProbeReturn
refuse (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  guint number = GST_BUFFER_PTS (buffer) / GST_SECOND;

  if (number < 10 || number >= 20)
    return GST_PAD_PROBE_OK;
  refused++;
  gst_buffer_unref (buffer);
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* Downstream wants no more of a segment, with batches of it in flight; the segment behind it is wanted again, be it
 * in the same batch, in flight, or yet to come. */
GST_START_TEST (no_more_of_a_segment)
{
  static const guint wanted[] = { 1, 2, 3, 6 }; /* pages of the first segment */
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstSegment segment;
  guint n = wanted[__i__];

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, refuse, NULL, NULL);
  fake_engine.ms = 20;
  refused = 0;
  for (guint i = 0; i < n; i++)
    gst_harness_push (h, fake_page (10 + i));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push_pages (h, 20, 4);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 20; i < 24; i++)
    fake_pull (h, i);
  fail_unless_equals_int (refused, 1);
  gst_harness_teardown (h);
}

GST_END_TEST

/* Settings are those of when a batch is begun, and what a live pipeline waits for are all in flight. */
GST_START_TEST (latency)
{
  GstHarness *h = fake_start ("batch-timeout=7 batch-size=2");
  GstClockTime before, after;

  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  before = gst_harness_query_latency (h);
  fail_unless_equals_uint64 (before, 12 * GST_MSECOND);
  fake_engine.ms = 40;
  push_pages (h, 0, 2);
  fake_pull (h, 0);
  fake_pull (h, 1);
  after = gst_harness_query_latency (h);
  fail_unless (after >= before + 2 * 40 * GST_MSECOND, "%" GST_TIME_FORMAT,
      GST_TIME_ARGS (after));
  gst_harness_teardown (h);
}

GST_END_TEST

/* A live pipeline is told to ask again when the time-out becomes another one. */
GST_START_TEST (latency_changes)
{
  GstHarness *h = fake_start ("batch-timeout=7 batch-size=2");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  gst_harness_query_latency (h);        /* a harness is live */
  for (gint i = 0; i < 2; i++) {
    g_object_set (h->element, "batch-timeout", 20, NULL);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
    fail_unless_equals_int (message != NULL, i == 0);
    if (message)
      gst_message_unref (message);
  }
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 20 * GST_MSECOND);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
batches_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, batches in flight");
  TCase *tc = fake_tcase_new ("batches");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, in_order);
  tcase_add_loop_test (tc, not_kept_waiting, 0, 2);
  tcase_add_test (tc, time_out);
  tcase_add_test (tc, everything_in_its_place);
  tcase_add_test (tc, query);
  tcase_add_test (tc, flush);
  tcase_add_loop_test (tc, flushed_caps, 0, 2);
  tcase_add_test (tc, flush_while_stopping);
  tcase_add_test (tc, stop_and_start);
  tcase_add_loop_test (tc, device_fails, 0, 6);
  tcase_add_test (tc, short_frame);
  tcase_add_loop_test (tc, fails_at_the_end, 0, 2);
  tcase_add_loop_test (tc, no_more_of_a_segment, 0, 4);
  tcase_add_test (tc, latency);
  tcase_add_test (tc, latency_changes);
  return s;
}

GST_CHECK_MAIN (batches)
