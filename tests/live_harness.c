/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live_harness.h"

#include <gst/check/gsttestclock.h>

static GstTestClock *test_clock;
static GMutex moving;
static gint may_end;            /* atomic: batches that may; < 0: all */
static GstBus *bus;

GstClockTime
live_now (void)
{
  return gst_clock_get_time (GST_CLOCK (test_clock));
}

void
live_move_to (GstClockTime time)
{
  g_mutex_lock (&moving);
  if (time > live_now ())
    gst_test_clock_set_time (test_clock, time);
  g_mutex_unlock (&moving);
}

static int64_t
engine_now (void)
{
  return live_now () / GST_USECOND;
}

static void
engine_wait (int64_t time)
{
  while (g_atomic_int_get (&may_end) == 0)
    g_usleep (1000);
  if (g_atomic_int_get (&may_end) > 0)
    g_atomic_int_add (&may_end, -1);
  live_move_to (time * GST_USECOND);
}

GstHarness *
live_start (const gchar * properties, gint ms, gint capacity)
{
  GstHarness *h;

  test_clock = GST_TEST_CLOCK (gst_test_clock_new ());
  bus = gst_bus_new ();
  may_end = -1;
  fake_engine.ms = ms;
  fake_engine.capacity = capacity;
  fake_engine.now = engine_now;
  fake_engine.wait_until = engine_wait;
  h = fake_start (properties);
  gst_element_set_clock (h->element, GST_CLOCK (test_clock));
  gst_element_set_base_time (h->element, 0);
  gst_element_set_bus (h->element, bus);
  gst_harness_set_upstream_latency (h, LIVE_UPSTREAM_MS * GST_MSECOND);
  gst_harness_query_latency (h);        /* a harness is live */
  return h;
}

void
live_stop (GstHarness * h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
  gst_object_unref (bus);
  gst_object_unref (test_clock);
}

GstMessage *
live_pop_qos (void)
{
  return gst_bus_pop_filtered (bus, GST_MESSAGE_QOS);
}

gboolean
live_answer_not (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, FALSE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

void
live_may_end (gint batches)
{
  g_atomic_int_set (&may_end, batches);
}
