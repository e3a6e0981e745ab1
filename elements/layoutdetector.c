/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutdetector.h"

#include "gst/gstdoclayoutmeta.h"

#define MAX_AUTO_BATCH 16

struct _GstLayoutDetector
{
  GstLayoutConfig config;

  GstLayoutModel *model;
  nn_detector *detector;
  guint batch;
  const gchar *reason;

  /* work space of run(), one a page of the batch */
  GstVideoFrame *frames;
  nn_frame *inputs;
  nn_detections *results;
};

/* The device to open, and why. This build has one backend; with another, `auto` chooses here. */
static gboolean
choose_device (GstLayoutDetector * self, nn_device_kind * kind, GError ** error)
{
  *kind = NN_DEVICE_CPU;
  switch (self->config.device) {
    case GST_LAYOUT_DEVICE_CUDA:
      g_set_error_literal (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND, "device=cuda: this build of "
          "gst-doclayout has no CUDA backend. Use device=cpu or device=auto.");
      return FALSE;
    case GST_LAYOUT_DEVICE_AUTO:
      self->reason = "device=auto, and this build has no CUDA backend";
      return TRUE;
    case GST_LAYOUT_DEVICE_CPU:
    default:
      self->reason = "device=cpu";
      return TRUE;
  }
}

static gboolean
open_model (GstLayoutDetector * self, GError ** error)
{
  const gchar *file = self->config.model_file;
  gboolean named = file && *file;
  g_autofree gchar *path = named ? g_strdup (file)
      : gst_layout_model_default_path ();

  self->model = gst_layout_model_open (path, !named, error);
  return self->model != NULL;
}

static gboolean
open_detector (GstLayoutDetector * self, GError ** error)
{
  nn_detector_options options = gst_layout_config_options (&self->config,
      self->batch);
  nn_error reason = { 0 };

  if (!choose_device (self, &options.device, error) || !open_model (self, error))
    return FALSE;
  self->detector = nn_detector_new (self->model->model, &options, &reason);
  if (self->detector == NULL) {
    g_propagate_error (error, gst_layout_error_from_nn (&reason));
    return FALSE;
  }
  return TRUE;
}

GstLayoutDetector *
gst_layout_detector_open (const GstLayoutConfig * config,
    GError ** error)
{
  GstLayoutDetector *self = g_new0 (GstLayoutDetector, 1);

  gst_layout_config_copy (&self->config, config);
  self->batch = config->batch ? config->batch
      : MIN (g_get_num_processors (), MAX_AUTO_BATCH);
  if (!open_detector (self, error)) {
    gst_layout_detector_free (self);
    return NULL;
  }
  self->frames = g_new0 (GstVideoFrame, self->batch);
  self->inputs = g_new0 (nn_frame, self->batch);
  self->results = g_new0 (nn_detections, self->batch);
  return self;
}

gboolean
gst_layout_detector_is_for (const GstLayoutDetector * self,
    const GstLayoutConfig * config)
{
  return gst_layout_config_equal (&self->config, config);
}

void
gst_layout_detector_free (GstLayoutDetector * self)
{
  if (self == NULL)
    return;
  for (guint i = 0; self->results && i < self->batch; i++)
    nn_detections_clear (&self->results[i]);
  g_free (self->results);
  g_free (self->inputs);
  g_free (self->frames);
  if (self->detector)
    nn_detector_free (self->detector);
  gst_layout_model_unref (self->model);
  gst_layout_config_clear (&self->config);
  g_free (self);
}

guint
gst_layout_detector_batch (const GstLayoutDetector * self)
{
  return self->batch;
}

const gchar *
gst_layout_detector_device (const GstLayoutDetector * self)
{
  return nn_detector_device_name (self->detector);
}

GstStructure *
gst_layout_detector_message (const GstLayoutDetector * self)
{
  return gst_structure_new ("doclayout-device",
      "device", G_TYPE_STRING, nn_detector_device_name (self->detector),
      "reason", G_TYPE_STRING, self->reason,
      "model", G_TYPE_STRING, self->model->name,
      "model-sha256", G_TYPE_STRING, self->model->sha256, NULL);
}

gchar *
gst_layout_detector_describe (const GstLayoutDetector * self)
{
  const nn_plan *plan = nn_detector_plan (self->detector);

  return g_strdup_printf ("%s (%s): family %s, %d labels, on %s (%s), "
      "%d nodes fused to %d, "
      "%u pages at once, %" G_GSIZE_FORMAT " bytes of weights and work space",
      self->model->path, self->model->sha256,
      nn_detector_family (self->detector),
      nn_detector_n_labels (self->detector),
      nn_detector_device_name (self->detector), self->reason,
      nn_plan_nodes_before (plan), nn_plan_nodes_after (plan), self->batch,
      nn_detector_memory_bytes (self->detector));
}

static gboolean
pixel_format (GstVideoFormat format, nn_pixel_format * pixels)
{
  switch (format) {
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      *pixels = NN_PIXEL_BGRX;
      return TRUE;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA:
      *pixels = NN_PIXEL_RGBX;
      return TRUE;
    case GST_VIDEO_FORMAT_RGB:
      *pixels = NN_PIXEL_RGB;
      return TRUE;
    case GST_VIDEO_FORMAT_BGR:
      *pixels = NN_PIXEL_BGR;
      return TRUE;
    case GST_VIDEO_FORMAT_GRAY8:
      *pixels = NN_PIXEL_GRAY8;
      return TRUE;
    default:
      return FALSE;
  }
}

/* Maps the item's frame into slot `n`. */
static gboolean
map_frame (GstLayoutDetector * self, guint n, GstLayoutItem * item,
    GError ** error)
{
  GstVideoFrame *frame = &self->frames[n];
  nn_frame *input = &self->inputs[n];

  if (!gst_video_frame_map (frame, &item->info, GST_BUFFER (item->object),
          GST_MAP_READ)) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "A frame cannot be mapped for reading: it is smaller than its caps "
        "say, or in memory that the CPU cannot reach.");
    return FALSE;
  }
  input->data = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  input->stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  input->width = GST_VIDEO_FRAME_WIDTH (frame);
  input->height = GST_VIDEO_FRAME_HEIGHT (frame);
  if (!pixel_format (GST_VIDEO_FRAME_FORMAT (frame), &input->format)
      || input->stride < input->width * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        "A frame of %d×%d pixels has rows %d bytes apart, which is too few.",
        input->width, input->height, input->stride);
    gst_video_frame_unmap (frame);
    return FALSE;
  }
  return TRUE;
}

static GstDocLayout *
make_layout (GstLayoutDetector * self, guint n, gdouble ms)
{
  const nn_detections *found = &self->results[n];
  GstDocLayout *layout = gst_doc_layout_new (self->inputs[n].width,
      self->inputs[n].height);

  layout->model = g_strdup (self->model->name);
  layout->model_sha256 = g_strdup (self->model->sha256);
  layout->device = g_strdup (nn_detector_device_name (self->detector));
  layout->infer_ms = ms;
  for (gint i = 0; i < found->n; i++) {
    const nn_region *r = &found->regions[i];
    const GstDocRegion region = {
      .id = i,
      .class_id = r->class_id,
      .label = g_intern_string (nn_detector_label (self->detector,
              r->class_id)),
      .score = r->score,
      .x0 = r->x0,
      .y0 = r->y0,
      .x1 = r->x1,
      .y1 = r->y1,
    };

    g_array_append_val (layout->regions, region);
  }
  return layout;
}

/* Puts the results on the buffers, in the order in which they were mapped. Returns the regions. */
static guint
add_layouts (GstLayoutDetector * self, GArray * items, gdouble ms)
{
  guint n = 0, regions = 0;

  for (guint i = 0; i < items->len; i++) {
    GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);
    GstDocLayout *layout;
    GstBuffer *buffer;

    if (!item->look)
      continue;
    layout = make_layout (self, n++, ms);
    buffer = gst_buffer_make_writable (GST_BUFFER (item->object));
    gst_doc_layout_meta_add (buffer, layout);
    item->object = GST_MINI_OBJECT_CAST (buffer);
    regions += layout->regions->len;
    gst_doc_layout_free (layout);
  }
  return regions;
}

gboolean
gst_layout_detector_run (GstLayoutDetector * self, GArray * items,
    const nn_detector_settings * settings, GstLayoutStats * stats,
    GError ** error)
{
  guint n = 0;
  gboolean ok = TRUE;
  gdouble ms = 0.0;

  for (guint i = 0; ok && i < items->len; i++) {
    GstLayoutItem *item = &g_array_index (items, GstLayoutItem, i);

    if (item->look && (ok = map_frame (self, n, item, error)))
      n++;
  }
  if (ok) {
    gint64 start = g_get_monotonic_time ();
    nn_error reason = { 0 };

    ok = nn_detector_infer (self->detector, self->inputs, n, settings,
        self->results, &reason) == NN_OK;
    ms = (g_get_monotonic_time () - start) / 1000.0;
    if (!ok)
      g_propagate_error (error, gst_layout_error_from_nn (&reason));
  }
  for (guint i = 0; i < n; i++)
    gst_video_frame_unmap (&self->frames[i]);
  if (ok)
    gst_layout_stats_add_batch (stats, n, add_layouts (self, items, ms / n),
        ms);
  return ok;
}
