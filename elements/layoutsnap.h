/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes of texts drawn to the words in them. Pure.
 *
 * A text's box becomes what encloses its words: it grows to lines that it clipped, and shrinks to the last letter.
 * Pictures, tables, forms and formulas stay as they are, for there is more in them than words, and so do texts without
 * any. No box grows into a neighbour: boxes that did not overlap do not afterwards, those that did, not further; where
 * the words of two reach into each other's lines (ascenders, descenders), the boxes part in the middle.
 */
#pragma once

#include "gst/gstdoclayoutmeta.h"

G_BEGIN_DECLS

typedef struct {
  gdouble x0, y0, x1, y1; /* pixels; x0 > x1: there are no words */
} GstLayoutHull;

#define GST_LAYOUT_NO_HULL { G_MAXDOUBLE, G_MAXDOUBLE, -G_MAXDOUBLE, -G_MAXDOUBLE }

/* `hulls`: one a region. Boxes end at the frame. Work is the square of the number of regions. */
void gst_layout_snap (GstDocLayout * layout, const GstLayoutHull * hulls);

G_END_DECLS
