/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstunifiedallocator.h"

#define ROW_ALIGNMENT 16

struct _GstUnifiedBufferPool
{
  GstVideoBufferPool parent;
  GstAllocator *allocator;
};

/* *INDENT-OFF* */
G_DEFINE_TYPE (GstUnifiedBufferPool, gst_unified_buffer_pool,
    GST_TYPE_VIDEO_BUFFER_POOL)
/* *INDENT-ON* */

static const gchar **
gst_unified_buffer_pool_get_options (GstBufferPool * pool)
{
  static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META,
    GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT, NULL
  };
  return options;
}

/* The parent class does all the work; the configuration tells it where and how. */
static gboolean
gst_unified_buffer_pool_set_config (GstBufferPool * pool, GstStructure * config)
{
  GstUnifiedBufferPool *self = GST_UNIFIED_BUFFER_POOL (pool);
  GstAllocationParams params;

  if (!gst_buffer_pool_config_get_allocator (config, NULL, &params))
    gst_allocation_params_init (&params);
  gst_buffer_pool_config_set_allocator (config, self->allocator, &params);

  if (gst_buffer_pool_config_has_option (config,
          GST_BUFFER_POOL_OPTION_VIDEO_META)) {
    GstVideoAlignment align;

    gst_video_alignment_reset (&align);
    gst_buffer_pool_config_get_video_alignment (config, &align);
    for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
      align.stride_align[i] |= ROW_ALIGNMENT - 1;
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, &align);
  }
  return
      GST_BUFFER_POOL_CLASS (gst_unified_buffer_pool_parent_class)->set_config
      (pool, config);
}

static void
gst_unified_buffer_pool_finalize (GObject * object)
{
  gst_object_unref (GST_UNIFIED_BUFFER_POOL (object)->allocator);
  G_OBJECT_CLASS (gst_unified_buffer_pool_parent_class)->finalize (object);
}

static void
gst_unified_buffer_pool_class_init (GstUnifiedBufferPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_unified_buffer_pool_finalize;
  pool_class->get_options = gst_unified_buffer_pool_get_options;
  pool_class->set_config = gst_unified_buffer_pool_set_config;
}

static void
gst_unified_buffer_pool_init (GstUnifiedBufferPool * self)
{
}

GstBufferPool *
gst_unified_buffer_pool_new (GstAllocator * allocator)
{
  GstUnifiedBufferPool *self = g_object_new (GST_TYPE_UNIFIED_BUFFER_POOL,
      NULL);

  self->allocator = allocator ? gst_object_ref (allocator)
      : gst_unified_allocator_get ();
  return GST_BUFFER_POOL (gst_object_ref_sink (self));
}
