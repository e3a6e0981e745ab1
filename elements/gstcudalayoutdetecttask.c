/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect's task on its source pad: takes batches from the queue, has the engine look at them, and gives
 * them out. */
#include "gstcudalayoutdetectpads.h"

#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

/* ------------------------------------------------------------------ errors */

/* Posts the first error of a stream; what fails after it fails because of it. Takes `error`. */
static void
fail (GstCudaLayoutDetect * self, GError * error)
{
  if (self->failed)
    g_error_free (error);
  else
    gst_cuda_layout_detect_post (self, error);
  self->failed = TRUE;
}

/* Applications that stop at the end of the stream have seen the figures by then. Takes the event. */
static void
push_eos (GstCudaLayoutDetect * self, GstEvent * event)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_layout_stats_to_structure (self->stats)));
  gst_pad_push_event (self->srcpad, event);
}

/* After the last buffer nobody else would tell the application that the stream ended early. */
void
gst_cuda_layout_detect_end_early (GstCudaLayoutDetect * self,
    GstFlowReturn result)
{
  if (result != GST_FLOW_NOT_LINKED && result >= GST_FLOW_EOS)
    return;
  if (!self->failed)
    GST_ELEMENT_FLOW_ERROR (self, result);
  push_eos (self, gst_event_new_eos ());
}

/* ------------------------------------------------------------------ what goes downstream */

/* *size becomes that of the pool's buffers, which a GPU's rows may need more of. NULL: there is none for such frames. */
static GstBufferPool *
make_pool (GstCudaLayoutDetect * self, GstCaps * caps, guint * size, guint min)
{
  GstBufferPool *pool = gst_layout_detector_pool_new (self->detector, caps);
  GstStructure *config;

  if (pool == NULL)
    return NULL;
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, *size, min, 0);
  if (!gst_buffer_pool_set_config (pool, config)) {
    gst_object_unref (pool);
    return NULL;
  }
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, size, NULL, NULL);
  gst_structure_free (config);
  return pool;
}

/* Puts our pool first, for the frames that are held here: batches in the engine, one in the queue,
 * and a frame on each side. Whether frames may have a GstVideoMeta is downstream's word alone, for they
 * go on as they are. */
static void
add_pool (GstCudaLayoutDetect * self, GstQuery * query)
{
  guint held = (gst_layout_detector_capacity (self->detector) + 1)
      * gst_layout_detector_batch (self->detector) + 2;
  GstBufferPool *pool = NULL, *theirs = NULL;
  guint size = 0, min = 0, max = 0;
  gboolean need_pool;
  GstVideoInfo info;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return;
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &theirs, &size, &min, &max);
  size = MAX (size, GST_VIDEO_INFO_SIZE (&info));
  if (need_pool)
    pool = make_pool (self, caps, &size, min + held);
  if (gst_query_get_n_allocation_pools (query) == 0) {
    gst_query_add_allocation_pool (query, pool, size, held, 0);
  } else {
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min + held, 0);
    if (theirs)
      gst_query_add_allocation_pool (query, theirs, size, min + held,
          max ? max + held : 0);
  }
  gst_clear_object (&pool);
  gst_clear_object (&theirs);
}

static gboolean
answer_query (GstCudaLayoutDetect * self, GstQuery * query)
{
  gboolean answer = gst_pad_peer_query (self->srcpad, query);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return answer;
  add_pool (self, query);
  return TRUE;
}

static void
get_settings (GstCudaLayoutDetect * self, nn_detector_settings * settings,
    GstLayoutReading * reading)
{
  GST_OBJECT_LOCK (self);
  settings->threshold = self->threshold;
  settings->iou_threshold = self->iou_threshold;
  settings->max_detections = self->max_detections;
  settings->resize_filter = self->resize_filter;
  settings->keep_duplicates = self->duplicates == GST_LAYOUT_DUPLICATES_KEEP;
  *reading = self->reading;
  GST_OBJECT_UNLOCK (self);
}

static void
note_handed_on (GstCudaLayoutDetect * self, const GstLayoutItem * item)
{
  if (item->look)
    gst_layout_stats_add_latency (self->stats,
        (g_get_monotonic_time () - item->arrived) / 1000.0);
  else
    gst_layout_stats_add_skipped (self->stats);
}

/* Takes the item's object. */
static GstFlowReturn
push_item (GstCudaLayoutDetect * self, GstLayoutItem * item)
{
  gst_layout_queue_release (self->queue, item);
  if (GST_IS_BUFFER (item->object)) {
    note_handed_on (self, item);
    return gst_pad_push (self->srcpad, GST_BUFFER (item->object));
  }
  if (GST_IS_QUERY (item->object))
    gst_layout_queue_answer (self->queue, answer_query (self,
            GST_QUERY (item->object)));
  else if (GST_EVENT_TYPE (item->object) == GST_EVENT_EOS)
    push_eos (self, GST_EVENT (item->object));
  else
    gst_pad_push_event (self->srcpad, GST_EVENT (item->object));
  return GST_FLOW_OK;
}

static void
drop_item (GstCudaLayoutDetect * self, GstLayoutItem * item)
{
  gst_layout_queue_release (self->queue, item);
  if (GST_IS_QUERY (item->object))
    gst_layout_queue_answer (self->queue, FALSE);
  else
    gst_layout_queue_drop (item->object, self->srcpad);
}

/* Upstream gets `result` with its next buffer. */
static void
stop (GstCudaLayoutDetect * self, GstFlowReturn result)
{
  GST_DEBUG_OBJECT (self, "pausing: %s", gst_flow_get_name (result));
  gst_layout_queue_set_result (self->queue, result);
  if (gst_layout_queue_is_closed (self->queue))
    gst_cuda_layout_detect_end_early (self, result);
  gst_pad_pause_task (self->srcpad);
}

/* A batch, or what stands before one. Once downstream wants no more frames (GST_FLOW_EOS) it still
 * gets events, of which one may begin a new segment. */
static GstFlowReturn
give_out (GstCudaLayoutDetect * self, GArray * items, GstFlowReturn result)
{
  for (guint i = 0; i < items->len; i++) {
    GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);

    if (result == GST_FLOW_EOS
        && gst_layout_queue_begins_segment (item->object))
      result = GST_FLOW_OK;
    if (result == GST_FLOW_OK)
      result = push_item (self, item);
    else if (result == GST_FLOW_EOS && GST_IS_EVENT (item->object))
      push_item (self, item);
    else
      drop_item (self, item);
  }
  return result;
}

/* ------------------------------------------------------------------ batches in flight */

void
gst_cuda_layout_detect_drop_flight (GstCudaLayoutDetect * self)
{
  GArray *items;

  GST_PAD_STREAM_LOCK (self->srcpad);
  if (!g_queue_is_empty (&self->flight))
    gst_layout_detector_drop (self->detector);
  while ((items = g_queue_pop_head (&self->flight))) {
    give_out (self, items, GST_FLOW_FLUSHING);
    g_array_unref (items);
  }
  GST_PAD_STREAM_UNLOCK (self->srcpad);
}

/* The first page that is to be looked at; NULL: none is. */
static GstBuffer *
first_page (const GArray * items)
{
  for (guint i = 0; i < items->len; i++) {
    GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);

    if (item->look)
      return GST_BUFFER (item->object);
  }
  return NULL;
}

/* FALSE with `error` set: this batch is not in flight; others may be. */
static gboolean
begin (GstCudaLayoutDetect * self, GArray * items, GError ** error)
{
  GstBuffer *first = first_page (items);
  nn_detector_settings settings;
  GstLayoutReading reading;
  GstClockTime time = GST_CLOCK_TIME_NONE;

  if (self->segment.format == GST_FORMAT_TIME)
    time = gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME,
        GST_BUFFER_PTS (first));
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (self), time);
  get_settings (self, &settings, &reading);
  if (!gst_layout_detector_start (self->detector, items, &settings, &reading,
          error)) {
    if (gst_layout_detector_in_flight (self->detector) == 0)
      gst_cuda_layout_detect_drop_flight (self);
    return FALSE;
  }
  g_queue_push_tail (&self->flight, g_array_ref (items));
  return TRUE;
}

/* Ends the batch that was begun first, and gives it out. */
static GstFlowReturn
end (GstCudaLayoutDetect * self, GstFlowReturn result)
{
  g_autoptr (GArray) items = g_queue_pop_head (&self->flight);
  GstFlowReturn now;
  GError *error = NULL;

  if (gst_layout_detector_finish (self->detector, self->stats, &error)) {
    gst_cuda_layout_detect_announce_latency (self);
  } else {
    fail (self, error);
    result = GST_FLOW_ERROR;
  }
  now = gst_layout_queue_get_result (self->queue);
  return give_out (self, items, now == GST_FLOW_OK ? result : now);
}

/* Ends batches until `most` are in flight, and all of them where downstream wants no more. */
static GstFlowReturn
end_until (GstCudaLayoutDetect * self, guint most, GstFlowReturn result)
{
  while ((result == GST_FLOW_OK && self->flight.length > most)
      || (result == GST_FLOW_EOS && self->flight.length > 0))
    result = end (self, result);
  if (result != GST_FLOW_OK)
    gst_cuda_layout_detect_drop_flight (self);
  return result;
}

/* The segment of what comes after these. */
static void
note_segment (GstCudaLayoutDetect * self, const GArray * items)
{
  for (guint i = 0; i < items->len; i++) {
    GstMiniObject *object = g_array_index (items, GstLayoutItem, i).object;

    if (GST_IS_EVENT (object)
        && GST_EVENT_TYPE (object) == GST_EVENT_SEGMENT)
      gst_event_copy_segment (GST_EVENT (object), &self->segment);
  }
}

/* Waits for what comes next, and counts that where the engine has to wait as well. */
static GstFlowReturn
take (GstCudaLayoutDetect * self, GArray * items)
{
  gint64 start = g_get_monotonic_time ();
  GstFlowReturn result = gst_layout_queue_pop (self->queue,
      gst_layout_detector_batch (self->detector),
      gst_layout_detector_may_wait (self->detector), items);

  if (result == GST_FLOW_OK && g_queue_is_empty (&self->flight))
    gst_layout_stats_add_wait (self->stats,
        (g_get_monotonic_time () - start) / 1000.0);
  return result;
}

/* Takes what comes next. A batch is begun before the one ahead of it is ended, so that the engine
 * always has work; where none is there in time, what is in flight is not kept waiting for it. */
static void
loop (gpointer data)
{
  GstPad *pad = data;
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (GST_PAD_PARENT (pad));
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (GstLayoutItem));
  GError *error = NULL;
  gboolean begun = FALSE;
  GstFlowReturn result;

  gst_cuda_layout_detect_swap_model (self);
  result = take (self, items);
  /* What is in flight need not end because everything behind it was late. */
  if (gst_cuda_layout_detect_drop_late (self, items) && items->len == 0)
    return;
  if (result == GST_FLOW_OK && first_page (items))
    begun = begin (self, items, &error);
  note_segment (self, items);
  result = end_until (self,
      begun ? gst_layout_detector_capacity (self->detector) - 1 : 0, result);
  if (error) {
    fail (self, error);
    result = GST_FLOW_ERROR;
  }
  if (!begun)
    result = give_out (self, items, result);
  if (result == GST_FLOW_EOS)
    gst_layout_queue_refuse (self->queue);
  else if (result != GST_FLOW_OK)
    stop (self, result);
}

gboolean
gst_cuda_layout_detect_start_task (GstCudaLayoutDetect * self)
{
  return gst_pad_start_task (self->srcpad, loop, self->srcpad, NULL);
}
