/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutstats.h"

/* Values that medians and the like are of: the latest ones, so that memory stays bounded. */
#define WINDOW 1024

typedef struct
{
  guint64 n;                    /* put in so far */
  gdouble values[WINDOW];       /* a ring */
} Window;

typedef struct
{
  guint64 pages, regions, skipped, dropped, batches;
  guint64 places;               /* for pages, in those batches */
  guint64 copied, staged;       /* bytes */
  gdouble total_ms, longest_ms;
  gdouble wait_pages_ms, wait_device_ms;
  gint64 first_start, last_end; /* of a batch; monotonic, µs */
  gdouble busy_seconds;
  Window page_ms;               /* batch times shared out among their pages */
  Window latency_ms;
} Counts;

struct _GstLayoutStats
{
  GMutex lock;
  Counts counts;
  guint64 memory;
  const gchar *memory_path;     /* static; NULL: not known */
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
  memset (&stats->counts, 0, sizeof stats->counts);
  g_mutex_unlock (&stats->lock);
}

static void
put (Window * window, gdouble value)
{
  window->values[window->n++ % WINDOW] = value;
}

void
gst_layout_stats_add_batch (GstLayoutStats * stats,
    const GstLayoutBatch * batch)
{
  Counts *c = &stats->counts;

  g_mutex_lock (&stats->lock);
  if (c->batches == 0)
    c->first_start = batch->started;
  c->last_end = batch->ended;
  put (&c->page_ms, batch->ms / batch->pages);
  c->batches++;
  c->pages += batch->pages;
  c->places += batch->size;
  c->regions += batch->regions;
  c->copied += batch->copied;
  c->staged += batch->staged;
  c->total_ms += batch->ms;
  c->longest_ms = MAX (c->longest_ms, batch->ms);
  c->busy_seconds += batch->device_seconds;
  c->wait_device_ms += batch->waited_ms;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_skipped (GstLayoutStats * stats)
{
  g_mutex_lock (&stats->lock);
  stats->counts.skipped++;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_dropped (GstLayoutStats * stats, guint64 * processed,
    guint64 * dropped)
{
  g_mutex_lock (&stats->lock);
  *dropped = ++stats->counts.dropped;
  *processed = stats->counts.pages;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_wait (GstLayoutStats * stats, gdouble ms)
{
  g_mutex_lock (&stats->lock);
  stats->counts.wait_pages_ms += ms;
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_add_latency (GstLayoutStats * stats, gdouble ms)
{
  g_mutex_lock (&stats->lock);
  put (&stats->counts.latency_ms, ms);
  g_mutex_unlock (&stats->lock);
}

void
gst_layout_stats_set_memory (GstLayoutStats * stats, gsize bytes,
    const gchar * path)
{
  g_mutex_lock (&stats->lock);
  stats->memory = bytes;
  stats->memory_path = path;
  g_mutex_unlock (&stats->lock);
}

GstClockTime
gst_layout_stats_longest_batch (GstLayoutStats * stats)
{
  GstClockTime longest;

  g_mutex_lock (&stats->lock);
  longest = (GstClockTime) (stats->counts.longest_ms * GST_MSECOND);
  g_mutex_unlock (&stats->lock);
  return longest;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

/* The window's values in order. Returns how many there are. */
static guint
sort (const Window * window, gdouble sorted[WINDOW])
{
  guint n = MIN (window->n, WINDOW);

  memcpy (sorted, window->values, n * sizeof *sorted);
  qsort (sorted, n, sizeof *sorted, compare);
  return n;
}

static gdouble
median (const Window * window)
{
  gdouble sorted[WINDOW];
  guint n = sort (window, sorted);

  return n ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2 : 0.0;
}

/* The least of the values that `percent` of them are not above. */
static gdouble
percentile (const gdouble * sorted, guint n, guint percent)
{
  return n ? sorted[(n * percent + 99) / 100 - 1] : 0.0;
}

static void
add_latencies (GstStructure * s, const Window * window)
{
  gdouble sorted[WINDOW];
  guint n = sort (window, sorted);

  gst_structure_set (s,
      "latency-ms-p50", G_TYPE_DOUBLE, percentile (sorted, n, 50),
      "latency-ms-p95", G_TYPE_DOUBLE, percentile (sorted, n, 95),
      "latency-ms-p99", G_TYPE_DOUBLE, percentile (sorted, n, 99),
      "latency-ms-max", G_TYPE_DOUBLE, percentile (sorted, n, 100), NULL);
}

static gdouble
share (gdouble part, gdouble whole)
{
  return whole > 0.0 ? MIN (part / whole, 1.0) : 0.0;
}

GstStructure *
gst_layout_stats_to_structure (GstLayoutStats * stats)
{
  const Counts *c = &stats->counts;
  GstStructure *s;

  g_mutex_lock (&stats->lock);
  s = gst_structure_new ("doclayout-stats",
      "pages", G_TYPE_UINT64, c->pages,
      "skipped", G_TYPE_UINT64, c->skipped,
      "dropped", G_TYPE_UINT64, c->dropped,
      "regions", G_TYPE_UINT64, c->regions,
      "batches", G_TYPE_UINT64, c->batches,
      "batch-fill", G_TYPE_DOUBLE, share (c->pages, c->places),
      "infer-ms-mean", G_TYPE_DOUBLE,
      c->pages ? c->total_ms / c->pages : 0.0,
      "infer-ms-median", G_TYPE_DOUBLE, median (&c->page_ms),
      "batch-ms-max", G_TYPE_DOUBLE, c->longest_ms,
      "wait-pages-ms", G_TYPE_DOUBLE, c->wait_pages_ms,
      "wait-device-ms", G_TYPE_DOUBLE, c->wait_device_ms,
      "device-busy", G_TYPE_DOUBLE,
      share (c->busy_seconds * G_USEC_PER_SEC, c->last_end - c->first_start),
      "bytes-copied", G_TYPE_UINT64, c->copied,
      "bytes-staged", G_TYPE_UINT64, c->staged,
      "memory", G_TYPE_UINT64, stats->memory,
      "memory-path", G_TYPE_STRING, stats->memory_path, NULL);
  add_latencies (s, &c->latency_ms);
  g_mutex_unlock (&stats->lock);
  return s;
}
