/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutcudamemory.h"

#include <gmodule.h>

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

GST_DEBUG_CATEGORY_EXTERN (gst_cuda_layout_detect_debug);
#define GST_CAT_DEFAULT gst_cuda_layout_detect_debug

/* First, for who asks for them is near the GPU. Not GRAY8: before 1.26, libgstcuda aborts where it is to allocate
 * that. */
const gchar gst_layout_cuda_caps[] =
GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY,
    "{ BGRx, BGRA, RGBx, RGBA, RGB, BGR }") ";" GST_LAYOUT_FRAME_CAPS;

/* ------------------------------------------------------------------ the context */

/* What libgstcuda does not hand on of the driver. */
static CUresult (CUDAAPI * primary_retain) (CUcontext * context,
    CUdevice device);
static CUresult (CUDAAPI * primary_release) (CUdevice device);

static gboolean
find_primary_functions (void)
{
  GModule *driver = g_module_open ("libcuda.so.1", G_MODULE_BIND_LAZY
      | G_MODULE_BIND_LOCAL);

  return driver
      && g_module_symbol (driver, "cuDevicePrimaryCtxRetain",
      (gpointer *) & primary_retain)
      && g_module_symbol (driver, "cuDevicePrimaryCtxRelease_v2",
      (gpointer *) & primary_release);
}

/* Once a process; the driver stays loaded. */
static gboolean
load_driver (void)
{
  enum { NO = 1, YES };
  static gsize loaded;

  if (g_once_init_enter (&loaded)) {
    gboolean good = gst_cuda_load_library () && find_primary_functions ()
        && CuInit (0) == CUDA_SUCCESS;

    if (good)
      gst_cuda_memory_init_once ();
    else
      GST_INFO ("no driver for frames in a GPU's memory");
    g_once_init_leave (&loaded, good ? YES : NO);
  }
  return loaded == YES;
}

/* `data`: the device + 1, for NULL would be no data. */
static void
release_primary (gpointer data)
{
  primary_release (GPOINTER_TO_INT (data) - 1);
}

static GstObject *
wrap_primary (gint index)
{
  GstCudaContext *context;
  CUdevice device;
  CUcontext handle;

  if (CuDeviceGet (&device, index) != CUDA_SUCCESS
      || primary_retain (&handle, device) != CUDA_SUCCESS) {
    GST_WARNING ("GPU %d gives no context for frames in its memory", index);
    return NULL;
  }
  context = gst_cuda_context_new_wrapped (handle, device);
  if (context == NULL) {
    primary_release (device);
    return NULL;
  }
  /* Memory in it may outlive the element, and holds it. */
  g_object_set_data_full (G_OBJECT (context), "gst-layout-primary",
      GINT_TO_POINTER (device + 1), release_primary);
  return GST_OBJECT (context);
}

GstObject *
gst_layout_cuda_context_get (gint device)
{
  static GMutex lock;
  static GHashTable *contexts;  /* of GWeakRef, by device */
  GstObject *context;
  GWeakRef *known;

  if (!load_driver ())
    return NULL;
  g_mutex_lock (&lock);
  if (contexts == NULL)
    contexts = g_hash_table_new (NULL, NULL);
  known = g_hash_table_lookup (contexts, GINT_TO_POINTER (device));
  if (known == NULL) {
    known = g_new0 (GWeakRef, 1);
    g_hash_table_insert (contexts, GINT_TO_POINTER (device), known);
  }
  context = g_weak_ref_get (known);
  if (context == NULL) {
    context = wrap_primary (device);
    g_weak_ref_set (known, context);
  }
  g_mutex_unlock (&lock);
  return context;
}

gboolean
gst_layout_cuda_answer (GstElement * element, GstQuery * query,
    GstObject * context, gint device)
{
  const gchar *type;
  gboolean answered;

  gst_query_parse_context_type (query, &type);
  if (g_strcmp0 (type, GST_CUDA_CONTEXT_TYPE) != 0)
    return FALSE;
  if (context)
    gst_object_ref (context);
  else if (device >= 0)
    context = gst_layout_cuda_context_get (device);
  if (context == NULL)
    return FALSE;
  answered = gst_cuda_handle_context_query (element, query,
      GST_CUDA_CONTEXT (context));
  gst_object_unref (context);
  return answered;
}

void
gst_layout_cuda_tell (GstElement * element, GstObject * context)
{
  if (context)
    gst_element_post_message (element,
        gst_message_new_have_context (GST_OBJECT (element),
            gst_context_new_cuda_context (GST_CUDA_CONTEXT (context))));
}

/* ------------------------------------------------------------------ frames */

gboolean
gst_layout_cuda_caps_have_feature (const GstCaps * caps)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, 0),
      GST_CAPS_FEATURE_MEMORY_CUDA_MEMORY);
}

GstBufferPool *
gst_layout_cuda_pool_new (GstObject * context)
{
  return context ? gst_cuda_buffer_pool_new (GST_CUDA_CONTEXT (context)) : NULL;
}

/* By the driver's handle: several objects may stand for one context. */
static gboolean
is_in (GstMemory * memory, GstObject * context)
{
  return context
      && gst_cuda_context_get_handle (GST_CUDA_MEMORY_CAST (memory)->context)
      == gst_cuda_context_get_handle (GST_CUDA_CONTEXT (context));
}

/* Before 1.24 whoever wrote it has waited itself. */
static void
wait_for_writer (GstMemory * memory)
{
#if GST_CHECK_VERSION (1, 24, 0)
  gst_cuda_memory_sync (GST_CUDA_MEMORY_CAST (memory));
#endif
}

gboolean
gst_layout_cuda_map (GstVideoFrame * frame, const GstVideoInfo * info,
    GstBuffer * buffer, GstObject * context, gsize * copied)
{
  GstMemory *memory = NULL;
  gboolean there;

  *copied = 0;
  /* Several memories become one by a copy through the CPU. */
  if (gst_buffer_n_memory (buffer) == 1
      && gst_is_cuda_memory (gst_buffer_peek_memory (buffer, 0)))
    memory = gst_buffer_peek_memory (buffer, 0);
  there = memory && is_in (memory, context);
  if (!gst_video_frame_map (frame, info, buffer,
          there ? GST_MAP_READ | GST_MAP_CUDA : GST_MAP_READ))
    return FALSE;
  if (there)
    wait_for_writer (memory);
  else if (memory)
    *copied = memory->size;
  return TRUE;
}
