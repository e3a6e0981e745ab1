/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutjson.h"

#include <math.h>
#include <string.h>

#define SCHEMA "gst-doclayout/1"

enum
{
  DECIMALS_BOX = 2,
  DECIMALS_SIZE_PT = 3,
  DECIMALS_SCORE = 4,
  DECIMALS_MS = 3,
};

/* The text of `scaled` / 10^decimals, without zeros at its end. */
static void
append_fixed (GString * s, guint64 scaled, guint decimals, gboolean negative)
{
  gchar buf[32], *at = buf + sizeof (buf);
  guint shown = 0;

  for (; decimals > 0 && scaled % 10 == 0; decimals--)
    scaled /= 10;
  do {
    *--at = (gchar) ('0' + scaled % 10);
    scaled /= 10;
    if (++shown == decimals)
      *--at = '.';
  } while (scaled > 0 || shown <= decimals);
  if (negative)
    *--at = '-';
  g_string_append_len (s, at, buf + sizeof (buf) - at);
}

/* json-glib writes 0.93 as 0.93000000000000005, hence the few lines of our own. */
static void
append_number (GString * s, gdouble v, guint decimals)
{
  static const gdouble powers[] = { 1, 10, 100, 1000, 10000 };
  gdouble scaled = decimals < G_N_ELEMENTS (powers)
      ? fabs (v) * powers[decimals] : INFINITY;
  gchar format[8], buf[64], *end;

  if (!isfinite (v)) {
    g_string_append (s, "null");
    return;
  }
  if (fabs (v) >= 1e15) {
    g_string_append (s, g_ascii_dtostr (buf, sizeof (buf), v));
    return;
  }
  /* A page has a thousand of them. Nearer the middle between two, the product's own rounding might decide. */
  if (scaled < 1e12 && fabs (scaled - floor (scaled) - 0.5) > 1e-3) {
    guint64 rounded = (guint64) (scaled + 0.5);

    append_fixed (s, rounded, decimals, v < 0 && rounded > 0);
    return;
  }
  g_snprintf (format, sizeof (format), "%%.%uf", decimals);
  g_ascii_formatd (buf, sizeof (buf), format, v);
  if (strchr (buf, '.')) {
    for (end = buf + strlen (buf); end[-1] == '0'; end--);
    if (end[-1] == '.')
      end--;
    *end = '\0';
  }
  g_string_append (s, g_str_equal (buf, "-0") ? "0" : buf);
}

static void
append_unsigned (GString * s, guint64 v, gboolean known)
{
  if (known)
    g_string_append_printf (s, "%" G_GUINT64_FORMAT, v);
  else
    g_string_append (s, "null");
}

/* The Unicode line separators are escaped too: many readers split text at them. */
static void
append_string (GString * s, const gchar * text)
{
  g_autofree gchar *valid = NULL;

  if (!text) {
    g_string_append (s, "null");
    return;
  }
  valid = g_utf8_make_valid (text, -1);
  g_string_append_c (s, '"');
  for (const gchar * p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '"' || c == '\\')
      g_string_append_printf (s, "\\%c", (gchar) c);
    else if (c < 0x20 || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029)
      g_string_append_printf (s, "\\u%04x", c);
    else
      g_string_append_unichar (s, c);
  }
  g_string_append_c (s, '"');
}

static void
append_key (GString * s, const gchar * key)
{
  gchar last = s->str[s->len - 1];

  if (last != '{')
    g_string_append (s, ", ");
  g_string_append_printf (s, "\"%s\": ", key);
}

static void
append_numbers (GString * s, const gdouble * v, guint n, guint decimals)
{
  g_string_append_c (s, '[');
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      g_string_append (s, ", ");
    append_number (s, v[i], decimals);
  }
  g_string_append_c (s, ']');
}

static gboolean
is_placed (const GstDocRegion * r)
{
  return isfinite (r->x0) && isfinite (r->y0) && isfinite (r->x1) && isfinite (r->y1)
      && isfinite (r->score);
}

static gint
compare_regions (gconstpointer pa, gconstpointer pb)
{
  const GstDocRegion *a = pa, *b = pb;
  const gdouble ka[] = { a->order, a->y0, a->x0, a->y1, a->x1, a->id };
  const gdouble kb[] = { b->order, b->y0, b->x0, b->y1, b->x1, b->id };

  for (guint i = 0; i < G_N_ELEMENTS (ka); i++)
    if (ka[i] != kb[i])
      return ka[i] < kb[i] ? -1 : 1;
  return 0;
}

GArray *
gst_layout_json_regions (const GstDocLayout * layout)
{
  GArray *regions = g_array_new (FALSE, FALSE, sizeof (GstDocRegion));

  for (guint i = 0; layout && i < layout->regions->len; i++) {
    GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);
    if (is_placed (r))
      g_array_append_val (regions, *r);
  }
  g_array_sort (regions, compare_regions);
  return regions;
}

static void
append_boxes (GString * s, const GstLayoutJsonPage * in, const gdouble box[4])
{
  gdouble pt[4];

  append_key (s, "bbox");
  append_numbers (s, box, 4, DECIMALS_BOX);
  append_key (s, "bbox_pt");
  if (gst_layout_to_points (in->page, in->layout, box[0], box[1], &pt[0], &pt[1])
      && gst_layout_to_points (in->page, in->layout, box[2], box[3], &pt[2], &pt[3]))
    append_numbers (s, pt, 4, DECIMALS_BOX);
  else
    g_string_append (s, "null");
}

static void
append_region (GString * s, const GstLayoutJsonPage * in, const GstDocRegion * r, guint id)
{
  const gdouble box[] = { r->x0, r->y0, r->x1, r->y1 };

  g_string_append_c (s, '{');
  append_key (s, "id");
  append_unsigned (s, id, TRUE);
  append_key (s, "label");
  append_string (s, r->label);
  append_key (s, "score");
  append_number (s, r->score, DECIMALS_SCORE);
  append_boxes (s, in, box);
  if (r->text) {
    append_key (s, "text");
    append_string (s, r->text);
  }
  g_string_append_c (s, '}');
}

static void
append_identity (GString * s, const GstLayoutJsonPage * in, const GstDocPage * page)
{
  const GstDocLayout *layout = in->layout;
  const gdouble size[] = { page->width_pt, page->height_pt };

  append_key (s, "schema");
  append_string (s, SCHEMA);
  append_key (s, "document");
  append_string (s, page->document ? page->document : in->document);
  append_key (s, "page");
  append_unsigned (s, page->page ? page->page : in->number, TRUE);
  append_key (s, "pages");
  append_unsigned (s, page->pages, page->pages > 0);
  append_key (s, "width");
  append_unsigned (s, layout ? layout->width : in->width, TRUE);
  append_key (s, "height");
  append_unsigned (s, layout ? layout->height : in->height, TRUE);
  append_key (s, "size_pt");
  if (gst_layout_has_size (page))
    append_numbers (s, size, 2, DECIMALS_SIZE_PT);
  else
    g_string_append (s, "null");
  append_key (s, "rotation");
  append_unsigned (s, (guint64) page->rotation, page->rotation >= 0);
  append_key (s, "pts");
  append_unsigned (s, in->pts, GST_CLOCK_TIME_IS_VALID (in->pts));
}

static void
append_ms (GString * s, const gchar * key, gdouble ms)
{
  append_key (s, key);
  append_number (s, ms >= 0 ? ms : NAN, DECIMALS_MS);
}

static void
append_outcome (GString * s, const GstDocPage * page, const GstDocLayout * layout)
{
  append_key (s, "model");
  g_string_append_c (s, '{');
  append_key (s, "name");
  append_string (s, layout ? layout->model : NULL);
  append_key (s, "sha256");
  append_string (s, layout ? layout->model_sha256 : NULL);
  g_string_append_c (s, '}');
  append_key (s, "device");
  append_string (s, layout ? layout->device : NULL);
  append_key (s, "status");
  append_string (s, page->error ? "error" : "ok");
  append_key (s, "error");
  append_string (s, page->error);
  append_key (s, "timings_ms");
  g_string_append_c (s, '{');
  append_ms (s, "render", page->render_ms);
  append_ms (s, "wait", page->wait_ms);
  append_ms (s, "infer", layout && !page->error ? layout->infer_ms : -1);
  g_string_append_c (s, '}');
}

/* `layout`: NULL where the page failed. */
static void
append_text (GString * s, const GstLayoutJsonPage * in, const GstDocLayout * layout)
{
  append_key (s, "orphans");
  if (!layout || !layout->orphans) {
    g_string_append (s, "null");
    append_key (s, "characters");
    g_string_append (s, "null");
    return;
  }
  g_string_append_c (s, '[');
  for (guint i = 0; i < layout->orphans->len; i++) {
    const GstDocTextLine *line = &g_array_index (layout->orphans, GstDocTextLine, i);

    g_string_append (s, i > 0 ? ", {" : "{");
    append_boxes (s, in, (gdouble[]) {line->x0, line->y0, line->x1, line->y1});
    append_key (s, "text");
    append_string (s, line->text);
    g_string_append_c (s, '}');
  }
  g_string_append_c (s, ']');
  append_key (s, "characters");
  g_string_append_c (s, '{');
  append_key (s, "page");
  append_unsigned (s, layout->characters, TRUE);
  append_key (s, "regions");
  append_unsigned (s, layout->region_characters, TRUE);
  append_key (s, "orphans");
  append_unsigned (s, layout->orphan_characters, TRUE);
  g_string_append_c (s, '}');
}

gchar *
gst_layout_json_line (const GstLayoutJsonPage * in, const GArray * regions)
{
  static const GstDocPage unknown = GST_DOC_PAGE_INIT;
  const GstDocPage *page = in->page ? in->page : &unknown;
  GString *s = g_string_new ("{");

  append_identity (s, in, page);
  append_outcome (s, page, in->layout);
  append_key (s, "regions");
  g_string_append_c (s, '[');
  for (guint i = 0; in->layout && !page->error && i < regions->len; i++) {
    if (i > 0)
      g_string_append (s, ", ");
    append_region (s, in, &g_array_index (regions, GstDocRegion, i), i);
  }
  g_string_append_c (s, ']');
  append_text (s, in, page->error ? NULL : in->layout);
  g_string_append_c (s, '}');
  return g_string_free (s, FALSE);
}
