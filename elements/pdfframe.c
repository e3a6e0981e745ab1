/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfframe.h"

#include "gst/gstunifiedallocator.h"

#define BYTES_PER_PIXEL 4

GstBuffer *
gst_pdf_frame_new_white (const GstPdfGeometry * geometry)
{
  GstAllocator *allocator = gst_unified_allocator_get ();
  gsize size = gst_pdf_geometry_size (geometry);
  GstBuffer *frame = gst_buffer_new_allocate (allocator, size, NULL);

  gst_object_unref (allocator);
  if (frame)
    gst_buffer_memset (frame, 0, 0xff, size);
  return frame;
}

/* Without padding at the ends of rows. */
static GstBuffer *
pack (GstBuffer * frame, const GstPdfGeometry * geometry)
{
  gsize row = (gsize) geometry->width * BYTES_PER_PIXEL;
  GstBuffer *packed =
      gst_buffer_new_allocate (NULL, row * geometry->height, NULL);
  GstMapInfo from, to;
  gboolean copied = FALSE;

  if (packed && gst_buffer_map (frame, &from, GST_MAP_READ)) {
    if (gst_buffer_map (packed, &to, GST_MAP_WRITE)) {
      for (guint y = 0; y < geometry->height; y++)
        memcpy (to.data + y * row, from.data + (gsize) y * geometry->stride,
            row);
      copied = TRUE;
      gst_buffer_unmap (packed, &to);
    }
    gst_buffer_unmap (frame, &from);
  }
  gst_buffer_unref (frame);
  if (!copied)
    gst_clear_buffer (&packed);
  return packed;
}

GstBuffer *
gst_pdf_frame_finish (GstBuffer * frame, const GstPdfGeometry * geometry,
    gboolean with_meta, gsize * copied)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { (gint) geometry->stride };

  *copied = 0;
  if (!with_meta && geometry->stride != geometry->width * BYTES_PER_PIXEL) {
    frame = pack (frame, geometry);
    if (frame)
      *copied = gst_buffer_get_size (frame);
    return frame;
  }
  gst_buffer_add_video_meta_full (frame, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_BGRx, geometry->width, geometry->height, 1, offset,
      stride);
  return frame;
}
