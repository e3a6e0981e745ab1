/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutdraw.h"

#include <math.h>

#include "gst/gstdoclabels.h"
#include "layoutplace.h"

#define BANNER_COLOR 0xb00020
#define PATH_COLOR 0xcc3311     /* Paul Tol's vibrant red, which no class has */
#define LEGEND_EDGE 0x767676

typedef struct
{
  const GstDocRegion *region;
  GstLayoutRect outer;          /* edge of its outline */
} Mark;

typedef struct
{
  GstLayoutPicture *picture;
  const GstLayoutStyle *style;
  gint width, height;
  gint thickness;
  PangoLayout *text;            /* with the font, to be copied; NULL: no text, or no font */
  GArray *marks;                /* of Mark: what is drawn, best first */
  GArray *boxes, *tags;         /* of GstLayoutRect: all regions' outer edges; tags drawn so far */
} Canvas;

/* ------------------------------------------------------------------ text */

/* NULL on a system without a font: pango 1.50 then lays text out with sizes that it never set. */
static PangoLayout *
create_text (const gchar * font, gint pixels)
{
  PangoContext *context = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  PangoFontDescription *description = pango_font_description_from_string (font ? font : "");
  cairo_font_options_t *options = cairo_font_options_create ();
  PangoLayout *text = NULL;
  PangoFont *found;

  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);

  if (!(pango_font_description_get_set_fields (description) & PANGO_FONT_MASK_SIZE))
    pango_font_description_set_absolute_size (description, pixels * PANGO_SCALE);
  found = pango_context_load_font (context, description);
  if (found) {
    text = pango_layout_new (context);
    pango_layout_set_font_description (text, description);
    g_object_unref (found);
  }
  pango_font_description_free (description);
  g_object_unref (context);
  return text;
}

/* `words` in the canvas's font, no wider than the frame with a margin on both sides; *rect becomes as large as that. */
static PangoLayout *
lay_out (const Canvas * c, const gchar * words, gint margin, GstLayoutRect * rect)
{
  PangoLayout *text = pango_layout_copy (c->text);
  const gint most = MAX (1, c->width - 2 * margin);

  pango_layout_set_single_paragraph_mode (text, TRUE);
  pango_layout_set_text (text, words, -1);
  pango_layout_get_pixel_size (text, &rect->width, &rect->height);
  if (rect->width > most) {
    pango_layout_set_width (text, most * PANGO_SCALE);
    pango_layout_set_height (text, 0);
    pango_layout_set_ellipsize (text, PANGO_ELLIPSIZE_END);
    pango_layout_get_pixel_size (text, &rect->width, &rect->height);
  }
  rect->width += 2 * margin;
  return text;
}

/* ------------------------------------------------------------------ regions */

/* A '-' before a label says that it is not wanted; where only such are named, all others are. Scores come from the
 * network in single precision, in which 0.7 is not lower than 0.7. */
static gboolean
is_wanted (const GstLayoutStyle * style, const GstDocRegion * region)
{
  gboolean all = TRUE;

  if ((gfloat) region->score < (gfloat) style->min_score)
    return FALSE;
  for (gchar ** c = style->classes; c && *c; c++) {
    if (**c == '-') {
      if (gst_doc_label_equal (*c + 1, region->label))
        return FALSE;
      continue;
    }
    if (gst_doc_label_equal (*c, region->label))
      return TRUE;
    all = FALSE;
  }
  return all;
}

static gint
clamp (gdouble v, gint low, gint high)
{
  return (gint) CLAMP (v, (gdouble) low, (gdouble) high);
}

/* The outer edge of a region's outline; FALSE if there is nothing of it in the frame. */
static gboolean
outline (const Canvas * c, const GstDocRegion * r, GstLayoutRect * outer)
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
find_marks (Canvas * c, const GstDocLayout * layout)
{
  for (guint i = 0; i < layout->regions->len; i++) {
    Mark mark = {.region = &g_array_index (layout->regions, GstDocRegion, i) };

    if (!outline (c, mark.region, &mark.outer))
      continue;
    g_array_append_val (c->boxes, mark.outer);
    if (is_wanted (c->style, mark.region))
      g_array_append_val (c->marks, mark);
  }
}

static void
draw_fill (const Canvas * c, const Mark * mark)
{
  const GstLayoutRect *o = &mark->outer;
  const gint t = c->thickness;
  const GstLayoutRect inner = { o->x + t, o->y + t, o->width - 2 * t, o->height - 2 * t };

  gst_layout_picture_add_rect (c->picture, &inner, gst_doc_label_color (mark->region->label),
      c->style->fill_alpha);
}

static void
draw_outline (const Canvas * c, const Mark * mark)
{
  const guint32 color = gst_doc_label_color (mark->region->label);
  const gboolean dashed = (gfloat) mark->region->score < (gfloat) c->style->dash_below;
  const GstLayoutRect *o = &mark->outer;
  const gint t = c->thickness;
  const GstLayoutRect sides[] = {
    {o->x, o->y, o->width, t}, {o->x, o->y + o->height - t, o->width, t},
    {o->x, o->y, t, o->height}, {o->x + o->width - t, o->y, t, o->height},
  };

  if (o->width <= 2 * t || o->height <= 2 * t) {
    gst_layout_picture_add_rect (c->picture, o, color, 1);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (sides); i++) {
    if (dashed)
      gst_layout_picture_add_dashes (c->picture, &sides[i], i >= 2, color);
    else
      gst_layout_picture_add_rect (c->picture, &sides[i], color, 1);
  }
}

/* ------------------------------------------------------------------ the path */

static gint
compare_order (gconstpointer a, gconstpointer b)
{
  guint x = ((const Mark *) a)->region->order, y = ((const Mark *) b)->region->order;

  return (x > y) - (x < y);
}

static void
center (const Mark * mark, gint * point)
{
  point[0] = mark->outer.x + mark->outer.width / 2;
  point[1] = mark->outer.y + mark->outer.height / 2;
}

/* From the last arrow to the first, so that heads lie over the arrows that go on from there. */
static void
draw_path (const Canvas * c)
{
  g_autoptr (GArray) marks = g_array_copy (c->marks);

  g_array_sort (marks, compare_order);
  for (guint i = marks->len; i-- > 1;) {
    gint from_to[4];

    center (&g_array_index (marks, Mark, i - 1), from_to);
    center (&g_array_index (marks, Mark, i), from_to + 2);
    gst_layout_picture_add_arrow (c->picture, from_to, c->thickness, PATH_COLOR);
  }
}

/* ------------------------------------------------------------------ tags */

/* As "#3 text 0.98". */
static gchar *
tag_text (const GstDocRegion * r, const GstLayoutStyle * style)
{
  GString *text = g_string_new (NULL);
  gchar score[16];

  if (style->order)
    g_string_append_printf (text, "#%u ", r->order);
  if (style->labels)
    g_string_append_printf (text, "%s ", r->label);
  if (style->scores)
    g_string_append (text, g_ascii_formatd (score, sizeof (score), "%.2f", r->score));
  return g_strchomp (g_string_free (text, FALSE));
}

static GstLayoutPlaces
places (const Canvas * c)
{
  return (GstLayoutPlaces) { c->width, c->height, c->boxes, c->tags };
}

static void
draw_tag (const Canvas * c, const Mark * mark)
{
  g_autofree gchar *words = tag_text (mark->region, c->style);
  const GstLayoutPlaces taken = places (c);
  g_autoptr (PangoLayout) text = NULL;
  GstLayoutRect tag;

  text = lay_out (c, words, c->thickness, &tag);
  gst_layout_place_tag (&taken, &mark->outer, &tag);
  g_array_append_val (c->tags, tag);
  gst_layout_picture_add_text (c->picture, &tag, c->thickness, text,
      gst_doc_label_color (mark->region->label));
}

/* ------------------------------------------------------------------ the legend */

typedef struct
{
  const gchar *label;           /* NULL: stands for the classes that there is no room for */
  guint n;                      /* regions */
  PangoLayout *name, *count;
  GstLayoutRect name_size, count_size;
} Row;

static void
clear_row (gpointer row)
{
  g_clear_object (&((Row *) row)->name);
  g_clear_object (&((Row *) row)->count);
}

static gint
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = a, *y = b;

  return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : g_strcmp0 (x->label, y->label);
}

/* Of Row: the classes of the marks, the most frequent first. */
static GArray *
count_classes (const Canvas * c)
{
  GArray *rows = g_array_new (FALSE, TRUE, sizeof (Row));

  g_array_set_clear_func (rows, clear_row);
  for (guint i = 0; i < c->marks->len; i++) {
    Row row = {.label = g_array_index (c->marks, Mark, i).region->label };
    guint k = 0;

    while (k < rows->len && g_strcmp0 (g_array_index (rows, Row, k).label, row.label) != 0)
      k++;
    if (k == rows->len)
      g_array_append_val (rows, row);
    g_array_index (rows, Row, k).n++;
  }
  g_array_sort (rows, compare_rows);
  return rows;
}

/* The rows of more than `most` become one. */
static void
shorten (GArray * rows, guint most)
{
  guint n = 0;

  if (rows->len <= most)
    return;
  for (guint i = most - 1; i < rows->len; i++)
    n += g_array_index (rows, Row, i).n;
  g_array_set_size (rows, most);
  g_array_index (rows, Row, most - 1).label = NULL;
  g_array_index (rows, Row, most - 1).n = n;
}

static void
draw_row (const Canvas * c, const Row * row, gint pad, const GstLayoutRect * legend, gint y)
{
  const gint height = row->name_size.height, side = height * 2 / 3;
  const GstLayoutRect swatch = { legend->x + pad, y + (height - side) / 2, side, side };
  GstLayoutRect name = row->name_size, count = row->count_size;

  name.x = swatch.x + side + pad;
  count.x = legend->x + legend->width - pad - count.width;
  name.y = count.y = y;
  if (row->label)
    gst_layout_picture_add_rect (c->picture, &swatch, gst_doc_label_color (row->label), 1);
  gst_layout_picture_add_text (c->picture, &name, 0, row->name, 0xffffff);
  gst_layout_picture_add_text (c->picture, &count, 0, row->count, 0xffffff);
}

/* Lays out the rows, and sets the legend's size. Returns the height of a row. */
static gint
measure_rows (const Canvas * c, GArray * rows, gint pad, GstLayoutRect * legend)
{
  gint names = 0, counts = 0, height = 0;

  for (guint i = 0; i < rows->len; i++) {
    Row *row = &g_array_index (rows, Row, i);
    g_autofree gchar *count = g_strdup_printf ("%u", row->n);

    row->name = lay_out (c, row->label ? row->label : "…", 0, &row->name_size);
    row->count = lay_out (c, count, 0, &row->count_size);
    names = MAX (names, row->name_size.width);
    counts = MAX (counts, row->count_size.width);
    height = MAX (height, row->name_size.height);
  }
  legend->width = height * 2 / 3 + names + counts + 5 * pad;
  legend->height = (gint) rows->len * height + 2 * pad;
  return height;
}

/* A white box with an edge; no higher than the frame. */
static void
draw_legend (const Canvas * c)
{
  g_autoptr (GArray) rows = count_classes (c);
  const GstLayoutPlaces taken = places (c);
  const gint edge = MAX (1, c->thickness / 2), pad = edge + 2 * c->thickness;
  GstLayoutRect legend, inner, one;
  g_autoptr (PangoLayout) measure = lay_out (c, "X", 0, &one);
  gint height;

  shorten (rows, MAX (1, (c->height - 4 * pad) / MAX (1, one.height)));
  height = measure_rows (c, rows, pad, &legend);
  gst_layout_place_at_side (&taken, pad, &legend);
  inner = (GstLayoutRect) {
  legend.x + edge, legend.y + edge, legend.width - 2 * edge, legend.height - 2 * edge};
  gst_layout_picture_add_rect (c->picture, &legend, LEGEND_EDGE, 1);
  gst_layout_picture_add_rect (c->picture, &inner, 0xffffff, 1);
  for (guint i = 0; i < rows->len; i++)
    draw_row (c, &g_array_index (rows, Row, i), pad, &legend, legend.y + pad + (gint) i * height);
}

/* ------------------------------------------------------------------ all of it */

static void
draw_marks (const Canvas * c)
{
  const GstLayoutStyle *style = c->style;

  for (guint i = 0; i < c->marks->len; i++)
    draw_fill (c, &g_array_index (c->marks, Mark, i));
  for (guint i = 0; i < c->marks->len; i++)
    draw_outline (c, &g_array_index (c->marks, Mark, i));
  if (style->path)
    draw_path (c);
  if (c->text == NULL)
    return;
  for (guint i = 0; i < c->marks->len && (style->labels || style->scores || style->order); i++)
    draw_tag (c, &g_array_index (c->marks, Mark, i));
  if (style->legend && c->marks->len > 0)
    draw_legend (c);
}

void
gst_layout_draw (GstLayoutPicture * picture, const GstDocLayout * layout,
    const GstLayoutStyle * style)
{
  Canvas c = {.picture = picture,.style = style };
  gint side;

  c.width = gst_layout_picture_width (picture);
  c.height = gst_layout_picture_height (picture);
  side = MIN (c.width, c.height);
  c.thickness = style->thickness ? style->thickness : MAX (1, (side + 180) / 360);
  c.thickness = MIN (c.thickness, MAX (c.width, c.height));
  c.marks = g_array_new (FALSE, FALSE, sizeof (Mark));
  c.boxes = g_array_new (FALSE, FALSE, sizeof (GstLayoutRect));
  c.tags = g_array_new (FALSE, FALSE, sizeof (GstLayoutRect));
  if (style->labels || style->scores || style->order || style->legend)
    c.text = create_text (style->font, CLAMP (side / 75, 9, 64));

  find_marks (&c, layout);
  draw_marks (&c);

  g_clear_object (&c.text);
  g_array_unref (c.marks);
  g_array_unref (c.boxes);
  g_array_unref (c.tags);
}

void
gst_layout_draw_banner (GstLayoutPicture * picture, const gchar * text,
    const GstLayoutStyle * style)
{
  const gint width = gst_layout_picture_width (picture), height = gst_layout_picture_height (picture);
  const gint pixels = CLAMP (MIN (width, height) / 45, 9, 64);
  g_autoptr (PangoLayout) layout = create_text (style->font, pixels);
  GstLayoutRect band = { 0, 0, width, pixels };

  if (layout) {
    pango_layout_set_width (layout, MAX (1, width - 2 * pixels) * PANGO_SCALE);
    pango_layout_set_height (layout, MAX (1, height - 2 * pixels) * PANGO_SCALE);
    pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_text (layout, text, -1);
    pango_layout_get_pixel_size (layout, NULL, &band.height);
  }
  band.height += 2 * pixels;
  if (layout)
    gst_layout_picture_add_text (picture, &band, pixels, layout, BANNER_COLOR);
  else
    gst_layout_picture_add_rect (picture, &band, BANNER_COLOR, 1);
}
