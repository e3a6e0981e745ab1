/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing locks up where buffers are few or held for long: small look-ahead, full queues, sinks that keep everything,
 * pools with a limit. The batch time-out is an hour where it must not be what gets things going again.
 */
#include "fake_harness.h"
#include "fake_pipeline.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstunifiedallocator.h"
#include "pdfwriter.h"

#define N_PAGES 60
#define LONG "batch-timeout=3600000 "
#define BATCH 3
#define KEPT 4                  /* buffers that downstream asks for, and keeps */

static gchar *document;

static void
write_document (void)
{
  document = pdf_write_plain ("pages.pdf", N_PAGES);
}

static void
remove_document (void)
{
  pdf_remove_files ();
  g_clear_pointer (&document, g_free);
}

/* ------------------------------------------------------------------ pipelines */

static GstPadProbeReturn
count (GstPad * pad, GstPadProbeInfo * info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* A batch fills although pdfsrc has four pages at most ready at a time. */
GST_START_TEST (batch_over_look_ahead)
{
  GstElement *pipeline = fake_pipeline_new ("pdfsrc location=%s "
      "render-workers=1 ! cudalayoutdetect name=detect " LONG
      "batch-size=32 ! jsonsink location=/dev/null", document);
  gint n = 0;

  fake_pipeline_probe (pipeline, "detect", "src", count, &n);
  fake_pipeline_play (pipeline);
  fail_unless_equals_int (n, N_PAGES);
  fail_unless_equals_int (fake_engine.n_started, 2);
  fake_pipeline_free (pipeline);
}

GST_END_TEST

#define ONE "queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 "
#define SINK "jsonsink location=/dev/null "

/* Branches that have room for one page each. Where the other branch is full before the batch is, its time-out ends it,
 * as it must when a paused pipeline waits for a page in each sink. */
static const gchar *const lines[] = {
  "tee name=t ! " ONE "! cudalayoutdetect name=detect batch-timeout=5 "
      "batch-size=8 ! " SINK "t. ! " ONE "! layoutoverlay ! " SINK,
  "cudalayoutdetect name=detect " LONG "batch-size=8 ! tee name=t ! " ONE
      "! layoutoverlay ! " SINK "t. ! " ONE "! " SINK,
  ONE "! cudalayoutdetect name=detect " LONG "batch-size=8 ! " ONE "! " SINK,
  "tee name=t ! " ONE "! cudalayoutdetect name=detect batch-timeout=5 "
      "batch-size=8 ! " SINK "t. ! " ONE "! cudalayoutdetect batch-timeout=5 "
      "batch-size=2 ! layoutoverlay ! " SINK,
};

GST_START_TEST (full_queues)
{
  GstElement *pipeline = fake_pipeline_new ("pdfsrc location=%s ! %s",
      document, lines[__i__]);
  gint n = 0;

  fake_engine.ms = 3;
  fake_pipeline_probe (pipeline, "detect", "src", count, &n);
  fake_pipeline_play (pipeline);
  fail_unless_equals_int (n, N_PAGES);
  fake_pipeline_free (pipeline);
}

GST_END_TEST

/* What an application that pulled page `number` has. */
static void
check_sample (GstSample * sample, guint number)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstDocPage page;
  guint8 pixel;

  fail_unless (gst_doc_page_meta_get (buffer, &page));
  fail_unless_equals_int (page.page, number);
  fail_unless_equals_int (gst_buffer_extract (buffer, 0, &pixel, 1), 1);
  fail_unless_equals_int (pixel, pdf_grey (number));
}

/* An application keeps all pages until the end, or has room for one and pulls. */
GST_START_TEST (appsink_keeps)
{
  gboolean all = __i__ == 0;
  GstElement *pipeline = fake_pipeline_new ("pdfsrc location=%s ! "
      "cudalayoutdetect " LONG "batch-size=4 ! appsink name=sink sync=false "
      "wait-on-eos=false max-buffers=%d", document, all ? 0 : 1);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GPtrArray *samples = g_ptr_array_new_with_free_func ((GDestroyNotify)
      gst_sample_unref);
  GstSample *sample = NULL;

  if (all)
    fake_pipeline_play (pipeline);
  else
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (;;) {
    g_signal_emit_by_name (sink, "try-pull-sample", 50 * GST_SECOND, &sample);
    if (sample == NULL)
      break;
    g_ptr_array_add (samples, sample);
  }
  fail_unless_equals_int (samples->len, N_PAGES);
  for (guint i = 0; i < N_PAGES; i++)
    check_sample (g_ptr_array_index (samples, i), i + 1);
  g_ptr_array_unref (samples);
  gst_object_unref (sink);
  fake_pipeline_free (pipeline);
}

GST_END_TEST

/* Stopped while everything is full and nobody takes a page. */
GST_START_TEST (stopped_when_full)
{
  GstElement *pipeline = fake_pipeline_new ("pdfsrc location=%s ! tee name=t ! "
      ONE "! cudalayoutdetect name=detect batch-size=2 ! appsink sync=false "
      "max-buffers=1 t. ! " ONE "! appsink sync=false max-buffers=1", document);
  gint n = 0;

  fake_pipeline_probe (pipeline, "detect", "sink", count, &n);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (g_atomic_int_get (&n) < 2)
    g_usleep (1000);
  fake_pipeline_free (pipeline);
}

GST_END_TEST

/* ------------------------------------------------------------------ pools */

/* What downstream answers, and what upstream is told for it. */
static const struct
{
  const gchar *device;
  guint held;                   /* batches in the engine and one in the queue, a frame on each side */
  gboolean pool;                /* downstream has one */
  guint max;                    /* of it; 0: no limit */
} asked[] = {
  {"cuda", 3 * BATCH + 2, TRUE, KEPT},
  {"cuda", 3 * BATCH + 2, TRUE, 0},
  {"cuda", 3 * BATCH + 2, FALSE, 0},
  {"cpu", 2 * BATCH + 2, TRUE, KEPT},
  {"cpu", 2 * BATCH + 2, TRUE, 0},
  {"cpu", 2 * BATCH + 2, FALSE, 0},
};

static GstPadProbeReturn
answer (GstPad * pad, GstPadProbeInfo * info, gpointer max)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstBufferPool *pool;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  pool = gst_buffer_pool_new ();
  gst_query_add_allocation_pool (query, pool, 16, KEPT, GPOINTER_TO_UINT (max));
  gst_object_unref (pool);
  return GST_PAD_PROBE_HANDLED;
}

static GstHarness *
start (guint i)
{
  g_autofree gchar *properties = g_strdup_printf (LONG "batch-size=%d "
      "device=%s", BATCH, asked[i].device);
  GstHarness *h = fake_start (properties);

  fake_engine.ms = 2;
  if (asked[i].pool)
    gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM
        | GST_PAD_PROBE_TYPE_PUSH, answer, GUINT_TO_POINTER (asked[i].max),
        NULL);
  return h;
}

static GstQuery *
ask (GstHarness * h, gboolean need_pool)
{
  GstCaps *caps = gst_caps_from_string (FAKE_CAPS);
  GstQuery *query = gst_query_new_allocation (caps, need_pool);

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_caps_unref (caps);
  return query;
}

static void
check_pool (GstQuery * query, guint at, gboolean ours, guint wanted_min,
    guint wanted_max)
{
  GstBufferPool *pool;
  guint size, min, max;

  gst_query_parse_nth_allocation_pool (query, at, &pool, &size, &min, &max);
  fail_unless_equals_int (size, 16);
  fail_unless_equals_int (min, wanted_min);
  fail_unless_equals_int (max, wanted_max);
  fail_unless_equals_int (GST_IS_UNIFIED_BUFFER_POOL (pool), ours);
  if (ours) {
    GstStructure *config = gst_buffer_pool_get_config (pool);

    gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max);
    fail_unless_equals_int (min, wanted_min);
    fail_unless_equals_int (max, wanted_max);
    gst_structure_free (config);
  }
  gst_clear_object (&pool);
}

/* Ours comes first and has no limit; theirs is there too, with room for what is held here. */
GST_START_TEST (figures)
{
  GstHarness *h = start (__i__);
  const guint held = asked[__i__].held;
  const gboolean theirs = asked[__i__].pool;
  const guint min = held + (theirs ? KEPT : 0);
  GstQuery *query = ask (h, TRUE), *no_pool = ask (h, FALSE);

  fail_unless_equals_int (gst_query_get_n_allocation_pools (query),
      theirs ? 2 : 1);
  check_pool (query, 0, TRUE, min, 0);
  if (theirs)
    check_pool (query, 1, FALSE, min,
        asked[__i__].max ? asked[__i__].max + held : 0);
  check_pool (no_pool, 0, FALSE, min, 0);
  gst_query_unref (query);
  gst_query_unref (no_pool);
  gst_harness_teardown (h);
}

GST_END_TEST

/* The proposed pool at `at`, made to hold no more than the least that was promised. */
static GstBufferPool *
limited_pool (GstHarness * h, guint at)
{
  GstQuery *query = ask (h, TRUE);
  GstCaps *caps;
  GstBufferPool *pool;
  GstStructure *config;
  guint size, min, max;

  gst_query_parse_allocation (query, &caps, NULL);
  gst_query_parse_nth_allocation_pool (query, at, &pool, &size, &min, &max);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, 0, max ? max : min);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  gst_query_unref (query);
  return pool;
}

/* Takes pages, and keeps the last ones. */
static gpointer
take_pages (gpointer harness)
{
  GQueue kept = G_QUEUE_INIT;

  for (guint i = 0; i < N_PAGES; i++) {
    GstBuffer *buffer = gst_harness_pull (harness);

    fail_unless (buffer != NULL, "page %u did not come", i);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * GST_SECOND);
    g_queue_push_tail (&kept, buffer);
    if (kept.length > KEPT)
      gst_buffer_unref (g_queue_pop_head (&kept));
  }
  g_queue_clear_full (&kept, (GDestroyNotify) gst_buffer_unref);
  return NULL;
}

/* Upstream waits for a free buffer while downstream keeps as many as it asked for: there are enough, for batches fill. */
GST_START_TEST (limited_pools)
{
  GstHarness *h = start (__i__ / 2 * 3);
  GstBufferPool *pool = limited_pool (h, __i__ % 2);
  GThread *taker = g_thread_new ("taker", take_pages, h);

  for (guint i = 0; i < N_PAGES; i++) {
    GstBuffer *buffer;

    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
            NULL), GST_FLOW_OK);
    GST_BUFFER_PTS (buffer) = i * GST_SECOND;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  g_thread_join (taker);
  fail_unless_equals_int (fake_engine.n_started, N_PAGES / BATCH);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
backpressure_suite (void)
{
  Suite *s = suite_create ("few buffers");
  TCase *tc = fake_tcase_new ("buffers");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, write_document, remove_document);
  tcase_add_test (tc, batch_over_look_ahead);
  tcase_add_loop_test (tc, full_queues, 0, G_N_ELEMENTS (lines));
  tcase_add_loop_test (tc, appsink_keeps, 0, 2);
  tcase_add_test (tc, stopped_when_full);
  tcase_add_loop_test (tc, figures, 0, G_N_ELEMENTS (asked));
  tcase_add_loop_test (tc, limited_pools, 0, 4);
  return s;
}

GST_CHECK_MAIN (backpressure)
