/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cudalayoutdetect has done, for its property `stats`. Any thread may ask while one counts. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstLayoutStats GstLayoutStats;

GstLayoutStats *gst_layout_stats_new (void);
void gst_layout_stats_free (GstLayoutStats * stats);
void gst_layout_stats_reset (GstLayoutStats * stats);

/* A batch of `pages` pages (≥ 1) with `regions` regions took `ms` milliseconds. */
void gst_layout_stats_add_batch (GstLayoutStats * stats, guint pages, guint regions, gdouble ms);
/* Bytes of a batch's frames that were copied on the host, and so that the device could read them. */
void gst_layout_stats_add_copies (GstLayoutStats * stats, guint64 copied, guint64 staged);
/* A buffer went through without being looked at. */
void gst_layout_stats_add_skipped (GstLayoutStats * stats);

/* The longest batch so far, in nanoseconds. */
GstClockTime gst_layout_stats_longest_batch (GstLayoutStats * stats);

/* A structure "doclayout-stats" (docs of cudalayoutdetect's property). (transfer full) */
GstStructure *gst_layout_stats_to_structure (GstLayoutStats * stats);

G_END_DECLS
