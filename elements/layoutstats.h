/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cudalayoutdetect has done, for its property `stats`. Any thread may ask while one counts. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstLayoutStats GstLayoutStats;

GstLayoutStats *gst_layout_stats_new (void);
void gst_layout_stats_free (GstLayoutStats * stats);
void gst_layout_stats_reset (GstLayoutStats * stats);

/* A batch that was looked at. */
typedef struct {
  guint pages, size;         /* in it (≥ 1), and when it is full */
  guint regions;             /* found */
  gdouble ms;                /* that it took */
  gint64 started, ended;     /* monotonic, µs */
  gdouble device_seconds;    /* between them, that the engine was at work */
  gdouble waited_ms;         /* for its result */
  guint64 copied, staged;    /* bytes of pixels: copied here, and by way of a staging buffer to the device */
} GstLayoutBatch;

void gst_layout_stats_add_batch (GstLayoutStats * stats, const GstLayoutBatch * batch);
/* A buffer went through without being looked at. */
void gst_layout_stats_add_skipped (GstLayoutStats * stats);
/* A late frame was dropped. `processed` and `dropped` become the pages looked at and the frames dropped so far. */
void gst_layout_stats_add_dropped (GstLayoutStats * stats, guint64 * processed, guint64 * dropped);
/* Pages were waited for, with nothing in flight. */
void gst_layout_stats_add_wait (GstLayoutStats * stats, gdouble ms);
/* A page was handed on so long after it came. */
void gst_layout_stats_add_latency (GstLayoutStats * stats, gdouble ms);
/* What the engine has on its device now, in bytes, and how frames reach it (nn_memory_path_name()). A reset does not
 * change it. */
void gst_layout_stats_set_memory (GstLayoutStats * stats, gsize bytes, const gchar * path);

/* The longest batch so far, in nanoseconds. */
GstClockTime gst_layout_stats_longest_batch (GstLayoutStats * stats);

/* A structure "doclayout-stats" (docs of cudalayoutdetect's property). (transfer full) */
GstStructure *gst_layout_stats_to_structure (GstLayoutStats * stats);

G_END_DECLS
