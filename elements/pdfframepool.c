/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfframepool.h"

#include "gst/gstunifiedallocator.h"

/* Frames that lay idle all the while until so many were given out are freed. */
#define PERIOD 256

struct _GstPdfFramePool
{
  GstBufferPool parent;
  GMutex lock;                  /* of what follows */
  GQueue idle;                  /* of GstBuffer, the one that came back last at its tail */
  guint given, least_idle;      /* in this period: frames given out, and the fewest that were left */
};

/* *INDENT-OFF* */
G_DEFINE_TYPE (GstPdfFramePool, gst_pdf_frame_pool, GST_TYPE_BUFFER_POOL)
/* *INDENT-ON* */

/* Takes the frames out that the period has shown not to be needed; under the lock. */
static void
end_period (GstPdfFramePool * self, GQueue * unneeded)
{
  for (; self->least_idle > 0; self->least_idle--)
    g_queue_push_tail (unneeded, g_queue_pop_head (&self->idle));
  self->given = 0;
  self->least_idle = G_MAXUINT;
}

static GstFlowReturn
gst_pdf_frame_pool_acquire_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * params)
{
  GstPdfFramePool *self = GST_PDF_FRAME_POOL (pool);
  GQueue unneeded = G_QUEUE_INIT;
  GstFlowReturn result;

  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    return GST_FLOW_FLUSHING;
  g_mutex_lock (&self->lock);
  *buffer = g_queue_pop_tail (&self->idle);
  self->least_idle = MIN (self->least_idle, self->idle.length);
  if (++self->given == PERIOD)
    end_period (self, &unneeded);
  g_mutex_unlock (&self->lock);
  g_queue_clear_full (&unneeded, (GDestroyNotify) gst_buffer_unref);
  if (*buffer)
    return GST_FLOW_OK;
  result = GST_BUFFER_POOL_GET_CLASS (pool)->alloc_buffer (pool, buffer,
      params);
  if (result == GST_FLOW_OK)
    GST_BUFFER_FLAG_UNSET (*buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return result;
}

/* A frame whose memory was replaced, or is still held by someone, is not what it was. */
static void
gst_pdf_frame_pool_release_buffer (GstBufferPool * pool, GstBuffer * buffer)
{
  GstPdfFramePool *self = GST_PDF_FRAME_POOL (pool);

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_TAG_MEMORY)
      || !gst_buffer_is_all_memory_writable (buffer)) {
    gst_buffer_unref (buffer);
    return;
  }
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->idle, buffer);
  g_mutex_unlock (&self->lock);
}

static gboolean
gst_pdf_frame_pool_stop (GstBufferPool * pool)
{
  GstPdfFramePool *self = GST_PDF_FRAME_POOL (pool);

  g_mutex_lock (&self->lock);
  g_queue_clear_full (&self->idle, (GDestroyNotify) gst_buffer_unref);
  g_mutex_unlock (&self->lock);
  return
      GST_BUFFER_POOL_CLASS (gst_pdf_frame_pool_parent_class)->stop (pool);
}

static void
gst_pdf_frame_pool_finalize (GObject * object)
{
  G_OBJECT_CLASS (gst_pdf_frame_pool_parent_class)->finalize (object);
  g_mutex_clear (&GST_PDF_FRAME_POOL (object)->lock);
}

static void
gst_pdf_frame_pool_class_init (GstPdfFramePoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_pdf_frame_pool_finalize;
  pool_class->acquire_buffer = gst_pdf_frame_pool_acquire_buffer;
  pool_class->release_buffer = gst_pdf_frame_pool_release_buffer;
  pool_class->stop = gst_pdf_frame_pool_stop;
}

static void
gst_pdf_frame_pool_init (GstPdfFramePool * self)
{
  g_mutex_init (&self->lock);
  g_queue_init (&self->idle);
  self->least_idle = G_MAXUINT;
}

GstBufferPool *
gst_pdf_frame_pool_new (gsize size)
{
  GstBufferPool *pool =
      gst_object_ref_sink (g_object_new (GST_TYPE_PDF_FRAME_POOL, NULL));
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstAllocator *allocator = gst_unified_allocator_get ();

  gst_buffer_pool_config_set_params (config, NULL, (guint) size, 0, 0);
  gst_buffer_pool_config_set_allocator (config, allocator, NULL);
  gst_object_unref (allocator);
  if (!gst_buffer_pool_set_config (pool, config)
      || !gst_buffer_pool_set_active (pool, TRUE))
    gst_clear_object (&pool);
  return pool;
}
