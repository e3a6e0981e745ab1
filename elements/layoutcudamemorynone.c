/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutcudamemory.h"

const gchar gst_layout_cuda_caps[] = GST_LAYOUT_FRAME_CAPS;

GstObject *
gst_layout_cuda_context_get (gint device)
{
  return NULL;
}

gboolean
gst_layout_cuda_answer (GstElement * element, GstQuery * query,
    GstObject * context, gint device)
{
  return FALSE;
}

void
gst_layout_cuda_tell (GstElement * element, GstObject * context)
{
}

gboolean
gst_layout_cuda_caps_have_feature (const GstCaps * caps)
{
  return FALSE;
}

GstBufferPool *
gst_layout_cuda_pool_new (GstObject * context)
{
  return NULL;
}

gboolean
gst_layout_cuda_map (GstVideoFrame * frame, const GstVideoInfo * info,
    GstBuffer * buffer, GstObject * context, gsize * copied)
{
  *copied = 0;
  return gst_video_frame_map (frame, info, buffer, GST_MAP_READ);
}
