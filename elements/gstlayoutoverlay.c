/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-layoutoverlay
 * @title: layoutoverlay
 *
 * Draws the regions of the layout meta on the frame: an outline and a tag with label and score in
 * the class's colour, dashed where the score is low. A page that could not be rendered gets a banner that
 * says why. Frames without either pass as they are.
 *
 * Where the next elements lay compositions over frames themselves, as glimagesink does, what is drawn goes with the
 * frame as a #GstVideoOverlayCompositionMeta, and its pixels are neither copied nor touched: frames in a GPU's memory,
 * and of any format, can be marked so. Elsewhere it draws in place; a frame that others hold too is copied first.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! layoutoverlay ! videoconvert ! pngenc ! multifilesink location=page-%03d.png
 * ]|
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! layoutoverlay draw-order=true draw-order-path=true draw-legend=true fill-alpha=0.15 classes=-header,-footer ! videoconvert ! pngenc ! multifilesink location=order-%03d.png
 * ]|
 *
 * Since: 0.1
 */
#include "gstlayoutoverlayprivate.h"

#include "gst/gstdocpagemeta.h"
#include "layoutcompose.h"

GST_DEBUG_CATEGORY (gst_layout_overlay_debug);
#define GST_CAT_DEFAULT gst_layout_overlay_debug

G_DEFINE_TYPE (GstLayoutOverlay, gst_layout_overlay, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (layoutoverlay, "layoutoverlay",
    GST_RANK_NONE, GST_TYPE_LAYOUT_OVERLAY,
    GST_DEBUG_CATEGORY_INIT (gst_layout_overlay_debug, "layoutoverlay", 0,
        "regions drawn on frames"))

/* ------------------------------------------------------------------ frames */

/* NULL: there is nothing to draw. (transfer full) */
static GstLayoutPicture *
draw (GstLayoutOverlay * self, GstBuffer * buffer)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_meta_get (buffer);
  GstLayoutPicture *picture;
  GstLayoutStyle style;
  GstDocPage page;

  gst_doc_page_meta_get (buffer, &page);
  if (!page.error && (!layout || layout->regions->len == 0))
    return NULL;
  picture = gst_layout_picture_new (GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info));
  gst_layout_overlay_copy_style (self, &style);
  if (layout)
    gst_layout_draw (picture, layout, &style);
  if (page.error) {
    g_autofree gchar *text = page.page ? g_strdup_printf ("Page %u: %s", page.page, page.error)
        : g_strdup (page.error);
    gst_layout_draw_banner (picture, text, &style);
  }
  gst_layout_overlay_clear_style (&style);
  if (gst_layout_picture_n_pieces (picture) == 0)
    g_clear_pointer (&picture, gst_layout_picture_free);
  return picture;
}

/* What elements before this one have put there stays below. Takes `composition`. */
static void
attach (GstBuffer * buffer, GstVideoOverlayComposition * composition)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);

  if (meta) {
    GstVideoOverlayComposition *both = gst_video_overlay_composition_copy (meta->overlay);

    for (guint i = 0; i < gst_video_overlay_composition_n_rectangles (composition); i++)
      gst_video_overlay_composition_add_rectangle (both,
          gst_video_overlay_composition_get_rectangle (composition, i));
    gst_video_overlay_composition_unref (meta->overlay);
    meta->overlay = both;
  } else {
    gst_buffer_add_video_overlay_composition_meta (buffer, composition);
  }
  gst_video_overlay_composition_unref (composition);
}

/* `buffer` is writable. */
static gboolean
apply (GstLayoutOverlay * self, const GstLayoutPicture * picture, GstBuffer * buffer, const gchar ** reason)
{
  GstVideoOverlayComposition *composition;
  GstVideoFrame frame;
  gboolean ok;

  if (self->composes) {
    composition = gst_layout_compose (picture, reason);
    if (composition)
      attach (buffer, composition);
    return composition != NULL;
  }
  *reason = "its memory is smaller than its caps say, or cannot be written";
  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READWRITE))
    return FALSE;
  ok = gst_layout_compose_onto (picture, &frame, reason);
  gst_video_frame_unmap (&frame);
  return ok;
}

static GstFlowReturn
chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (parent);
  g_autoptr (GstLayoutPicture) picture = NULL;
  const gchar *reason = NULL;

  if (gst_pad_check_reconfigure (self->srcpad)) {
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

    if (caps == NULL || !gst_layout_overlay_negotiate (self, caps)) {
      gst_buffer_unref (buffer);
      return GST_PAD_IS_FLUSHING (self->srcpad) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
    }
  }
  picture = draw (self, buffer);
  if (picture) {
    buffer = gst_buffer_make_writable (buffer);
    if (!apply (self, picture, buffer, &reason)) {
      gst_buffer_unref (buffer);
      GST_ELEMENT_ERROR (self, LIBRARY, FAILED,
          ("Could not draw on a frame of %d × %d pixels: %s.", GST_VIDEO_INFO_WIDTH (&self->info),
              GST_VIDEO_INFO_HEIGHT (&self->info), reason), (NULL));
      return GST_FLOW_ERROR;
    }
  }
  return gst_pad_push (self->srcpad, buffer);
}

static gboolean
sink_event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (parent);
  gboolean ok;
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CAPS)
    return gst_pad_event_default (pad, parent, event);
  gst_event_parse_caps (event, &caps);
  ok = gst_video_info_from_caps (&self->info, caps) && gst_layout_overlay_negotiate (self, caps);
  gst_event_unref (event);
  return ok;
}

/* ------------------------------------------------------------------ the element */

static GstStateChangeReturn
gst_layout_overlay_change_state (GstElement * element,
    GstStateChange transition)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (element);
  GstStateChangeReturn result =
      GST_ELEMENT_CLASS (gst_layout_overlay_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_video_info_init (&self->info);
    self->composes = FALSE;
  }
  return result;
}

static void
gst_layout_overlay_finalize (GObject * object)
{
  GstLayoutOverlay *self = GST_LAYOUT_OVERLAY (object);

  gst_layout_overlay_clear_style (&self->style);
  g_free (self->classes);
  G_OBJECT_CLASS (gst_layout_overlay_parent_class)->finalize (object);
}

static void
gst_layout_overlay_init (GstLayoutOverlay * self)
{
  gst_video_info_init (&self->info);
  gst_layout_overlay_set_defaults (self);
  gst_layout_overlay_add_pads (self);
  gst_pad_set_chain_function (self->sinkpad, chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
}

static void
gst_layout_overlay_class_init (GstLayoutOverlayClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_layout_overlay_finalize;
  gst_layout_overlay_install_properties (klass);
  element_class->change_state = gst_layout_overlay_change_state;
  gst_layout_overlay_add_templates (element_class);
  gst_element_class_set_static_metadata (element_class, "Layout overlay",
      "Filter/Editor/Video",
      "Draws the regions of a document page on it",
      "The gst-doclayout authors");
}
