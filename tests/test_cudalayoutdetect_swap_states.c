/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect gets another model, and something comes in between: flushes, states, pauses. */
#include "swap_harness.h"

static void
flush (void)
{
  GstSegment segment;

  gst_harness_push_event (swap.h, gst_event_new_flush_start ());
  gst_harness_push_event (swap.h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (swap.h, gst_event_new_segment (&segment));
}

/* A flush, as a seek has it: while it loads (0), before it is taken (1), after that (2). */
GST_START_TEST (flushed)
{
  GstBuffer *buffer;

  swap_start (SWAP_LONG "batch-size=2");
  fake_engine.ms = 30;
  swap_push (0, 5);
  fake_hold (TRUE);
  swap_set_model (swap.two);
  fake_wait_asked (2);
  if (__i__ == 0)
    flush ();
  if (__i__ == 1)
    gst_harness_push_event (swap.h, gst_event_new_flush_start ());
  fake_hold (FALSE);
  if (__i__ == 1) {
    fake_wait_alive (2);
    swap_check_none (GST_MESSAGE_ELEMENT, "model-updated");
    gst_harness_push_event (swap.h, gst_event_new_flush_stop (TRUE));
  }
  swap_wait_updated (swap.two);
  flush ();
  while ((buffer = gst_harness_try_pull (swap.h)))
    gst_buffer_unref (buffer);
  swap_push (10, 4);
  swap_pull (10, 4, "two");
  swap_stop ();
}

GST_END_TEST

/* Lets the load go on when the element has stopped. */
static gpointer
release (gpointer data)
{
  GstPad *pad = data;

  while (gst_pad_is_active (pad))
    g_usleep (1000);
  g_usleep (20000);
  fake_hold (FALSE);
  return NULL;
}

/* Stopped while a model is loaded: what comes of that is dropped, be it a failure, and the next start opens what was
 * named. */
GST_START_TEST (stopped)
{
  GstState to = __i__ % 2 ? GST_STATE_NULL : GST_STATE_READY;
  GstPad *pad;
  GThread *thread;

  swap_start (SWAP_LONG "batch-size=1");
  pad = gst_element_get_static_pad (swap.h->element, "src");
  fake_hold (TRUE);
  swap_set_model (swap.two);
  if (__i__ >= 2)
    fake_wait_asked (2);
  if (__i__ >= 6)
    fake_engine.no_pages = NN_ERR_DEVICE;
  else if (__i__ >= 4) {
    swap_set_model (swap.three);
    swap_set_model (swap.two);
  }
  thread = g_thread_new ("release", release, pad);
  gst_element_set_state (swap.h->element, to);
  if (__i__ >= 2)
    fail_unless_equals_int (fake_engine.n_detectors, 2);
  fail_unless_equals_int (fake_engine.n_alive, to == GST_STATE_READY);
  g_thread_join (thread);
  swap_check_model (swap.two);
  swap_set_model (swap.three);            /* is only noted */
  fail_unless_equals_int (fake_engine.n_alive, to == GST_STATE_READY);
  gst_element_set_state (swap.h->element, GST_STATE_PLAYING);
  swap_check_model (swap.three);
  gst_harness_push_event (swap.h, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (swap.h, FAKE_CAPS);
  swap_push (0, 1);
  swap_pull (0, 1, "three");
  swap_check_none (GST_MESSAGE_ELEMENT, "model-updated");
  swap_check_none (GST_MESSAGE_WARNING, NULL);
  gst_object_unref (pad);
  swap_stop ();
}

GST_END_TEST

static gpointer
play (gpointer element)
{
  return GINT_TO_POINTER (gst_element_set_state (element, GST_STATE_PLAYING));
}

static gboolean
no_activation (GstPad * pad, GstObject * parent, GstPadMode mode,
    gboolean active)
{
  return !active;
}

/* Named while the first one is loaded: it is the next. Where the start comes to nothing, so does that. */
GST_START_TEST (while_it_starts)
{
  GThread *thread;
  GstPad *pad;

  swap_start (SWAP_LONG "batch-size=1");
  gst_element_set_state (swap.h->element, GST_STATE_NULL);
  if (__i__) {
    pad = gst_pad_new ("fails", GST_PAD_SINK);
    gst_pad_set_activatemode_function (pad, no_activation);
    gst_element_add_pad (swap.h->element, pad);
  }
  fake_hold (TRUE);
  thread = g_thread_new ("play", play, swap.h->element);
  fake_wait_asked (2);
  swap_set_model (swap.two);
  fake_hold (FALSE);
  if (__i__) {
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_STATE_CHANGE_FAILURE);
    gst_element_set_state (swap.h->element, GST_STATE_NULL);
    swap_set_model (swap.three);
    g_usleep (50000);
    fail_unless_equals_int (fake_engine.n_alive, 0);
    gst_element_remove_pad (swap.h->element, pad);
  } else {
    g_thread_join (thread);
    gst_message_unref (swap_pop (GST_MESSAGE_ELEMENT, "doclayout-device", 0));       /* of model one */
    swap_wait_updated (swap.two);
  }
  swap_stop ();
}

GST_END_TEST

/* In PAUSED, and without a page or the end of a stream. */
GST_START_TEST (idle)
{
  swap_start (SWAP_LONG "batch-size=2");
  gst_element_set_state (swap.h->element, GST_STATE_PAUSED);
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  gst_element_set_state (swap.h->element, GST_STATE_PLAYING);
  swap_push (0, 1);
  gst_harness_push_event (swap.h, gst_event_new_eos ());
  swap_pull (0, 1, "two");
  swap_set_model (swap.three);
  swap_wait_updated (swap.three);
  swap_stop ();
}

GST_END_TEST

static Suite *
swap_states_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, another model in between");
  TCase *tc = swap_tcase_new ("swap_states");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, flushed, 0, 3);
  tcase_add_loop_test (tc, stopped, 0, 8);
  tcase_add_loop_test (tc, while_it_starts, 0, 2);
  tcase_add_test (tc, idle);
  return s;
}

GST_CHECK_MAIN (swap_states)
