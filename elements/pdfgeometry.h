/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a page lies in its frame. */
#pragma once

#include <glib.h>

#include "pdfrenderprotocol.h"

G_BEGIN_DECLS

typedef struct {
  gdouble dpi;
  guint fit_width, fit_height;  /* pixels that every page is fitted into; 0: each page as it is */
  gboolean packed;              /* rows touch each other */
} GstPdfScaling;

typedef struct {
  guint width, height, stride;  /* pixels, pixels, bytes; rows are aligned to 16 bytes unless packed */
  gdouble scale;                /* pixels a point */
  gdouble x, y;                 /* pixel of the page's top left corner */
} GstPdfGeometry;

/* The frame for a page of the given size. Without fitting it has ceil (points × dpi / 72)
 * pixels, as pdftocairo makes them, so a last row or column can be covered in part; a page made of pixels keeps them,
 * whatever the dpi. FALSE with
 * `reason` (transfer full) if the size is not a positive number or makes a
 * frame over the limits of pdfrenderprotocol.h. */
gboolean gst_pdf_geometry_for_page (const GstPdfScaling * scaling, const struct pdf_render_size * size,
    GstPdfGeometry * geometry, gchar ** reason);

/* The frame of an A4 page, made smaller where it is over the limits. */
void gst_pdf_geometry_for_a4 (const GstPdfScaling * scaling, GstPdfGeometry * geometry);

static inline gsize
gst_pdf_geometry_size (const GstPdfGeometry * geometry)
{
  return (gsize) geometry->stride * geometry->height;
}

G_END_DECLS
