/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect gets another model while pages flow: which pages are whose, what is told, and what does not work. */
#include "swap_harness.h"

#include <glib/gstdio.h>

/* ------------------------------------------------------------------ under load */

static GThread *freed_by;

/* In the thread that frees a detector: it holds no lock that others need. */
static void
on_free (void)
{
  g_autofree gchar *device = NULL;

  freed_by = g_thread_self ();
  g_object_get (swap.h->element, "device-used", &device, NULL);
}

/* Pages come without a pause, in batches that are full or not, on a GPU with two in flight or on a CPU. Pages of the old
 * model end with the message, of which each is told before the first page of the new one. */
GST_START_TEST (under_load)
{
  static const gchar *properties[] = { SWAP_LONG "batch-size=4", "batch-timeout=1 "
        "batch-size=3", SWAP_LONG "device=cpu batch-size=2",
  };
  const gchar *device = __i__ == 2 ? "cpu" : "cuda:0 Fake";
  guint out = 0, swapped = 0;

  swap_start (properties[__i__]);
  fake_engine.ms = 2;
  fake_engine.on_free = on_free;
  for (guint in = 0; swapped == 0 || out < swapped + 10; in++) {
    GstBuffer *buffer;

    swap_push (in, 1);
    if (in == 20)
      swap_set_model (swap.two);
    while ((buffer = gst_harness_try_pull (swap.h))) {
      gboolean is_new = strcmp (swap_label (buffer, out), "two") == 0;

      fail_unless (is_new || swapped == 0, "page %u is the old model's", out);
      if (is_new && swapped == 0) {
        swap_check_updated (swap.two, 0, device);
        swapped = out;
      }
      gst_buffer_unref (buffer);
      out++;
    }
  }
  fail_unless (swapped >= 10, "swapped at page %u", swapped);
  fake_wait_alive (1);
  fail_unless (freed_by != g_thread_self ());
  fail_unless_equals_int (fake_engine.most_alive, 2);
  fail_unless_equals_int (fake_engine.n_dropped, 0);
  fake_engine.on_free = NULL;
  swap_stop ();
}

GST_END_TEST

/* A page that waits for its batch is the new model's, whose first batch is warm. */
GST_START_TEST (while_a_batch_fills)
{
  swap_start (SWAP_LONG "batch-size=2");
  swap_push (0, 3);
  swap_pull (0, 2, "one");
  fail_unless_equals_int (fake_engine.n_inferred, 0);
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  fail_unless_equals_int (fake_engine.n_inferred, 2);
  swap_push (3, 1);
  swap_pull (2, 2, "two");
  swap_stop ();
}

GST_END_TEST

/* With a batch in flight and none behind it to come. */
GST_START_TEST (while_one_is_in_flight)
{
  swap_start (SWAP_LONG "batch-size=2");
  fake_hold (TRUE);
  swap_set_model (swap.two);
  fake_wait_asked (2);
  fake_engine.ms = 200;
  swap_push (0, 2);
  while (g_atomic_int_get (&fake_engine.n_started) < 1)
    g_usleep (1000);
  fake_hold (FALSE);
  swap_wait_updated (swap.two);
  swap_pull (0, 2, "one");
  swap_stop ();
}

GST_END_TEST

/* ------------------------------------------------------------------ models that cannot be had */

/* Has the engine refuse the next model in one of several ways; how the warning names it. */
static const gchar *
set_bad_model (guint way)
{
  static const gchar *texts[] = { "\"/no/such.onnx\" does not exist",
    "not a model", "no pages", "no room"
  };

  if (way == 2)
    fake_engine.no_pages = NN_ERR_DEVICE;
  if (way == 3) {
    fake_engine.no_detector.status = NN_ERR_MEMORY;
    strcpy (fake_engine.no_detector.message, texts[way]);
  }
  swap_set_model (way == 0 ? "/no/such.onnx" : way == 1 ? swap.bad : swap.two);
  return texts[way];
}

/* The old one goes on, a warning says so, the property names it again; and a good one may come afterwards. With
 * device=auto a GPU without room for both does not send the new one to the CPU. */
GST_START_TEST (bad_then_good)
{
  static const gint codes[] = { GST_RESOURCE_ERROR_NOT_FOUND,
    GST_STREAM_ERROR_WRONG_TYPE, GST_RESOURCE_ERROR_FAILED,
    GST_RESOURCE_ERROR_NO_SPACE_LEFT
  };
  g_autofree gchar *stays = g_strdup_printf ("The model \"%s\" stays in use",
      swap.one);

  swap_start (SWAP_LONG "batch-size=2");
  swap_wait_warning (__i__ == 1 ? GST_STREAM_ERROR : GST_RESOURCE_ERROR,
      codes[__i__], stays, set_bad_model (__i__));
  swap_check_model (swap.one);
  while (!g_atomic_int_get (&swap.one_again))
    g_usleep (1000);
  swap_push (0, 2);
  swap_pull (0, 2, "one");
  swap_check_none (GST_MESSAGE_ELEMENT, "model-updated");
  fail_unless_equals_int (fake_engine.n_alive, 1);

  fake_engine.no_pages = NN_OK;
  fake_engine.no_detector.status = NN_OK;
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  swap_push (2, 2);
  swap_pull (2, 2, "two");
  swap_stop ();
}

GST_END_TEST

/* What a GPU cannot do at all a CPU may: as at the start, with a warning. */
GST_START_TEST (another_device)
{
  g_autofree gchar *device = NULL;
  gint n = 0;

  swap_start ("");
  g_signal_connect_swapped (swap.h->element, "notify::device-used",
      G_CALLBACK (g_atomic_int_inc), &n);
  swap_set_model (swap.three);
  swap_wait_updated (swap.three);
  fail_unless_equals_int (n, 0);
  fake_engine.no_detector.status = NN_ERR_UNSUPPORTED;
  swap_set_model (swap.two);
  swap_wait_warning (GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED,
      "The network runs on the CPU", "");
  swap_check_updated (swap.two, 20 * GST_SECOND, "cpu");
  g_object_get (swap.h->element, "device-used", &device, NULL);
  fail_unless_equals_string (device, "cpu");
  gst_element_set_state (swap.h->element, GST_STATE_READY);
  fail_unless_equals_int (n, 1);
  swap_stop ();
}

GST_END_TEST

/* ------------------------------------------------------------------ one after the other */

/* While one is loaded others are named: it is dropped, and of those the last one is loaded. */
GST_START_TEST (several_in_a_row)
{
  swap_start (SWAP_LONG "batch-size=2");
  fake_hold (TRUE);
  swap_set_model (swap.two);
  fake_wait_asked (2);
  swap_set_model ("/no/such.onnx");
  swap_set_model (swap.bad);
  swap_set_model (swap.three);
  swap_push (0, 2);
  swap_pull (0, 2, "one");
  fake_hold (FALSE);
  swap_wait_updated (swap.three);
  fail_unless_equals_int (fake_engine.n_detectors, 3);
  fail_unless_equals_int (fake_engine.most_alive, 2);
  swap_push (2, 2);
  swap_pull (2, 2, "three");
  swap_check_none (GST_MESSAGE_WARNING, NULL);
  swap_check_none (GST_MESSAGE_ELEMENT, "model-updated");
  swap_stop ();
}

GST_END_TEST

/* Nothing is sent on while the gate is closed. */
static GstPadProbeReturn
block (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

/* Loaded, or nearly so, and not taken since downstream does not go on: another one takes its place (even cases), or the one
 * in use stays. */
GST_START_TEST (before_it_is_taken)
{
  gulong probe;

  swap_start (SWAP_LONG "batch-size=1");
  probe = gst_pad_add_probe (swap.h->sinkpad, GST_PAD_PROBE_TYPE_BLOCK
      | GST_PAD_PROBE_TYPE_BUFFER, block, NULL, NULL);
  swap_push (0, 1);
  while (!gst_pad_is_blocking (swap.h->sinkpad))
    g_usleep (1000);
  swap_set_model (swap.two);
  fake_wait_asked (2);
  fake_wait_alive (2);
  if (__i__ >= 2)
    g_usleep (50000);
  swap_set_model (__i__ % 2 ? swap.one : swap.three);
  if (__i__ % 2 == 0)
    fake_wait_asked (3);
  else
    fake_wait_alive (1);
  gst_pad_remove_probe (swap.h->sinkpad, probe);
  swap_pull (0, 1, "one");
  if (__i__ % 2 == 0)
    swap_wait_updated (swap.three);
  swap_push (1, 1);
  swap_pull (1, 1, __i__ % 2 ? "one" : "three");
  fail_unless_equals_int (fake_engine.most_alive, 2);
  swap_check_none (GST_MESSAGE_ELEMENT, "model-updated");
  swap_stop ();
}

GST_END_TEST

/* The file in use again: it is loaded only if its content is another. */
GST_START_TEST (same_file)
{
  swap_start (SWAP_LONG "batch-size=1");
  swap_set_model (swap.one);
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  fail_unless_equals_int (fake_engine.n_detectors, 2);
  swap_set_model (swap.two);
  fail_unless (swap_pop (GST_MESSAGE_ELEMENT, "model-updated",
          100 * GST_MSECOND) == NULL);
  fail_unless_equals_int (fake_engine.n_detectors, 2);

  fail_unless (g_file_set_contents (swap.two, "two again", -1, NULL));
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  swap_push (0, 1);
  swap_pull (0, 1, "two again");
  g_unlink (swap.two);
  swap_set_model (swap.two);
  swap_wait_warning (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      swap.two, "does not exist");
  fail_unless (g_file_set_contents (swap.two, "two", -1, NULL));
  swap_stop ();
}

GST_END_TEST

/* ------------------------------------------------------------------ other numbers of pages */

static guint
held_pages (void)
{
  GstCaps *caps = gst_caps_from_string (FAKE_CAPS);
  GstQuery *allocation = gst_query_new_allocation (caps, TRUE);
  guint size, min;

  fail_unless (gst_pad_peer_query (swap.h->srcpad, allocation));
  gst_query_parse_nth_allocation_pool (allocation, 0, NULL, &size, &min, NULL);
  gst_query_unref (allocation);
  gst_caps_unref (caps);
  return min;
}

static gboolean
asked_again (void)
{
  GstEvent *event;
  gboolean found = FALSE;

  while ((event = gst_harness_try_pull_upstream_event (swap.h))) {
    found |= GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE;
    gst_event_unref (event);
  }
  return found;
}

/* Settings that were changed meanwhile count for the new model: queue, pool and latency follow. */
GST_START_TEST (another_batch_size)
{
  GstMessage *message;

  swap_start (SWAP_LONG "batch-size=2");
  gst_harness_query_latency (swap.h);        /* a harness is live */
  fail_unless_equals_int (held_pages (), 3 * 2 + 2);
  swap_set_model (swap.two);
  swap_wait_updated (swap.two);
  while (asked_again ());
  swap_set_model (swap.three);
  swap_wait_updated (swap.three);
  fail_unless (!asked_again ());
  g_object_set (swap.h->element, "batch-size", 5, NULL);
  swap_set_model (swap.one);
  swap_wait_updated (swap.one);
  message = swap_pop (GST_MESSAGE_LATENCY, NULL, 10 * GST_SECOND);
  fail_unless (message != NULL, "nobody asks for the latency");
  gst_message_unref (message);
  fail_unless (asked_again ());
  fail_unless_equals_int (held_pages (), 3 * 5 + 2);
  swap_push (0, 5);
  swap_pull (0, 5, "one");
  fail_unless_equals_int (fake_engine.n_started, 1);
  swap_stop ();
}

GST_END_TEST

static Suite *
swap_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, another model");
  TCase *tc = swap_tcase_new ("swap");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, under_load, 0, 3);
  tcase_add_test (tc, while_a_batch_fills);
  tcase_add_test (tc, while_one_is_in_flight);
  tcase_add_loop_test (tc, bad_then_good, 0, 4);
  tcase_add_test (tc, another_device);
  tcase_add_test (tc, several_in_a_row);
  tcase_add_loop_test (tc, before_it_is_taken, 0, 4);
  tcase_add_test (tc, same_file);
  tcase_add_test (tc, another_batch_size);
  return s;
}

GST_CHECK_MAIN (swap)
