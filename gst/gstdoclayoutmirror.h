/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout told a second time, in the meta that other elements of this GStreamer version read.
 * gstdoclayoutanalytics.c does it for ≥ 1.24, gstdoclayoutroi.c for older; the build takes one.
 */
#pragma once

#include "gstdoclayoutmeta.h"

G_BEGIN_DECLS

/* `buffer` is writable. `replace`: takes back what an earlier call added. */
void gst_doc_layout_mirror (GstBuffer * buffer, const GstDocLayout * layout, gboolean replace);

/* The whole pixels, of 0 … limit, that low … high touches. Both of these metas hold integers. */
static inline void
gst_doc_outer_span (gdouble low, gdouble high, gint limit, gint * start, gint * length)
{
  gint first = CLAMP ((gint) low, 0, limit);
  gint last = (gint) high < high ? (gint) high + 1 : (gint) high;

  *start = first;
  *length = CLAMP (last, first, limit) - first;
}

G_END_DECLS
