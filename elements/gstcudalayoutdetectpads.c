/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstcudalayoutdetectpads.h"

#include "gst/gstdocpagemeta.h"
#include "gst/gstunifiedallocator.h"

#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

#define FRAME_CAPS \
    GST_VIDEO_CAPS_MAKE ("{ BGRx, BGRA, RGBx, RGBA, RGB, BGR, GRAY8 }")

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (FRAME_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (FRAME_CAPS));

static void loop (gpointer data);
static void drop_flight (GstCudaLayoutDetect * self);

/* ------------------------------------------------------------------ sink pad */

/* A page that failed and a gap have nothing on them. */
static gboolean
is_to_look_at (GstBuffer * buffer)
{
  GstDocPage page;

  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)
      && !(gst_doc_page_meta_get (buffer, &page) && page.error);
}

static GstFlowReturn
sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);
  gboolean look;

  if (GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_FORMAT_UNKNOWN) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  look = is_to_look_at (buffer);
  return gst_layout_queue_push (self->queue, GST_MINI_OBJECT_CAST (buffer),
      look ? &self->info : NULL);
}

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

/* After the last buffer nobody else would tell the application that the stream ended early. */
static void
end_early (GstCudaLayoutDetect * self, GstFlowReturn result)
{
  if (result != GST_FLOW_NOT_LINKED && result >= GST_FLOW_EOS)
    return;
  if (!self->failed)
    GST_ELEMENT_FLOW_ERROR (self, result);
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
}

/* Puts a serialized event in. */
static GstFlowReturn
queue_event (GstCudaLayoutDetect * self, GstEvent * event)
{
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  GstFlowReturn result = gst_layout_queue_push (self->queue,
      GST_MINI_OBJECT_CAST (event), NULL);

  if (eos)
    end_early (self, result);
  return result;
}

static GstFlowReturn
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      gst_pad_push_event (self->srcpad, event);
      gst_layout_queue_set_result (self->queue, GST_FLOW_FLUSHING);
      /* Returns when what the task is doing is done. */
      gst_pad_pause_task (self->srcpad);
      drop_flight (self);
      return GST_FLOW_OK;
    case GST_EVENT_FLUSH_STOP:
      gst_pad_push_event (self->srcpad, event);
      gst_layout_queue_clear (self->queue, self->srcpad);
      self->failed = FALSE;
      gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
      if (gst_pad_is_active (self->srcpad))
        gst_pad_start_task (self->srcpad, loop, self->srcpad, NULL);
      return GST_FLOW_OK;
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent,
        event) ? GST_FLOW_OK : GST_FLOW_ERROR;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (!gst_video_info_from_caps (&self->info, caps)) {
      GST_ERROR_OBJECT (self, "not the caps of a frame: %" GST_PTR_FORMAT,
          (gpointer) caps);
      gst_video_info_init (&self->info);
      gst_event_unref (event);
      return GST_FLOW_NOT_NEGOTIATED;
    }
  }
  return queue_event (self, event);
}

static gboolean
sink_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);

  if (GST_QUERY_IS_SERIALIZED (query))
    return gst_layout_queue_push_query (self->queue, query);
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
sink_activate_mode (GstPad * pad, GstObject * parent, GstPadMode mode,
    gboolean active)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    gst_video_info_init (&self->info);
    gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
  } else {
    gst_layout_queue_set_result (self->queue, GST_FLOW_FLUSHING);
    GST_PAD_STREAM_LOCK (pad);
    gst_layout_queue_clear (self->queue, self->srcpad);
    GST_PAD_STREAM_UNLOCK (pad);
  }
  return TRUE;
}

/* ------------------------------------------------------------------ the task */

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
  GstStructure *config;
  gboolean need_pool;
  GstVideoInfo info;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return;
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &theirs, &size, &min, &max);
  size = MAX (size, GST_VIDEO_INFO_SIZE (&info));
  if (need_pool) {
    pool = gst_unified_buffer_pool_new ();
    config = gst_buffer_pool_get_config (pool);
    gst_buffer_pool_config_set_params (config, caps, size, min + held, 0);
    if (!gst_buffer_pool_set_config (pool, config))
      gst_clear_object (&pool);
  }
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
get_settings (GstCudaLayoutDetect * self, nn_detector_settings * settings)
{
  GST_OBJECT_LOCK (self);
  settings->threshold = self->threshold;
  settings->iou_threshold = self->iou_threshold;
  settings->max_detections = self->max_detections;
  settings->resize_filter = self->resize_filter;
  settings->keep_duplicates = self->duplicates == GST_LAYOUT_DUPLICATES_KEEP;
  GST_OBJECT_UNLOCK (self);
}

/* A live pipeline waits as long as its slowest batch takes, so it is told when that grows. */
static void
announce_latency (GstCudaLayoutDetect * self)
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

/* Takes the item's object. */
static GstFlowReturn
push_item (GstCudaLayoutDetect * self, GstLayoutItem * item)
{
  if (GST_IS_BUFFER (item->object)) {
    if (!item->look)
      gst_layout_stats_add_skipped (self->stats);
    return gst_pad_push (self->srcpad, GST_BUFFER (item->object));
  }
  if (GST_IS_EVENT (item->object)) {
    gst_pad_push_event (self->srcpad, GST_EVENT (item->object));
    return GST_FLOW_OK;
  }
  gst_layout_queue_answer (self->queue, answer_query (self,
          GST_QUERY (item->object)));
  return GST_FLOW_OK;
}

static void
drop_item (GstCudaLayoutDetect * self, GstLayoutItem * item)
{
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
    end_early (self, result);
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

/* From any thread: a flush may come while another one stops the element. The task has the lock while it works. */
static void
drop_flight (GstCudaLayoutDetect * self)
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

/* FALSE with `error` set: this batch is not in flight; others may be. */
static gboolean
begin (GstCudaLayoutDetect * self, GArray * items, GError ** error)
{
  GstBuffer *first =
      GST_BUFFER (g_array_index (items, GstLayoutItem, 0).object);
  nn_detector_settings settings;
  GstClockTime time = GST_CLOCK_TIME_NONE;

  if (self->segment.format == GST_FORMAT_TIME)
    time = gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME,
        GST_BUFFER_PTS (first));
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (self), time);
  get_settings (self, &settings);
  if (!gst_layout_detector_start (self->detector, items, &settings, error)) {
    if (gst_layout_detector_in_flight (self->detector) == 0)
      drop_flight (self);
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
    announce_latency (self);
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
    drop_flight (self);
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

  result = gst_layout_queue_pop (self->queue,
      gst_layout_detector_batch (self->detector),
      gst_layout_detector_may_wait (self->detector), items);
  if (result == GST_FLOW_OK && items->len > 0
      && g_array_index (items, GstLayoutItem, 0).look)
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

/* ------------------------------------------------------------------ source pad */

static gboolean
src_activate_mode (GstPad * pad, GstObject * parent, GstPadMode mode,
    gboolean active)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  if (active) {
    gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
    self->failed = FALSE;
    gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
    return gst_pad_start_task (pad, loop, pad, NULL);
  }
  gst_layout_queue_set_result (self->queue, GST_FLOW_FLUSHING);
  if (!gst_pad_stop_task (pad))
    return FALSE;
  drop_flight (self);
  return TRUE;
}

/* Adds the time that a page may spend here: waiting for its batch to fill, for those in flight, and in
 * the engine. */
static gboolean
answer_latency (GstCudaLayoutDetect * self, GstQuery * query)
{
  GstClockTime min, max, own;
  gboolean live;

  if (!gst_pad_peer_query (self->sinkpad, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  GST_OBJECT_LOCK (self);
  self->live = live;
  /* Half as much again as was seen, so that noise does not make it change all the time. */
  self->announced = gst_layout_stats_longest_batch (self->stats) * 3 / 2;
  own = self->announced;
  if (self->detector) {
    own *= gst_layout_detector_capacity (self->detector);
    if (gst_layout_detector_batch (self->detector) > 1)
      own += self->batch_timeout * GST_MSECOND;
  }
  GST_OBJECT_UNLOCK (self);
  gst_query_set_latency (query, live, min + own,
      GST_CLOCK_TIME_IS_VALID (max) ? max + own : max);
  return TRUE;
}

static gboolean
src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return answer_latency (GST_CUDA_LAYOUT_DETECT (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

void
gst_cuda_layout_detect_add_templates (GstElementClass * klass)
{
  gst_element_class_add_static_pad_template (klass, &sink_template);
  gst_element_class_add_static_pad_template (klass, &src_template);
}

void
gst_cuda_layout_detect_add_pads (GstCudaLayoutDetect * self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, sink_chain);
  gst_pad_set_event_full_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
  gst_pad_set_activatemode_function (self->sinkpad, sink_activate_mode);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, src_query);
  gst_pad_set_activatemode_function (self->srcpad, src_activate_mode);
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
