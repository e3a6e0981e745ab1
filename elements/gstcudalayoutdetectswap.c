/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect's next model: a thread of its own loads it while the task goes on with the one in use, and the task
 * takes it between two batches. What is set while a model is loaded counts for the next one, which is loaded when this
 * one is there, and dropped. */
#include "gstcudalayoutdetectpads.h"

#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

/* ------------------------------------------------------------------ what becomes of a load */

/* The property names the model in use; under the object lock. */
static void
take_back (GstCudaLayoutDetect * self)
{
  g_free (self->config.model_file);
  self->config.model_file =
      g_strdup (gst_layout_detector_config (self->detector)->model_file);
  self->swap.wanted = FALSE;
}

/* Tells what became of the model that was named. Takes `error`. */
static void
refuse (GstCudaLayoutDetect * self, GError * error)
{
  GST_WARNING_OBJECT (self, "%s", error->message);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_WARNING,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  g_error_free (error);
  g_object_notify (G_OBJECT (self), "model-file");
}

/* Gives the task what was loaded, or takes the property back, unless it was set again or the element stops. Takes both. */
static void
end_load (GstCudaLayoutDetect * self, GstLayoutDetector * next, GError * error)
{
  GstLayoutSwap *swap = &self->swap;
  gboolean given = FALSE;

  GST_OBJECT_LOCK (self);
  if (!swap->open || swap->wanted) {
    g_clear_error (&error);
  } else if (next) {
    swap->ready = next;
    given = TRUE;
  } else if (error) {
    g_prefix_error (&error, "The model \"%s\" stays in use, because the new "
        "one cannot be loaded: ",
        gst_layout_detector_model (self->detector)->path);
    take_back (self);
  }
  GST_OBJECT_UNLOCK (self);
  if (given)
    gst_layout_queue_interrupt (self->queue);
  else
    gst_layout_detector_free (next);
  if (error)
    refuse (self, error);
}

/* ------------------------------------------------------------------ the thread */

/* NULL without `error`: it is the model in use, and nobody changed its file. */
static GstLayoutDetector *
load (const GstLayoutConfig * config, const GstLayoutDetector * in_use,
    GError ** error)
{
  GstLayoutDetector *next;

  if (gst_layout_detector_is_for (in_use, config)
      && gst_layout_detector_is_fresh (in_use))
    return NULL;
  next = gst_layout_detector_open_beside (config, in_use, error);
  if (next && !gst_layout_detector_warm_up (next, error))
    g_clear_pointer (&next, gst_layout_detector_free);
  return next;
}

/* Loads what is named now, in the place of what the task has not taken; the lock is released meanwhile. The detector in use
 * stays until the task is given another. */
static void
load_wanted (GstCudaLayoutDetect * self)
{
  GstLayoutDetector *stale = g_steal_pointer (&self->swap.ready), *next;
  const GstLayoutDetector *in_use = self->detector;
  GstLayoutConfig config;
  GError *error = NULL;

  gst_layout_config_copy (&config, &self->config);
  self->swap.wanted = FALSE;
  GST_OBJECT_UNLOCK (self);
  gst_layout_detector_free (stale);     /* a GPU may have no room for three */
  next = load (&config, in_use, &error);
  gst_layout_config_clear (&config);
  end_load (self, next, error);
  GST_OBJECT_LOCK (self);
}

static gpointer
load_models (gpointer data)
{
  GstCudaLayoutDetect *self = data;
  GstLayoutSwap *swap = &self->swap;

  GST_OBJECT_LOCK (self);
  while (swap->open) {
    if (swap->old) {
      GstLayoutDetector *old = g_steal_pointer (&swap->old);

      GST_OBJECT_UNLOCK (self);
      gst_layout_detector_free (old);
      GST_OBJECT_LOCK (self);
    } else if (swap->wanted) {
      load_wanted (self);
    } else {
      g_cond_wait (&swap->changed, GST_OBJECT_GET_LOCK (self));
    }
  }
  GST_OBJECT_UNLOCK (self);
  return NULL;
}

void
gst_cuda_layout_detect_load_model (GstCudaLayoutDetect * self)
{
  GstLayoutSwap *swap = &self->swap;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  if (swap->open && swap->wanted && swap->thread == NULL)
    swap->thread = g_thread_try_new ("layout-model", load_models, self, &error);
  if (error)
    take_back (self);
  g_cond_broadcast (&swap->changed);
  GST_OBJECT_UNLOCK (self);
  if (error)
    refuse (self, error);
}

void
gst_cuda_layout_detect_open_swap (GstCudaLayoutDetect * self)
{
  GST_OBJECT_LOCK (self);
  self->swap.open = TRUE;
  /* Set while the first one was loaded. */
  self->swap.wanted = !gst_layout_detector_is_for (self->detector,
      &self->config);
  GST_OBJECT_UNLOCK (self);
  gst_cuda_layout_detect_load_model (self);
}

void
gst_cuda_layout_detect_close_swap (GstCudaLayoutDetect * self)
{
  GST_OBJECT_LOCK (self);
  self->swap.open = FALSE;
  g_cond_broadcast (&self->swap.changed);
  GST_OBJECT_UNLOCK (self);
}

void
gst_cuda_layout_detect_end_swap (GstCudaLayoutDetect * self)
{
  GstLayoutSwap *swap = &self->swap;

  if (swap->thread)
    g_thread_join (g_steal_pointer (&swap->thread));
  g_clear_pointer (&swap->ready, gst_layout_detector_free);
  g_clear_pointer (&swap->old, gst_layout_detector_free);
}

/* ------------------------------------------------------------------ the task */

/* Another number of pages is worked on at once, maybe elsewhere. Upstream asks again how many frames are held here, and in
 * which memory. */
static void
resize (GstCudaLayoutDetect * self, gboolean live)
{
  gst_layout_queue_set_capacity (self->queue,
      gst_layout_detector_batch (self->detector));
  gst_pad_push_event (self->sinkpad, gst_event_new_reconfigure ());
  if (live)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

static void
tell_update (GstCudaLayoutDetect * self)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          gst_layout_detector_update_message (self->detector)));
  gst_cuda_layout_detect_tell_device (self);
}

void
gst_cuda_layout_detect_swap_model (GstCudaLayoutDetect * self)
{
  GstLayoutSwap *swap = &self->swap;
  GstLayoutDetector *next = NULL, *old = self->detector;
  gboolean resized = FALSE, moved = FALSE, live;

  if (!g_queue_is_empty (&self->flight))
    return;
  GST_OBJECT_LOCK (self);
  next = g_steal_pointer (&swap->ready);
  if (next) {
    moved = strcmp (gst_layout_detector_device (old),
        gst_layout_detector_device (next)) != 0;
    resized = moved || gst_layout_detector_batch (old)
        != gst_layout_detector_batch (next)
        || gst_layout_detector_capacity (old)
        != gst_layout_detector_capacity (next);
    self->detector = next;
    swap->old = old;
    g_cond_broadcast (&swap->changed);
  }
  live = self->live;
  GST_OBJECT_UNLOCK (self);
  if (resized)
    resize (self, live);
  if (next)
    tell_update (self);
  if (moved) {
    g_object_notify (G_OBJECT (self), "device-used");
    g_object_notify (G_OBJECT (self), "memory-path");
  }
}
