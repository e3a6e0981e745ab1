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

static GstMiniObject *
object_for (gchar letter)
{
  switch (letter) {
    case 'f':
    case '-':
      return GST_MINI_OBJECT_CAST (gst_buffer_new ());
    case '$':
      return GST_MINI_OBJECT_CAST (gst_event_new_eos ());
    case '(':
      return GST_MINI_OBJECT_CAST (gst_event_new_stream_start ("s"));
    case 'g':
      return GST_MINI_OBJECT_CAST (gst_event_new_gap (0, 0));
    default:
      return GST_MINI_OBJECT_CAST (gst_event_new_tag
          (gst_tag_list_new_empty ()));
  }
}

/* Puts in: 'f' a frame to look at, '-' a buffer not to look at, 'e' an event, 'g' a GAP event, '$' EOS, '(' the
 * start of a stream. */
static GstFlowReturn
put (const gchar * what)
{
  GstFlowReturn result = GST_FLOW_OK;

  for (; *what; what++) {
    const GstLayoutItem item = {.object = object_for (*what),
      .look = *what == 'f'
    };

    result = gst_layout_queue_push (queue, &item);
  }
  return result;
}

static gchar
letter_of (const GstLayoutItem * item)
{
  if (GST_IS_QUERY (item->object))
    return '?';
  if (GST_IS_BUFFER (item->object))
    return item->look ? 'f' : '-';
  switch (GST_EVENT_TYPE (item->object)) {
    case GST_EVENT_EOS:
      return '$';
    case GST_EVENT_STREAM_START:
      return '(';
    case GST_EVENT_GAP:
      return 'g';
    default:
      return 'e';
  }
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

    text[i] = letter_of (item);
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

/* Nothing comes for a while, says the last event: the batch is not kept waiting. */
GST_START_TEST (gaps)
{
  put ("fg");
  fail_unless_equals_string (take (3, LONG), "f");
  fail_unless_equals_string (take (3, LONG), "g");
  put ("fgf");
  fail_unless_equals_string (take_until (3, LONG, 0), "");
  put ("e");
  fail_unless_equals_string (take_until (3, LONG, 0), "");
  put ("f");
  fail_unless_equals_string (take (3, LONG), "fgfef");
}

GST_END_TEST

static GstBufferPool *
pool_new (guint most)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, 16, 0, most);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* Puts in frames of the pool, of which there must be so many. */
static void
put_from (GstBufferPool * pool, guint n)
{
  GstBufferPoolAcquireParams now = {.flags =
        GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT
  };

  for (guint i = 0; i < n; i++) {
    GstLayoutItem item = {.look = TRUE };
    GstBuffer *buffer;

    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
            &now), GST_FLOW_OK);
    item.object = GST_MINI_OBJECT_CAST (buffer);
    fail_unless_equals_int (gst_layout_queue_push (queue, &item), GST_FLOW_OK);
  }
}

static void
release_items (void)
{
  for (guint i = 0; i < items->len; i++)
    gst_layout_queue_release (queue, &g_array_index (items, GstLayoutItem, i));
}

/* Whether a batch of ten would wait. */
static gboolean
is_waiting (void)
{
  return *take_until (10, LONG, 0) == '\0';
}

/* No more can come once all buffers of a pool are in the queue, or taken and not released. */
GST_START_TEST (pools)
{
  GstBufferPool *pool = pool_new (4), *other = pool_new (2), *endless =
      pool_new (0);
  GArray *taken;

  gst_layout_queue_set_capacity (queue, 20);
  put_from (pool, 3);
  fail_unless (is_waiting ());
  put_from (pool, 1);
  fail_unless_equals_string (take (10, LONG), "ffff");
  release_items ();
  drop_items ();

  /* those in flight count */
  put_from (pool, 3);
  fail_unless_equals_string (take (3, LONG), "fff");
  taken = items;
  items = g_array_new (FALSE, FALSE, sizeof (GstLayoutItem));
  put_from (pool, 1);
  fail_unless_equals_string (take (10, LONG), "f");
  release_items ();
  drop_items ();
  g_array_unref (items);
  items = taken;
  release_items ();
  drop_items ();
  put_from (pool, 3);
  fail_unless (is_waiting ());

  /* the newest buffer's pool says whether more can come */
  put_from (other, 2);
  put ("f");
  fail_unless (is_waiting ());
  put_from (pool, 1);
  put ("e");
  fail_unless_equals_string (take (10, LONG), "fffffff");
  release_items ();
  fail_unless_equals_string (take (10, LONG), "e");
  release_items ();
  put_from (endless, 4);
  fail_unless (is_waiting ());

  /* what is flushed or refused is gone */
  put_from (other, 1);
  gst_layout_queue_clear (queue, NULL);
  put_from (other, 1);
  fail_unless (is_waiting ());
  gst_layout_queue_refuse (queue);
  put ("(");
  fail_unless_equals_string (take (10, LONG), "(");
  put_from (other, 1);
  fail_unless (is_waiting ());
  gst_layout_queue_clear (queue, NULL);
  gst_object_unref (pool);
  gst_object_unref (other);
  gst_object_unref (endless);
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
  tcase_add_test (tc, gaps);
  tcase_add_test (tc, pools);
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
