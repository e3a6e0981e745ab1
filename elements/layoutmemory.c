/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutmemory.h"

#include "gst/gstunifiedallocator.h"
#include "layoutmodel.h"

GST_DEBUG_CATEGORY_EXTERN (gst_cuda_layout_detect_debug);
#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

/* ------------------------------------------------------------------ memory of the device's driver */

/* *INDENT-OFF* */
#define GST_TYPE_LAYOUT_DRIVER_ALLOCATOR \
    (gst_layout_driver_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstLayoutDriverAllocator, gst_layout_driver_allocator,
    GST, LAYOUT_DRIVER_ALLOCATOR, GstAllocator)
/* *INDENT-ON* */

#define ALIGNMENT 256           /* that nn_memory_alloc() gives */

struct _GstLayoutDriverAllocator
{
  GstAllocator parent;
  nn_memory_kind kind;
  gint device;
};

typedef struct
{
  GstMemory parent;
  gpointer data;
} DriverMemory;

/* *INDENT-OFF* */
G_DEFINE_TYPE (GstLayoutDriverAllocator, gst_layout_driver_allocator,
    GST_TYPE_ALLOCATOR)
/* *INDENT-ON* */

static GstMemory *
gst_layout_driver_allocator_alloc (GstAllocator * allocator, gsize size,
    GstAllocationParams * params)
{
  GstLayoutDriverAllocator *self = GST_LAYOUT_DRIVER_ALLOCATOR (allocator);
  gsize align = params->align | gst_memory_alignment;
  gsize maxsize = params->prefix + size + params->padding;
  nn_error reason = { 0 };
  DriverMemory *memory;
  gpointer data;

  if (align >= ALIGNMENT || nn_memory_alloc (self->device, self->kind,
          MAX (maxsize, 1), &data, &reason) != NN_OK) {
    GST_ERROR_OBJECT (self, "%" G_GSIZE_FORMAT " bytes, aligned to %"
        G_GSIZE_FORMAT ": %s", maxsize, align + 1, reason.message);
    return NULL;
  }
  memset (data, 0, params->prefix);
  memset ((guint8 *) data + params->prefix + size, 0, params->padding);
  memory = g_new0 (DriverMemory, 1);
  gst_memory_init (GST_MEMORY_CAST (memory),
      params->flags | GST_MEMORY_FLAG_NO_SHARE, allocator, NULL, maxsize, align,
      params->prefix, size);
  memory->data = data;
  return GST_MEMORY_CAST (memory);
}

static void
gst_layout_driver_allocator_free (GstAllocator * allocator, GstMemory * memory)
{
  GstLayoutDriverAllocator *self = GST_LAYOUT_DRIVER_ALLOCATOR (allocator);

  nn_memory_free (self->device, self->kind, ((DriverMemory *) memory)->data);
  g_free (memory);
}

static gpointer
driver_memory_map (GstMemory * memory, gsize maxsize, GstMapFlags flags)
{
  return ((DriverMemory *) memory)->data;
}

static void
driver_memory_unmap (GstMemory * memory)
{
}

static void
gst_layout_driver_allocator_class_init (GstLayoutDriverAllocatorClass * klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  allocator_class->alloc = gst_layout_driver_allocator_alloc;
  allocator_class->free = gst_layout_driver_allocator_free;
}

static void
gst_layout_driver_allocator_init (GstLayoutDriverAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = "GstLayoutDriverMemory";
  allocator->mem_map = driver_memory_map;
  allocator->mem_unmap = driver_memory_unmap;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static GstAllocator *
driver_allocator_new (nn_memory_kind kind, gint device)
{
  GstLayoutDriverAllocator *self =
      g_object_new (GST_TYPE_LAYOUT_DRIVER_ALLOCATOR, NULL);

  self->kind = kind;
  self->device = device;
  return GST_ALLOCATOR (gst_object_ref_sink (self));
}

/* ------------------------------------------------------------------ unified memory */

static gboolean
attach (gpointer data, gsize size, gint device)
{
  nn_error reason = { 0 };

  if (nn_memory_register (device, data, size, &reason) == NN_OK)
    return TRUE;
  GST_WARNING ("a frame is copied to the GPU, since its memory cannot be "
      "registered: %s", reason.message);
  return FALSE;
}

static void
detach (gpointer data, gint device)
{
  nn_memory_unregister (device, data);
}

static const GstUnifiedDevice unified_device = { attach, detach };

/* ------------------------------------------------------------------ for a detector */

/* What the device's driver says when it is asked for some. */
static gboolean
has_managed (gint device, GError ** error)
{
  nn_error reason = { 0 };
  gpointer data;

  if (nn_memory_alloc (device, NN_MEMORY_MANAGED, 1, &data, &reason) == NN_OK) {
    nn_memory_free (device, NN_MEMORY_MANAGED, data);
    return TRUE;
  }
  g_propagate_error (error, gst_layout_error_from_nn (&reason));
  g_prefix_error (error, "memory=managed: ");
  return FALSE;
}

gboolean
gst_layout_frame_memory_choose (GstLayoutFrameMemory * memory,
    const GstLayoutConfig * config, nn_device_kind device, GError ** error)
{
  *memory = (GstLayoutFrameMemory) {
    nn_memory_path_of (device, config->cuda_device), config->cuda_device,
    config->memory,
  };
  if (memory->path == NN_MEMORY_CPU)
    memory->kind = GST_LAYOUT_MEMORY_SHARED;
  else if (memory->kind == GST_LAYOUT_MEMORY_AUTO)
    memory->kind = memory->path == NN_MEMORY_STAGED
        ? GST_LAYOUT_MEMORY_PINNED : GST_LAYOUT_MEMORY_SHARED;
  return memory->kind != GST_LAYOUT_MEMORY_MANAGED
      || has_managed (memory->device, error);
}

void
gst_layout_frame_memory_attach (const GstLayoutFrameMemory * memory,
    GstBuffer * frame)
{
  if (memory->path != NN_MEMORY_REGISTERED)
    return;
  for (guint i = 0; i < gst_buffer_n_memory (frame); i++)
    gst_unified_memory_attach (gst_buffer_peek_memory (frame, i),
        &unified_device, memory->device);
}

gsize
gst_layout_frame_memory_copies (GstBuffer * frame)
{
  return gst_buffer_n_memory (frame) > 1 ? gst_buffer_get_size (frame) : 0;
}

GstBufferPool *
gst_layout_frame_memory_pool_new (const GstLayoutFrameMemory * memory)
{
  GstAllocator *allocator = NULL;
  GstBufferPool *pool;

  if (memory->kind != GST_LAYOUT_MEMORY_SHARED)
    allocator = driver_allocator_new (memory->kind == GST_LAYOUT_MEMORY_MANAGED
        ? NN_MEMORY_MANAGED : NN_MEMORY_PINNED, memory->device);
  pool = gst_unified_buffer_pool_new (allocator);
  gst_clear_object (&allocator);
  return pool;
}
