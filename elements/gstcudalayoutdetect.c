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
 * Pages are collected into batches (#GstCudaLayoutDetect:batch-size), whose pages are worked on side
 * by side. Pages whose page meta says that they failed, and gaps, pass without being looked at.
 *
 * When it starts it posts an element message `doclayout-device` with the strings `device`, `reason`,
 * `model` and `model-sha256`.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink location=a.jsonl
 * gst-launch-1.0 videotestsrc num-buffers=5 ! cudalayoutdetect batch-size=1 ! fakesink
 * ]|
 *
 * Since: 0.1
 */
#include "gstcudalayoutdetectpads.h"

GST_DEBUG_CATEGORY (gst_cuda_layout_detect_debug);
#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

#define DEFAULT_DEVICE GST_LAYOUT_DEVICE_AUTO
#define DEFAULT_THRESHOLD -1.0
#define DEFAULT_MAX_DETECTIONS 300
#define DEFAULT_RESIZE_FILTER NN_RESIZE_AUTO
#define DEFAULT_DUPLICATES GST_LAYOUT_DUPLICATES_RESOLVE
#define DEFAULT_BATCH_SIZE 0
#define DEFAULT_BATCH_TIMEOUT 50

enum
{
  PROP_0,
  PROP_MODEL_FILE,
  PROP_LABELS_FILE,
  PROP_DEVICE,
  PROP_THRESHOLD,
  PROP_IOU_THRESHOLD,
  PROP_MAX_DETECTIONS,
  PROP_RESIZE_FILTER,
  PROP_DUPLICATES,
  PROP_BATCH_SIZE,
  PROP_BATCH_TIMEOUT,
  PROP_DEVICE_USED,
  PROP_STATS,
};

#define GST_TYPE_LAYOUT_DEVICE (gst_layout_device_get_type ())
static GType
gst_layout_device_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_DEVICE_AUTO, "A GPU where there is one, else the CPU", "auto"},
    {GST_LAYOUT_DEVICE_CUDA, "An NVIDIA GPU, or an error", "cuda"},
    {GST_LAYOUT_DEVICE_CPU, "The CPU", "cpu"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutDevice",
            values));
  return type;
}

#define GST_TYPE_LAYOUT_RESIZE_FILTER (gst_layout_resize_filter_get_type ())
static GType
gst_layout_resize_filter_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {NN_RESIZE_AUTO, "What the model's reference uses", "auto"},
    {NN_RESIZE_BILINEAR, "Bilinear, two pixels a side", "bilinear"},
    {NN_RESIZE_BILINEAR_ANTIALIAS, "Bilinear over all pixels that one covers",
        "bilinear-antialias"},
    {NN_RESIZE_BICUBIC, "Bicubic, four pixels a side", "bicubic"},
    {NN_RESIZE_AREA, "Mean of the area that a pixel covers", "area"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutResizeFilter",
            values));
  return type;
}

#define GST_TYPE_LAYOUT_DUPLICATES (gst_layout_duplicates_get_type ())
static GType
gst_layout_duplicates_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_DUPLICATES_RESOLVE,
        "Boxes of several classes on one block become one", "resolve"},
    {GST_LAYOUT_DUPLICATES_KEEP, "As the network gives them", "keep"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutDuplicates",
            values));
  return type;
}

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

static void
tell_device (GstCudaLayoutDetect * self)
{
  g_autofree gchar *line = gst_layout_detector_describe (self->detector);

  GST_INFO_OBJECT (self, "%s", line);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_layout_detector_message (self->detector)));
  g_object_notify (G_OBJECT (self), "device-used");
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
  gst_layout_detector_free (before);
}

/* In PAUSED, so that applications may look at the element before they have a model; kept until
 * NULL unless a property changed. */
static gboolean
open_detector (GstCudaLayoutDetect * self)
{
  g_autofree gchar *model_file = NULL, *labels_file = NULL;
  GstLayoutDetectorConfig config;
  GstLayoutDetector *detector;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  config.model_file = model_file = g_strdup (self->model_file);
  config.labels_file = labels_file = g_strdup (self->labels_file);
  config.device = self->device;
  config.batch = self->batch_size;
  GST_OBJECT_UNLOCK (self);

  if (self->detector == NULL
      || !gst_layout_detector_is_for (self->detector, &config)) {
    detector = gst_layout_detector_open (&config, &error);
    set_detector (self, detector);
    if (detector == NULL) {
      gst_cuda_layout_detect_post (self, error);
      return FALSE;
    }
  }
  gst_layout_stats_reset (self->stats);
  gst_layout_queue_set_capacity (self->queue,
      gst_layout_detector_batch (self->detector));
  tell_device (self);
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
  result =
      GST_ELEMENT_CLASS (gst_cuda_layout_detect_parent_class)->change_state
      (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    set_detector (self, NULL);
  return result;
}

/* ------------------------------------------------------------------ properties */

static void
gst_cuda_layout_detect_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODEL_FILE:
      g_free (self->model_file);
      self->model_file = g_value_dup_string (value);
      break;
    case PROP_LABELS_FILE:
      g_free (self->labels_file);
      self->labels_file = g_value_dup_string (value);
      break;
    case PROP_DEVICE:
      self->device = g_value_get_enum (value);
      break;
    case PROP_THRESHOLD:
      self->threshold = g_value_get_double (value);
      break;
    case PROP_IOU_THRESHOLD:
      self->iou_threshold = g_value_get_double (value);
      break;
    case PROP_MAX_DETECTIONS:
      self->max_detections = g_value_get_int (value);
      break;
    case PROP_RESIZE_FILTER:
      self->resize_filter = g_value_get_enum (value);
      break;
    case PROP_DUPLICATES:
      self->duplicates = g_value_get_enum (value);
      break;
    case PROP_BATCH_SIZE:
      self->batch_size = g_value_get_uint (value);
      break;
    case PROP_BATCH_TIMEOUT:
      self->batch_timeout = g_value_get_uint (value);
      gst_layout_queue_set_timeout (self->queue,
          self->batch_timeout * G_TIME_SPAN_MILLISECOND);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_cuda_layout_detect_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_MODEL_FILE:
      g_value_set_string (value, self->model_file);
      break;
    case PROP_LABELS_FILE:
      g_value_set_string (value, self->labels_file);
      break;
    case PROP_DEVICE:
      g_value_set_enum (value, self->device);
      break;
    case PROP_THRESHOLD:
      g_value_set_double (value, self->threshold);
      break;
    case PROP_IOU_THRESHOLD:
      g_value_set_double (value, self->iou_threshold);
      break;
    case PROP_MAX_DETECTIONS:
      g_value_set_int (value, self->max_detections);
      break;
    case PROP_RESIZE_FILTER:
      g_value_set_enum (value, self->resize_filter);
      break;
    case PROP_DUPLICATES:
      g_value_set_enum (value, self->duplicates);
      break;
    case PROP_BATCH_SIZE:
      g_value_set_uint (value, self->batch_size);
      break;
    case PROP_BATCH_TIMEOUT:
      g_value_set_uint (value, self->batch_timeout);
      break;
    case PROP_DEVICE_USED:
      g_value_set_string (value, self->detector ?
          gst_layout_detector_device (self->detector) : NULL);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, gst_layout_stats_to_structure (self->stats));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_model_properties (GObjectClass * klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  /**
   * GstCudaLayoutDetect:model-file:
   *
   * Where it is not set, the environment's DOCLAYOUT_MODEL is used, else
   * gst-doclayout/layout_cdla.onnx in the user's cache folder.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MODEL_FILE,
      g_param_spec_string ("model-file", "Model file",
          "Path of the ONNX model (default: $DOCLAYOUT_MODEL, else the default"
          " model in the cache folder)", NULL, ready));
  g_object_class_install_property (klass, PROP_LABELS_FILE,
      g_param_spec_string ("labels-file", "Labels file",
          "Path of a text file with a label a line, instead of the model's own",
          NULL, ready));
  g_object_class_install_property (klass, PROP_DEVICE,
      g_param_spec_enum ("device", "Device",
          "Where the network runs; auto says in device-used what it chose",
          GST_TYPE_LAYOUT_DEVICE, DEFAULT_DEVICE, ready));
  g_object_class_install_property (klass, PROP_BATCH_SIZE,
      g_param_spec_uint ("batch-size", "Batch size",
          "Pages that go through the engine side by side "
          "(0: one a processor, at most 16)", 0, 256, DEFAULT_BATCH_SIZE,
          ready));
}

static void
install_detection_properties (GObjectClass * klass)
{
  const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (klass, PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "Lowest score of a region, 0 to 1 (-1: the model family's own)",
          -1.0, 1.0, DEFAULT_THRESHOLD, playing | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, PROP_IOU_THRESHOLD,
      g_param_spec_double ("iou-threshold", "IoU threshold",
          "Of two regions of a class whose intersection over union is higher, "
          "0 to 1, the better one stays (-1: the model family's own)",
          -1.0, 1.0, DEFAULT_THRESHOLD, playing | GST_PARAM_CONTROLLABLE));
  g_object_class_install_property (klass, PROP_MAX_DETECTIONS,
      g_param_spec_int ("max-detections", "Max detections",
          "Most regions of a page, best first", 1, 10000,
          DEFAULT_MAX_DETECTIONS, playing));
  g_object_class_install_property (klass, PROP_RESIZE_FILTER,
      g_param_spec_enum ("resize-filter", "Resize filter",
          "How pages are brought to the network's size",
          GST_TYPE_LAYOUT_RESIZE_FILTER, DEFAULT_RESIZE_FILTER, playing));
  g_object_class_install_property (klass, PROP_DUPLICATES,
      g_param_spec_enum ("duplicates", "Duplicates",
          "What becomes of boxes of several classes on one block",
          GST_TYPE_LAYOUT_DUPLICATES, DEFAULT_DUPLICATES, playing));
  g_object_class_install_property (klass, PROP_BATCH_TIMEOUT,
      g_param_spec_uint ("batch-timeout", "Batch timeout",
          "Most milliseconds that a page waits for its batch to fill", 0,
          3600000, DEFAULT_BATCH_TIMEOUT, playing));
}

static void
install_readable_properties (GObjectClass * klass)
{
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, PROP_DEVICE_USED,
      g_param_spec_string ("device-used", "Device used",
          "Where the network runs, as \"cpu\" (NULL before PAUSED)", NULL,
          readable));
  /**
   * GstCudaLayoutDetect:stats:
   *
   * A structure "doclayout-stats", counted from READY to PAUSED on: `pages` looked at, `skipped`
   * buffers, `regions` found, `batches` (all guint64); `infer-ms-mean` and `infer-ms-median`, the
   * engine's time a page in milliseconds, where a batch's time is shared out among its pages and the
   * median is of the latest 1024 batches; `batch-ms-max`, the longest batch (all gdouble).
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Pages, regions and times so far", GST_TYPE_STRUCTURE, readable));
}

/* ------------------------------------------------------------------ the object */

static void
gst_cuda_layout_detect_finalize (GObject * object)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);

  gst_layout_queue_free (self->queue);
  gst_layout_stats_free (self->stats);
  g_free (self->model_file);
  g_free (self->labels_file);
  G_OBJECT_CLASS (gst_cuda_layout_detect_parent_class)->finalize (object);
}

static void
gst_cuda_layout_detect_class_init (GstCudaLayoutDetectClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_cuda_layout_detect_set_property;
  object_class->get_property = gst_cuda_layout_detect_get_property;
  object_class->finalize = gst_cuda_layout_detect_finalize;
  install_model_properties (object_class);
  install_detection_properties (object_class);
  install_readable_properties (object_class);

  element_class->change_state = gst_cuda_layout_detect_change_state;
  gst_cuda_layout_detect_add_templates (element_class);
  gst_element_class_set_static_metadata (element_class,
      "Document layout detector", "Filter/Analyzer/Video/Hardware",
      "Finds the regions of document pages (text, tables, figures …)",
      "The gst-doclayout authors");

  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_DEVICE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_RESIZE_FILTER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_DUPLICATES, 0);
}

static void
gst_cuda_layout_detect_init (GstCudaLayoutDetect * self)
{
  self->device = DEFAULT_DEVICE;
  self->threshold = self->iou_threshold = DEFAULT_THRESHOLD;
  self->max_detections = DEFAULT_MAX_DETECTIONS;
  self->resize_filter = DEFAULT_RESIZE_FILTER;
  self->duplicates = DEFAULT_DUPLICATES;
  self->batch_size = DEFAULT_BATCH_SIZE;
  self->batch_timeout = DEFAULT_BATCH_TIMEOUT;
  self->queue = gst_layout_queue_new ();
  gst_layout_queue_set_timeout (self->queue,
      DEFAULT_BATCH_TIMEOUT * G_TIME_SPAN_MILLISECOND);
  self->stats = gst_layout_stats_new ();
  gst_cuda_layout_detect_add_pads (self);
}
