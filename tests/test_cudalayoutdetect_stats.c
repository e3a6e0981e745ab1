/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cudalayoutdetect counts, and tells at the end of a stream. With fake_engine.h. */
#include "fake_harness.h"

#define LONG "batch-timeout=3600000 "

static GstStructure *
get_stats (GstHarness * h)
{
  GstStructure *stats;

  g_object_get (h->element, "stats", &stats, NULL);
  return stats;
}

static guint64
count (const GstStructure * stats, const gchar * field)
{
  guint64 value = 0;

  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  return value;
}

static gdouble
value (const GstStructure * stats, const gchar * field)
{
  gdouble number = 0;

  fail_unless (gst_structure_get_double (stats, field, &number), "no %s",
      field);
  return number;
}

static void
take_50_ms (int64_t time)
{
  g_usleep (50000);
}

/* Two batches of 50 ms, 50 ms apart, the second one half full; on a CPU, and on a GPU that is at work for 20 of
 * them. */
GST_START_TEST (figures)
{
  GstHarness *h;
  GstStructure *stats;

  fake_engine.ms = 20;
  fake_engine.wait_until = take_50_ms;
  fake_engine.capacity = 1;
  h = fake_start (__i__ ? LONG "batch-size=2 device=cuda" :
      LONG "batch-size=2 device=cpu");
  g_usleep (20000);
  for (guint i = 0; i < 3; i++) {
    if (i == 2)
      g_usleep (50000);
    gst_harness_push (h, fake_page (i));
    if (i == 1) {
      fake_pull (h, 0);
      fake_pull (h, 1);
    }
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  fake_pull (h, 2);
  stats = get_stats (h);
  fail_unless_equals_uint64 (count (stats, "pages"), 3);
  fail_unless_equals_uint64 (count (stats, "batches"), 2);
  fail_unless_equals_uint64 (count (stats, "memory"), 1000);
  fail_unless_equals_float (value (stats, "batch-fill"), 0.75);
  fail_unless (value (stats, "wait-pages-ms") >= 30);
  fail_unless (value (stats, "wait-device-ms") >= 100);
  fail_unless (value (stats, "latency-ms-p50") >= 50);
  fail_unless (value (stats, "latency-ms-max") >= value (stats,
          "latency-ms-p50"));
  /* of 150 ms at least, more where the machine was slow */
  fail_unless (value (stats, "device-busy") > 0);
  fail_unless (value (stats, "device-busy") < (__i__ ? 0.3 : 1));
  gst_structure_free (stats);
  gst_element_set_state (h->element, GST_STATE_NULL);
  stats = get_stats (h);
  fail_unless_equals_uint64 (count (stats, "memory"), 0);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

/* What waits for a page's way on counts, in a queue of one's own or at the element's door. */
GST_START_TEST (latency)
{
  GstHarness *h;
  GstStructure *stats;

  fake_engine.ms = 50;
  fake_engine.capacity = 1;
  h = fake_start (LONG "batch-size=1");
  for (guint i = 0; i < 4; i++)
    gst_harness_push (h, fake_page (i));
  for (guint i = 0; i < 4; i++)
    fake_pull (h, i);
  stats = get_stats (h);
  fail_unless (value (stats, "latency-ms-max") >= 2.5 * 50, "%g",
      value (stats, "latency-ms-max"));
  fail_unless (value (stats, "latency-ms-p99") >= 2.5 * 50);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

/* The stream's pages, as the next message of the kind says; none: -1. */
static gint
pop_pages (GstBus * bus)
{
  GstMessage *message;
  gint pages = -1;

  while (pages < 0 && (message = gst_bus_pop_filtered (bus,
              GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, "doclayout-stats"))
      pages = count (gst_message_get_structure (message), "pages");
    gst_message_unref (message);
  }
  return pages;
}

static GstPadProbeReturn
count_eos (GstPad * pad, GstPadProbeInfo * info, gpointer n)
{
  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

static void
wait_for (gint * n, gint wanted)
{
  while (g_atomic_int_get (n) < wanted)
    g_usleep (1000);
}

/* Once a stream, before its end goes out and with all of its pages. */
GST_START_TEST (told_at_the_end)
{
  GstHarness *h = fake_start (LONG "batch-size=2");
  GstBus *bus = gst_bus_new ();
  gint n_ends = 0;

  gst_element_set_bus (h->element, bus);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count_eos,
      &n_ends, NULL);
  for (guint i = 0; i < 3; i++)
    gst_harness_push (h, fake_page (i));
  fake_pull (h, 0);
  fail_unless_equals_int (pop_pages (bus), -1);
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (&n_ends, 1);
  fail_unless_equals_int (pop_pages (bus), 3);
  fail_unless_equals_int (pop_pages (bus), -1);

  gst_harness_push_event (h, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (h, FAKE_CAPS);
  gst_harness_push (h, fake_page (3));
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (&n_ends, 2);
  fail_unless_equals_int (pop_pages (bus), 4);
  fail_unless_equals_int (pop_pages (bus), -1);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

/* The same where the stream ends because the device failed, before its end is known and behind it. */
GST_START_TEST (told_when_it_fails)
{
  GstHarness *h = fake_start (LONG "batch-size=1");
  GstBus *bus = gst_bus_new ();
  gint n_ends = 0;

  gst_element_set_bus (h->element, bus);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, count_eos,
      &n_ends, NULL);
  fake_engine.failure = NN_ERR_DEVICE;
  fake_engine.fail_finish = 2;
  fake_engine.ms = __i__ ? 50 : 0;
  gst_harness_push (h, fake_page (0));
  fake_pull (h, 0);
  gst_harness_push (h, fake_page (1));
  if (__i__ == 0)
    while (gst_harness_push (h, fake_page (2)) == GST_FLOW_OK)
      g_usleep (1000);
  gst_harness_push_event (h, gst_event_new_eos ());
  wait_for (&n_ends, 1);
  fail_unless_equals_int (pop_pages (bus), 1);
  fail_unless_equals_int (pop_pages (bus), -1);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
stats_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, statistics");
  TCase *tc = fake_tcase_new ("stats");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, figures, 0, 2);
  tcase_add_test (tc, latency);
  tcase_add_test (tc, told_at_the_end);
  tcase_add_loop_test (tc, told_when_it_fails, 0, 2);
  return s;
}

GST_CHECK_MAIN (stats)
