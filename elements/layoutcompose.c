/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutcompose.h"

/* Cairo's 32-bit words of the machine, blue lowest, which are drawn on as they are. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CAIRO_FORMAT_OF_FRAMES GST_VIDEO_FORMAT_BGRx
#else
#define CAIRO_FORMAT_OF_FRAMES GST_VIDEO_FORMAT_xRGB
#endif

/* Pieces first … last, with the frame's pixel at, at of `data` at x, y. */
static gboolean
paint (const GstLayoutPicture * picture, guint first, guint last, cairo_format_t format,
    guint8 * data, gint stride, const GstLayoutRect * area, const gchar ** reason)
{
  cairo_surface_t *surface = cairo_image_surface_create_for_data (data, format, area->width, area->height,
      stride);
  cairo_t *cr = cairo_create (surface);
  cairo_status_t status;

  cairo_translate (cr, -area->x, -area->y);
  for (guint i = first; i <= last; i++)
    gst_layout_picture_paint (picture, i, cr);
  status = cairo_status (cr);
  cairo_destroy (cr);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  *reason = cairo_status_to_string (status);
  return status == CAIRO_STATUS_SUCCESS;
}

static GstVideoOverlayRectangle *
make_rectangle (const GstLayoutPicture * picture, guint index, const gchar ** reason)
{
  const GstLayoutRect area = gst_layout_picture_area (picture, index);
  const gint stride = 4 * area.width;
  const gsize size = (gsize) stride * area.height;
  GstBuffer *pixels = gst_buffer_new_allocate (NULL, size, NULL);
  GstVideoOverlayRectangle *rectangle = NULL;
  GstMapInfo map;
  gboolean ok;

  gst_buffer_map (pixels, &map, GST_MAP_WRITE);
  memset (map.data, 0, size);
  ok = paint (picture, index, index, CAIRO_FORMAT_ARGB32, map.data, stride, &area, reason);
  gst_buffer_unmap (pixels, &map);
  if (ok) {
    gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
        area.width, area.height);
    rectangle = gst_video_overlay_rectangle_new_raw (pixels, area.x, area.y, area.width, area.height,
        GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  }
  gst_buffer_unref (pixels);
  return rectangle;
}

GstVideoOverlayComposition *
gst_layout_compose (const GstLayoutPicture * picture, const gchar ** reason)
{
  GstVideoOverlayComposition *composition = NULL;

  for (guint i = 0; i < gst_layout_picture_n_pieces (picture); i++) {
    GstVideoOverlayRectangle *rectangle = make_rectangle (picture, i, reason);

    if (rectangle == NULL) {
      g_clear_pointer (&composition, gst_video_overlay_composition_unref);
      break;
    }
    if (composition)
      gst_video_overlay_composition_add_rectangle (composition, rectangle);
    else
      composition = gst_video_overlay_composition_new (rectangle);
    gst_video_overlay_rectangle_unref (rectangle);
  }
  return composition;
}

/* The part of a frame that holds `area`, which is made to begin with a whole sample of colour. */
static GstVideoFrame
part_of (const GstVideoFrame * frame, GstLayoutRect * area)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  const gint right = area->x + area->width, bottom = area->y + area->height;
  GstVideoFrame part = *frame;
  guint wide = 0, high = 0;

  for (guint i = 0; i < format->n_components; i++) {
    wide = MAX (wide, format->w_sub[i]);
    high = MAX (high, format->h_sub[i]);
  }
  area->x = area->x >> wide << wide;
  area->y = area->y >> high << high;
  area->width = right - area->x;
  area->height = bottom - area->y;
  part.info.width = area->width;
  part.info.height = area->height;
  for (guint i = 0; i < format->n_components; i++) {
    const guint plane = format->plane[i];

    part.data[plane] = (guint8 *) frame->data[plane]
        + (gssize) (area->y >> format->h_sub[i]) * frame->info.stride[plane]
        + (gssize) (area->x >> format->w_sub[i]) * format->pixel_stride[i];
  }
  return part;
}

/* GStreamer converts whole rows of what it blends onto, and back: it is shown no more of the frame than there is to draw
 * on. Takes `rectangle`. */
static gboolean
blend (GstVideoOverlayRectangle * rectangle, const GstLayoutRect * area, const GstVideoFrame * frame)
{
  GstLayoutRect whole = *area;
  GstVideoFrame part = part_of (frame, &whole);
  GstVideoOverlayComposition *composition;
  gboolean ok;

  gst_video_overlay_rectangle_set_render_rectangle (rectangle, area->x - whole.x, area->y - whole.y,
      area->width, area->height);
  composition = gst_video_overlay_composition_new (rectangle);
  ok = gst_video_overlay_composition_blend (composition, &part);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (rectangle);
  return ok;
}

gboolean
gst_layout_compose_onto (const GstLayoutPicture * picture,
    GstVideoFrame * frame, const gchar ** reason)
{
  const GstLayoutRect all = { 0, 0, GST_VIDEO_FRAME_WIDTH (frame), GST_VIDEO_FRAME_HEIGHT (frame) };
  const guint n = gst_layout_picture_n_pieces (picture);

  if (GST_VIDEO_FRAME_FORMAT (frame) == CAIRO_FORMAT_OF_FRAMES)
    return paint (picture, 0, n - 1, CAIRO_FORMAT_RGB24, GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
        GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0), &all, reason);
  for (guint i = 0; i < n; i++) {
    const GstLayoutRect area = gst_layout_picture_area (picture, i);
    GstVideoOverlayRectangle *rectangle = make_rectangle (picture, i, reason);

    if (rectangle == NULL)
      return FALSE;
    *reason = "GStreamer cannot blend onto its format";
    if (!blend (rectangle, &area, frame))
      return FALSE;
  }
  return TRUE;
}
