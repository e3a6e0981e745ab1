/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a layout's regions are drawn. Pure: the same layout and style make the same picture (with the same fonts). */
#pragma once

#include "gst/gstdoclayoutmeta.h"
#include "layoutpicture.h"

G_BEGIN_DECLS

typedef struct {
  guint thickness;    /* of the outlines, in pixels; 0: by the size of the frame */
  gchar *font;        /* pango font description; without a size: by the size of the frame */
  gboolean labels;    /* write each region's label, */
  gboolean scores;    /* its score, */
  gboolean order;     /* and its place in reading order, from 0 */
  gboolean path;      /* lines from region to region in that order */
  gboolean legend;    /* the classes that are drawn: colour, label, number of regions */
  gdouble fill_alpha; /* of the boxes' insides, 0 … 1 */
  gdouble min_score;  /* regions with a lower score are not drawn */
  gdouble dash_below; /* those with a score lower than this have dashed outlines */
  gchar **classes;    /* labels to draw, or not to draw where a '-' stands before them, as gst_doc_label_equal()
                       * compares them; NULL or empty: all */
} GstLayoutStyle;

/* Fills, outlines, the path, tags, the legend. An outline lies around its box, whose inside only fill_alpha touches,
 * but never outside of the frame. Its tag stands above, beside, below or inside of it: where it hides least of the
 * regions and of the tags before it. The legend stands in the corner, or at the side, where it hides least. Regions outside of the
 * frame, or whose box is not a number, are not drawn. */
void gst_layout_draw (GstLayoutPicture * picture, const GstDocLayout * layout, const GstLayoutStyle * style);

/* A red band with white text over the top. */
void gst_layout_draw_banner (GstLayoutPicture * picture, const gchar * text, const GstLayoutStyle * style);

G_END_DECLS
