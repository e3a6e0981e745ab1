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
  gint64 since;                 /* monotonic, µs: a buffer may have waited for room before */
} Entry;

struct _GstLayoutPool
{
  GstBufferPool *pool;
  guint most;                   /* buffers that it makes */
  guint held;                   /* of them in the queue, or taken and not released */
};

struct _GstLayoutQueue
{
  GMutex lock;
  GCond changed;
  GQueue entries;               /* of Entry */
  GHashTable *pools;            /* of GstLayoutPool, by pool; those of which buffers are held */
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

static void
pool_free (gpointer data)
{
  GstLayoutPool *pool = data;

  gst_object_unref (pool->pool);
  g_free (pool);
}

GstLayoutQueue *
gst_layout_queue_new (void)
{
  GstLayoutQueue *queue = g_new0 (GstLayoutQueue, 1);

  g_mutex_init (&queue->lock);
  g_cond_init (&queue->changed);
  g_queue_init (&queue->entries);
  queue->pools = g_hash_table_new_full (NULL, NULL, NULL, pool_free);
  queue->capacity = 1;
  queue->result = GST_FLOW_FLUSHING;
  return queue;
}

void
gst_layout_queue_free (GstLayoutQueue * queue)
{
  gst_layout_queue_clear (queue, NULL);
  g_hash_table_unref (queue->pools);
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

/* Buffers that the buffer's pool makes; 0: no end, or it has none. */
static guint
most_buffers (GstBuffer * buffer)
{
  GstStructure *config;
  guint most = 0;

  if (buffer->pool) {
    config = gst_buffer_pool_get_config (buffer->pool);
    gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, &most);
    gst_structure_free (config);
  }
  return most;
}

/* The pool, with this buffer held; under the lock. */
static GstLayoutPool *
hold (GstLayoutQueue * queue, GstBuffer * buffer)
{
  GstLayoutPool *pool = g_hash_table_lookup (queue->pools, buffer->pool);
  guint most;

  if (pool == NULL) {
    most = most_buffers (buffer);
    if (most == 0)
      return NULL;
    pool = g_new0 (GstLayoutPool, 1);
    pool->pool = gst_object_ref (buffer->pool);
    pool->most = most;
    g_hash_table_insert (queue->pools, pool->pool, pool);
  }
  pool->held++;
  return pool;
}

/* Under the lock. */
static void
release (GstLayoutQueue * queue, GstLayoutItem * item)
{
  if (item->pool && --item->pool->held == 0)
    g_hash_table_remove (queue->pools, item->pool->pool);
  item->pool = NULL;
}

void
gst_layout_queue_release (GstLayoutQueue * queue, GstLayoutItem * item)
{
  g_mutex_lock (&queue->lock);
  release (queue, item);
  g_mutex_unlock (&queue->lock);
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
  for (GList * l = entries.head; l; l = l->next)
    release (queue, &((Entry *) l->data)->item);
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
  while ((entry = g_queue_pop_head (&entries))) {
    gst_layout_queue_drop (entry->item.object, pad);
    g_free (entry);
  }
}

/* Under the lock. */
static void
append (GstLayoutQueue * queue, const GstLayoutItem * item)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->item = *item;
  entry->item.pool = NULL;
  entry->since = g_get_monotonic_time ();
  if (item->look)
    queue->n_look++;
  if (GST_IS_BUFFER (item->object)) {
    queue->n_buffers++;
    entry->item.pool = hold (queue, GST_BUFFER (item->object));
  }
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
    release (queue, &entry->item);
    gst_mini_object_unref (entry->item.object);
    g_free (entry);
    g_queue_delete_link (&queue->entries, l);
  }
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
}

GstFlowReturn
gst_layout_queue_push (GstLayoutQueue * queue, const GstLayoutItem * item)
{
  GstMiniObject *object = item->object;
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
    append (queue, item);
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
  const GstLayoutItem item = {.object = GST_MINI_OBJECT_CAST (query) };
  gboolean answer = FALSE;

  g_mutex_lock (&queue->lock);
  if (queue->result == GST_FLOW_OK) {
    queue->query = QUERY_WAITING;
    append (queue, &item);
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

/* Whether upstream has nothing left to fill: the pool's buffers are all here. Of several pools it is the newest
 * buffer's that counts, for after new caps the one before it may be with us to its last buffer. */
static gboolean
is_exhausted (GstLayoutQueue * queue)
{
  for (GList * l = queue->entries.tail; l; l = l->prev) {
    GstLayoutItem *item = &((Entry *) l->data)->item;

    if (GST_IS_BUFFER (item->object))
      return item->pool && item->pool->held >= item->pool->most;
  }
  return FALSE;
}

/* Whether the last word of upstream was that there is nothing for a while. */
static gboolean
is_gap (GstLayoutQueue * queue)
{
  Entry *last = g_queue_peek_tail (&queue->entries);

  return last && GST_IS_EVENT (last->item.object)
      && GST_EVENT_TYPE (last->item.object) == GST_EVENT_GAP;
}

/* Whether a batch that has begun can get no more buffers for now. */
static gboolean
is_complete (GstLayoutQueue * queue, guint batch)
{
  return queue->n_look >= batch || queue->closed
      || queue->query == QUERY_WAITING || queue->n_buffers >= queue->capacity
      || is_gap (queue) || is_exhausted (queue);
}

/* Whether there is something to give out now. */
static gboolean
is_ready (GstLayoutQueue * queue, guint batch)
{
  Entry *first = g_queue_peek_head (&queue->entries);

  return first && (!first->item.look || is_complete (queue, batch)
      || g_get_monotonic_time () >= first->since + queue->timeout);
}

/* Waits until there is, or until `until`; under the lock. */
static void
wait_for_batch (GstLayoutQueue * queue, guint batch, gint64 until)
{
  gboolean late = FALSE;

  while (!late && queue->result == GST_FLOW_OK && !queue->interrupted
      && !is_ready (queue, batch)) {
    Entry *first = g_queue_peek_head (&queue->entries);
    gint64 end = first ? MIN (until, first->since + queue->timeout) : until;

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
