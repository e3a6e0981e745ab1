/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfgeometry.h"

#include <math.h>

/* ISO 216, in points. */
#define A4_WIDTH (210 / 25.4 * 72)
#define A4_HEIGHT (297 / 25.4 * 72)

#define ROW(width) ((width) * 4)
#define ALIGNED(bytes) (((bytes) + 15) & ~15u)

static void
fit (const GstPdfScaling * scaling, const struct pdf_render_size * size, GstPdfGeometry * g)
{
  g->width = scaling->fit_width;
  g->height = scaling->fit_height;
  g->scale = MIN (g->width / size->width, g->height / size->height);
  /* On whole pixels, so that the page's edge is as sharp as without fitting. */
  g->x = floor ((g->width - size->width * g->scale) / 2);
  g->y = floor ((g->height - size->height * g->scale) / 2);
}

static gdouble
native_scale (const GstPdfScaling * scaling, const struct pdf_render_size * size)
{
  return size->scale > 0 ? size->scale : scaling->dpi / 72;
}

/* A page of n pixels has n of them again, though points are rounded; and those of a drawn one are what
 * pdftocairo makes. */
static gdouble
to_pixels (const GstPdfScaling * scaling, const struct pdf_render_size * size,
    gdouble points)
{
  gdouble pixels = points * native_scale (scaling, size);

  return size->scale > 0 && fabs (pixels - round (pixels)) < 1e-6 ? round (pixels)
      : ceil (pixels);
}

/* Of a page whose size makes sense and is within the limits. */
static void
lay_out (const GstPdfScaling * scaling, const struct pdf_render_size * size,
    GstPdfGeometry * g)
{
  if (scaling->fit_width) {
    fit (scaling, size, g);
  } else {
    *g = (GstPdfGeometry) {
    .width = (guint) to_pixels (scaling, size, size->width),
    .height = (guint) to_pixels (scaling, size, size->height),
    .scale = native_scale (scaling, size)};
  }
  g->stride = scaling->packed ? ROW (g->width) : ALIGNED (ROW (g->width));
}

gboolean
gst_pdf_geometry_for_page (const GstPdfScaling * scaling,
    const struct pdf_render_size * size, GstPdfGeometry * g, gchar ** reason)
{
  gdouble width = to_pixels (scaling, size, size->width);
  gdouble height = to_pixels (scaling, size, size->height);

  if (!isfinite (width) || !isfinite (height) || width < 1 || height < 1) {
    *reason = g_strdup_printf ("its size of %g × %g points makes no sense",
        size->width, size->height);
    return FALSE;
  }
  if (!scaling->fit_width && (width > PDF_RENDER_MAX_SIDE
          || height > PDF_RENDER_MAX_SIDE
          || width * height > PDF_RENDER_MAX_PIXELS)) {
    *reason = g_strdup_printf ("at %g dpi it has %.0f × %.0f pixels, over the "
        "limits of %d a side and %u in all; %s", native_scale (scaling,
            size) * 72, width, height, PDF_RENDER_MAX_SIDE,
        PDF_RENDER_MAX_PIXELS,
        size->scale > 0 ? "set page-size-mode=fit" : "lower dpi");
    return FALSE;
  }
  lay_out (scaling, size, g);
  return TRUE;
}

void
gst_pdf_geometry_for_a4 (const GstPdfScaling * scaling, GstPdfGeometry * g)
{
  /* √2 × side² pixels are within the limit at this dpi. */
  gdouble side = sqrt (PDF_RENDER_MAX_PIXELS / 1.5);
  const struct pdf_render_size a4 = {.width = A4_WIDTH,.height = A4_HEIGHT };
  GstPdfScaling small = *scaling;

  small.dpi = MIN (scaling->dpi, side / A4_WIDTH * 72);
  lay_out (&small, &a4, g);
}
