/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstcudalayoutdetectproperties.h"

/* Where a property that is a text is kept; NULL for the others. */
static gchar **
text_of (GstCudaLayoutDetect * self, guint id)
{
  switch (id) {
    case PROP_MODEL_FILE:
      return &self->config.model_file;
    case PROP_LABELS_FILE:
      return &self->config.labels_file;
    case PROP_MODELINFO:
      return &self->config.modelinfo_file;
    case PROP_MODEL_FAMILY:
      return &self->config.family;
    case PROP_MEAN:
      return &self->config.mean;
    case PROP_STD:
      return &self->config.std;
    default:
      return NULL;
  }
}

/* The properties that choose a model and say how it is used; FALSE for the others. */
static gboolean
set_config (GstCudaLayoutDetect * self, guint id, const GValue * value)
{
  GstLayoutConfig *config = &self->config;
  gchar **text = text_of (self, id);

  if (text) {
    g_free (*text);
    *text = g_value_dup_string (value);
    if (id == PROP_MODEL_FILE)
      self->swap.wanted = TRUE;
    return TRUE;
  }
  switch (id) {
    case PROP_INPUT_WIDTH:
      config->input_width = g_value_get_int (value);
      return TRUE;
    case PROP_INPUT_HEIGHT:
      config->input_height = g_value_get_int (value);
      return TRUE;
    case PROP_CHANNEL_ORDER:
      config->channel_order = g_value_get_enum (value);
      return TRUE;
    case PROP_LETTERBOX:
      config->letterbox = g_value_get_enum (value);
      return TRUE;
    case PROP_DEVICE:
      config->device = g_value_get_enum (value);
      return TRUE;
    case PROP_CUDA_DEVICE_ID:
      config->cuda_device = g_value_get_int (value);
      return TRUE;
    case PROP_PRECISION:
      config->precision = g_value_get_enum (value);
      return TRUE;
    case PROP_MEMORY:
      config->memory = g_value_get_enum (value);
      return TRUE;
    case PROP_BATCH_SIZE:
      config->batch = g_value_get_uint (value);
      return TRUE;
    case PROP_THREADS:
      config->threads = g_value_get_uint (value);
      return TRUE;
    default:
      return FALSE;
  }
}

static gboolean
get_config (GstCudaLayoutDetect * self, guint id, GValue * value)
{
  const GstLayoutConfig *config = &self->config;
  gchar **text = text_of (self, id);

  if (text) {
    g_value_set_string (value, *text);
    return TRUE;
  }
  switch (id) {
    case PROP_INPUT_WIDTH:
      g_value_set_int (value, config->input_width);
      return TRUE;
    case PROP_INPUT_HEIGHT:
      g_value_set_int (value, config->input_height);
      return TRUE;
    case PROP_CHANNEL_ORDER:
      g_value_set_enum (value, config->channel_order);
      return TRUE;
    case PROP_LETTERBOX:
      g_value_set_enum (value, config->letterbox);
      return TRUE;
    case PROP_DEVICE:
      g_value_set_enum (value, config->device);
      return TRUE;
    case PROP_CUDA_DEVICE_ID:
      g_value_set_int (value, config->cuda_device);
      return TRUE;
    case PROP_PRECISION:
      g_value_set_enum (value, config->precision);
      return TRUE;
    case PROP_MEMORY:
      g_value_set_enum (value, config->memory);
      return TRUE;
    case PROP_BATCH_SIZE:
      g_value_set_uint (value, config->batch);
      return TRUE;
    case PROP_THREADS:
      g_value_set_uint (value, config->threads);
      return TRUE;
    default:
      return FALSE;
  }
}

void
gst_cuda_layout_detect_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);
  gboolean latency = FALSE;     /* is another now */

  GST_OBJECT_LOCK (self);
  switch (id) {
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
    case PROP_READING_DIRECTION:
      self->reading.direction = g_value_get_enum (value);
      break;
    case PROP_SNAP:
      self->reading.snap = g_value_get_boolean (value);
      break;
    case PROP_JOIN_HYPHENS:
      self->reading.join_hyphens = g_value_get_boolean (value);
      break;
    case PROP_BATCH_TIMEOUT:
      latency = self->live && g_value_get_uint (value) != self->batch_timeout;
      self->batch_timeout = g_value_get_uint (value);
      gst_layout_queue_set_timeout (self->queue,
          self->batch_timeout * G_TIME_SPAN_MILLISECOND);
      break;
    case PROP_QOS:
      self->qos = g_value_get_boolean (value);
      break;
    default:
      if (!set_config (self, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  if (latency)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
  if (id == PROP_MODEL_FILE)
    gst_cuda_layout_detect_load_model (self);
}

void
gst_cuda_layout_detect_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstCudaLayoutDetect *self = GST_CUDA_LAYOUT_DETECT (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
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
    case PROP_READING_DIRECTION:
      g_value_set_enum (value, self->reading.direction);
      break;
    case PROP_SNAP:
      g_value_set_boolean (value, self->reading.snap);
      break;
    case PROP_JOIN_HYPHENS:
      g_value_set_boolean (value, self->reading.join_hyphens);
      break;
    case PROP_BATCH_TIMEOUT:
      g_value_set_uint (value, self->batch_timeout);
      break;
    case PROP_QOS:
      g_value_set_boolean (value, self->qos);
      break;
    case PROP_DEVICE_USED:
      g_value_set_string (value, self->detector ?
          gst_layout_detector_device (self->detector) : NULL);
      break;
    case PROP_MEMORY_PATH:
      g_value_set_string (value, self->detector ?
          gst_layout_detector_memory_path (self->detector) : NULL);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, gst_layout_stats_to_structure (self->stats));
      break;
    default:
      if (!get_config (self, id, value))
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}
