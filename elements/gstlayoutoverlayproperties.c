/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay's properties: all of them count from the next frame on. */
#include "gstlayoutoverlayprivate.h"

#define DEFAULT_THICKNESS 0
#define MAX_THICKNESS 1000
#define DEFAULT_FONT "Sans Bold"
#define DEFAULT_DRAW_LABELS TRUE
#define DEFAULT_DRAW_SCORES TRUE
#define DEFAULT_DRAW_ORDER FALSE
#define DEFAULT_DRAW_ORDER_PATH FALSE
#define DEFAULT_DRAW_LEGEND FALSE
#define DEFAULT_FILL_ALPHA 0.0
#define DEFAULT_MIN_SCORE 0.0
#define DEFAULT_DASH_BELOW 0.5

enum
{
  PROP_0,
  PROP_THICKNESS,
  PROP_FONT,
  PROP_DRAW_LABELS,
  PROP_DRAW_SCORES,
  PROP_DRAW_ORDER,
  PROP_DRAW_ORDER_PATH,
  PROP_DRAW_LEGEND,
  PROP_FILL_ALPHA,
  PROP_MIN_SCORE,
  PROP_DASH_BELOW,
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
    .order = DEFAULT_DRAW_ORDER,
    .path = DEFAULT_DRAW_ORDER_PATH,
    .legend = DEFAULT_DRAW_LEGEND,
    .fill_alpha = DEFAULT_FILL_ALPHA,
    .min_score = DEFAULT_MIN_SCORE,
    .dash_below = DEFAULT_DASH_BELOW,
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
    case PROP_DRAW_ORDER:
      return &style->order;
    case PROP_DRAW_ORDER_PATH:
      return &style->path;
    case PROP_DRAW_LEGEND:
      return &style->legend;
    default:
      return NULL;
  }
}

/* The same for shares of 1. */
static gdouble *
share_of (GstLayoutStyle * style, guint id)
{
  switch (id) {
    case PROP_FILL_ALPHA:
      return &style->fill_alpha;
    case PROP_MIN_SCORE:
      return &style->min_score;
    case PROP_DASH_BELOW:
      return &style->dash_below;
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
      if (switch_of (&self->style, id))
        *switch_of (&self->style, id) = g_value_get_boolean (value);
      else
        *share_of (&self->style, id) = g_value_get_double (value);
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
      if (switch_of (&self->style, id))
        g_value_set_boolean (value, *switch_of (&self->style, id));
      else
        g_value_set_double (value, *share_of (&self->style, id));
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
  /**
   * GstLayoutOverlay:fill-alpha:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_FILL_ALPHA,
      g_param_spec_double ("fill-alpha", "Fill alpha",
          "How much the class's colour covers a region, 0 (not at all) to 1 (wholly)", 0, 1,
          DEFAULT_FILL_ALPHA, FLAGS));
  /**
   * GstLayoutOverlay:dash-below:
   *
   * A region with this score has a solid outline.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DASH_BELOW,
      g_param_spec_double ("dash-below", "Dash below",
          "Score, 0 to 1, below which a region's outline is dashed (0 = never)", 0, 1,
          DEFAULT_DASH_BELOW, FLAGS));
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
  /**
   * GstLayoutOverlay:draw-order:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_ORDER,
      g_param_spec_boolean ("draw-order", "Draw order",
          "Write each region's place in reading order, from 0", DEFAULT_DRAW_ORDER, FLAGS));
  /**
   * GstLayoutOverlay:draw-order-path:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_ORDER_PATH,
      g_param_spec_boolean ("draw-order-path", "Draw order path",
          "Draw arrows from region to region in reading order", DEFAULT_DRAW_ORDER_PATH, FLAGS));
  /**
   * GstLayoutOverlay:draw-legend:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_DRAW_LEGEND,
      g_param_spec_boolean ("draw-legend", "Draw legend",
          "Show in a corner which classes are drawn: colour, label and number of regions",
          DEFAULT_DRAW_LEGEND, FLAGS));
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
          "Labels of the regions to draw, or with \"-\" before them not to draw, separated by commas; case, and which of"
          " \" \", \"-\" and \"_\" stands between words, makes no difference (empty = all)", NULL, FLAGS));
  /**
   * GstLayoutOverlay:min-score:
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, PROP_MIN_SCORE,
      g_param_spec_double ("min-score", "Minimum score",
          "Lowest score, 0 to 1, of the regions to draw", 0, 1, DEFAULT_MIN_SCORE, FLAGS));
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
