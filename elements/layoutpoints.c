/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutpoints.h"

#include <math.h>

gboolean
gst_layout_has_size (const GstDocPage * page)
{
  return page->width_pt > 0 && page->height_pt > 0
      && isfinite (page->width_pt) && isfinite (page->height_pt);
}

/* x of the frame that the detector saw = x_pt × *scale_x + *x0; likewise y. */
static gboolean
find_scale (const GstDocPage * page, const GstDocLayout * layout,
    gdouble * scale_x, gdouble * scale_y, gdouble * x0, gdouble * y0)
{
  gdouble w = layout->origin_width, h = layout->origin_height;

  if (!page || !gst_layout_has_size (page) || !(w > 0) || !(h > 0))
    return FALSE;
  if (page->scale > 0 && page->width && page->height) {
    *scale_x = page->scale * w / page->width;
    *scale_y = page->scale * h / page->height;
    *x0 = page->x * w / page->width;
    *y0 = page->y * h / page->height;
  } else {
    *scale_x = w / page->width_pt;
    *scale_y = h / page->height_pt;
    *x0 = *y0 = 0;
  }
  return TRUE;
}

gboolean
gst_layout_to_points (const GstDocPage * page, const GstDocLayout * layout,
    gdouble x, gdouble y, gdouble * x_pt, gdouble * y_pt)
{
  gdouble scale_x, scale_y, x0, y0;

  if (!find_scale (page, layout, &scale_x, &scale_y, &x0, &y0))
    return FALSE;
  *x_pt = (x * layout->origin_sx + layout->origin_tx - x0) / scale_x;
  *y_pt = (y * layout->origin_sy + layout->origin_ty - y0) / scale_y;
  return TRUE;
}

gboolean
gst_layout_to_pixels (const GstDocPage * page, const GstDocLayout * layout,
    gdouble x_pt, gdouble y_pt, gdouble * x, gdouble * y)
{
  gdouble scale_x, scale_y, x0, y0;

  if (!find_scale (page, layout, &scale_x, &scale_y, &x0, &y0))
    return FALSE;
  *x = (x_pt * scale_x + x0 - layout->origin_tx) / layout->origin_sx;
  *y = (y_pt * scale_y + y0 - layout->origin_ty) / layout->origin_sy;
  return TRUE;
}

static gdouble
or_zero (gdouble v)
{
  return isfinite (v) ? v : 0;
}

GArray *
gst_layout_place_words (const GstDocPage * page, const GstDocLayout * layout, GVariant * spans)
{
  const guint n = gst_doc_text_n_spans (spans);
  GArray *words;
  gdouble x, y;

  if (!gst_layout_to_pixels (page, layout, 0, 0, &x, &y))
    return NULL;
  words = g_array_sized_new (FALSE, FALSE, sizeof (GstDocTextSpan), n);
  for (guint i = 0; i < n; i++) {
    GstDocTextSpan word;

    gst_doc_text_get_span (spans, i, &word);
    gst_layout_to_pixels (page, layout, or_zero (word.x0), or_zero (word.y0), &word.x0, &word.y0);
    gst_layout_to_pixels (page, layout, or_zero (word.x1), or_zero (word.y1), &word.x1, &word.y1);
    g_array_append_val (words, word);
  }
  return words;
}
