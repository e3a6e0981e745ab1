/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cudalayoutdetect owes a live pipeline: it says how long frames may take here, and drops those that would
 * take longer, so that no delay builds up where more frames come than the engine manages. */
#include "gstcudalayoutdetectpads.h"

#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

/* ------------------------------------------------------------------ latency */

/* What a scheduler may keep a thread waiting for. */
#define NOISE (5 * GST_MSECOND)

/* For a batch: half as much again as was seen, so that noise neither makes it change all the time nor frames late.
 * 0 before the first. */
static GstClockTime
batch_latency (GstCudaLayoutDetect * self)
{
  GstClockTime longest = gst_layout_stats_longest_batch (self->stats);

  return longest ? longest + MAX (longest / 2, NOISE) : 0;
}

/* The time that a page may spend here: until its batch is begun, because it is full, timed out, or the one that
 * the engine was busy with is done; then in the engine, behind those in flight. Under the object lock. */
static GstClockTime
own_latency (GstCudaLayoutDetect * self)
{
  GstClockTime batch = batch_latency (self), own = batch;

  if (self->detector) {
    own *= gst_layout_detector_capacity (self->detector);
    if (gst_layout_detector_batch (self->detector) > 1)
      own += MAX (self->batch_timeout * GST_MSECOND, batch);
  }
  return own;
}

gboolean
gst_cuda_layout_detect_answer_latency (GstCudaLayoutDetect * self,
    GstQuery * query)
{
  GstClockTime min, max, own;
  gboolean live;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  GST_OBJECT_LOCK (self);
  self->live = live;
  self->upstream_latency = min;
  self->announced = batch_latency (self);
  own = own_latency (self);
  GST_OBJECT_UNLOCK (self);
  gst_query_set_latency (query, live, min + own,
      GST_CLOCK_TIME_IS_VALID (max) ? max + own : max);
  return TRUE;
}

void
gst_cuda_layout_detect_announce_latency (GstCudaLayoutDetect * self)
{
  gboolean grown;

  GST_OBJECT_LOCK (self);
  grown = self->live
      && gst_layout_stats_longest_batch (self->stats) > self->announced;
  GST_OBJECT_UNLOCK (self);
  if (grown)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

void
gst_cuda_layout_detect_set_latency (GstCudaLayoutDetect * self,
    GstClockTime latency)
{
  GST_OBJECT_LOCK (self);
  self->pipeline_latency = latency;
  GST_OBJECT_UNLOCK (self);
}

void
gst_cuda_layout_detect_reset_live (GstCudaLayoutDetect * self)
{
  GST_OBJECT_LOCK (self);
  self->live = FALSE;
  self->announced = self->upstream_latency = self->pipeline_latency = 0;
  self->last_begun = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

/* ------------------------------------------------------------------ lateness */

/* Whether the source's times cannot be meant: none of its frames came in time for so long that a picture now and
 * then is better than none. Under the object lock. */
static gboolean
is_starved (GstCudaLayoutDetect * self, GstClockTime now, GstClockTime limit)
{
  return GST_CLOCK_TIME_IS_VALID (self->last_begun)
      && now > self->last_begun + MAX (GST_SECOND, 2 * limit);
}

/* By how much the frame's result would come too late (≤ 0: in time), were it the last of `batches` batches that
 * the engine begins now. The latency is what we would announce now, since an application that has not asked again
 * would get no frame at all. */
static GstClockTimeDiff
lateness (GstCudaLayoutDetect * self, const GstLayoutItem * item, guint batches)
{
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self));
  GstClockTime batch = gst_layout_stats_longest_batch (self->stats), limit;
  GstClockTimeDiff late = 0;

  if (!item->look || batch == 0 || !GST_CLOCK_TIME_IS_VALID (now)
      || !GST_CLOCK_TIME_IS_VALID (item->running_time))
    return 0;
  GST_OBJECT_LOCK (self);
  limit = MAX (self->pipeline_latency,
      self->upstream_latency + own_latency (self));
  if (self->qos && self->live && !is_starved (self, now, limit))
    late = GST_CLOCK_DIFF (item->running_time + limit, now + batches * batch);
  GST_OBJECT_UNLOCK (self);
  return late;
}

static void
post_dropped (GstCudaLayoutDetect * self, const GstLayoutItem * item,
    GstClockTimeDiff late)
{
  GstBuffer *buffer = GST_BUFFER (item->object);
  guint64 processed, dropped;
  GstMessage *message = gst_message_new_qos (GST_OBJECT (self), TRUE,
      item->running_time, item->stream_time, GST_BUFFER_PTS (buffer),
      GST_BUFFER_DURATION (buffer));

  gst_layout_stats_add_dropped (self->stats, &processed, &dropped);
  GST_DEBUG_OBJECT (self, "dropped the frame at %" GST_TIME_FORMAT ": %"
      GST_STIME_FORMAT " late", GST_TIME_ARGS (GST_BUFFER_PTS (buffer)),
      GST_STIME_ARGS (late));
  gst_message_set_qos_values (message, late, 1.0, 1000000);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, processed, dropped);
  gst_element_post_message (GST_ELEMENT (self), message);
}

/* The item's buffer is the next one behind a dropped one. */
static void
mark_discont (GstLayoutItem * item)
{
  GstBuffer *buffer = gst_buffer_make_writable (GST_BUFFER (item->object));

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  item->object = GST_MINI_OBJECT_CAST (buffer);
}

/* Drops the item's buffer if it is late; `dropped`: whether the one before it was, and then whether this one was. */
static gboolean
drop_if_late (GstCudaLayoutDetect * self, GstLayoutItem * item, guint batches,
    gboolean * dropped)
{
  GstClockTimeDiff late = lateness (self, item, batches);

  if (late > 0) {
    post_dropped (self, item, late);
    gst_buffer_unref (GST_BUFFER (item->object));
  } else if (*dropped) {
    mark_discont (item);
  }
  *dropped = late > 0;
  return *dropped;
}

gboolean
gst_cuda_layout_detect_drop_arrival (GstCudaLayoutDetect * self,
    GstLayoutItem * item)
{
  return drop_if_late (self, item, 1, &self->arrival_dropped);
}

static void
note_begun (GstCudaLayoutDetect * self)
{
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self));

  GST_OBJECT_LOCK (self);
  self->last_begun = now;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_cuda_layout_detect_drop_late (GstCudaLayoutDetect * self, GArray * items)
{
  guint batches = gst_layout_detector_in_flight (self->detector) + 1;
  guint kept = 0, n = items->len;

  for (guint i = 0; i < n; i++) {
    GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);

    if (GST_IS_BUFFER (item->object)) {
      if (drop_if_late (self, item, batches, &self->batch_dropped)) {
        gst_layout_queue_release (self->queue, item);
        continue;
      }
      if (item->look)
        note_begun (self);
    }
    g_array_index (items, GstLayoutItem, kept++) = *item;
  }
  g_array_set_size (items, kept);
  return kept < n;
}
