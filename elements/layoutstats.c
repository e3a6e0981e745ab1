/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutstats.h"

/* Batches that the median is of: the latest ones, so that memory stays bounded. */
#define WINDOW 1024

struct _GstLayoutStats
{
  GMutex lock;
  guint64 n_pages, n_regions, n_skipped, n_batches, copied, staged;
  gdouble total_ms, longest_ms;
  gdouble page_ms[WINDOW];      /* a ring, of batch times shared out among their pages */
};

GstLayoutStats *
gst_layout_stats_new (void)
{
  GstLayoutStats *stats = g_new0 (GstLayoutStats, 1);

  g_mutex_init (&stats->lock);
  return stats;
}

void
gst_layout_stats_free (GstLayoutStats * stats)
{
  g_mutex_clear (&stats->lock);
  g_free (stats);
}

void
gst_layout_stats_reset (GstLayoutStats * stats)
{
  g_mutex_lock (&stats->lock);
  stats->n_pages = stats->n_regions = stats->n_skipped = stats->n_batches = 0;
  stats->copied = stats->staged = 0;
  stats->total_ms = stats->longest_ms = 0.0;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_batch (GstLayoutStats * stats, guint pages,
    guint regions, gdouble ms)
{
  g_mutex_lock (&stats->lock);
  stats->page_ms[stats->n_batches % WINDOW] = ms / pages;
  stats->n_batches++;
  stats->n_pages += pages;
  stats->n_regions += regions;
  stats->total_ms += ms;
  stats->longest_ms = MAX (stats->longest_ms, ms);
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_copies (GstLayoutStats * stats, guint64 copied,
    guint64 staged)
{
  g_mutex_lock (&stats->lock);
  stats->copied += copied;
  stats->staged += staged;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_skipped (GstLayoutStats * stats)
{
  g_mutex_lock (&stats->lock);
  stats->n_skipped++;
  g_mutex_unlock (&stats->lock);
}

GstClockTime
gst_layout_stats_longest_batch (GstLayoutStats * stats)
{
  GstClockTime longest;

  g_mutex_lock (&stats->lock);
  longest = (GstClockTime) (stats->longest_ms * GST_MSECOND);
  g_mutex_unlock (&stats->lock);
  return longest;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

/* Of the window; under the lock. */
static gdouble
median (const GstLayoutStats * stats)
{
  gsize n = MIN (stats->n_batches, WINDOW);
  gdouble sorted[WINDOW];

  if (n == 0)
    return 0.0;
  memcpy (sorted, stats->page_ms, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

GstStructure *
gst_layout_stats_to_structure (GstLayoutStats * stats)
{
  GstStructure *s;

  g_mutex_lock (&stats->lock);
  s = gst_structure_new ("doclayout-stats",
      "pages", G_TYPE_UINT64, stats->n_pages,
      "skipped", G_TYPE_UINT64, stats->n_skipped,
      "regions", G_TYPE_UINT64, stats->n_regions,
      "batches", G_TYPE_UINT64, stats->n_batches,
      "bytes-copied", G_TYPE_UINT64, stats->copied,
      "bytes-staged", G_TYPE_UINT64, stats->staged,
      "infer-ms-mean", G_TYPE_DOUBLE,
      stats->n_pages ? stats->total_ms / stats->n_pages : 0.0,
      "infer-ms-median", G_TYPE_DOUBLE, median (stats),
      "batch-ms-max", G_TYPE_DOUBLE, stats->longest_ms, NULL);
  g_mutex_unlock (&stats->lock);
  return s;
}
