/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfgeometry.h"

#include <math.h>

#include "pdfrenderprotocol.h"

/* ISO 216, in points. */
#define A4_WIDTH (210 / 25.4 * 72)
#define A4_HEIGHT (297 / 25.4 * 72)

#define ROW(width) ((width) * 4)
#define ALIGNED(bytes) (((bytes) + 15) & ~15u)

static void
fit (const GstPdfScaling * scaling, gdouble width_pt, gdouble height_pt,
    GstPdfGeometry * g)
{
  g->width = scaling->fit_width;
  g->height = scaling->fit_height;
  g->scale = MIN (g->width / width_pt, g->height / height_pt);
  /* On whole pixels, so that the page's edge is as sharp as without fitting. */
  g->x = floor ((g->width - width_pt * g->scale) / 2);
  g->y = floor ((g->height - height_pt * g->scale) / 2);
}

/* Of a page whose size makes sense and is within the limits. */
static void
lay_out (const GstPdfScaling * scaling, gdouble width_pt, gdouble height_pt,
    GstPdfGeometry * g)
{
  if (scaling->fit_width) {
    fit (scaling, width_pt, height_pt, g);
  } else {
    *g = (GstPdfGeometry) {
    .width = (guint) ceil (width_pt * (scaling->dpi / 72)),
    .height = (guint) ceil (height_pt * (scaling->dpi / 72)),
    .scale = scaling->dpi / 72};
  }
  g->stride = scaling->packed ? ROW (g->width) : ALIGNED (ROW (g->width));
}

gboolean
gst_pdf_geometry_for_page (const GstPdfScaling * scaling, gdouble width_pt,
    gdouble height_pt, GstPdfGeometry * g, gchar ** reason)
{
  gdouble width = ceil (width_pt * (scaling->dpi / 72));
  gdouble height = ceil (height_pt * (scaling->dpi / 72));

  if (!isfinite (width) || !isfinite (height) || width < 1 || height < 1) {
    *reason = g_strdup_printf ("its size of %g × %g points makes no sense",
        width_pt, height_pt);
    return FALSE;
  }
  if (!scaling->fit_width && (width > PDF_RENDER_MAX_SIDE
          || height > PDF_RENDER_MAX_SIDE
          || width * height > PDF_RENDER_MAX_PIXELS)) {
    *reason = g_strdup_printf ("at %g dpi it has %.0f × %.0f pixels, over the "
        "limits of %d a side and %u in all; lower dpi", scaling->dpi, width,
        height, PDF_RENDER_MAX_SIDE, PDF_RENDER_MAX_PIXELS);
    return FALSE;
  }
  lay_out (scaling, width_pt, height_pt, g);
  return TRUE;
}

void
gst_pdf_geometry_for_a4 (const GstPdfScaling * scaling, GstPdfGeometry * g)
{
  /* √2 × side² pixels are within the limit at this dpi. */
  gdouble side = sqrt (PDF_RENDER_MAX_PIXELS / 1.5);
  GstPdfScaling small = *scaling;

  small.dpi = MIN (scaling->dpi, side / A4_WIDTH * 72);
  lay_out (&small, A4_WIDTH, A4_HEIGHT, g);
}
