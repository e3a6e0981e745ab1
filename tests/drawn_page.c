/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drawn_page.h"

#include <gst/check/check.h>
#include <string.h>

#define LINE_HEIGHT 14
#define LETTER_WIDTH 6

static void
draw_dot (GstVideoFrame * frame, gint x, gint y)
{
  gint pixel = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, 0);
  guint8 *at = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0)
      + y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0) + x * pixel;

  memset (at, 0, MIN (pixel, 3));
}

/* A stem and a crossbar at a height of its own. */
static void
draw_letter (GstVideoFrame * frame, gint x, gint y, guint32 random)
{
  for (gint i = 2; i < 10; i++)
    draw_dot (frame, x, y + i);
  for (gint i = 0; i < 5; i++)
    draw_dot (frame, x + i, y + 2 + (gint) (random % 7));
}

static void
draw_block (GstVideoFrame * frame, const DrawnBlock * block)
{
  guint32 random = 1;

  for (gint y = block->y0; y + LINE_HEIGHT <= block->y1; y += LINE_HEIGHT) {
    gint word = 0;

    for (gint x = block->x0; x + LETTER_WIDTH <= block->x1; x += LETTER_WIDTH) {
      random = random * 1664525u + 1013904223u;
      if (word-- > 0)
        draw_letter (frame, x, y, random >> 16);
      else
        word = 2 + (gint) ((random >> 16) % 7);
    }
  }
}

GstBuffer *
drawn_page_new (const gchar * caps_string, const DrawnBlock * block,
    guint padding, guint number)
{
  GstCaps *caps = gst_caps_from_string (caps_string);
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer *buffer;

  fail_unless (gst_video_info_from_caps (&info, caps), "%s", caps_string);
  gst_caps_unref (caps);
  if (padding > 0) {
    GST_VIDEO_INFO_PLANE_STRIDE (&info, 0) += padding;
    GST_VIDEO_INFO_SIZE (&info) =
        GST_VIDEO_INFO_PLANE_STRIDE (&info, 0) * GST_VIDEO_INFO_HEIGHT (&info);
  }
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  if (padding > 0)
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&info), GST_VIDEO_INFO_WIDTH (&info),
        GST_VIDEO_INFO_HEIGHT (&info), 1, info.offset, info.stride);
  gst_buffer_memset (buffer, 0, 255, GST_VIDEO_INFO_SIZE (&info));
  fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  draw_block (&frame, block);
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = number * GST_SECOND;
  GST_BUFFER_DURATION (buffer) = GST_SECOND;
  return buffer;
}

DrawnBlock
drawn_block (guint number)
{
  gint x = number % 2 ? 80 : 440, y = 80 + (gint) (number * 70 % 560);
  DrawnBlock block = { x, y, x + 330, y + 280 };

  return block;
}
