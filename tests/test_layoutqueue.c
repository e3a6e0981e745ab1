/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of cudalayoutdetect: what makes a batch, and who waits for whom. */
#include "elements/layoutqueue.h"
#include "gst_harness.h"

#define LONG (60 * G_TIME_SPAN_SECOND)

static GstLayoutQueue *queue;
static GArray *items;

static void
setup (void)
{
  queue = gst_layout_queue_new ();
  gst_layout_queue_set_capacity (queue, 4);
  gst_layout_queue_set_result (queue, GST_FLOW_OK);
  items = g_array_new (FALSE, FALSE, sizeof (GstLayoutItem));
}

static void
drop_items (void)
{
  for (guint i = 0; i < items->len; i++) {
    GstMiniObject *object = g_array_index (items, GstLayoutItem, i).object;

    if (!GST_IS_QUERY (object))
      gst_mini_object_unref (object);
  }
  g_array_set_size (items, 0);
}

static void
teardown (void)
{
  drop_items ();
  g_array_unref (items);
  gst_layout_queue_free (queue);
}

/* Puts in: 'f' a frame to look at, '-' a buffer not to look at, 'e' an event, '$' EOS, '(' the start
 * of a stream. */
static GstFlowReturn
put (const gchar * what)
{
  static const GstVideoInfo info;
  GstFlowReturn result = GST_FLOW_OK;

  for (; *what; what++) {
    gboolean buffer = *what == 'f' || *what == '-';

    result = gst_layout_queue_push (queue,
        buffer ? GST_MINI_OBJECT_CAST (gst_buffer_new ())
        : GST_MINI_OBJECT_CAST (*what == '$' ? gst_event_new_eos ()
            : *what == '(' ? gst_event_new_stream_start ("s")
            : gst_event_new_gap (0, 0)), *what == 'f' ? &info : NULL);
  }
  return result;
}

/* Takes a batch and says in put()'s letters what came, with '?' for a query. */
static const gchar *
take_until (guint batch, gint64 timeout, gint64 until)
{
  static gchar text[32];

  drop_items ();
  gst_layout_queue_set_timeout (queue, timeout);
  if (gst_layout_queue_pop (queue, batch, until, items) != GST_FLOW_OK)
    return "!";
  for (guint i = 0; i < items->len; i++) {
    const GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);

    text[i] = GST_IS_QUERY (item->object) ? '?'
        : GST_IS_BUFFER (item->object) ? (item->look ? 'f' : '-')
        : GST_EVENT_TYPE (item->object) == GST_EVENT_EOS ? '$'
        : GST_EVENT_TYPE (item->object) == GST_EVENT_STREAM_START ? '(' : 'e';
  }
  text[items->len] = '\0';
  return text;
}

static const gchar *
take (guint batch, gint64 timeout)
{
  return take_until (batch, timeout, G_MAXINT64);
}

GST_START_TEST (batches)
{
  put ("ee-fefef");
  fail_unless_equals_string (take (2, LONG), "ee-");
  /* events between frames do not part them */
  fail_unless_equals_string (take (2, LONG), "fef");
  fail_unless_equals_string (take (2, LONG), "e");
  fail_unless_equals_string (take (2, 0), "f");
  /* the end closes a batch */
  put ("f-$");
  fail_unless_equals_string (take (3, LONG), "f");
  fail_unless_equals_string (take (3, LONG), "-$");
  fail_unless_equals_int (put ("f"), GST_FLOW_EOS);
  fail_unless (gst_layout_queue_is_closed (queue));
  fail_unless_equals_int (put ("(f"), GST_FLOW_OK);
  fail_unless_equals_string (take (1, LONG), "(");
  fail_unless_equals_string (take (1, LONG), "f");
  /* a full queue closes it too: the rest cannot come */
  put ("f--f");
  fail_unless_equals_string (take (3, LONG), "f--f");
}

GST_END_TEST

GST_START_TEST (timeout)
{
  gint64 start = g_get_monotonic_time (), waited;

  put ("f");
  fail_unless_equals_string (take (2, 50 * G_TIME_SPAN_MILLISECOND), "f");
  waited = g_get_monotonic_time () - start;
  fail_unless (waited >= 50 * G_TIME_SPAN_MILLISECOND, "only %d µs",
      (gint) waited);
}

GST_END_TEST

static gpointer
hurry_thread (gpointer data)
{
  g_usleep (20000);
  gst_layout_queue_set_timeout (queue, 0);
  return NULL;
}

/* A batch that waits already is given out as soon as a new timeout allows. */
GST_START_TEST (timeout_changed_while_waiting)
{
  GThread *thread = g_thread_new ("hurry", hurry_thread, NULL);

  put ("f");
  fail_unless_equals_string (take (2, LONG), "f");
  g_thread_join (thread);
}

GST_END_TEST

static gpointer
put_thread (gpointer what)
{
  return GINT_TO_POINTER (put (what));
}

GST_START_TEST (full_queue_blocks)
{
  GThread *thread;

  put ("ffff");
  thread = g_thread_new ("put", put_thread, (gpointer) "-fe");
  fail_unless_equals_string (take (3, LONG), "fff");
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_OK);
  fail_unless_equals_string (take (2, LONG), "f-f");

  put ("fff-e");
  thread = g_thread_new ("put", put_thread, (gpointer) "f");
  g_usleep (20000);
  gst_layout_queue_set_result (queue, GST_FLOW_FLUSHING);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_FLUSHING);
  fail_unless_equals_string (take (2, LONG), "!");
}

GST_END_TEST

static gint returned;

static gpointer
query_thread (gpointer query)
{
  gboolean answer = gst_layout_queue_push_query (queue, query);

  g_atomic_int_inc (&returned);
  return GINT_TO_POINTER (answer);
}

GST_START_TEST (queries)
{
  GstQuery *query = gst_query_new_drain ();
  GThread *thread;

  put ("f");
  thread = g_thread_new ("query", query_thread, query);
  /* the batch does not wait for frames that cannot come before the answer */
  fail_unless_equals_string (take (2, LONG), "f");
  fail_unless_equals_string (take (2, LONG), "?");
  gst_layout_queue_answer (queue, TRUE);
  fail_unless (GPOINTER_TO_INT (g_thread_join (thread)) == TRUE);

  /* flushed while it waits */
  put ("f");
  thread = g_thread_new ("query", query_thread, query);
  g_usleep (20000);
  gst_layout_queue_set_result (queue, GST_FLOW_FLUSHING);
  fail_unless (GPOINTER_TO_INT (g_thread_join (thread)) == FALSE);
  gst_layout_queue_clear (queue, NULL);
  gst_layout_queue_set_result (queue, GST_FLOW_OK);
  put ("f");
  fail_unless_equals_string (take (2, 0), "f");

  /* flushed while it is being answered: its sender waits for the answer */
  thread = g_thread_new ("query", query_thread, query);
  fail_unless_equals_string (take (2, LONG), "?");
  gst_layout_queue_set_result (queue, GST_FLOW_FLUSHING);
  gst_layout_queue_clear (queue, NULL);
  g_usleep (20000);
  fail_unless_equals_int (g_atomic_int_get (&returned), 2);
  gst_layout_queue_answer (queue, TRUE);
  fail_unless (GPOINTER_TO_INT (g_thread_join (thread)) == TRUE);
  drop_items ();
  gst_query_unref (query);
}

GST_END_TEST

/* Downstream wants no more frames: those of the segment go, events stay, the next segment works. */
GST_START_TEST (refusing)
{
  put ("fe-");
  gst_layout_queue_refuse (queue);
  fail_unless_equals_int (put ("f"), GST_FLOW_EOS);
  fail_unless_equals_int (put ("e"), GST_FLOW_OK);
  fail_unless_equals_string (take (2, LONG), "ee");
  fail_unless_equals_int (put ("(ff"), GST_FLOW_OK);
  fail_unless_equals_string (take (2, LONG), "(");
  fail_unless_equals_string (take (2, LONG), "ff");

  /* the next stream is in the queue already, behind what is not wanted */
  put ("f-(ff");
  gst_layout_queue_refuse (queue);
  fail_unless_equals_string (take (2, LONG), "(");
  fail_unless_equals_string (take (2, LONG), "ff");
  fail_unless_equals_int (put ("ffff"), GST_FLOW_OK);
  gst_layout_queue_refuse (queue);
  fail_unless_equals_int (put ("$"), GST_FLOW_OK);
  fail_unless_equals_string (take (2, LONG), "$");
}

GST_END_TEST

/* A taker who has other things to do gets what is ready, and waits no longer than that. */
GST_START_TEST (until)
{
  gint64 start = g_get_monotonic_time (), soon =
      start + 50 * G_TIME_SPAN_MILLISECOND;

  fail_unless_equals_string (take_until (2, LONG, start), "");
  fail_unless_equals_string (take_until (2, LONG, soon), "");
  fail_unless (g_get_monotonic_time () >= soon);
  put ("f");
  fail_unless_equals_string (take_until (2, LONG, start), "");
  fail_unless_equals_string (take_until (2, LONG, soon + 1), "");
  put ("f");
  fail_unless_equals_string (take_until (2, LONG, start), "ff");
  put ("f");
  fail_unless_equals_string (take_until (2, 0, start), "f");
  put ("e");
  fail_unless_equals_string (take_until (2, LONG, start), "e");
  gst_layout_queue_set_result (queue, GST_FLOW_FLUSHING);
  fail_unless_equals_string (take_until (2, LONG, G_MAXINT64), "!");
}

GST_END_TEST

static gpointer
interrupt_thread (gpointer data)
{
  g_usleep (20000);
  gst_layout_queue_interrupt (queue);
  return NULL;
}

/* Interrupted, while it waits or before, the taker takes nothing once; what is there stays for later, and a flush does
 * not undo it. */
GST_START_TEST (interrupted)
{
  GThread *thread = g_thread_new ("interrupt", interrupt_thread, NULL);

  put ("f");
  fail_unless_equals_string (take (2, LONG), "");
  g_thread_join (thread);
  put ("f");
  gst_layout_queue_interrupt (queue);
  fail_unless_equals_string (take (2, LONG), "");
  fail_unless_equals_string (take (2, LONG), "ff");

  gst_layout_queue_interrupt (queue);
  gst_layout_queue_set_result (queue, GST_FLOW_FLUSHING);
  fail_unless_equals_string (take (2, LONG), "!");
  gst_layout_queue_set_result (queue, GST_FLOW_OK);
  put ("e");
  fail_unless_equals_string (take (2, LONG), "");
  fail_unless_equals_string (take (2, LONG), "e");
}

GST_END_TEST

static Suite *
layoutqueue_suite (void)
{
  Suite *s = suite_create ("layoutqueue");
  TCase *tc = doc_tcase_new ("queue");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, batches);
  tcase_add_test (tc, timeout);
  tcase_add_test (tc, timeout_changed_while_waiting);
  tcase_add_test (tc, full_queue_blocks);
  tcase_add_test (tc, queries);
  tcase_add_test (tc, refusing);
  tcase_add_test (tc, until);
  tcase_add_test (tc, interrupted);
  return s;
}

GST_CHECK_MAIN (layoutqueue)
