/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutdetector.h"

#include "gst/gstunifiedallocator.h"
#include "layoutcudamemory.h"
#include "layoutframe.h"
#include "layoutmemory.h"

/* A batch that was started: its items, and their frames while the engine may read them. */
typedef struct
{
  GArray *items;                /* the caller's */
  guint n;                      /* pages that are looked at */
  GstLayoutReading reading;
  gsize copied;                 /* bytes, for the CPU to see them in one piece */
  gsize staged;                 /* bytes, out of a GPU's memory that the engine does not read */
  gint64 started;               /* monotonic, µs; or when the one before it ended */
  GstVideoFrame *frames;        /* this and what follows: one a page */
  nn_frame *inputs;
} Flight;

struct _GstLayoutDetector
{
  GstLayoutConfig config;
  GstLayoutChoice choice;
  GstLayoutFrameMemory memory;
  GstObject *cuda_context;      /* what the engine reads of a GPU's memory is in it; NULL: nothing is */

  GstLayoutModel *model;
  nn_detector *detector;
  guint batch;
  gint failed;                  /* atomic: the device did, and another detector is needed */

  Flight *flights;              /* a ring */
  guint capacity, first, n_flights;
  gdouble page_us;              /* that a page took in the last batch */
  nn_detections *results;       /* work space, one a page */
};

/* Pixels of the blank pages that warm a detector up. */
#define BLANK_SIDE 64

static GstLayoutModel *
open_model (const GstLayoutConfig * config, GError ** error)
{
  const gchar *file = config->model_file;
  gboolean named = file && *file;
  g_autofree gchar *path = named ? g_strdup (file)
      : gst_layout_model_default_path ();

  return gst_layout_model_open (path, !named, error);
}

static gboolean
open_detector (GstLayoutDetector * self, const GstLayoutDetector * in_use,
    GError ** error)
{
  if (!gst_layout_choice_make (&self->choice, &self->config, error)
      || !(self->model = open_model (&self->config, error)))
    return FALSE;
  self->choice.stay = in_use && in_use->choice.kind == NN_DEVICE_CUDA;
  self->detector = gst_layout_choice_open (&self->choice, &self->config,
      self->model->model, error);
  if (self->detector == NULL || !gst_layout_frame_memory_choose (&self->memory,
          &self->config, self->choice.kind, error))
    return FALSE;
  if (self->choice.kind == NN_DEVICE_CUDA)
    self->cuda_context = gst_layout_cuda_context_get (self->config.cuda_device);
  return TRUE;
}

GstLayoutDetector *
gst_layout_detector_open (const GstLayoutConfig * config,
    GError ** error)
{
  return gst_layout_detector_open_beside (config, NULL, error);
}

GstLayoutDetector *
gst_layout_detector_open_beside (const GstLayoutConfig * config,
    const GstLayoutDetector * in_use, GError ** error)
{
  GstLayoutDetector *self = g_new0 (GstLayoutDetector, 1);

  gst_layout_config_copy (&self->config, config);
  if (!open_detector (self, in_use, error)) {
    gst_layout_detector_free (self);
    return NULL;
  }
  self->batch = self->choice.batch;
  self->capacity = nn_detector_in_flight (self->detector);
  self->results = g_new0 (nn_detections, self->batch);
  self->flights = g_new0 (Flight, self->capacity);
  for (guint i = 0; i < self->capacity; i++) {
    self->flights[i].frames = g_new0 (GstVideoFrame, self->batch);
    self->flights[i].inputs = g_new0 (nn_frame, self->batch);
  }
  return self;
}

gboolean
gst_layout_detector_is_for (const GstLayoutDetector * self,
    const GstLayoutConfig * config)
{
  return !g_atomic_int_get (&self->failed)
      && gst_layout_config_equal (&self->config, config);
}

gboolean
gst_layout_detector_is_fresh (const GstLayoutDetector * self)
{
  GstLayoutModel *model = open_model (&self->config, NULL);
  gboolean fresh = model == self->model;

  gst_layout_model_unref (model);
  return fresh;
}

gboolean
gst_layout_detector_warm_up (GstLayoutDetector * self, GError ** error)
{
  static const nn_detector_settings settings = {
    .threshold = -1,.iou_threshold = -1,.max_detections = 1,
  };
  g_autofree guint8 *white = g_malloc (BLANK_SIDE * BLANK_SIDE);
  g_autofree nn_frame *frames = g_new (nn_frame, self->batch);
  nn_error reason = { 0 };

  memset (white, 255, BLANK_SIDE * BLANK_SIDE);
  for (guint i = 0; i < self->batch; i++)
    frames[i] = (nn_frame) {
    white, BLANK_SIDE, BLANK_SIDE, BLANK_SIDE, NN_PIXEL_GRAY8};
  if (nn_detector_infer (self->detector, frames, self->batch, &settings,
          self->results, &reason) == NN_OK)
    return TRUE;
  g_propagate_error (error, gst_layout_error_from_nn (&reason));
  return FALSE;
}

/* Frames that are kept for nobody any more; others' detectors lose some time. */
static void
trim_frames (void)
{
  g_autoptr (GstAllocator) allocator = gst_unified_allocator_get ();

  gst_unified_allocator_trim (GST_UNIFIED_ALLOCATOR (allocator));
}

void
gst_layout_detector_free (GstLayoutDetector * self)
{
  if (self == NULL)
    return;
  gst_layout_detector_drop (self);
  for (guint i = 0; i < self->batch; i++)
    nn_detections_clear (&self->results[i]);
  for (guint i = 0; i < self->capacity; i++) {
    g_free (self->flights[i].inputs);
    g_free (self->flights[i].frames);
  }
  g_free (self->flights);
  g_free (self->results);
  nn_detector_free (self->detector);
  gst_clear_object (&self->cuda_context);
  if (self->memory.path == NN_MEMORY_REGISTERED)
    trim_frames ();
  gst_layout_model_unref (self->model);
  gst_layout_choice_clear (&self->choice);
  gst_layout_config_clear (&self->config);
  g_free (self);
}

guint
gst_layout_detector_batch (const GstLayoutDetector * self)
{
  return self->batch;
}

const GstLayoutConfig *
gst_layout_detector_config (const GstLayoutDetector * self)
{
  return &self->config;
}

const GstLayoutModel *
gst_layout_detector_model (const GstLayoutDetector * self)
{
  return self->model;
}

gsize
gst_layout_detector_memory (const GstLayoutDetector * self)
{
  return nn_detector_memory_bytes (self->detector);
}

const gchar *
gst_layout_detector_device (const GstLayoutDetector * self)
{
  return nn_detector_device_name (self->detector);
}

const gchar *
gst_layout_detector_memory_path (const GstLayoutDetector * self)
{
  return nn_memory_path_name (self->memory.path);
}

GstObject *
gst_layout_detector_get_cuda_context (const GstLayoutDetector * self)
{
  return self->cuda_context ? gst_object_ref (self->cuda_context) : NULL;
}

GstBufferPool *
gst_layout_detector_pool_new (const GstLayoutDetector * self,
    const GstCaps * caps)
{
  if (gst_layout_cuda_caps_have_feature (caps))
    return gst_layout_cuda_pool_new (self->cuda_context);
  return gst_layout_frame_memory_pool_new (&self->memory);
}

GstStructure *
gst_layout_detector_message (const GstLayoutDetector * self)
{
  return gst_structure_new ("doclayout-device",
      "device", G_TYPE_STRING, nn_detector_device_name (self->detector),
      "precision", G_TYPE_STRING,
      nn_precision_name (nn_detector_precision (self->detector)),
      "memory-path", G_TYPE_STRING, nn_memory_path_name (self->memory.path),
      "reason", G_TYPE_STRING, self->choice.reason,
      "model", G_TYPE_STRING, self->model->name,
      "model-sha256", G_TYPE_STRING, self->model->sha256, NULL);
}

GstStructure *
gst_layout_detector_update_message (const GstLayoutDetector * self)
{
  return gst_structure_new ("model-updated",
      "model", G_TYPE_STRING, self->model->name,
      "model-sha256", G_TYPE_STRING, self->model->sha256,
      "device", G_TYPE_STRING, nn_detector_device_name (self->detector), NULL);
}

const GError *
gst_layout_detector_warning (const GstLayoutDetector * self)
{
  return self->choice.warning;
}

gchar *
gst_layout_detector_describe (const GstLayoutDetector * self)
{
  const nn_plan *plan = nn_detector_plan (self->detector);

  return g_strdup_printf ("%s (%s): family %s, %d labels, on %s in %s (%s), "
      "%d nodes fused to %d, "
      "%u pages at once, %d a run, %" G_GSIZE_FORMAT " bytes of weights and "
      "work space, frames by path \"%s\"", self->model->path, self->model->sha256,
      nn_detector_family (self->detector),
      nn_detector_n_labels (self->detector),
      nn_detector_device_name (self->detector),
      nn_precision_name (nn_detector_precision (self->detector)),
      self->choice.reason,
      nn_plan_nodes_before (plan), nn_plan_nodes_after (plan), self->batch,
      nn_detector_pages_a_run (self->detector),
      nn_detector_memory_bytes (self->detector),
      nn_memory_path_name (self->memory.path));
}

/* Maps the item's frame, as the next page. */
static gboolean
map_frame (GstLayoutDetector * self, Flight * flight, GstLayoutItem * item,
    GError ** error)
{
  GstVideoFrame *frame = &flight->frames[flight->n];
  nn_frame *input = &flight->inputs[flight->n];
  gsize staged;

  if (!gst_layout_cuda_map (frame, &item->info, GST_BUFFER (item->object),
          self->cuda_context, &staged)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ,
        "The frame at %" GST_TIME_FORMAT " cannot be mapped for reading: its %"
        G_GSIZE_FORMAT " bytes are fewer than its caps say (%" G_GSIZE_FORMAT
        "), or in memory that the CPU cannot reach.",
        GST_TIME_ARGS (GST_BUFFER_PTS (GST_BUFFER (item->object))),
        gst_buffer_get_size (GST_BUFFER (item->object)),
        GST_VIDEO_INFO_SIZE (&item->info));
    return FALSE;
  }
  gst_layout_frame_memory_attach (&self->memory, GST_BUFFER (item->object));
  flight->staged += staged;
  flight->copied += gst_layout_frame_memory_copies (GST_BUFFER (item->object));
  if (!gst_layout_frame_describe (frame, input, error)) {
    gst_video_frame_unmap (frame);
    return FALSE;
  }
  flight->n++;
  return TRUE;
}

static gboolean
map_frames (GstLayoutDetector * self, Flight * flight, GError ** error)
{
  flight->copied = flight->staged = 0;
  for (guint i = 0; i < flight->items->len; i++) {
    GstLayoutItem *item = &g_array_index (flight->items, GstLayoutItem, i);

    if (item->look && !map_frame (self, flight, item, error))
      return FALSE;
  }
  return TRUE;
}

static void
unmap_frames (Flight * flight)
{
  while (flight->n > 0)
    gst_video_frame_unmap (&flight->frames[--flight->n]);
}

/* Puts the results on the buffers, in the order in which they were mapped. Returns the regions. */
static guint
add_layouts (GstLayoutDetector * self, const Flight * flight, gdouble ms)
{
  guint n = 0, regions = 0;

  for (guint i = 0; i < flight->items->len; i++) {
    GstLayoutItem *item = &g_array_index (flight->items, GstLayoutItem, i);
    GstDocLayout *layout;
    GstBuffer *buffer;

    if (!item->look)
      continue;
    buffer = gst_buffer_make_writable (GST_BUFFER (item->object));
    layout = gst_layout_result_new (self->detector, self->model,
        &flight->inputs[n], &self->results[n], ms, buffer, &flight->reading);
    n++;
    gst_doc_layout_meta_add (buffer, layout);
    item->object = GST_MINI_OBJECT_CAST (buffer);
    regions += layout->regions->len;
    gst_doc_layout_free (layout);
  }
  return regions;
}

guint
gst_layout_detector_capacity (const GstLayoutDetector * self)
{
  return self->capacity;
}

guint
gst_layout_detector_in_flight (const GstLayoutDetector * self)
{
  return self->n_flights;
}

gint64
gst_layout_detector_may_wait (const GstLayoutDetector * self)
{
  const Flight *flight = &self->flights[self->first];

  if (self->n_flights == 0)
    return G_MAXINT64;
  return flight->started + (gint64) (self->page_us * flight->n / 2);
}

void
gst_layout_detector_drop (GstLayoutDetector * self)
{
  if (self->n_flights > 0)
    nn_detector_drop (self->detector);
  for (; self->n_flights > 0; self->n_flights--) {
    unmap_frames (&self->flights[self->first]);
    self->first = (self->first + 1) % self->capacity;
  }
}

/* Always FALSE. The engine has nothing in flight any more. */
static gboolean
fail (GstLayoutDetector * self, const nn_error * reason, GError ** error)
{
  g_atomic_int_set (&self->failed, TRUE);
  gst_layout_detector_drop (self);
  g_propagate_error (error, gst_layout_error_from_nn (reason));
  return FALSE;
}

gboolean
gst_layout_detector_start (GstLayoutDetector * self, GArray * items,
    const nn_detector_settings * settings, const GstLayoutReading * reading,
    GError ** error)
{
  Flight *flight = &self->flights[(self->first + self->n_flights)
      % self->capacity];
  nn_error reason = { 0 };

  flight->items = items;
  flight->reading = *reading;
  if (!map_frames (self, flight, error)) {
    unmap_frames (flight);
    return FALSE;
  }
  self->n_flights++;
  flight->started = g_get_monotonic_time ();
  if (nn_detector_start (self->detector, flight->inputs, flight->n, settings,
          &reason) != NN_OK)
    return fail (self, &reason, error);
  return TRUE;
}

/* Where the engine tells no time of its own, it is at work while its results are waited for. */
static GstLayoutBatch
measure (const GstLayoutDetector * self, const Flight * flight, gint64 waited,
    gint64 end)
{
  gdouble seconds = nn_detector_device_seconds (self->detector);
  GstLayoutBatch batch = {
    .pages = flight->n,
    .size = self->batch,
    .started = flight->started,
    .ended = end,
    .device_seconds = seconds > 0 ? seconds : waited / 1e6,
    .waited_ms = waited / 1000.0,
    .copied = flight->copied,
    .staged = flight->staged + nn_detector_staged_bytes (self->detector),
  };

  /* A GPU may have been at it before it was waited for. */
  batch.ms = MAX (batch.waited_ms, seconds * 1000.0);
  return batch;
}

gboolean
gst_layout_detector_finish (GstLayoutDetector * self, GstLayoutStats * stats,
    GError ** error)
{
  Flight *flight = &self->flights[self->first];
  gint64 start = g_get_monotonic_time (), end;
  nn_error reason = { 0 };
  GstLayoutBatch batch;

  if (nn_detector_finish (self->detector, self->results, &reason) != NN_OK)
    return fail (self, &reason, error);
  end = g_get_monotonic_time ();
  batch = measure (self, flight, end - start, end);
  self->page_us = batch.ms * 1000.0 / batch.pages;
  unmap_frames (flight);
  self->first = (self->first + 1) % self->capacity;
  self->flights[self->first].started = end;
  self->n_flights--;
  batch.regions = add_layouts (self, flight, batch.ms / batch.pages);
  gst_layout_stats_add_batch (stats, &batch);
  gst_layout_stats_set_memory (stats, gst_layout_detector_memory (self),
      gst_layout_detector_memory_path (self));
  return TRUE;
}
