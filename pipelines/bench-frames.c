/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-frames.h"

#include <gst/video/video.h>

#include "gst/gstdocpagemeta.h"

#define MAX_KEPT_BYTES (G_GUINT64_CONSTANT (512) << 20)

#define BENCH_TYPE_FRAMES (bench_frames_get_type ())
G_DECLARE_FINAL_TYPE (BenchFrames, bench_frames, BENCH, FRAMES, GstPushSrc)

struct _BenchFrames {
  GstPushSrc parent;
  GPtrArray *samples;
  guint count, position;
  bench_frames_way way;
  GstCaps *caps; /* that were sent last; one of the samples' */
};

G_DEFINE_TYPE (BenchFrames, bench_frames, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate src_template
  = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

static gboolean
use_caps (BenchFrames *self, GstSample *sample)
{
  GstCaps *caps = gst_sample_get_caps (sample);
  if (self->caps && gst_caps_is_equal (self->caps, caps))
    return TRUE;
  self->caps = caps;
  return gst_base_src_set_caps (GST_BASE_SRC (self), caps);
}

/* A pool is asked for with the caps that are set here; frames that are handed over need none. */
static gboolean
bench_frames_negotiate (GstBaseSrc *src)
{
  BenchFrames *self = BENCH_FRAMES (src);
  return self->way == BENCH_FRAMES_HAND_OVER || use_caps (self, g_ptr_array_index (self->samples, 0));
}

static gboolean
copy_pixels (GstBuffer *to, GstSample *sample)
{
  GstVideoInfo info;
  GstVideoFrame source, target;
  if (!gst_video_info_from_caps (&info, gst_sample_get_caps (sample))
      || !gst_video_frame_map (&source, &info, gst_sample_get_buffer (sample), GST_MAP_READ))
    return FALSE;
  gboolean mapped = gst_video_frame_map (&target, &info, to, GST_MAP_WRITE);
  gboolean copied = mapped && gst_video_frame_copy (&target, &source);
  if (mapped)
    gst_video_frame_unmap (&target);
  gst_video_frame_unmap (&source);
  return copied;
}

static GstFlowReturn
copy_frame (BenchFrames *self, GstSample *sample, GstBuffer **buffer)
{
  GstVideoInfo info;
  gst_video_info_from_caps (&info, gst_sample_get_caps (sample));
  GstFlowReturn result = GST_BASE_SRC_GET_CLASS (self)->alloc (
    GST_BASE_SRC (self), 0, (guint) GST_VIDEO_INFO_SIZE (&info), buffer);
  if (result == GST_FLOW_OK && !copy_pixels (*buffer, sample)) {
    gst_clear_buffer (buffer);
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("A frame cannot be written into the memory proposed for it."),
                       (NULL));
    result = GST_FLOW_ERROR;
  }
  return result;
}

static GstFlowReturn
bench_frames_create (GstPushSrc *src, GstBuffer **buffer)
{
  BenchFrames *self = BENCH_FRAMES (src);
  if (self->position >= self->count)
    return GST_FLOW_EOS;
  GstSample *sample = g_ptr_array_index (self->samples, self->position % self->samples->len);
  if (!use_caps (self, sample))
    return GST_FLOW_NOT_NEGOTIATED;
  if (self->way == BENCH_FRAMES_HAND_OVER) {
    *buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  } else {
    GstFlowReturn result = copy_frame (self, sample, buffer);
    if (result != GST_FLOW_OK)
      return result;
  }
  GST_BUFFER_PTS (*buffer) = self->position * GST_SECOND;
  GST_BUFFER_DURATION (*buffer) = GST_SECOND;
  self->position++;
  return GST_FLOW_OK;
}

static void
bench_frames_finalize (GObject *object)
{
  g_ptr_array_unref (BENCH_FRAMES (object)->samples);
  G_OBJECT_CLASS (bench_frames_parent_class)->finalize (object);
}

static void
bench_frames_class_init (BenchFramesClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = bench_frames_finalize;
  GST_BASE_SRC_CLASS (klass)->negotiate = bench_frames_negotiate;
  GST_PUSH_SRC_CLASS (klass)->create = bench_frames_create;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Frames", "Source/Video", "Gives out the same frames",
                                         "The gst-doclayout authors");
}

static void
bench_frames_init (BenchFrames *self)
{
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

GstElement *
bench_frames_new (GPtrArray *samples, guint count, bench_frames_way way)
{
  BenchFrames *self = g_object_new (BENCH_TYPE_FRAMES, "name", "frames", NULL);
  self->samples = g_ptr_array_ref (samples);
  self->count = count;
  self->way = way;
  return GST_ELEMENT (self);
}

typedef struct {
  GPtrArray *samples;
  guint most, pages;
  guint64 bytes;
} collection;

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  collection *c = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstDocPage page;
  gst_doc_page_meta_get (buffer, &page);
  c->pages = MAX (c->pages, page.pages);
  if (page.error || c->samples->len >= c->most || c->bytes >= MAX_KEPT_BYTES)
    return GST_PAD_PROBE_OK;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_ptr_array_add (c->samples, gst_sample_new (buffer, caps, NULL, NULL));
  c->bytes += gst_buffer_get_size (buffer);
  return GST_PAD_PROBE_OK;
}

GPtrArray *
bench_frames_collect (GstElement *pipeline, guint most, guint *pages, GError **error)
{
  collection c = { g_ptr_array_new_with_free_func ((GDestroyNotify) gst_sample_unref), most, 0, 0 };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, &c, NULL);

  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    GST_ELEMENT_ERROR (pipeline, CORE, STATE_CHANGE, ("The pipeline could not start."), (NULL));
  g_autoptr (GstMessage) message
    = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  *pages = c.pages;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else if (c.samples->len == 0)
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "None of the first pages can be rendered.");
  else
    return c.samples;
  g_ptr_array_unref (c.samples);
  return NULL;
}
