/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay's properties: all of them count from the next frame on. */
#include "gstlayoutoverlayprivate.h"

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

void
gst_layout_overlay_copy_style (GstLayoutOverlay * self, GstLayoutStyle * style)
{
  GST_OBJECT_LOCK (self);
  *style = self->style;
  style->font = g_strdup (self->style.font);
  style->classes = g_strdupv (self->style.classes);
  GST_OBJECT_UNLOCK (self);
}

void
gst_layout_overlay_clear_style (GstLayoutStyle * style)
{
  g_clear_pointer (&style->font, g_free);
  g_clear_pointer (&style->classes, g_strfreev);
}

void
gst_layout_overlay_set_defaults (GstLayoutOverlay * self)
{
  self->style = (GstLayoutStyle) {
    .thickness = DEFAULT_THICKNESS,
    .font = g_strdup (DEFAULT_FONT),
    .labels = DEFAULT_DRAW_LABELS,
    .scores = DEFAULT_DRAW_SCORES,
  };
}

/* ------------------------------------------------------------------ values */

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

/* Where a property that switches something is kept; NULL for the others. */
static gboolean *
switch_of (GstLayoutStyle * style, guint id)
{
  switch (id) {
    case PROP_DRAW_LABELS:
      return &style->labels;
    case PROP_DRAW_SCORES:
      return &style->scores;
    default:
      return NULL;
  }
}

static void
set_value (GstLayoutOverlay * self, guint id, const GValue * value)
{
  switch (id) {
    case PROP_THICKNESS:
      self->style.thickness = g_value_get_uint (value);
      break;
    case PROP_FONT:
      g_free (self->style.font);
      self->style.font = g_value_dup_string (value);
      break;
    case PROP_CLASSES:
      g_free (self->classes);
      self->classes = g_value_dup_string (value);
      g_strfreev (self->style.classes);
      self->style.classes = split_classes (self->classes);
      break;
    default:
      *switch_of (&self->style, id) = g_value_get_boolean (value);
      break;
  }
}

static void
get_value (GstLayoutOverlay * self, guint id, GValue * value)
{
  switch (id) {
    case PROP_THICKNESS:
      g_value_set_uint (value, self->style.thickness);
      break;
    case PROP_FONT:
      g_value_set_string (value, self->style.font);
      break;
    case PROP_CLASSES:
      g_value_set_string (value, self->classes);
      break;
    default:
      g_value_set_boolean (value, *switch_of (&self->style, id));
      break;
  }
}

static void
gst_layout_overlay_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GST_OBJECT_LOCK (object);
  set_value (GST_LAYOUT_OVERLAY (object), id, value);
  GST_OBJECT_UNLOCK (object);
}

static void
gst_layout_overlay_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GST_OBJECT_LOCK (object);
  get_value (GST_LAYOUT_OVERLAY (object), id, value);
  GST_OBJECT_UNLOCK (object);
}

/* ------------------------------------------------------------------ what they are */

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

/* How things are drawn. */
static void
install_style (GObjectClass * klass)
{
  /**
   * GstLayoutOverlay:thickness:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_THICKNESS,
      g_param_spec_uint ("thickness", "Thickness",
          "Width of the outlines in pixels (0 = by the size of the frame)",
          0, MAX_THICKNESS, DEFAULT_THICKNESS, FLAGS));
  /**
   * GstLayoutOverlay:font:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Pango font description, as \"Sans Bold 12\" or \"Sans 20px\"; without a size it goes by the size of the frame",
          DEFAULT_FONT, FLAGS));
}

/* What is drawn. */
static void
install_switches (GObjectClass * klass)
{
  /**
   * GstLayoutOverlay:draw-labels:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_LABELS,
      g_param_spec_boolean ("draw-labels", "Draw labels",
          "Write the label of each region", DEFAULT_DRAW_LABELS, FLAGS));
  /**
   * GstLayoutOverlay:draw-scores:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_SCORES,
      g_param_spec_boolean ("draw-scores", "Draw scores",
          "Write the score of each region, from 0 to 1", DEFAULT_DRAW_SCORES, FLAGS));
}

/* Which regions are drawn. */
static void
install_filters (GObjectClass * klass)
{
  /**
   * GstLayoutOverlay:classes:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_CLASSES,
      g_param_spec_string ("classes", "Classes",
          "Labels of the regions to draw, separated by commas; case, and which of \" \", \"-\" and \"_\" stands between words,"
          " makes no difference (empty = all)", NULL, FLAGS));
}

void
gst_layout_overlay_install_properties (GstLayoutOverlayClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_layout_overlay_set_property;
  object_class->get_property = gst_layout_overlay_get_property;
  install_style (object_class);
  install_switches (object_class);
  install_filters (object_class);
}
