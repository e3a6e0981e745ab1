/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with batches that cannot fill: a small buffer pool, branches and applications that keep buffers,
 * events. With fake_engine.h. */
#include "fake_harness.h"

#define LONG "batch-timeout=3600000 "

static GstBufferPool *
pool_new (guint most)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstCaps *caps = gst_caps_from_string (FAKE_CAPS);

  gst_buffer_pool_config_set_params (config, caps, 16, 0, most);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  gst_caps_unref (caps);
  return pool;
}

static void
pool_free (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

/* As a camera does: waits for a buffer that nobody has any more. */
static void
push_from (GstHarness * h, GstBufferPool * pool, guint number)
{
  GstBuffer *buffer;

  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  gst_buffer_memset (buffer, 0, number, 16);
  GST_BUFFER_PTS (buffer) = number * GST_SECOND;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

/* A camera with fewer buffers than a batch has pages never waits for the time-out, whoever keeps its buffers
 * besides: a second pool is one of its own. */
GST_START_TEST (small_pool)
{
  GstHarness *h = fake_start (LONG "batch-size=8");
  GstBufferPool *pool = pool_new (4), *other = pool_new (2);

  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 4; i++)
      push_from (h, pool, i);
    for (guint i = 0; i < 4; i++)
      fake_pull (h, i);
  }
  fail_unless_equals_int (fake_engine.n_started, 3);
  push_from (h, pool, 0);
  push_from (h, other, 1);
  push_from (h, other, 2);
  for (guint i = 0; i < 3; i++)
    fake_pull (h, i);
  fail_unless_equals_int (fake_engine.n_started, 4);
  gst_harness_teardown (h);
  pool_free (pool);
  pool_free (other);
}

GST_END_TEST

/* Flushed pages and those that are not looked at are back in the pool. */
GST_START_TEST (small_pool_flushed)
{
  GstHarness *h = fake_start (LONG "batch-size=8");
  GstBufferPool *pool = pool_new (3);
  GstSegment segment;
  GstBuffer *out;

  for (guint i = 0; i < 2; i++)
    push_from (h, pool, i);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 0; i < 3; i++)
    push_from (h, pool, i);
  for (guint i = 0; i < 3; i++)
    fake_pull (h, i);
  fail_unless_equals_int (fake_engine.n_started, 1);
  while ((out = gst_harness_try_pull (h)))
    gst_buffer_unref (out);
  gst_harness_teardown (h);
  pool_free (pool);
}

GST_END_TEST

/* An application keeps what it gets, so that a batch cannot fill: the time-out ends it. */
GST_START_TEST (buffers_kept)
{
  GstHarness *h = fake_start ("batch-timeout=30 batch-size=8");
  GstBufferPool *pool = pool_new (4);
  GstBuffer *kept[3];

  for (guint i = 0; i < 3; i++)
    push_from (h, pool, i);
  for (guint i = 0; i < 3; i++)
    kept[i] = gst_harness_pull (h);
  for (guint i = 3; i < 6; i++) {
    push_from (h, pool, i);
    fake_pull (h, i);
  }
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (kept[i]);
  gst_harness_teardown (h);
  pool_free (pool);
}

GST_END_TEST

/* Upstream says that nothing comes for a while: what is there goes on, before it. */
GST_START_TEST (gap_event)
{
  GstHarness *h = fake_start (LONG "batch-size=8");

  gst_harness_push (h, fake_page (0));
  gst_harness_push (h, fake_page (1));
  gst_harness_push_event (h, gst_event_new_gap (2 * GST_SECOND, GST_SECOND));
  fake_pull (h, 0);
  fake_pull (h, 1);
  while (gst_harness_events_received (h) < 4)
    g_usleep (1000);
  fail_unless_equals_int (fake_engine.n_started, 1);
  gst_harness_teardown (h);
}

GST_END_TEST

static GstEvent *
event_new (guint which)
{
  GstSegment segment;
  GstCaps *caps;
  GstEvent *event;

  switch (which) {
    case 0:
      gst_segment_init (&segment, GST_FORMAT_TIME);
      return gst_event_new_segment (&segment);
    case 1:
      caps = gst_caps_from_string ("video/x-raw,format=GRAY8,width=8,height=4,"
          "framerate=1/1");
      event = gst_event_new_caps (caps);
      gst_caps_unref (caps);
      return event;
    case 2:
      return gst_event_new_tag (gst_tag_list_new_empty ());
    default:
      return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("mine"));
  }
}

/* No event waits longer than its batch, and none overtakes; pages that are not looked at come with it. */
GST_START_TEST (events_behind_a_batch)
{
  static const gchar *const wanted[] = { "0 segment 1 ", "0 caps 1 ",
    "0 tag 1 ", "0 custom-downstream 1 "
  };
  GstHarness *h = fake_start ("batch-timeout=30 batch-size=8");
  GString *text = g_string_new (NULL);
  GstBuffer *gap = __i__ == 1 ? doc_frame_new ("video/x-raw,format=GRAY8,"
      "width=8,height=4,framerate=1/1", 1, GST_SECOND) : fake_page (1);

  while (gst_harness_events_received (h) < 3)   /* stream-start, caps, segment */
    g_usleep (1000);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, doc_note, text, NULL);
  gst_harness_push (h, fake_page (0));
  gst_harness_push_event (h, event_new (__i__));
  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  gst_harness_push (h, gap);
  gst_buffer_unref (gst_harness_pull (h));
  gst_buffer_unref (gst_harness_pull (h));
  fail_unless_equals_string (text->str, wanted[__i__]);
  gst_harness_teardown (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

/* One for one, with its times and flags. */
GST_START_TEST (buffers_as_they_were)
{
  static const GstBufferFlags flags[] = { GST_BUFFER_FLAG_DISCONT,
    GST_BUFFER_FLAG_MARKER, GST_BUFFER_FLAG_GAP, GST_BUFFER_FLAG_CORRUPTED,
    GST_BUFFER_FLAG_DELTA_UNIT | GST_BUFFER_FLAG_RESYNC
  };
  GstHarness *h = fake_start (LONG "batch-size=3");

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    GstBuffer *in = fake_page (i);

    GST_BUFFER_FLAG_SET (in, flags[i]);
    GST_BUFFER_DTS (in) = 100 + i;
    GST_BUFFER_DURATION (in) = 200 + i;
    GST_BUFFER_OFFSET (in) = 300 + i;
    if (i == 1)
      GST_BUFFER_PTS (in) = GST_CLOCK_TIME_NONE;
    gst_harness_push (h, in);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    GstBuffer *out = gst_harness_pull (h);

    fail_unless_equals_uint64 (GST_BUFFER_PTS (out),
        i == 1 ? GST_CLOCK_TIME_NONE : i * GST_SECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DTS (out), 100 + i);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), 200 + i);
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (out), 300 + i);
    fail_unless_equals_int (GST_BUFFER_FLAGS (out)
        & ~(guint) GST_BUFFER_FLAG_TAG_MEMORY, flags[i]);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
}

GST_END_TEST

/* Of two branches of a tee one cannot go on before the other does, and their queues hold fewer pages than a batch
 * has: sinks wait for each other before they play. */
GST_START_TEST (branches)
{
  GstElement *pipeline = gst_parse_launch ("videotestsrc num-buffers=20 ! "
      "video/x-raw,format=GRAY8,width=4,height=4 ! tee name=t ! "
      "queue max-size-buffers=1 ! fakesink t. ! "
      "queue name=q max-size-buffers=1", NULL);
  GstElement *element = fake_element_new ("batch-size=16 batch-timeout=30");
  GstElement *queue = gst_bin_get_by_name (GST_BIN (pipeline), "q");
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_bin_add_many (GST_BIN (pipeline), element, sink, NULL);
  fail_unless (gst_element_link_many (queue, element, sink, NULL));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no end");
  fail_unless_equals_string (GST_MESSAGE_TYPE_NAME (message), "eos");
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (queue);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

static Suite *
waiting_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, batches that cannot fill");
  TCase *tc = fake_tcase_new ("waiting");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, small_pool);
  tcase_add_test (tc, small_pool_flushed);
  tcase_add_test (tc, buffers_kept);
  tcase_add_test (tc, gap_event);
  tcase_add_loop_test (tc, events_behind_a_batch, 0, 4);
  tcase_add_test (tc, buffers_as_they_were);
  tcase_add_test (tc, branches);
  return s;
}

GST_CHECK_MAIN (waiting)
