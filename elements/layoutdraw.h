/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draws regions on a picture with cairo and pango. Pure: the same layout and style on the same
 * picture give the same pixels (with the same fonts). All sizes in pixels, origin at the top left.
 */
#pragma once

#include <cairo.h>

#include "gst/gstdoclayoutmeta.h"

G_BEGIN_DECLS

typedef struct {
  guint thickness;    /* of the outlines; 0: by the size of the picture */
  gchar *font;        /* pango font description; without a size: by the size of the picture */
  gboolean labels;    /* write each region's label */
  gboolean scores;    /* write each region's score */
  gchar **classes;    /* labels to draw, without regard to case; NULL or empty: all */
} GstLayoutStyle;

/* Outlines, then tags above them. An outline lies around its box, whose inside is not touched, but
 * never outside of the picture. Its tag stands above, beside, below or inside of it: where it hides
 * least of the regions and of the tags before it. Regions outside of the picture, or whose box is
 * not a number, are not drawn. */
void gst_layout_draw (cairo_t * cr, guint width, guint height, const GstDocLayout * layout,
    const GstLayoutStyle * style);

/* A red band with white text over the top. */
void gst_layout_draw_banner (cairo_t * cr, guint width, guint height, const gchar * text,
    const GstLayoutStyle * style);

G_END_DECLS
