/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The figures of cudalayoutdetect's property `stats`. */
#include "elements/layoutstats.h"
#include "gst_harness.h"

static GstLayoutStats *stats;

static void
setup (void)
{
  stats = gst_layout_stats_new ();
}

static void
teardown (void)
{
  gst_layout_stats_free (stats);
}

static void
check_count (const gchar * field, guint64 wanted)
{
  GstStructure *s = gst_layout_stats_to_structure (stats);
  guint64 value = 0;

  fail_unless (gst_structure_get_uint64 (s, field, &value), "no %s", field);
  fail_unless (value == wanted, "%s is %" G_GUINT64_FORMAT ", not %"
      G_GUINT64_FORMAT, field, value, wanted);
  gst_structure_free (s);
}

static void
check_value (const gchar * field, gdouble wanted)
{
  GstStructure *s = gst_layout_stats_to_structure (stats);
  gdouble value = -1;

  fail_unless (gst_structure_get_double (s, field, &value), "no %s", field);
  fail_unless (ABS (value - wanted) < 1e-9, "%s is %g, not %g", field, value,
      wanted);
  gst_structure_free (s);
}

static const gchar *const counts[] = { "pages", "skipped", "dropped",
  "regions", "batches", "bytes-copied", "bytes-staged", "memory"
};

static const gchar *const values[] = { "batch-fill", "infer-ms-mean",
  "infer-ms-median", "batch-ms-max", "wait-pages-ms", "wait-device-ms",
  "device-busy", "latency-ms-p50", "latency-ms-p95", "latency-ms-p99",
  "latency-ms-max"
};

static void
check_zero (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    check_count (counts[i], 0);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    check_value (values[i], 0.0);
}

static const GstLayoutBatch two[] = {
  {.pages = 4,.size = 4,.regions = 10,.ms = 40.0,.started = 1000000,.ended =
        1040000,.device_seconds = 0.03,.waited_ms = 25.0,.copied = 100,
      .staged = 7},
  {.pages = 1,.size = 4,.regions = 2,.ms = 20.0,.started = 1060000,.ended =
        1080000,.device_seconds = 0.01,.waited_ms = 20.0,.copied = 50,
      .staged = 3},
};

GST_START_TEST (batches)
{
  for (guint i = 0; i < G_N_ELEMENTS (two); i++)
    gst_layout_stats_add_batch (stats, &two[i]);
  check_count ("pages", 5);
  check_count ("regions", 12);
  check_count ("batches", 2);
  check_count ("bytes-copied", 150);
  check_count ("bytes-staged", 10);
  check_value ("batch-fill", 5.0 / 8);
  check_value ("infer-ms-mean", 12.0);
  check_value ("infer-ms-median", 15.0);
  check_value ("batch-ms-max", 40.0);
  check_value ("wait-device-ms", 45.0);
  check_value ("device-busy", 0.5);
  fail_unless_equals_uint64 (gst_layout_stats_longest_batch (stats),
      40 * GST_MSECOND);
}

GST_END_TEST

GST_START_TEST (everything_else)
{
  guint64 processed = 99, dropped = 99;

  check_zero ();
  gst_layout_stats_set_memory (stats, 123, "direct");
  gst_layout_stats_add_skipped (stats);
  gst_layout_stats_add_wait (stats, 1.5);
  gst_layout_stats_add_wait (stats, 2.0);
  gst_layout_stats_add_dropped (stats, &processed, &dropped);
  fail_unless_equals_uint64 (processed, 0);
  fail_unless_equals_uint64 (dropped, 1);
  gst_layout_stats_add_batch (stats, &two[0]);
  gst_layout_stats_add_dropped (stats, &processed, &dropped);
  fail_unless_equals_uint64 (processed, 4);
  fail_unless_equals_uint64 (dropped, 2);
  gst_layout_stats_add_latency (stats, 5.0);
  check_count ("memory", 123);
  check_count ("skipped", 1);
  check_count ("dropped", 2);
  check_value ("wait-pages-ms", 3.5);
  check_value ("latency-ms-max", 5.0);

  /* nothing is left of it but the memory, which is still taken */
  gst_layout_stats_reset (stats);
  check_count ("memory", 123);
  gst_layout_stats_set_memory (stats, 0, NULL);
  check_zero ();
}

GST_END_TEST

/* Of the latest 1024 pages, whatever came before, and in whatever order they are. */
GST_START_TEST (latencies)
{
  gst_layout_stats_add_latency (stats, 3.0);
  check_value ("latency-ms-p50", 3.0);
  check_value ("latency-ms-p99", 3.0);
  for (guint i = 0; i < 10; i++)
    gst_layout_stats_add_latency (stats, 1e6);
  for (guint i = 0; i < 1024; i++)
    gst_layout_stats_add_latency (stats, 1.0 + (i * 5) % 1024);
  check_value ("latency-ms-p50", 512.0);
  check_value ("latency-ms-p95", 973.0);
  check_value ("latency-ms-p99", 1014.0);
  check_value ("latency-ms-max", 1024.0);
}

GST_END_TEST

static Suite *
layoutstats_suite (void)
{
  Suite *s = suite_create ("layoutstats");
  TCase *tc = doc_tcase_new ("stats");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, batches);
  tcase_add_test (tc, everything_else);
  tcase_add_test (tc, latencies);
  return s;
}

GST_CHECK_MAIN (layoutstats)
