/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies between cudalayoutdetect's sink pad and the task on its source pad: buffers, serialized
 * events and serialized queries in the order in which they came, given out in batches.
 *
 * One thread puts in and one takes out. The queue's result is GST_FLOW_OK while it works; with any
 * other (flushing, end of stream, an error downstream) both get that back at once.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _GstLayoutQueue GstLayoutQueue;

/* A buffer pool that can run out, and how many of its buffers are held here: the queue's own. */
typedef struct _GstLayoutPool GstLayoutPool;

typedef struct {
  GstMiniObject *object; /* a buffer or an event: owned; a query: its sender's */
  gboolean look;         /* a buffer to look for regions on */
  GstVideoInfo info;     /* of the frame, where `look` */
  GstClockTime running_time, stream_time; /* of a buffer; GST_CLOCK_TIME_NONE: not known */
  gint64 arrived;        /* of a buffer: when it came to the element (monotonic, µs) */
  GstLayoutPool *pool;   /* the queue sets it; NULL: none that can run out */
} GstLayoutItem;

GstLayoutQueue *gst_layout_queue_new (void);
void gst_layout_queue_free (GstLayoutQueue * queue);

/* Most buffers it holds (≥ 1); putting in another waits. */
void gst_layout_queue_set_capacity (GstLayoutQueue * queue, guint buffers);

/* How long a batch waits to fill, in µs from when its first buffer came; 0 at first. Holds for a
 * batch that is waiting too. */
void gst_layout_queue_set_timeout (GstLayoutQueue * queue, gint64 timeout);

/* Has the taker, now or when it comes next, take nothing once, so that it looks at something else. */
void gst_layout_queue_interrupt (GstLayoutQueue * queue);

/* Sets the result and wakes all who wait. GST_FLOW_OK starts anew, the end of stream forgotten. */
void gst_layout_queue_set_result (GstLayoutQueue * queue, GstFlowReturn result);
GstFlowReturn gst_layout_queue_get_result (GstLayoutQueue * queue);
/* Whether the end of the stream went in. */
gboolean gst_layout_queue_is_closed (GstLayoutQueue * queue);
/* Drops a buffer or an event (transfer full). Nobody sends caps or tags again because they were flushed, so `pad`, if
 * there is one, keeps them and sends them before what comes next; segments and the end of the stream are gone. */
void gst_layout_queue_drop (GstMiniObject * object, GstPad * pad);
/* Drops what is in it, as above; queries are answered with FALSE. */
void gst_layout_queue_clear (GstLayoutQueue * queue, GstPad * pad);

/* Whether it is an event after which buffers are wanted again that were not before. */
gboolean gst_layout_queue_begins_segment (const GstMiniObject * object);
/* Downstream wants no more buffers of this segment: those in the queue are dropped, and putting one
 * in gives GST_FLOW_EOS, until a segment or a stream begins. Events and queries pass. */
void gst_layout_queue_refuse (GstLayoutQueue * queue);

/* Puts a copy of `item` in, whose object (a buffer or an event) is taken. After an EOS event the answer is
 * GST_FLOW_EOS until a stream starts again. */
GstFlowReturn gst_layout_queue_push (GstLayoutQueue * queue, const GstLayoutItem * item);
/* Waits until the taker has answered it. FALSE if that was the answer or there was none. */
gboolean gst_layout_queue_push_query (GstLayoutQueue * queue, GstQuery * query);

/* Takes what comes next, appended to `items` (of GstLayoutItem, empty): either what stands before
 * the first buffer to look at; or up to `batch` such buffers with all that stands between them. It
 * waits for a batch to fill for as long as the timeout allows, and not when nothing more can come:
 * at the end of the stream, a query, a GAP event, a full queue, or when the pool that the newest buffer is of
 * has no other left (its max_buffers are all in the queue, or taken and not released). Where nothing is ready by
 * `until` (monotonic, µs; G_MAXINT64: no end) it takes nothing, nor where it is interrupted. */
GstFlowReturn gst_layout_queue_pop (GstLayoutQueue * queue, guint batch, gint64 until,
    GArray * items);
/* Says that an item that was taken is held no longer; before its object is given away. */
void gst_layout_queue_release (GstLayoutQueue * queue, GstLayoutItem * item);
/* Answers the query that was taken last. */
void gst_layout_queue_answer (GstLayoutQueue * queue, gboolean answer);

G_END_DECLS
