/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with the default model: events, queries, flushes, states and errors. */
#include "detect_harness.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstunifiedallocator.h"

/* Pages of two sizes in one batch: each keeps its caps, and events stay where they were. */
GST_START_TEST (events_keep_their_place)
{
  static const gchar small[] =
      "video/x-raw,format=GRAY8,width=424,height=550,framerate=1/1";
  GstHarness *h = detect_start (3);
  GString *text = g_string_new (NULL);
  DrawnBlock half = { 40, 60, 205, 200 };
  GstBuffer *out;
  GstDocLayout *layout;

  while (gst_harness_events_received (h) < 3)   /* stream-start, caps, segment */
    g_usleep (1000);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, doc_note, text, NULL);
  gst_harness_push (h, detect_page (0));
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, GST_SECOND));
  gst_harness_set_src_caps_str (h, small);
  gst_harness_push (h, drawn_page_new (small, &half, 0, 2));
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_buffer_unref (gst_harness_pull (h));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless_equals_int (layout->width, 424);
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  while (gst_harness_events_received (h) < 8)
    g_usleep (1000);
  fail_unless_equals_string (text->str,
      "0 gap caps segment 2 tag eos ");
  gst_harness_teardown (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

static gpointer
push_until_flushed (gpointer data)
{
  GstHarness *h = data;
  GstFlowReturn result = GST_FLOW_OK;

  for (guint i = 0; result == GST_FLOW_OK; i++)
    result = gst_harness_push (h, detect_page (i));
  return GINT_TO_POINTER (result);
}

/* Flushed in the middle of its work it drops what it holds, and works again. */
GST_START_TEST (flush)
{
  GstHarness *h = detect_start (2);
  GstSegment segment;

  for (guint round = 0; round < 4; round++) {
    GThread *thread = g_thread_new ("pages", push_until_flushed, h);
    GstBuffer *out;

    g_usleep (20000 + round * 35000);
    gst_harness_push_event (h, gst_event_new_flush_start ());
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_FLOW_FLUSHING);
    while ((out = gst_harness_try_pull (h)))
      gst_buffer_unref (out);
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));

    gst_harness_push (h, detect_page (10 + round));
    gst_harness_push (h, detect_page (20 + round));
    out = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out),
        (10 + round) * GST_SECOND);
    detect_check_found (out, 10 + round);
    gst_buffer_unref (out);
    gst_buffer_unref (gst_harness_pull (h));
  }
  gst_harness_teardown (h);
}

GST_END_TEST

/* Stopped with a batch half full and another in the engine. */
GST_START_TEST (stop_while_working)
{
  for (guint i = 0; i < 3; i++) {
    GstHarness *h = detect_start (2);

    for (guint j = 0; j < 3; j++)
      gst_harness_push (h, detect_page (j));
    g_usleep (i * 30000);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* Two pages, and how many batches they took; pages are found in each. */
static guint64
count_batches (GstHarness * h)
{
  GstStructure *stats;
  guint64 batches;

  for (guint i = 0; i < 2; i++)
    gst_harness_push (h, detect_page (i));
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 2; i++) {
    GstBuffer *out = gst_harness_pull (h);

    detect_check_found (out, i);
    gst_buffer_unref (out);
  }
  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "batches", &batches));
  gst_structure_free (stats);
  return batches;
}

static gboolean
has_device (GstHarness * h)
{
  g_autofree gchar *device = NULL;

  g_object_get (h->element, "device-used", &device, NULL);
  return g_strcmp0 (device, "cpu") == 0;
}

/* Down and up again, with another batch size each time: through READY, where the model is kept, and
 * through NULL, where it is given up. */
GST_START_TEST (states)
{
  GstHarness *h = detect_start (1);

  for (guint i = 0; i < 4; i++) {
    gboolean ready = i % 2 == 0;

    fail_unless_equals_uint64 (count_batches (h), i % 2 ? 1 : 2);
    fail_unless (has_device (h));
    fail_unless_equals_int (gst_element_set_state (h->element, ready
            ? GST_STATE_READY : GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (has_device (h), ready);
    g_object_set (h->element, "batch-size", ready ? 3 : 1, NULL);
    fail_unless_equals_int (gst_element_set_state (h->element,
            GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, DETECT_CAPS);
  }
  gst_harness_teardown (h);
}

GST_END_TEST

/* Ours is proposed first; whether rows may have strides of their own is downstream's word. */
GST_START_TEST (allocation)
{
  gboolean meta = __i__ == 1;
  GstHarness *h = detect_start (3);
  GstCaps *caps = gst_caps_from_string (DETECT_CAPS);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;
  guint size, min, max;

  if (meta)
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_get_n_allocation_pools (query) >= 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless (GST_IS_UNIFIED_BUFFER_POOL (pool));
  fail_unless_equals_int (size, 848 * 4 * 1100);
  fail_unless (min >= 2 * 3 + 2);
  fail_unless_equals_int (gst_query_find_allocation_meta (query,
          GST_VIDEO_META_API_TYPE, NULL), meta);
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (latency)
{
  GstHarness *h = detect_start (2);
  GstClockTime before, after;
  GstStructure *stats;
  gdouble longest;

  g_object_set (h->element, "batch-timeout", 7, NULL);
  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  before = gst_harness_query_latency (h);
  fail_unless_equals_uint64 (before, 12 * GST_MSECOND);
  gst_harness_push (h, detect_page (0));
  gst_buffer_unref (gst_harness_pull (h));
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get_double (stats, "batch-ms-max", &longest);
  gst_structure_free (stats);
  after = gst_harness_query_latency (h);
  fail_unless (after >= before + (GstClockTime) (longest * GST_MSECOND),
      "%" GST_TIME_FORMAT " after %g ms", GST_TIME_ARGS (after), longest);
  gst_harness_teardown (h);
}

GST_END_TEST

/* A buffer smaller than its caps say stops the stream with one error. */
GST_START_TEST (short_frame)
{
  GstHarness *h = detect_start (1);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error;

  gst_element_set_bus (h->element, bus);
  gst_harness_push (h, gst_buffer_new_allocate (NULL, 1000, NULL));
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_READ), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  while (gst_harness_push (h, detect_page (0)) == GST_FLOW_OK)
    g_usleep (1000);
  fail_unless_equals_int (gst_harness_push (h, detect_page (0)), GST_FLOW_ERROR);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

/* What becomes of frames when the next element is stopped: not a wait without end. */
GST_START_TEST (next_element_stopped)
{
  GstHarness *h = detect_start (1);
  GstFlowReturn result = GST_FLOW_OK;

  gst_pad_set_active (h->sinkpad, FALSE);
  for (guint i = 0; i < 10 && result == GST_FLOW_OK; i++)
    result = gst_harness_push (h, detect_page (i));
  fail_unless_equals_int (result, GST_FLOW_FLUSHING);
  gst_harness_teardown (h);
}

GST_END_TEST

static GstFlowReturn
refuse (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_NOT_NEGOTIATED;
}

/* The last frame is refused before or after the end of the stream is known: one error says so. */
GST_START_TEST (last_frame_refused)
{
  GstHarness *h = detect_start (1);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  gst_pad_set_chain_function (h->sinkpad, refuse);
  gst_harness_push (h, detect_page (0));
  if (__i__ == 1)
    while (gst_harness_push (h, detect_page (1)) == GST_FLOW_OK)
      g_usleep (1000);
  gst_harness_push_event (h, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "the stream ended in silence");
  gst_message_unref (message);
  fail_if (gst_bus_timed_pop_filtered (bus, 20 * GST_MSECOND,
          GST_MESSAGE_ERROR));
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

/* Frames of a source that counts bytes, as appsrc does unless told otherwise. */
GST_START_TEST (segment_of_bytes)
{
  GstHarness *h = detect_start (1);
  GstSegment segment;
  GstBuffer *out;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, detect_page (1));
  out = gst_harness_pull (h);
  detect_check_found (out, 1);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST

/* An element behind wants no more frames before the source has given all: the end still gets to the
 * sink. */
GST_START_TEST (ended_from_behind)
{
  GstElement *pipeline = gst_parse_launch ("videotestsrc num-buffers=8 ! "
      "video/x-raw,format=GRAY8,width=64,height=48 ! cudalayoutdetect "
      "batch-size=2 ! identity eos-after=3 ! fakesink", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "the end was lost");
  fail_unless_equals_string (GST_MESSAGE_TYPE_NAME (message), "eos");
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

/* In a whole pipeline: GRAY8 from videotestsrc, in memory of our pool, told where it ran. */
GST_START_TEST (pipeline)
{
  GstElement *pipeline = gst_parse_launch ("videotestsrc num-buffers=3 ! "
      "video/x-raw,format=GRAY8,width=320,height=240 ! cudalayoutdetect "
      "device=cpu batch-size=2 ! fakesink name=s signal-handoffs=true", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  GstSample *sample;
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (message, "doclayout-device"));
  fail_unless_equals_string (gst_structure_get_string
      (gst_message_get_structure (message), "device"), "cpu");
  gst_message_unref (message);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_string (GST_MESSAGE_TYPE_NAME (message), "eos");
  gst_message_unref (message);
  g_object_get (sink, "last-sample", &sample, NULL);
  fail_unless (gst_is_unified_memory (gst_buffer_peek_memory
          (gst_sample_get_buffer (sample), 0)));
  gst_sample_unref (sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

static Suite *
flow_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, flow of data");
  TCase *tc = doc_tcase_new ("flow");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, events_keep_their_place);
  tcase_add_test (tc, flush);
  tcase_add_test (tc, stop_while_working);
  tcase_add_test (tc, states);
  tcase_add_loop_test (tc, allocation, 0, 2);
  tcase_add_test (tc, latency);
  tcase_add_test (tc, short_frame);
  tcase_add_test (tc, next_element_stopped);
  tcase_add_loop_test (tc, last_frame_refused, 0, 2);
  tcase_add_test (tc, segment_of_bytes);
  tcase_add_test (tc, ended_from_behind);
  tcase_add_test (tc, pipeline);
  return s;
}

int
main (int argc, char **argv)
{
  return detect_main (&argc, &argv, flow_suite (), "cudalayoutdetect_flow", __FILE__);
}
