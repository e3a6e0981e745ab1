/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstcudalayoutdetectproperties.h"
#include "layoutenums.h"

#define DEFAULT_DEVICE GST_LAYOUT_DEVICE_AUTO
#define DEFAULT_CUDA_DEVICE_ID 0
#define DEFAULT_MEMORY GST_LAYOUT_MEMORY_AUTO
#define DEFAULT_PRECISION NN_PRECISION_AUTO
#define DEFAULT_THRESHOLD -1.0
#define DEFAULT_MAX_DETECTIONS 300
#define DEFAULT_RESIZE_FILTER NN_RESIZE_AUTO
#define DEFAULT_DUPLICATES GST_LAYOUT_DUPLICATES_RESOLVE
#define DEFAULT_READING_DIRECTION GST_LAYOUT_DIRECTION_AUTO
#define DEFAULT_SNAP FALSE
#define DEFAULT_JOIN_HYPHENS FALSE
#define DEFAULT_BATCH_SIZE 0
#define DEFAULT_THREADS 0
#define DEFAULT_INPUT_SIDE 0
#define DEFAULT_CHANNEL_ORDER NN_CHANNELS_AUTO
#define DEFAULT_LETTERBOX NN_LETTERBOX_AUTO
#define DEFAULT_BATCH_TIMEOUT 50
#define DEFAULT_QOS TRUE

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
   * Set in PAUSED or PLAYING, the model is loaded and tried on blank pages while the one in use goes on,
   * and takes over between two batches, with a message `model-updated`. What else says how a model is
   * used (`labels-file`, `modelinfo`, `batch-size` …) counts as it is set then. Where it cannot be loaded,
   * or the device has no room for both, a warning says so, the model in use stays, and the property names
   * that one again. Set several times in a row, the last one counts. The file in use is loaded again if
   * its content has changed; if not, nothing happens, and no message is posted. Going to READY waits for a
   * load that is under way and drops it; the file that was named is opened at the next start.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MODEL_FILE,
      g_param_spec_string ("model-file", "Model file",
          "Path of the ONNX model (default: $DOCLAYOUT_MODEL, else the default"
          " model in the cache folder)", NULL, G_PARAM_READWRITE
          | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (klass, PROP_LABELS_FILE,
      g_param_spec_string ("labels-file", "Labels file",
          "Path of a text file with a label a line, instead of the model's own",
          NULL, ready));
  /**
   * GstCudaLayoutDetect:modelinfo:
   *
   * What a model was trained with and what its outputs mean, where the file itself does not tell.
   * Element properties go before it. docs/modelinfo.md lists its keys.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MODELINFO,
      g_param_spec_string ("modelinfo", "Model info",
          "Path of a .modelinfo sidecar (default: the model's name and "
          ".modelinfo, if it is there)", NULL, ready));
  g_object_class_install_property (klass, PROP_MODEL_FAMILY,
      g_param_spec_string ("model-family", "Model family",
          "Family whose decoder is used: picodet, detr, yolov8 … "
          "(default: as the model's inputs and outputs tell)", NULL, ready));
}

static void
install_device_properties (GObjectClass * klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  /**
   * GstCudaLayoutDetect:device:
   *
   * `auto` takes a GPU where it can, else the CPU, and posts a warning with the reason; but not where
   * the plugin was built without CUDA and there is no NVIDIA driver either. `cuda` never takes the CPU
   * instead, and `cpu` never looks for a GPU.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DEVICE,
      g_param_spec_enum ("device", "Device",
          "Where the network runs; auto says in device-used what it chose",
          GST_TYPE_LAYOUT_DEVICE, DEFAULT_DEVICE, ready));
  g_object_class_install_property (klass, PROP_CUDA_DEVICE_ID,
      g_param_spec_int ("cuda-device-id", "CUDA device ID",
          "Which GPU, as CUDA counts them", 0, G_MAXINT,
          DEFAULT_CUDA_DEVICE_ID, ready));
  g_object_class_install_property (klass, PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision",
          "What the network computes in; a CPU has fp32 only",
          GST_TYPE_LAYOUT_PRECISION, DEFAULT_PRECISION, ready));
  /**
   * GstCudaLayoutDetect:memory:
   *
   * The memory that elements before this one are proposed for their frames, where the network runs on a GPU.
   * `shared` is memory that a process may pass to another, as pdfsrc's always is; `pinned` and `managed` are the
   * CUDA driver's. Any other memory is taken too. See #GstCudaLayoutDetect:memory-path.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MEMORY,
      g_param_spec_enum ("memory", "Memory",
          "What upstream elements are proposed to put frames into",
          GST_TYPE_LAYOUT_MEMORY, DEFAULT_MEMORY, ready));
  g_object_class_install_property (klass, PROP_BATCH_SIZE,
      g_param_spec_uint ("batch-size", "Batch size",
          "Pages that go through the engine together (0: 16 on a GPU, or as "
          "many as fit into its memory; on a CPU one a processor, at most 16)", 0, 256, DEFAULT_BATCH_SIZE,
          ready));
  g_object_class_install_property (klass, PROP_THREADS,
      g_param_spec_uint ("threads", "Threads",
          "CPU threads in all; pages of a batch share them out, one or more "
          "each (0: one a processor; more than 4 a processor are not used)", 0,
          1024, DEFAULT_THREADS, ready));
}

/* How a page becomes the network's input. */
static void
install_input_properties (GObjectClass * klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, PROP_INPUT_WIDTH,
      g_param_spec_int ("input-width", "Input width",
          "Width of the network's input in pixels, where the model leaves it "
          "open (0: the model family's own)", 0, G_MAXINT16,
          DEFAULT_INPUT_SIDE, ready));
  g_object_class_install_property (klass, PROP_INPUT_HEIGHT,
      g_param_spec_int ("input-height", "Input height",
          "Height of the network's input in pixels, where the model leaves it "
          "open (0: the model family's own)", 0, G_MAXINT16,
          DEFAULT_INPUT_SIDE, ready));
  g_object_class_install_property (klass, PROP_CHANNEL_ORDER,
      g_param_spec_enum ("channel-order", "Channel order",
          "Which colour comes first in the network's input",
          GST_TYPE_LAYOUT_CHANNEL_ORDER, DEFAULT_CHANNEL_ORDER, ready));
  g_object_class_install_property (klass, PROP_MEAN,
      g_param_spec_string ("mean", "Mean",
          "Taken from each channel's values of 0 to 1, as \"0.485,0.456,0.406\""
          " (default: the model family's own)", NULL, ready));
  g_object_class_install_property (klass, PROP_STD,
      g_param_spec_string ("std", "Standard deviation",
          "Divides each channel's values after that, as \"0.229,0.224,0.225\" "
          "(default: the model family's own)", NULL, ready));
  g_object_class_install_property (klass, PROP_LETTERBOX,
      g_param_spec_enum ("letterbox", "Letterbox",
          "Whether pages keep their shape in the network's input",
          GST_TYPE_LAYOUT_LETTERBOX, DEFAULT_LETTERBOX, ready));
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
  /**
   * GstCudaLayoutDetect:qos:
   *
   * A frame is late if its result could not be there before its running time plus the pipeline's latency, or
   * plus upstream's and this element's own where that is more, by the time that the longest batch took. It is
   * dropped before the engine looks at it, with a QoS message. The pipeline's clock says so and not a sink, for
   * those with sync=false send no QoS events. Sources that are not live lose nothing.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_QOS,
      g_param_spec_boolean ("qos", "QoS",
          "Drop frames of live sources that are late", DEFAULT_QOS, playing));
}

/* What is made of regions, and of the words in them. */
static void
install_reading_properties (GObjectClass * klass)
{
  const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstCudaLayoutDetect:reading-direction:
   *
   * Which of two columns is read first. `auto` looks at the letters of the page's text, where pdfsrc was asked for
   * it (its property `text`), else it is from left to right. The order that a model tells itself goes before.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_READING_DIRECTION,
      g_param_spec_enum ("reading-direction", "Reading direction",
          "Whether pages are read from the left or from the right",
          GST_TYPE_LAYOUT_DIRECTION, DEFAULT_READING_DIRECTION, playing));
  /**
   * GstCudaLayoutDetect:snap:
   *
   * Boxes of texts become what encloses the words in them: they grow to lines that they clipped, but not into their
   * neighbours, and shrink to the last letter. Pictures, tables, forms and formulas stay as they are, and so do all boxes
   * of pages without text.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_SNAP,
      g_param_spec_boolean ("snap", "Snap",
          "Draw boxes of texts to their words, where the page's text is known",
          DEFAULT_SNAP, playing));
  /**
   * GstCudaLayoutDetect:join-hyphens:
   *
   * In the text of a region, "exam-" at the end of a line and "ple" in the next one become "example". The hyphen
   * stays where it is part of the word, as far as the page tells: behind anything but letters, in front of a capital,
   * and where the page has the word with it elsewhere.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_JOIN_HYPHENS,
      g_param_spec_boolean ("join-hyphens", "Join hyphens",
          "Make one word of what the end of a line parts",
          DEFAULT_JOIN_HYPHENS, playing));
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
   * GstCudaLayoutDetect:memory-path:
   *
   * How frames reach the network, by what the device says of itself: "cpu", it runs where they are; "direct", the
   * GPU reads any memory of the process through the host's page tables, as on DGX Spark; "registered", it reads shared
   * memory once that was registered, and other memory is copied to pinned memory first; "staged", it reads pinned
   * and managed memory only, and other is copied. What was copied is in #GstCudaLayoutDetect:stats.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MEMORY_PATH,
      g_param_spec_string ("memory-path", "Memory path",
          "How frames reach the network: cpu, direct, registered or staged "
          "(NULL before PAUSED)", NULL, readable));
  /**
   * GstCudaLayoutDetect:stats:
   *
   * A structure "doclayout-stats", counted from READY to PAUSED on:
   *
   * - `pages` looked at, `skipped` buffers (gaps, pages that failed), `dropped` late frames, `regions` found,
   *   `batches` (all guint64);
   * - `batch-fill`, the pages ÷ the places in those batches, 0 to 1;
   * - `infer-ms-mean` and `infer-ms-median`, the engine's time a page, where a batch's time is shared out among
   *   its pages and the median is of the latest 1024 batches; `batch-ms-max`, the longest batch;
   * - `latency-ms-p50`, `-p95`, `-p99` and `-max`, from a page's arrival until it is handed on, of the latest
   *   1024 pages;
   * - `wait-pages-ms`, how long pages were waited for with nothing in flight; `wait-device-ms`, how long a
   *   batch's result was;
   * - `device-busy`, the share of the time from the first batch's start to the last one's end in which the engine
   *   was at work, 0 to 1 (all gdouble, times in milliseconds);
   * - `bytes-copied`, of pixels that were copied before the engine read them, and `bytes-staged`, of those that
   *   went to the device by way of a staging buffer; `memory`, bytes of weights and work space on the device
   *   (all guint64);
   * - `memory-path` (string), as the property of that name.
   *
   * At the end of each stream it is posted as an element message too.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Pages, regions and times so far", GST_TYPE_STRUCTURE, readable));
}

void
gst_cuda_layout_detect_install_properties (GstCudaLayoutDetectClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_cuda_layout_detect_set_property;
  object_class->get_property = gst_cuda_layout_detect_get_property;
  install_model_properties (object_class);
  install_device_properties (object_class);
  install_input_properties (object_class);
  install_detection_properties (object_class);
  install_reading_properties (object_class);
  install_readable_properties (object_class);

  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_DEVICE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_PRECISION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_MEMORY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_RESIZE_FILTER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_DUPLICATES, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_DIRECTION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_CHANNEL_ORDER, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_LETTERBOX, 0);
}

void
gst_cuda_layout_detect_set_defaults (GstCudaLayoutDetect * self)
{
  self->config.device = DEFAULT_DEVICE;
  self->config.cuda_device = DEFAULT_CUDA_DEVICE_ID;
  self->config.precision = DEFAULT_PRECISION;
  self->config.memory = DEFAULT_MEMORY;
  self->config.batch = DEFAULT_BATCH_SIZE;
  self->config.threads = DEFAULT_THREADS;
  self->config.input_width = self->config.input_height = DEFAULT_INPUT_SIDE;
  self->config.channel_order = DEFAULT_CHANNEL_ORDER;
  self->config.letterbox = DEFAULT_LETTERBOX;
  self->threshold = self->iou_threshold = DEFAULT_THRESHOLD;
  self->max_detections = DEFAULT_MAX_DETECTIONS;
  self->resize_filter = DEFAULT_RESIZE_FILTER;
  self->duplicates = DEFAULT_DUPLICATES;
  self->reading.direction = DEFAULT_READING_DIRECTION;
  self->reading.snap = DEFAULT_SNAP;
  self->reading.join_hyphens = DEFAULT_JOIN_HYPHENS;
  self->batch_timeout = DEFAULT_BATCH_TIMEOUT;
  self->qos = DEFAULT_QOS;
  gst_layout_queue_set_timeout (self->queue,
      DEFAULT_BATCH_TIMEOUT * G_TIME_SPAN_MILLISECOND);
}
