/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstcudalayoutdetectpads.h"

#include "gst/gstdocpagemeta.h"
#include "layoutcudamemory.h"

#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (gst_layout_cuda_caps));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (gst_layout_cuda_caps));

/* ------------------------------------------------------------------ both pads */

/* Before there is a detector, neighbours that open their device are told of the one that it is going to be on. */
static gboolean
answer_context (GstCudaLayoutDetect * self, GstQuery * query)
{
  GstObject *context = NULL;
  gint device = -1;
  gboolean answered;

  GST_OBJECT_LOCK (self);
  if (self->detector)
    context = gst_layout_detector_get_cuda_context (self->detector);
  else if (self->config.device != GST_LAYOUT_DEVICE_CPU)
    device = self->config.cuda_device;
  GST_OBJECT_UNLOCK (self);
  answered = gst_layout_cuda_answer (GST_ELEMENT (self), query, context,
      device);
  gst_clear_object (&context);
  return answered;
}

static gboolean
default_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  return (GST_QUERY_TYPE (query) == GST_QUERY_CONTEXT
      && answer_context (GST_CUDA_LAYOUT_DETECT (parent), query))
      || gst_pad_query_default (pad, parent, query);
}

/* ------------------------------------------------------------------ sink pad */

/* A page that failed and a gap have nothing on them. */
static gboolean
is_to_look_at (GstBuffer * buffer)
{
  GstDocPage page;

  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)
      && !(gst_doc_page_meta_get (buffer, &page) && page.error);
}

static void
note_times (GstCudaLayoutDetect * self, GstBuffer * buffer,
    GstLayoutItem * item)
{
  const GstSegment *segment = &self->arriving;
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  item->running_time = item->stream_time = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME)
    return;
  item->running_time = gst_segment_to_running_time (segment, GST_FORMAT_TIME,
      pts);
  item->stream_time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME,
      pts);
}

static GstFlowReturn
sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (parent);
  GstLayoutItem item = {
    .object = GST_MINI_OBJECT_CAST (buffer),
    .info = self->info,
    .arrived = g_get_monotonic_time (),
  };

  if (GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_FORMAT_UNKNOWN) {
    gst_buffer_unref (buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  item.look = is_to_look_at (buffer);
  note_times (self, buffer, &item);
  if (gst_cuda_layout_detect_drop_arrival (self, &item))
    return gst_layout_queue_get_result (self->queue);
  return gst_layout_queue_push (self->queue, &item);
}

/* What comes next has a segment of its own, and does not follow a dropped buffer. The task has nothing to do then. */
static void
forget_stream (GstCudaLayoutDetect * self)
{
  gst_segment_init (&self->arriving, GST_FORMAT_UNDEFINED);
  self->arrival_dropped = self->batch_dropped = FALSE;
}

/* Puts a serialized event in. */
static GstFlowReturn
queue_event (GstCudaLayoutDetect * self, GstEvent * event)
{
  const GstLayoutItem item = {.object = GST_MINI_OBJECT_CAST (event) };
  gboolean eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  GstFlowReturn result = gst_layout_queue_push (self->queue, &item);

  if (eos)
    gst_cuda_layout_detect_end_early (self, result);
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
      gst_cuda_layout_detect_drop_flight (self);
      return GST_FLOW_OK;
    case GST_EVENT_FLUSH_STOP:
      gst_pad_push_event (self->srcpad, event);
      gst_layout_queue_clear (self->queue, self->srcpad);
      self->failed = FALSE;
      forget_stream (self);
      gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
      if (gst_pad_is_active (self->srcpad))
        gst_cuda_layout_detect_start_task (self);
      return GST_FLOW_OK;
    default:
      break;
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent,
        event) ? GST_FLOW_OK : GST_FLOW_ERROR;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (event, &self->arriving);
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
  return default_query (pad, parent, query);
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
    forget_stream (self);
    gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
  } else {
    gst_layout_queue_set_result (self->queue, GST_FLOW_FLUSHING);
    GST_PAD_STREAM_LOCK (pad);
    /* The end of a flush, which had that lock, may have started it again since the source pad stopped it. */
    if (!gst_pad_is_active (self->srcpad))
      gst_pad_stop_task (self->srcpad);
    gst_layout_queue_clear (self->queue, self->srcpad);
    GST_PAD_STREAM_UNLOCK (pad);
  }
  return TRUE;
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
    gst_cuda_layout_detect_reset_live (self);
    self->failed = FALSE;
    gst_layout_queue_set_result (self->queue, GST_FLOW_OK);
    return gst_cuda_layout_detect_start_task (self);
  }
  gst_layout_queue_set_result (self->queue, GST_FLOW_FLUSHING);
  if (!gst_pad_stop_task (pad))
    return FALSE;
  gst_cuda_layout_detect_drop_flight (self);
  return TRUE;
}

static gboolean
src_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  GstClockTime latency;

  if (GST_EVENT_TYPE (event) == GST_EVENT_LATENCY) {
    gst_event_parse_latency (event, &latency);
    gst_cuda_layout_detect_set_latency (GST_CUDA_LAYOUT_DETECT (parent),
        latency);
  }
  return gst_pad_event_default (pad, parent, event);
}

static gboolean
src_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return gst_cuda_layout_detect_answer_latency (GST_CUDA_LAYOUT_DETECT
        (parent), query);
  return default_query (pad, parent, query);
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
  gst_pad_set_event_function (self->srcpad, src_event);
  gst_pad_set_query_function (self->srcpad, src_query);
  gst_pad_set_activatemode_function (self->srcpad, src_activate_mode);
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
