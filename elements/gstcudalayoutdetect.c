/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-cudalayoutdetect
 * @title: cudalayoutdetect
 *
 * Finds the regions of document pages (text, titles, tables, figures …) with a layout detection
 * network in an ONNX file, and puts them on each buffer as a `GstDocLayoutMeta`, in pixels of the
 * frame. Frames pass as they are, in order, one out for one in; any element may deliver them: a PDF
 * source, an image decoder, a camera.
 *
 * Where the plugin was built with libgstcuda it takes frames in a GPU's memory too, `video/x-raw(memory:CUDAMemory)` as
 * nvcodec's decoders and `cudaupload` give them. Where the network runs on that GPU they are not copied, as long as they are
 * in the device's primary CUDA context, which neighbours get from this element.
 *
 * Regions get their places in reading order: columns one after the other, headers first, footers last, captions behind
 * their figures. Where a buffer has a `GstDocTextMeta` (pdfsrc with text=true) they get their text too, and lines of the
 * page that are in no region are kept beside them: #GstCudaLayoutDetect:snap, #GstCudaLayoutDetect:join-hyphens,
 * docs/json.md.
 *
 * Pages are collected into batches (#GstCudaLayoutDetect:batch-size), whose pages are worked on side
 * by side. Pages whose page meta says that they failed, and gaps, pass without being looked at.
 *
 * Where the source is live, frames that would come too late are dropped (#GstCudaLayoutDetect:qos); pages of
 * a document never are. At the end of a stream it posts #GstCudaLayoutDetect:stats as an element message.
 *
 * When it starts it posts an element message `doclayout-device` with the strings `device`, `precision`,
 * `memory-path`, `reason`, `model` and `model-sha256`. Where #GstCudaLayoutDetect:device is `auto` and the GPU is not
 * to be had, a warning before it says why.
 *
 * #GstCudaLayoutDetect:model-file may be set in PAUSED and PLAYING too: pages go on with the model in use
 * until the new one is loaded. It then posts an element message `model-updated` with the strings `model`,
 * `model-sha256` and `device`, and `doclayout-device` once more, before the first page of the new model.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink location=a.jsonl
 * gst-launch-1.0 pdfsrc location=a.pdf text=true ! cudalayoutdetect join-hyphens=true ! jsonsink location=a.jsonl
 * gst-launch-1.0 videotestsrc num-buffers=5 ! cudalayoutdetect batch-size=1 ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gstcudalayoutdetectpads.h"

#include "layoutcudamemory.h"

GST_DEBUG_CATEGORY (gst_cuda_layout_detect_debug);
#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

G_DEFINE_TYPE (GstCudaLayoutDetect, gst_cuda_layout_detect, GST_TYPE_ELEMENT)
    GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (cudalayoutdetect, "cudalayoutdetect",
    GST_RANK_NONE, GST_TYPE_CUDA_LAYOUT_DETECT,
    GST_DEBUG_CATEGORY_INIT (gst_cuda_layout_detect_debug, "cudalayoutdetect",
        0, "layout detection"))
/* ------------------------------------------------------------------ states */
     void gst_cuda_layout_detect_post (GstCudaLayoutDetect * self,
    GError * error)
{
  GST_ERROR_OBJECT (self, "%s", error->message);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  g_error_free (error);
}

void
gst_cuda_layout_detect_tell_device (GstCudaLayoutDetect * self)
{
  GstObject *context = gst_layout_detector_get_cuda_context (self->detector);
  g_autofree gchar *line = gst_layout_detector_describe (self->detector);
  const GError *warning = gst_layout_detector_warning (self->detector);

  if (warning) {
    GST_WARNING_OBJECT (self, "%s", warning->message);
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_WARNING,
        warning->domain, warning->code, g_strdup (warning->message), NULL,
        __FILE__, GST_FUNCTION, __LINE__);
  }
  GST_INFO_OBJECT (self, "%s", line);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_layout_detector_message (self->detector)));
  gst_layout_cuda_tell (GST_ELEMENT (self), context);
  gst_clear_object (&context);
}

/* Pads are inactive. */
static void
set_detector (GstCudaLayoutDetect * self, GstLayoutDetector * detector)
{
  GstLayoutDetector *before;

  GST_OBJECT_LOCK (self);
  before = self->detector;
  self->detector = detector;
  GST_OBJECT_UNLOCK (self);
  gst_layout_stats_set_memory (self->stats,
      detector ? gst_layout_detector_memory (detector) : 0,
      detector ? gst_layout_detector_memory_path (detector) : NULL);
  gst_layout_detector_free (before);
}

/* In PAUSED, so that applications may look at the element before they have a model; kept until
 * NULL unless a property changed. */
static gboolean
open_detector (GstCudaLayoutDetect * self)
{
  GstLayoutConfig config;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  gst_layout_config_copy (&config, &self->config);
  GST_OBJECT_UNLOCK (self);

  if (self->detector == NULL
      || !gst_layout_detector_is_for (self->detector, &config)) {
    /* A GPU may have no room for both. */
    set_detector (self, NULL);
    set_detector (self, gst_layout_detector_open (&config, &error));
  }
  gst_layout_config_clear (&config);
  if (self->detector == NULL) {
    gst_cuda_layout_detect_post (self, error);
    return FALSE;
  }
  gst_layout_stats_reset (self->stats);
  gst_layout_queue_set_capacity (self->queue,
      gst_layout_detector_batch (self->detector));
  gst_cuda_layout_detect_tell_device (self);
  g_object_notify (G_OBJECT (self), "device-used");
  g_object_notify (G_OBJECT (self), "memory-path");
  gst_cuda_layout_detect_open_swap (self);
  return TRUE;
}

static GstStateChangeReturn
gst_cuda_layout_detect_change_state (GstElement * element,
    GstStateChange transition)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_detector (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_cuda_layout_detect_close_swap (self);
  result =
      GST_ELEMENT_CLASS (gst_cuda_layout_detect_parent_class)->change_state
      (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED
      && result == GST_STATE_CHANGE_FAILURE) {
    gst_cuda_layout_detect_close_swap (self);
    gst_cuda_layout_detect_end_swap (self);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_cuda_layout_detect_end_swap (self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    set_detector (self, NULL);
  return result;
}

/* ------------------------------------------------------------------ the object */

static void
gst_cuda_layout_detect_finalize (GObject * object)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);

  gst_layout_queue_free (self->queue);
  gst_layout_stats_free (self->stats);
  gst_layout_config_clear (&self->config);
  g_cond_clear (&self->swap.changed);
  G_OBJECT_CLASS (gst_cuda_layout_detect_parent_class)->finalize (object);
}

static void
gst_cuda_layout_detect_class_init (GstCudaLayoutDetectClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->finalize = gst_cuda_layout_detect_finalize;
  gst_cuda_layout_detect_install_properties (klass);

  element_class->change_state = gst_cuda_layout_detect_change_state;
  gst_cuda_layout_detect_add_templates (element_class);
  gst_element_class_set_static_metadata (element_class,
      "Document layout detector", "Filter/Analyzer/Video/Hardware",
      "Finds the regions of document pages (text, tables, figures …)",
      "The gst-doclayout authors");
}

static void
gst_cuda_layout_detect_init (GstCudaLayoutDetect * self)
{
  self->queue = gst_layout_queue_new ();
  g_queue_init (&self->flight);
  self->stats = gst_layout_stats_new ();
  g_cond_init (&self->swap.changed);
  gst_cuda_layout_detect_set_defaults (self);
  gst_cuda_layout_detect_add_pads (self);
}
