/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutdraw.h"

#include <math.h>
#include <pango/pangocairo.h>

#include "gst/gstdoclabels.h"

#define BANNER_COLOR 0xb00020

typedef struct
{
  gint x, y, width, height;
} Rect;

typedef struct
{
  const GstDocRegion *region;
  Rect outer;                   /* edge of its outline */
} Mark;

typedef struct
{
  cairo_t *cr;
  PangoLayout *text;            /* NULL: no tags, or no font */
  gint width, height;
  gint thickness;
  GArray *marks;                /* of Mark: what is drawn */
  GArray *tags;                 /* of Rect: those drawn so far */
} Canvas;

static void
set_color (cairo_t * cr, guint32 rgb)
{
  cairo_set_source_rgb (cr, (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0,
      (rgb & 0xff) / 255.0);
}

/* Relative luminance, WCAG 2.1; at 0.179 black and white have the same contrast with a colour. */
static guint32
contrasting (guint32 rgb)
{
  static const gdouble weight[] = { 0.0722, 0.7152, 0.2126 };
  gdouble luminance = 0;

  for (guint i = 0; i < 3; i++, rgb >>= 8) {
    gdouble c = (rgb & 0xff) / 255.0;
    luminance += weight[i] * (c <= 0.03928 ? c / 12.92 : pow ((c + 0.055) / 1.055, 2.4));
  }
  return luminance > 0.179 ? 0x000000 : 0xffffff;
}

/* NULL on a system without a font: pango 1.50 then lays text out with sizes that it never set. */
static PangoLayout *
create_text (cairo_t * cr, const gchar * font, gint pixels)
{
  PangoLayout *text = pango_cairo_create_layout (cr);
  PangoContext *context = pango_layout_get_context (text);
  cairo_font_options_t *options = cairo_font_options_create ();
  PangoFontDescription *description = pango_font_description_from_string (font ? font : "");
  PangoFont *found;

  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);

  if (!(pango_font_description_get_set_fields (description) & PANGO_FONT_MASK_SIZE))
    pango_font_description_set_absolute_size (description, pixels * PANGO_SCALE);
  pango_layout_set_font_description (text, description);
  found = pango_context_load_font (context, description);
  pango_font_description_free (description);
  if (found)
    g_object_unref (found);
  else
    g_clear_object (&text);
  return text;
}

static gboolean
is_wanted (const GstLayoutStyle * style, const gchar * label)
{
  if (style->classes == NULL || style->classes[0] == NULL)
    return TRUE;
  for (gchar ** c = style->classes; *c; c++)
    if (g_ascii_strcasecmp (*c, label) == 0)
      return TRUE;
  return FALSE;
}

static gint
clamp (gdouble v, gint low, gint high)
{
  return (gint) CLAMP (v, (gdouble) low, (gdouble) high);
}

/* The outer edge of a region's outline; FALSE if there is nothing of it in the picture. */
static gboolean
outline (const Canvas * c, const GstDocRegion * r, Rect * outer)
{
  gint t = c->thickness, x1, y1;

  if (!isfinite (r->x0) || !isfinite (r->y0) || !isfinite (r->x1) || !isfinite (r->y1)
      || r->x1 < r->x0 || r->y1 < r->y0
      || r->x1 <= 0 || r->y1 <= 0 || r->x0 >= c->width || r->y0 >= c->height)
    return FALSE;
  outer->x = clamp (floor (r->x0) - t, 0, c->width);
  outer->y = clamp (floor (r->y0) - t, 0, c->height);
  x1 = clamp (ceil (r->x1) + t, 0, c->width);
  y1 = clamp (ceil (r->y1) + t, 0, c->height);
  outer->width = x1 - outer->x;
  outer->height = y1 - outer->y;
  return TRUE;
}

static void
fill_rect (cairo_t * cr, const Rect * r)
{
  cairo_rectangle (cr, r->x, r->y, r->width, r->height);
  cairo_fill (cr);
}

static void
draw_outline (const Canvas * c, const Rect * o, guint32 color)
{
  gint t = c->thickness;

  cairo_set_fill_rule (c->cr, CAIRO_FILL_RULE_EVEN_ODD);
  cairo_rectangle (c->cr, o->x, o->y, o->width, o->height);
  if (o->width > 2 * t && o->height > 2 * t)
    cairo_rectangle (c->cr, o->x + t, o->y + t, o->width - 2 * t, o->height - 2 * t);
  set_color (c->cr, color);
  cairo_fill (c->cr);
}

static gint
shared_area (const Rect * a, const Rect * b)
{
  gint w = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  gint h = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);

  return w > 0 && h > 0 ? w * h : 0;
}

/* How much of regions and, which is worse, of other tags a tag would hide. */
static gint64
hidden (const Canvas * c, const Rect * tag)
{
  gint64 area = 0;

  for (guint i = 0; i < c->marks->len; i++)
    area += shared_area (tag, &g_array_index (c->marks, Mark, i).outer);
  for (guint i = 0; i < c->tags->len; i++)
    area += 4 * (gint64) shared_area (tag, &g_array_index (c->tags, Rect, i));
  return area;
}

static void
place_tag (const Canvas * c, const Rect * o, Rect * tag)
{
  const gint right = o->x + o->width - tag->width, bottom = o->y + o->height;
  const gint places[][2] = {
    {o->x, o->y - tag->height}, {right, o->y - tag->height},
    {o->x - tag->width, o->y}, {o->x + o->width, o->y},
    {o->x, bottom}, {right, bottom}, {o->x, o->y}, {o->x, bottom - tag->height},
  };
  gint64 least = G_MAXINT64;
  Rect try = *tag;

  *tag = (Rect) { 0, 0, tag->width, tag->height };
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    gint64 area;

    /* Beside the box must be all of it; else it is moved into the frame. */
    try.x = places[i][0];
    try.y = places[i][1];
    if (i != 2 && i != 3)
      try.x = MAX (0, MIN (try.x, c->width - try.width));
    if (try.x < 0 || try.y < 0 || try.x + try.width > c->width || try.y + try.height > c->height)
      continue;
    area = hidden (c, &try);
    if (area < least) {
      least = area;
      *tag = try;
    }
  }
}

static gchar *
tag_text (const GstDocRegion * r, const GstLayoutStyle * style)
{
  gchar score[16];

  g_ascii_formatd (score, sizeof (score), "%.2f", r->score);
  if (style->labels && style->scores)
    return g_strdup_printf ("%s %s", r->label, score);
  return g_strdup (style->labels ? r->label : score);
}

static void
draw_tag (Canvas * c, const Mark * mark, const GstLayoutStyle * style)
{
  g_autofree gchar *text = tag_text (mark->region, style);
  guint32 color = gst_doc_label_color (mark->region->label);
  gint padding = c->thickness;
  Rect tag;

  pango_layout_set_text (c->text, text, -1);
  pango_layout_get_pixel_size (c->text, &tag.width, &tag.height);
  tag.width += 2 * padding;
  place_tag (c, &mark->outer, &tag);
  g_array_append_val (c->tags, tag);

  set_color (c->cr, color);
  fill_rect (c->cr, &tag);
  set_color (c->cr, contrasting (color));
  cairo_move_to (c->cr, tag.x + padding, tag.y);
  pango_cairo_show_layout (c->cr, c->text);
}

static void
find_marks (Canvas * c, const GstDocLayout * layout, const GstLayoutStyle * style)
{
  for (guint i = 0; i < layout->regions->len; i++) {
    Mark mark = {.region = &g_array_index (layout->regions, GstDocRegion, i) };

    if (is_wanted (style, mark.region->label) && outline (c, mark.region, &mark.outer))
      g_array_append_val (c->marks, mark);
  }
}

void
gst_layout_draw (cairo_t * cr, guint width, guint height,
    const GstDocLayout * layout, const GstLayoutStyle * style)
{
  const guint side = MIN (width, height);
  Canvas c = {.cr = cr,.width = width,.height = height };

  c.thickness = style->thickness ? style->thickness : MAX (1, (side + 180) / 360);
  c.thickness = MIN (c.thickness, (gint) MAX (width, height));
  c.marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  c.tags = g_array_new (FALSE, FALSE, sizeof (Rect));
  if (style->labels || style->scores)
    c.text = create_text (cr, style->font, CLAMP (side / 75, 9, 64));
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE);

  find_marks (&c, layout, style);
  for (guint i = 0; i < c.marks->len; i++) {
    const Mark *mark = &g_array_index (c.marks, Mark, i);
    draw_outline (&c, &mark->outer, gst_doc_label_color (mark->region->label));
  }
  for (guint i = 0; c.text && i < c.marks->len; i++)
    draw_tag (&c, &g_array_index (c.marks, Mark, i), style);

  g_clear_object (&c.text);
  g_array_unref (c.marks);
  g_array_unref (c.tags);
}

void
gst_layout_draw_banner (cairo_t * cr, guint width, guint height,
    const gchar * text, const GstLayoutStyle * style)
{
  const gint pixels = CLAMP (MIN (width, height) / 45, 9, 64);
  g_autoptr (PangoLayout) layout = create_text (cr, style->font, pixels);
  Rect band = { 0, 0, width, pixels };

  if (layout) {
    pango_layout_set_width (layout, MAX (1, (gint) width - 2 * pixels) * PANGO_SCALE);
    pango_layout_set_height (layout, MAX (1, (gint) height - 2 * pixels) * PANGO_SCALE);
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_text (layout, text, -1);
    pango_layout_get_pixel_size (layout, NULL, &band.height);
  }
  band.height += 2 * pixels;

  cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE);
  set_color (cr, BANNER_COLOR);
  fill_rect (cr, &band);
  if (layout) {
    set_color (cr, contrasting (BANNER_COLOR));
    cairo_move_to (cr, pixels, pixels);
    pango_cairo_show_layout (cr, layout);
  }
}
