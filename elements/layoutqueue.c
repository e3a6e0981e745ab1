/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutqueue.h"

typedef enum
{
  QUERY_NONE,
  QUERY_WAITING,                /* in the queue */
  QUERY_TAKEN,
  QUERY_ANSWERED,
} QueryState;

typedef struct
{
  GstLayoutItem item;
  gint64 arrived;               /* monotonic, µs */
} Entry;

struct _GstLayoutQueue
{
  GMutex lock;
  GCond changed;
  GQueue entries;               /* of Entry */
  guint capacity;
  gint64 timeout;               /* of a batch, µs */
  guint n_buffers, n_look;      /* in entries */
  gboolean closed;              /* an EOS event went in */
  gboolean refusing;            /* buffers, until a segment begins */
  gboolean interrupted;         /* the taker, once */
  GstFlowReturn result;
  QueryState query;
  gboolean answer;
};

GstLayoutQueue *
gst_layout_queue_new (void)
{
  GstLayoutQueue *queue = g_new0 (GstLayoutQueue, 1);

  g_mutex_init (&queue->lock);
  g_cond_init (&queue->changed);
  g_queue_init (&queue->entries);
  queue->capacity = 1;
  queue->result = GST_FLOW_FLUSHING;
  return queue;
}

void
gst_layout_queue_free (GstLayoutQueue * queue)
{
  gst_layout_queue_clear (queue, NULL);
  g_cond_clear (&queue->changed);
  g_mutex_clear (&queue->lock);
  g_free (queue);
}

void
gst_layout_queue_set_timeout (GstLayoutQueue * queue, gint64 timeout)
{
  g_mutex_lock (&queue->lock);
  queue->timeout = timeout;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

void
gst_layout_queue_set_capacity (GstLayoutQueue * queue, guint buffers)
{
  g_mutex_lock (&queue->lock);
  queue->capacity = MAX (buffers, 1);
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

void
gst_layout_queue_interrupt (GstLayoutQueue * queue)
{
  g_mutex_lock (&queue->lock);
  queue->interrupted = TRUE;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

void
gst_layout_queue_set_result (GstLayoutQueue * queue, GstFlowReturn result)
{
  g_mutex_lock (&queue->lock);
  queue->result = result;
  if (result == GST_FLOW_OK)
    queue->closed = queue->refusing = FALSE;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

GstFlowReturn
gst_layout_queue_get_result (GstLayoutQueue * queue)
{
  GstFlowReturn result;

  g_mutex_lock (&queue->lock);
  result = queue->result;
  g_mutex_unlock (&queue->lock);
  return result;
}

gboolean
gst_layout_queue_is_closed (GstLayoutQueue * queue)
{
  gboolean closed;

  g_mutex_lock (&queue->lock);
  closed = queue->closed;
  g_mutex_unlock (&queue->lock);
  return closed;
}

void
gst_layout_queue_drop (GstMiniObject * object, GstPad * pad)
{
  if (pad && GST_IS_EVENT (object)
      && GST_EVENT_IS_STICKY (GST_EVENT (object))
      && GST_EVENT_TYPE (object) != GST_EVENT_SEGMENT
      && GST_EVENT_TYPE (object) != GST_EVENT_EOS)
    gst_pad_store_sticky_event (pad, GST_EVENT (object));
  gst_mini_object_unref (object);
}

/* Things are dropped without the lock: a pad that keeps an event tells the application about it. */
void
gst_layout_queue_clear (GstLayoutQueue * queue, GstPad * pad)
{
  GQueue entries;
  Entry *entry;

  g_mutex_lock (&queue->lock);
  entries = queue->entries;
  g_queue_init (&queue->entries);
  if (queue->query == QUERY_WAITING) {
    queue->query = QUERY_ANSWERED;
    queue->answer = FALSE;
    /* The last one, whose sender may have it back now. */
    g_free (g_queue_pop_tail (&entries));
  }
  queue->n_buffers = queue->n_look = 0;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
  while ((entry = g_queue_pop_head (&entries))) {
    gst_layout_queue_drop (entry->item.object, pad);
    g_free (entry);
  }
}

/* Under the lock. */
static void
append (GstLayoutQueue * queue, GstMiniObject * object,
    const GstVideoInfo * info)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->item.object = object;
  entry->arrived = g_get_monotonic_time ();
  if (info) {
    entry->item.look = TRUE;
    entry->item.info = *info;
    queue->n_look++;
  }
  if (GST_IS_BUFFER (object))
    queue->n_buffers++;
  g_queue_push_tail (&queue->entries, entry);
  g_cond_broadcast (&queue->changed);
}

gboolean
gst_layout_queue_begins_segment (const GstMiniObject * object)
{
  return GST_IS_EVENT (object)
      && (GST_EVENT_TYPE (object) == GST_EVENT_STREAM_START
      || GST_EVENT_TYPE (object) == GST_EVENT_SEGMENT);
}

void
gst_layout_queue_refuse (GstLayoutQueue * queue)
{
  GList *next;

  g_mutex_lock (&queue->lock);
  queue->refusing = TRUE;
  for (GList * l = queue->entries.head; l && queue->refusing; l = next) {
    Entry *entry = l->data;

    next = l->next;
    queue->refusing = !gst_layout_queue_begins_segment (entry->item.object);
    if (!GST_IS_BUFFER (entry->item.object))
      continue;
    queue->n_buffers--;
    queue->n_look -= entry->item.look;
    gst_mini_object_unref (entry->item.object);
    g_free (entry);
    g_queue_delete_link (&queue->entries, l);
  }
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

GstFlowReturn
gst_layout_queue_push (GstLayoutQueue * queue, GstMiniObject * object,
    const GstVideoInfo * info)
{
  GstFlowReturn result;

  g_mutex_lock (&queue->lock);
  if (GST_IS_EVENT (object)
      && GST_EVENT_TYPE (object) == GST_EVENT_STREAM_START)
    queue->closed = FALSE;
  if (gst_layout_queue_begins_segment (object))
    queue->refusing = FALSE;
  while (GST_IS_BUFFER (object) && queue->result == GST_FLOW_OK
      && !queue->closed && !queue->refusing
      && queue->n_buffers >= queue->capacity)
    g_cond_wait (&queue->changed, &queue->lock);
  result = queue->result;
  if (result == GST_FLOW_OK && (queue->closed
          || (queue->refusing && GST_IS_BUFFER (object))))
    result = GST_FLOW_EOS;
  if (result == GST_FLOW_OK) {
    if (GST_IS_EVENT (object)
        && GST_EVENT_TYPE (object) == GST_EVENT_EOS)
      queue->closed = TRUE;
    append (queue, object, info);
  } else {
    gst_mini_object_unref (object);
  }
  g_mutex_unlock (&queue->lock);
  return result;
}

/* The sender lends the query, so once it is taken only the taker's answer lets the sender go on. */
gboolean
gst_layout_queue_push_query (GstLayoutQueue * queue, GstQuery * query)
{
  gboolean answer = FALSE;

  g_mutex_lock (&queue->lock);
  if (queue->result == GST_FLOW_OK) {
    queue->query = QUERY_WAITING;
    append (queue, GST_MINI_OBJECT_CAST (query), NULL);
    while (queue->query == QUERY_TAKEN || (queue->query == QUERY_WAITING
            && queue->result == GST_FLOW_OK))
      g_cond_wait (&queue->changed, &queue->lock);
    if (queue->query == QUERY_WAITING) {
      /* Nothing was put in after it: the sender is the one who puts in. */
      g_free (g_queue_pop_tail (&queue->entries));
    } else {
      answer = queue->answer;
    }
    queue->query = QUERY_NONE;
  }
  g_mutex_unlock (&queue->lock);
  return answer;
}

void
gst_layout_queue_answer (GstLayoutQueue * queue, gboolean answer)
{
  g_mutex_lock (&queue->lock);
  queue->query = QUERY_ANSWERED;
  queue->answer = answer;
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

/* Whether a batch that has begun can get no more buffers for now. */
static gboolean
is_complete (GstLayoutQueue * queue, guint batch)
{
  return queue->n_look >= batch || queue->closed
      || queue->query == QUERY_WAITING || queue->n_buffers >= queue->capacity;
}

/* Whether there is something to give out now. */
static gboolean
is_ready (GstLayoutQueue * queue, guint batch)
{
  Entry *first = g_queue_peek_head (&queue->entries);

  return first && (!first->item.look || is_complete (queue, batch)
      || g_get_monotonic_time () >= first->arrived + queue->timeout);
}

/* Waits until there is, or until `until`; under the lock. */
static void
wait_for_batch (GstLayoutQueue * queue, guint batch, gint64 until)
{
  gboolean late = FALSE;

  while (!late && queue->result == GST_FLOW_OK && !queue->interrupted
      && !is_ready (queue, batch)) {
    Entry *first = g_queue_peek_head (&queue->entries);
    gint64 end = first ? MIN (until, first->arrived + queue->timeout) : until;

    if (end == G_MAXINT64)
      g_cond_wait (&queue->changed, &queue->lock);
    else
      late = !g_cond_wait_until (&queue->changed, &queue->lock, end)
          && end == until;
  }
}

static void
take_first (GstLayoutQueue * queue, GArray * items)
{
  Entry *entry = g_queue_pop_head (&queue->entries);

  if (GST_IS_BUFFER (entry->item.object))
    queue->n_buffers--;
  else if (GST_IS_QUERY (entry->item.object))
    queue->query = QUERY_TAKEN;
  if (entry->item.look)
    queue->n_look--;
  g_array_append_val (items, entry->item);
  g_free (entry);
}

GstFlowReturn
gst_layout_queue_pop (GstLayoutQueue * queue, guint batch, gint64 until,
    GArray * items)
{
  GstFlowReturn result;
  Entry *first;

  g_mutex_lock (&queue->lock);
  wait_for_batch (queue, batch, until);
  result = queue->result;
  if (result == GST_FLOW_OK && queue->interrupted) {
    queue->interrupted = FALSE;
  } else if (result == GST_FLOW_OK && is_ready (queue, batch)) {
    guint n = MIN (batch, queue->n_look);

    first = g_queue_peek_head (&queue->entries);
    if (!first->item.look) {
      while ((first = g_queue_peek_head (&queue->entries)) && !first->item.look)
        take_first (queue, items);
    } else {
      for (; n > 0; take_first (queue, items)) {
        first = g_queue_peek_head (&queue->entries);
        n -= first->item.look;
      }
    }
    g_cond_broadcast (&queue->changed);
  }
  g_mutex_unlock (&queue->lock);
  return result;
}
