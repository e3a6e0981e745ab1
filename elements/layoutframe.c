/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutframe.h"

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

gboolean
gst_layout_frame_describe (const GstVideoFrame * frame, nn_frame * input,
    GError ** error)
{
  input->data = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  input->stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  input->width = GST_VIDEO_FRAME_WIDTH (frame);
  input->height = GST_VIDEO_FRAME_HEIGHT (frame);
  if (pixel_format (GST_VIDEO_FRAME_FORMAT (frame), &input->format)
      && input->stride >=
      input->width * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0))
    return TRUE;
  g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "A frame of %d×%d pixels has rows %d bytes apart, which is too few.",
      input->width, input->height, input->stride);
  return FALSE;
}
