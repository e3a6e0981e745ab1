/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boxes of a page in the order in which they are read, from the top left. Pure geometry.
 *
 * A recursive XY-cut on the projections of the boxes (G. Nagy and S. Seth, Hierarchical representation of optically
 * scanned documents, ICPR 1984; J. Ha, R. M. Haralick and I. T. Phillips, Recursive X-Y cut using bounding boxes of
 * connected components, ICDAR 1995), which looks for columns first: horizontal gaps through everything make strips, and
 * the tallest run of strips that leave a gutter free is a block of columns, read one after the other; what is above and
 * below it is done in the same way. Where no cut is possible, for boxes interlock or overlap, they are sorted
 * topologically by the two rules of T. M. Breuel, High performance document layout analysis, SDIUT 2003: what is
 * above goes first where two share a horizontal extent, else what is to the left, unless something between the two
 * spans both.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  GST_LAYOUT_CUT_TEXT,
  GST_LAYOUT_CUT_HEADING, /* or a list item: it goes with what is below it */
  GST_LAYOUT_CUT_OBJECT,  /* a picture, a table, a formula: it may have a text beside it */
} GstLayoutCutKind;

typedef struct {
  gdouble x0, y0, x1, y1; /* pixels; finite, x0 ≤ x1, y0 ≤ y1 */
  GstLayoutCutKind kind;
  guint id;               /* the caller's; of two boxes that are otherwise alike the lower one goes first */
} GstLayoutCutBox;

/* More boxes than a page has. */
#define GST_LAYOUT_CUT_MOST 1000

/* Sorts `n` boxes of a page of `width` × `height` pixels. The result does not depend on the order in which they come.
 * More than GST_LAYOUT_CUT_MOST are sorted by their upper edges only. */
void gst_layout_cut (GstLayoutCutBox * boxes, guint n, gdouble width, gdouble height);

G_END_DECLS
