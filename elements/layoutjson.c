/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutjson.h"

#include "jsontext.h"

#include <math.h>

#define SCHEMA "gst-doclayout/1"

enum
{
  DECIMALS_BOX = 2,
  DECIMALS_SIZE_PT = 3,
  DECIMALS_SCORE = 4,
  DECIMALS_MS = 3,
};

const gchar *
gst_layout_json_document (const GstLayoutJsonPage * in)
{
  return in->page && in->page->document ? in->page->document : in->document;
}

guint
gst_layout_json_number (const GstLayoutJsonPage * in)
{
  return in->page && in->page->page ? in->page->page : in->number;
}

guint
gst_layout_json_width (const GstLayoutJsonPage * in)
{
  return in->layout ? in->layout->width : in->width;
}

guint
gst_layout_json_height (const GstLayoutJsonPage * in)
{
  return in->layout ? in->layout->height : in->height;
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

  gst_json_append_key (s, "bbox");
  gst_json_append_numbers (s, box, 4, DECIMALS_BOX);
  gst_json_append_key (s, "bbox_pt");
  if (gst_layout_to_points (in->page, in->layout, box[0], box[1], &pt[0], &pt[1])
      && gst_layout_to_points (in->page, in->layout, box[2], box[3], &pt[2], &pt[3]))
    gst_json_append_numbers (s, pt, 4, DECIMALS_BOX);
  else
    g_string_append (s, "null");
}

static void
append_region (GString * s, const GstLayoutJsonPage * in, const GstDocRegion * r, guint id)
{
  const gdouble box[] = { r->x0, r->y0, r->x1, r->y1 };

  g_string_append_c (s, '{');
  gst_json_append_key (s, "id");
  gst_json_append_unsigned (s, id, TRUE);
  gst_json_append_key (s, "label");
  gst_json_append_string (s, r->label);
  gst_json_append_key (s, "score");
  gst_json_append_number (s, r->score, DECIMALS_SCORE);
  append_boxes (s, in, box);
  if (r->text) {
    gst_json_append_key (s, "text");
    gst_json_append_string (s, r->text);
  }
  g_string_append_c (s, '}');
}

static void
append_identity (GString * s, const GstLayoutJsonPage * in, const GstDocPage * page)
{
  const gdouble size[] = { page->width_pt, page->height_pt };

  gst_json_append_key (s, "schema");
  gst_json_append_string (s, SCHEMA);
  gst_json_append_key (s, "document");
  gst_json_append_string (s, gst_layout_json_document (in));
  gst_json_append_key (s, "page");
  gst_json_append_unsigned (s, gst_layout_json_number (in), TRUE);
  gst_json_append_key (s, "pages");
  gst_json_append_unsigned (s, page->pages, page->pages > 0);
  gst_json_append_key (s, "width");
  gst_json_append_unsigned (s, gst_layout_json_width (in), TRUE);
  gst_json_append_key (s, "height");
  gst_json_append_unsigned (s, gst_layout_json_height (in), TRUE);
  gst_json_append_key (s, "size_pt");
  if (gst_layout_has_size (page))
    gst_json_append_numbers (s, size, 2, DECIMALS_SIZE_PT);
  else
    g_string_append (s, "null");
  gst_json_append_key (s, "rotation");
  gst_json_append_unsigned (s, (guint64) page->rotation, page->rotation >= 0);
  gst_json_append_key (s, "pts");
  gst_json_append_unsigned (s, in->pts, GST_CLOCK_TIME_IS_VALID (in->pts));
}

static void
append_ms (GString * s, const gchar * key, gdouble ms)
{
  gst_json_append_key (s, key);
  gst_json_append_number (s, ms >= 0 ? ms : NAN, DECIMALS_MS);
}

static void
append_outcome (GString * s, const GstDocPage * page, const GstDocLayout * layout)
{
  gst_json_append_key (s, "model");
  g_string_append_c (s, '{');
  gst_json_append_key (s, "name");
  gst_json_append_string (s, layout ? layout->model : NULL);
  gst_json_append_key (s, "sha256");
  gst_json_append_string (s, layout ? layout->model_sha256 : NULL);
  g_string_append_c (s, '}');
  gst_json_append_key (s, "device");
  gst_json_append_string (s, layout ? layout->device : NULL);
  gst_json_append_key (s, "status");
  gst_json_append_string (s, page->error ? "error" : "ok");
  gst_json_append_key (s, "error");
  gst_json_append_string (s, page->error);
  gst_json_append_key (s, "timings_ms");
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
  gst_json_append_key (s, "orphans");
  if (!layout || !layout->orphans) {
    g_string_append (s, "null");
    gst_json_append_key (s, "characters");
    g_string_append (s, "null");
    return;
  }
  g_string_append_c (s, '[');
  for (guint i = 0; i < layout->orphans->len; i++) {
    const GstDocTextLine *line = &g_array_index (layout->orphans, GstDocTextLine, i);

    g_string_append (s, i > 0 ? ", {" : "{");
    append_boxes (s, in, (gdouble[]) {line->x0, line->y0, line->x1, line->y1});
    gst_json_append_key (s, "text");
    gst_json_append_string (s, line->text);
    g_string_append_c (s, '}');
  }
  g_string_append_c (s, ']');
  gst_json_append_key (s, "characters");
  g_string_append_c (s, '{');
  gst_json_append_key (s, "page");
  gst_json_append_unsigned (s, layout->characters, TRUE);
  gst_json_append_key (s, "regions");
  gst_json_append_unsigned (s, layout->region_characters, TRUE);
  gst_json_append_key (s, "orphans");
  gst_json_append_unsigned (s, layout->orphan_characters, TRUE);
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
  gst_json_append_key (s, "regions");
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
