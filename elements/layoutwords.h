/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines and words of a region's text, and where they stand. Pure. */
#pragma once

#include "layoutjson.h"

G_BEGIN_DECLS

typedef struct {
  gdouble x0, y0, x1, y1; /* pixels of the frame */
} GstLayoutBox;

typedef struct {
  gchar *text;
  GstLayoutBox box; /* where `placed` of its line */
} GstLayoutWord;

typedef struct {
  GArray *words; /* of GstLayoutWord; one or more */
  gboolean placed; /* it is known where all of its words stand */
  GstLayoutBox box; /* around them */
} GstLayoutLine;

/* The lines of each region's text, split at '\n', words at white space. A line is placed where the page has a text meta,
 * its size is known, and the line is one of those that the region's words (layouttext.h) form there, in the same order:
 * not where a hyphen was joined. Array of arrays of GstLayoutLine, one for each of `regions`. (transfer full) */
GPtrArray *gst_layout_words (const GstLayoutJsonPage * in, const GArray * regions);

G_END_DECLS
