/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON line of one page: what the metas of a buffer say, as text. Pure: no files, no elements.
 *
 * The line is an object with every field of docs/gst-doclayout.schema.json, always in the same
 * order; what is not known is null. Numbers have a point whatever the locale, no exponent below
 * 1e15, and no more decimals than they are good for: pixels and points 2 (sizes in points 3),
 * scores 4, milliseconds 3; trailing zeros are left out. What is not a number (NaN, infinite) is
 * null. Text that is not UTF-8 is made so with U+FFFD. There is no line break in it.
 */
#pragma once

#include "layoutpoints.h"

G_BEGIN_DECLS

/* `page` and `layout` may be NULL: a buffer without that meta. */
typedef struct {
  const GstDocPage *page;
  const GstDocLayout *layout;
  const gchar *document; /* URI where the page meta has none; may be NULL */
  guint number;          /* of the page where the page meta has none, from 1 */
  guint width, height;   /* pixels of the frame where there is no layout */
  GstClockTime pts;      /* nanoseconds, or GST_CLOCK_TIME_NONE */
  GVariant *spans;       /* of the text meta, or NULL */
  const gchar *line;     /* what gst_layout_json_line() has made of it, or NULL: writers then make it */
} GstLayoutJsonPage;

/* Of the page meta where it has them, else of the page itself: URI or NULL; number from 1. */
const gchar *gst_layout_json_document (const GstLayoutJsonPage * in);
guint gst_layout_json_number (const GstLayoutJsonPage * in);

/* Pixels of the frame that the regions are on. */
guint gst_layout_json_width (const GstLayoutJsonPage * in);
guint gst_layout_json_height (const GstLayoutJsonPage * in);

/* The regions in reading order, of two in one place by y0, then x0, y1, x1, and the layout's own order. Those
 * whose box or score is not a number are left out, for they have no place on the page.
 * `layout` may be NULL: no regions. Array of GstDocRegion, whose texts are the layout's (transfer container). */
GArray *gst_layout_json_regions (const GstDocLayout * layout);

/* The line, without a line break at its end. `regions` is what gst_layout_json_regions() gave; an
 * error page is written without them. (transfer full) */
gchar *gst_layout_json_line (const GstLayoutJsonPage * in, const GArray * regions);

G_END_DECLS
