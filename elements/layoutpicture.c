/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutpicture.h"

#include <math.h>

typedef struct _Piece Piece;

struct _Piece
{
  GstLayoutRect area;           /* of `rect`, what is inside of the frame */
  GstLayoutRect rect;
  void (*paint) (const Piece * piece, cairo_t * cr);
  guint32 color;
  gdouble alpha;
  gboolean vertical;            /* dashes */
  PangoLayout *text;            /* NULL: none. Owned */
  gint margin;                  /* of the text */
  gint from_to[4], line;        /* of an arrow: x0, y0, x1, y1, width */
};

struct _GstLayoutPicture
{
  gint width, height;
  GArray *pieces;               /* of Piece */
};

/* Of an arrow, in widths of its line: the head's length and half its breadth, and the white edge. */
#define HEAD_LENGTH 5
#define HEAD_BREADTH 2.5
#define EDGE 0.75

static void
clear_piece (gpointer piece)
{
  g_clear_object (&((Piece *) piece)->text);
}

GstLayoutPicture *
gst_layout_picture_new (gint width, gint height)
{
  GstLayoutPicture *self = g_new (GstLayoutPicture, 1);

  self->width = width;
  self->height = height;
  self->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (self->pieces, clear_piece);
  return self;
}

void
gst_layout_picture_free (GstLayoutPicture * self)
{
  g_array_unref (self->pieces);
  g_free (self);
}

static void
add (GstLayoutPicture * self, const Piece * piece)
{
  const GstLayoutRect *r = &piece->rect;
  Piece added = *piece;

  added.area.x = MAX (0, r->x);
  added.area.y = MAX (0, r->y);
  added.area.width = MIN (self->width, r->x + r->width) - added.area.x;
  added.area.height = MIN (self->height, r->y + r->height) - added.area.y;
  if (added.area.width <= 0 || added.area.height <= 0)
    return;
  if (added.text)
    g_object_ref (added.text);
  g_array_append_val (self->pieces, added);
}

static void
set_color (cairo_t * cr, guint32 rgb, gdouble alpha)
{
  cairo_set_source_rgba (cr, (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0,
      (rgb & 0xff) / 255.0, alpha);
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

static void
fill (cairo_t * cr, gint x, gint y, gint width, gint height)
{
  cairo_rectangle (cr, x, y, width, height);
  cairo_fill (cr);
}

static void
paint_rect (const Piece * p, cairo_t * cr)
{
  set_color (cr, p->color, p->alpha);
  fill (cr, p->rect.x, p->rect.y, p->rect.width, p->rect.height);
}

void
gst_layout_picture_add_rect (GstLayoutPicture * self,
    const GstLayoutRect * rect, guint32 color, gdouble alpha)
{
  const Piece piece = {.rect = *rect,.paint = paint_rect,.color = color,.alpha = alpha };

  if (alpha > 0)
    add (self, &piece);
}

/* In whole pixels: the dashes are all of one length, the gaps between them differ by one pixel at most. A line that is
 * too short for two dashes and a gap has shorter ones. */
static void
paint_dashes (const Piece * p, cairo_t * cr)
{
  const gint width = p->vertical ? p->rect.width : p->rect.height;
  const gint length = p->vertical ? p->rect.height : p->rect.width;
  const gint dash = MAX (1, MIN (4 * width, length * 4 / 11));
  const gint gaps = MAX (1, (length - dash + 7 * width / 2) / (7 * width));

  set_color (cr, p->color, 1);
  for (gint i = 0; i <= gaps; i++) {
    gint at = (gint) ((gint64) (length - dash) * i / gaps);

    if (p->vertical)
      fill (cr, p->rect.x, p->rect.y + at, width, dash);
    else
      fill (cr, p->rect.x + at, p->rect.y, dash, width);
  }
}

void
gst_layout_picture_add_dashes (GstLayoutPicture * self,
    const GstLayoutRect * rect, gboolean vertical, guint32 color)
{
  const Piece piece = {.rect = *rect,.paint = paint_dashes,.color = color,.vertical = vertical };

  add (self, &piece);
}

static void
paint_text (const Piece * p, cairo_t * cr)
{
  gint height;

  pango_layout_get_pixel_size (p->text, NULL, &height);
  set_color (cr, p->color, 1);
  fill (cr, p->rect.x, p->rect.y, p->rect.width, p->rect.height);
  set_color (cr, contrasting (p->color), 1);
  cairo_rectangle (cr, p->rect.x, p->rect.y, p->rect.width, p->rect.height);
  cairo_clip (cr);
  cairo_move_to (cr, p->rect.x + p->margin, p->rect.y + (p->rect.height - height) / 2);
  pango_cairo_show_layout (cr, p->text);
}

void
gst_layout_picture_add_text (GstLayoutPicture * self,
    const GstLayoutRect * rect, gint margin, PangoLayout * text, guint32 color)
{
  const Piece piece = {.rect = *rect,.paint = paint_text,.color = color,.text = text,.margin = margin };

  add (self, &piece);
}

static void
arrow_path (cairo_t * cr, const gint * p, gdouble length, gdouble head, gdouble breadth)
{
  const gdouble ux = (p[2] - p[0]) / length, uy = (p[3] - p[1]) / length;
  const gdouble x = p[2] - head * ux, y = p[3] - head * uy;

  cairo_move_to (cr, p[0], p[1]);
  cairo_line_to (cr, x, y);
  if (head > 0) {
    cairo_line_to (cr, x - breadth * uy, y + breadth * ux);
    cairo_line_to (cr, p[2], p[3]);
    cairo_line_to (cr, x + breadth * uy, y - breadth * ux);
    cairo_line_to (cr, x, y);
  }
}

static void
paint_arrow (const Piece * p, cairo_t * cr)
{
  const gdouble length = hypot (p->from_to[2] - p->from_to[0], p->from_to[3] - p->from_to[1]);
  const gdouble head = length > 2 * HEAD_LENGTH * p->line ? HEAD_LENGTH * p->line : 0;

  /* Through the middle of pixels, so that straight lines are sharp. */
  if (p->line % 2)
    cairo_translate (cr, 0.5, 0.5);
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_DEFAULT);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  arrow_path (cr, p->from_to, MAX (1, length), head, HEAD_BREADTH * p->line);
  set_color (cr, 0xffffff, 1);
  cairo_set_line_width (cr, (1 + 2 * EDGE) * p->line);
  cairo_stroke_preserve (cr);
  set_color (cr, p->color, 1);
  cairo_set_line_width (cr, p->line);
  cairo_stroke_preserve (cr);
  cairo_fill (cr);
}

void
gst_layout_picture_add_arrow (GstLayoutPicture * self, const gint * from_to,
    gint width, guint32 color)
{
  const gint beyond = (gint) ceil ((HEAD_BREADTH + 0.5 + EDGE) * width) + 1;
  const gint x = MIN (from_to[0], from_to[2]), y = MIN (from_to[1], from_to[3]);
  const Piece piece = {
    .rect = {x - beyond, y - beyond, ABS (from_to[2] - from_to[0]) + 2 * beyond,
        ABS (from_to[3] - from_to[1]) + 2 * beyond},
    .paint = paint_arrow,.color = color,.line = width,
    .from_to = {from_to[0], from_to[1], from_to[2], from_to[3]},
  };

  add (self, &piece);
}

gint
gst_layout_picture_width (const GstLayoutPicture * self)
{
  return self->width;
}

gint
gst_layout_picture_height (const GstLayoutPicture * self)
{
  return self->height;
}

guint
gst_layout_picture_n_pieces (const GstLayoutPicture * self)
{
  return self->pieces->len;
}

GstLayoutRect
gst_layout_picture_area (const GstLayoutPicture * self, guint index)
{
  return g_array_index (self->pieces, Piece, index).area;
}

void
gst_layout_picture_paint (const GstLayoutPicture * self, guint index,
    cairo_t * cr)
{
  const Piece *piece = &g_array_index (self->pieces, Piece, index);

  cairo_save (cr);
  cairo_set_antialias (cr, CAIRO_ANTIALIAS_NONE);
  piece->paint (piece, cr);
  cairo_restore (cr);
}
