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
