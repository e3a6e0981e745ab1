/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-layoutoverlay
 * @title: layoutoverlay
 *
 * Draws the regions of the layout meta on the frame: an outline and a tag with label and score in
 * the class's colour. A page that could not be rendered gets a banner that says why. Frames without
 * either pass as they are. It draws in place; a frame that others hold too is copied first.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! layoutoverlay ! videoconvert ! pngenc ! multifilesink location=page-%03d.png
 * ]|
 *
 * Since: 0.1
 */
#include "gstlayoutoverlay.h"

#include "gst/gstdocpagemeta.h"
#include "layoutdraw.h"

GST_DEBUG_CATEGORY_STATIC (layout_overlay_debug);
#define GST_CAT_DEFAULT layout_overlay_debug

#define DEFAULT_THICKNESS 0
#define MAX_THICKNESS 1000
#define DEFAULT_FONT "Sans Bold"
#define DEFAULT_DRAW_LABELS TRUE
#define DEFAULT_DRAW_SCORES TRUE

enum
{
  PROP_0,
  PROP_THICKNESS,
  PROP_FONT,
  PROP_DRAW_LABELS,
  PROP_DRAW_SCORES,
  PROP_CLASSES,
};

struct _GstLayoutOverlay
{
  GstVideoFilter parent;

  /* properties: under the object lock */
  GstLayoutStyle style;
  gchar *classes;
};

/* What cairo draws on without conversion: 32-bit words of the machine, blue lowest. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define FORMATS "{ BGRx, BGRA }"
#else
#define FORMATS "{ xRGB, ARGB }"
#endif

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (FORMATS)));

G_DEFINE_TYPE (GstLayoutOverlay, gst_layout_overlay, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (layoutoverlay, "layoutoverlay",
    GST_RANK_NONE, GST_TYPE_LAYOUT_OVERLAY,
    GST_DEBUG_CATEGORY_INIT (layout_overlay_debug, "layoutoverlay", 0,
        "regions drawn on frames"))

static void
copy_style (GstLayoutOverlay * self, GstLayoutStyle * style)
{
  GST_OBJECT_LOCK (self);
  *style = self->style;
  style->font = g_strdup (self->style.font);
  style->classes = g_strdupv (self->style.classes);
  GST_OBJECT_UNLOCK (self);
}

static void
clear_style (GstLayoutStyle * style)
{
  g_clear_pointer (&style->font, g_free);
  g_clear_pointer (&style->classes, g_strfreev);
}

/* cairo's pixels are premultiplied, GStreamer's are not; what is opaque is the same in both. */
static void
convert_alpha (GstVideoFrame * frame, gboolean to_cairo)
{
  guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (frame, 0);
  const gint width = GST_VIDEO_FRAME_WIDTH (frame);

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    guint32 *p = (guint32 *) row;

    for (gint x = 0; x < width; x++) {
      guint32 a = p[x] >> 24, out = p[x] & 0xff000000;

      if (a == 255 || (a == 0 && !to_cairo))
        continue;
      for (guint shift = 0; shift < 24; shift += 8) {
        guint32 v = p[x] >> shift & 0xff;
        v = to_cairo ? (v * a + 127) / 255 : MIN (255, (v * 255 + a / 2) / a);
        out |= v << shift;
      }
      p[x] = out;
    }
    row += GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  }
}

static void
draw (cairo_t * cr, guint width, guint height, const GstDocLayout * layout,
    const GstDocPage * page, const GstLayoutStyle * style)
{
  g_autofree gchar *text = NULL;

  if (layout)
    gst_layout_draw (cr, width, height, layout, style);
  if (!page->error)
    return;
  text = page->page ? g_strdup_printf ("Page %u: %s", page->page, page->error)
      : g_strdup (page->error);
  gst_layout_draw_banner (cr, width, height, text, style);
}

static GstFlowReturn
gst_layout_overlay_transform_frame_ip (GstVideoFilter * filter,
    GstVideoFrame * frame)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (filter);
  g_autoptr (GstDocLayout) layout = gst_doc_layout_meta_get (frame->buffer);
  const gboolean alpha = GST_VIDEO_INFO_HAS_ALPHA (&frame->info);
  const gint width = GST_VIDEO_FRAME_WIDTH (frame);
  const gint height = GST_VIDEO_FRAME_HEIGHT (frame);
  GstLayoutStyle style;
  GstDocPage page;
  cairo_surface_t *surface;
  cairo_status_t status;
  cairo_t *cr;

  gst_doc_page_meta_get (frame->buffer, &page);
  if (!page.error && (!layout || layout->regions->len == 0))
    return GST_FLOW_OK;

  if (alpha)
    convert_alpha (frame, TRUE);
  surface = cairo_image_surface_create_for_data (GST_VIDEO_FRAME_PLANE_DATA (frame, 0),
      alpha ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24, width, height,
      GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0));
  cr = cairo_create (surface);
  copy_style (self, &style);
  draw (cr, width, height, layout, &page, &style);
  clear_style (&style);
  status = cairo_status (cr);
  cairo_destroy (cr);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  if (alpha)
    convert_alpha (frame, FALSE);

  if (status != CAIRO_STATUS_SUCCESS) {
    GST_ELEMENT_ERROR (self, LIBRARY, FAILED,
        ("Could not draw on a frame of %d × %d pixels: %s.", width, height,
            cairo_status_to_string (status)), (NULL));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

static gchar **
split_classes (const gchar * classes)
{
  g_auto (GStrv) parts = g_strsplit (classes ? classes : "", ",", -1);
  GPtrArray *names = g_ptr_array_new ();

  for (gchar ** p = parts; *p; p++)
    if (*g_strstrip (*p) != '\0')
      g_ptr_array_add (names, g_strdup (*p));
  g_ptr_array_add (names, NULL);
  return (gchar **) g_ptr_array_free (names, FALSE);
}

static void
gst_layout_overlay_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_THICKNESS:
      self->style.thickness = g_value_get_uint (value);
      break;
    case PROP_FONT:
      g_free (self->style.font);
      self->style.font = g_value_dup_string (value);
      break;
    case PROP_DRAW_LABELS:
      self->style.labels = g_value_get_boolean (value);
      break;
    case PROP_DRAW_SCORES:
      self->style.scores = g_value_get_boolean (value);
      break;
    case PROP_CLASSES:
      g_free (self->classes);
      self->classes = g_value_dup_string (value);
      g_strfreev (self->style.classes);
      self->style.classes = split_classes (self->classes);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_layout_overlay_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_THICKNESS:
      g_value_set_uint (value, self->style.thickness);
      break;
    case PROP_FONT:
      g_value_set_string (value, self->style.font);
      break;
    case PROP_DRAW_LABELS:
      g_value_set_boolean (value, self->style.labels);
      break;
    case PROP_DRAW_SCORES:
      g_value_set_boolean (value, self->style.scores);
      break;
    case PROP_CLASSES:
      g_value_set_string (value, self->classes);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_layout_overlay_finalize (GObject * object)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (object);

  clear_style (&self->style);
  g_free (self->classes);
  G_OBJECT_CLASS (gst_layout_overlay_parent_class)->finalize (object);
}

static void
gst_layout_overlay_init (GstLayoutOverlay * self)
{
  self->style.thickness = DEFAULT_THICKNESS;
  self->style.font = g_strdup (DEFAULT_FONT);
  self->style.labels = DEFAULT_DRAW_LABELS;
  self->style.scores = DEFAULT_DRAW_SCORES;
}

static void
install_properties (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_PLAYING;

  /**
   * GstLayoutOverlay:thickness:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_THICKNESS,
      g_param_spec_uint ("thickness", "Thickness",
          "Width of the outlines in pixels (0 = by the size of the frame)",
          0, MAX_THICKNESS, DEFAULT_THICKNESS, flags));
  /**
   * GstLayoutOverlay:font:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Pango font description, as \"Sans Bold 12\"; without a size it goes by the size of the frame",
          DEFAULT_FONT, flags));
  /**
   * GstLayoutOverlay:draw-labels:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_LABELS,
      g_param_spec_boolean ("draw-labels", "Draw labels",
          "Write the label of each region", DEFAULT_DRAW_LABELS,
          flags));
  /**
   * GstLayoutOverlay:draw-scores:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_SCORES,
      g_param_spec_boolean ("draw-scores", "Draw scores",
          "Write the score of each region, from 0 to 1", DEFAULT_DRAW_SCORES,
          flags));
  /**
   * GstLayoutOverlay:classes:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_CLASSES,
      g_param_spec_string ("classes", "Classes",
          "Labels of the regions to draw, separated by commas, without regard to case (empty = all)",
          NULL, flags));
}

static void
gst_layout_overlay_class_init (GstLayoutOverlayClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstVideoFilterClass *filter_class = GST_VIDEO_FILTER_CLASS (klass);

  object_class->set_property = gst_layout_overlay_set_property;
  object_class->get_property = gst_layout_overlay_get_property;
  object_class->finalize = gst_layout_overlay_finalize;
  install_properties (object_class);

  filter_class->transform_frame_ip = gst_layout_overlay_transform_frame_ip;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Layout overlay",
      "Filter/Editor/Video",
      "Draws the regions of a document page on it",
      "The gst-doclayout authors");
}
