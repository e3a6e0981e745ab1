/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with the default model: pages go in, regions come out, in order. */
#include "drawn_page.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstunifiedallocator.h"
#include "gst_harness.h"

#include <glib/gstdio.h>
#include <math.h>

#define SIZE "width=848,height=1100,framerate=1/1"
#define CAPS "video/x-raw,format=BGRx," SIZE

/* A harness around the element made by `launch`, with its properties set before it plays. */
static GstHarness *
start_with (const gchar * launch)
{
  GstElement *element = gst_parse_launch (launch, NULL);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, CAPS);
  return h;
}

/* Batches are full ones or end with the stream, whatever the machine's load. */
static GstHarness *
start (guint batch)
{
  g_autofree gchar *launch = g_strdup_printf ("cudalayoutdetect batch-size=%u "
      "batch-timeout=3600000", batch);

  return start_with (launch);
}

static GstBuffer *
page (guint number)
{
  DrawnBlock block = drawn_block (number);

  return drawn_page_new (CAPS, &block, 0, number);
}

static gdouble
overlap (const GstDocRegion * r, const DrawnBlock * b)
{
  gdouble w = MIN (r->x1, b->x1) - MAX (r->x0, b->x0);
  gdouble h = MIN (r->y1, b->y1) - MAX (r->y0, b->y0);
  gdouble both = MAX (w, 0) * MAX (h, 0);

  return both / ((r->x1 - r->x0) * (r->y1 - r->y0)
      + (b->x1 - b->x0) * (b->y1 - b->y0) - both);
}

/* The buffer's one region is the drawn block. */
static void
check_found (GstBuffer * buffer, guint number)
{
  DrawnBlock block = drawn_block (number);
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);
  const GstDocRegion *r;

  fail_unless (layout != NULL, "page %u has no layout", number);
  fail_unless_equals_int (layout->regions->len, 1);
  r = &g_array_index (layout->regions, GstDocRegion, 0);
  fail_unless_equals_string (r->label, "text");
  fail_unless (overlap (r, &block) > 0.85, "page %u: %g,%g %g,%g, not %d,%d "
      "%d,%d", number, r->x0, r->y0, r->x1, r->y1, block.x0, block.y0,
      block.x1, block.y1);
  fail_unless (r->score > 0.5 && r->score <= 1.0);
  gst_doc_layout_free (layout);
}

static void
check_same (GstBuffer * a, GstBuffer * b, gdouble tolerance)
{
  GstDocLayout *x = gst_doc_layout_meta_get (a), *y =
      gst_doc_layout_meta_get (b);

  fail_unless (x->regions->len > 0);
  fail_unless_equals_int (x->regions->len, y->regions->len);
  for (guint i = 0; i < x->regions->len; i++) {
    const GstDocRegion *p = &g_array_index (x->regions, GstDocRegion, i);
    const GstDocRegion *q = &g_array_index (y->regions, GstDocRegion, i);

    fail_unless_equals_string (p->label, q->label);
    fail_unless (fabs (p->x0 - q->x0) <= tolerance
        && fabs (p->y0 - q->y0) <= tolerance
        && fabs (p->x1 - q->x1) <= tolerance
        && fabs (p->y1 - q->y1) <= tolerance
        && fabs (p->score - q->score) <= tolerance, "region %u differs", i);
  }
  gst_doc_layout_free (x);
  gst_doc_layout_free (y);
}

/* Five pages, the last batch not full: in order, each with its own region, and then EOS. */
GST_START_TEST (pages_in_order)
{
  static const guint batches[] = { 1, 2, 3, 8 };
  GstHarness *h = start (batches[__i__]);
  GstStructure *stats;
  guint64 n_pages, n_regions, n_batches;
  GstDocLayout *layout;

  for (guint i = 0; i < 5; i++)
    fail_unless_equals_int (gst_harness_push (h, page (i)), GST_FLOW_OK);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  for (guint i = 0; i < 5; i++) {
    GstBuffer *out = gst_harness_pull (h);

    fail_unless_equals_uint64 (GST_BUFFER_PTS (out), i * GST_SECOND);
    check_found (out, i);
    if (i == 0) {
      layout = gst_doc_layout_meta_get (out);
      fail_unless_equals_int (layout->width, 848);
      fail_unless_equals_int (layout->height, 1100);
      fail_unless_equals_string (layout->device, "cpu");
      fail_unless_equals_int (strlen (layout->model_sha256), 64);
      fail_unless (layout->infer_ms > 0.0);
      gst_doc_layout_free (layout);
    }
    gst_buffer_unref (out);
  }
  while (gst_harness_events_received (h) < 4)
    g_usleep (1000);
  fail_unless_equals_int (gst_harness_push (h, page (0)), GST_FLOW_EOS);

  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get (stats, "pages", G_TYPE_UINT64, &n_pages, "regions",
      G_TYPE_UINT64, &n_regions, "batches", G_TYPE_UINT64, &n_batches, NULL);
  fail_unless_equals_uint64 (n_pages, 5);
  fail_unless_equals_uint64 (n_regions, 5);
  fail_unless_equals_uint64 (n_batches,
      (5 + batches[__i__] - 1) / batches[__i__]);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

/* One batch or three, the numbers are the same to the last bit. */
GST_START_TEST (batches_do_not_matter)
{
  GstHarness *one = start (1), *three = start (3);

  for (guint i = 0; i < 3; i++) {
    gst_harness_push (one, page (i));
    gst_harness_push (three, page (i));
  }
  for (guint i = 0; i < 3; i++) {
    GstBuffer *a = gst_harness_pull (one), *b = gst_harness_pull (three);

    check_same (a, b, 0.0);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
  }
  gst_harness_teardown (one);
  gst_harness_teardown (three);
}

GST_END_TEST

/* The drawn page is grey, so every format and stride shows the same one. */
GST_START_TEST (formats_and_strides)
{
  static const gchar *const formats[] =
      { "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR", "GRAY8" };
  DrawnBlock block = drawn_block (3);
  GstBuffer *first = NULL;

  for (guint i = 0; i <= G_N_ELEMENTS (formats); i++) {
    GstHarness *h = start (1);
    g_autofree gchar *caps = g_strdup_printf ("video/x-raw,format=%s,%s",
        formats[i % G_N_ELEMENTS (formats)], SIZE);
    GstBuffer *out;

    gst_harness_set_src_caps_str (h, caps);
    gst_harness_push (h, drawn_page_new (caps, &block, i > 0 ? 52 : 0, 3));
    out = gst_harness_pull (h);
    check_found (out, 3);
    if (first)
      check_same (first, out, 0.0);
    else
      first = gst_buffer_ref (out);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
  gst_buffer_unref (first);
}

GST_END_TEST

GST_START_TEST (failed_pages_and_gaps_pass)
{
  GstHarness *h = start (2);
  GstDocPage failed = GST_DOC_PAGE_INIT;
  GstBuffer *in[4], *out;
  GstStructure *stats;
  guint64 skipped;

  for (guint i = 0; i < 4; i++)
    in[i] = page (i);
  failed.error = "damaged";
  gst_doc_page_meta_add (in[1], &failed);
  GST_BUFFER_FLAG_SET (in[2], GST_BUFFER_FLAG_GAP);
  for (guint i = 0; i < 4; i++)
    gst_harness_push (h, in[i]);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 0; i < 4; i++) {
    GstDocLayout *layout;

    out = gst_harness_pull (h);
    fail_unless (out == in[i], "page %u is another buffer", i);
    layout = gst_doc_layout_meta_get (out);
    fail_unless_equals_int (layout != NULL, i == 0 || i == 3);
    gst_doc_layout_free (layout);
    gst_buffer_unref (out);
  }
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "skipped", &skipped);
  fail_unless_equals_uint64 (skipped, 2);
  gst_structure_free (stats);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (shared_buffer)
{
  GstHarness *h = start (1);
  GstBuffer *in = page (0), *out;

  gst_harness_push (h, gst_buffer_ref (in));
  out = gst_harness_pull (h);
  check_found (out, 0);
  fail_unless (gst_doc_layout_meta_get (in) == NULL,
      "a buffer that others hold was written to");
  fail_unless (gst_buffer_peek_memory (in, 0) == gst_buffer_peek_memory (out,
          0), "pixels were copied");
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

GST_END_TEST

static GstPadProbeReturn
note (GstPad * pad, GstPadProbeInfo * info, gpointer text)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_string_append_printf (text, "%u ", (guint) (GST_BUFFER_PTS
            (GST_PAD_PROBE_INFO_BUFFER (info)) / GST_SECOND));
  else
    g_string_append_printf (text, "%s ",
        GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  return GST_PAD_PROBE_OK;
}

/* Pages of two sizes in one batch: each keeps its caps, and events stay where they were. */
GST_START_TEST (events_keep_their_place)
{
  static const gchar small[] =
      "video/x-raw,format=GRAY8,width=424,height=550,framerate=1/1";
  GstHarness *h = start (3);
  GString *text = g_string_new (NULL);
  DrawnBlock half = { 40, 60, 205, 200 };
  GstBuffer *out;
  GstDocLayout *layout;

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER
      | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note, text, NULL);
  gst_harness_push (h, page (0));
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, GST_SECOND));
  gst_harness_set_src_caps_str (h, small);
  gst_harness_push (h, drawn_page_new (small, &half, 0, 2));
  gst_harness_push_event (h, gst_event_new_tag (gst_tag_list_new_empty ()));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_buffer_unref (gst_harness_pull (h));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless_equals_int (layout->width, 424);
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  while (!strstr (text->str, "eos"))
    g_usleep (1000);
  fail_unless_equals_string (text->str,
      "stream-start caps segment 0 gap caps segment 2 tag eos ");
  gst_harness_teardown (h);
  g_string_free (text, TRUE);
}

GST_END_TEST

static gpointer
push_until_flushed (gpointer data)
{
  GstHarness *h = data;
  GstFlowReturn result = GST_FLOW_OK;

  for (guint i = 0; result == GST_FLOW_OK; i++)
    result = gst_harness_push (h, page (i));
  return GINT_TO_POINTER (result);
}

/* Flushed in the middle of its work it drops what it holds, and works again. */
GST_START_TEST (flush)
{
  GstHarness *h = start (2);
  GstSegment segment;

  for (guint round = 0; round < 4; round++) {
    GThread *thread = g_thread_new ("pages", push_until_flushed, h);
    GstBuffer *out;

    g_usleep (20000 + round * 35000);
    gst_harness_push_event (h, gst_event_new_flush_start ());
    fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
        GST_FLOW_FLUSHING);
    while ((out = gst_harness_try_pull (h)))
      gst_buffer_unref (out);
    gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_harness_push_event (h, gst_event_new_segment (&segment));

    gst_harness_push (h, page (10 + round));
    gst_harness_push (h, page (20 + round));
    out = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out),
        (10 + round) * GST_SECOND);
    check_found (out, 10 + round);
    gst_buffer_unref (out);
    gst_buffer_unref (gst_harness_pull (h));
  }
  gst_harness_teardown (h);
}

GST_END_TEST

/* Stopped with a batch half full and another in the engine. */
GST_START_TEST (stop_while_working)
{
  for (guint i = 0; i < 3; i++) {
    GstHarness *h = start (2);

    for (guint j = 0; j < 3; j++)
      gst_harness_push (h, page (j));
    g_usleep (i * 30000);
    gst_harness_teardown (h);
  }
}

GST_END_TEST

/* READY and back with another batch size, twice through NULL; the model is asked for again. */
GST_START_TEST (states)
{
  GstHarness *h = start (1);
  gchar *device;

  for (guint i = 0; i < 4; i++) {
    GstBuffer *out;

    gst_harness_push (h, page (i));
    gst_harness_push_event (h, gst_event_new_eos ());
    out = gst_harness_pull (h);
    check_found (out, i);
    gst_buffer_unref (out);
    g_object_get (h->element, "device-used", &device, NULL);
    fail_unless_equals_string (device, "cpu");
    g_free (device);
    fail_unless_equals_int (gst_element_set_state (h->element, i % 2
            ? GST_STATE_NULL : GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    g_object_get (h->element, "device-used", &device, NULL);
    fail_unless_equals_int (device != NULL, i % 2 == 0);
    g_free (device);
    g_object_set (h->element, "batch-size", i + 2, NULL);
    fail_unless_equals_int (gst_element_set_state (h->element,
            GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
    gst_harness_push_event (h, gst_event_new_stream_start ("again"));
    gst_harness_set_src_caps_str (h, CAPS);
  }
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (two_elements)
{
  GstHarness *a = start (1), *b = start (2);
  GstBuffer *out;

  gst_harness_push (a, page (0));
  gst_harness_push (b, page (1));
  gst_harness_push (b, page (2));
  out = gst_harness_pull (a);
  check_found (out, 0);
  gst_buffer_unref (out);
  /* the model is shared, and stays the other's when one goes */
  gst_harness_teardown (a);
  for (guint i = 1; i < 3; i++) {
    out = gst_harness_pull (b);
    check_found (out, i);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (b);
}

GST_END_TEST

static guint
count_regions (GstHarness * h)
{
  GstBuffer *out;
  GstDocLayout *layout;
  guint n;

  gst_harness_push (h, page (0));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless (layout != NULL);
  n = layout->regions->len;
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  return n;
}

GST_START_TEST (settings_while_playing)
{
  GstHarness *h = start (1);

  fail_unless_equals_int (count_regions (h), 1);
  g_object_set (h->element, "threshold", 1.0, NULL);
  fail_unless_equals_int (count_regions (h), 0);
  g_object_set (h->element, "threshold", 0.001, "duplicates", 1, NULL);
  fail_unless (count_regions (h) > 3);
  g_object_set (h->element, "max-detections", 3, NULL);
  fail_unless_equals_int (count_regions (h), 3);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (labels_file)
{
  GstHarness *h;
  g_autofree gchar *path = NULL, *launch = NULL;
  gint fd = g_file_open_tmp ("gst-doclayout-labels-XXXXXX", &path, NULL);
  GstBuffer *out;
  GstDocLayout *layout;

  g_file_set_contents (path, "prose\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", -1, NULL);
  launch = g_strdup_printf ("cudalayoutdetect batch-size=1 labels-file=%s",
      path);
  h = start_with (launch);
  gst_harness_push (h, page (0));
  out = gst_harness_pull (h);
  layout = gst_doc_layout_meta_get (out);
  fail_unless_equals_string (g_array_index (layout->regions, GstDocRegion,
          0).label, "prose");
  gst_doc_layout_free (layout);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_close (fd, NULL);
  g_unlink (path);
}

GST_END_TEST

/* Ours is proposed first; whether rows may have strides of their own is downstream's word. */
GST_START_TEST (allocation)
{
  gboolean meta = __i__ == 1;
  GstHarness *h = start (3);
  GstCaps *caps = gst_caps_from_string (CAPS);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;
  guint size, min, max;

  if (meta)
    gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_get_n_allocation_pools (query) >= 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless (GST_IS_UNIFIED_BUFFER_POOL (pool));
  fail_unless_equals_int (size, 848 * 4 * 1100);
  fail_unless (min >= 2 * 3 + 2);
  fail_unless_equals_int (gst_query_find_allocation_meta (query,
          GST_VIDEO_META_API_TYPE, NULL), meta);
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (latency)
{
  GstHarness *h = start (2);
  GstClockTime before, after;
  GstStructure *stats;
  gdouble longest;

  g_object_set (h->element, "batch-timeout", 7, NULL);
  gst_harness_set_upstream_latency (h, 5 * GST_MSECOND);
  before = gst_harness_query_latency (h);
  fail_unless_equals_uint64 (before, 12 * GST_MSECOND);
  gst_harness_push (h, page (0));
  gst_buffer_unref (gst_harness_pull (h));
  g_object_get (h->element, "stats", &stats, NULL);
  gst_structure_get_double (stats, "batch-ms-max", &longest);
  gst_structure_free (stats);
  after = gst_harness_query_latency (h);
  fail_unless (after >= before + (GstClockTime) (longest * GST_MSECOND),
      "%" GST_TIME_FORMAT " after %g ms", GST_TIME_ARGS (after), longest);
  gst_harness_teardown (h);
}

GST_END_TEST

/* A buffer smaller than its caps say stops the stream with one error. */
GST_START_TEST (short_frame)
{
  GstHarness *h = start (1);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error;

  gst_element_set_bus (h->element, bus);
  gst_harness_push (h, gst_buffer_new_allocate (NULL, 1000, NULL));
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_READ), "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  while (gst_harness_push (h, page (0)) == GST_FLOW_OK)
    g_usleep (1000);
  fail_unless_equals_int (gst_harness_push (h, page (0)), GST_FLOW_ERROR);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST

/* In a whole pipeline: GRAY8 from videotestsrc, in memory of our pool, told where it ran. */
GST_START_TEST (pipeline)
{
  GstElement *pipeline = gst_parse_launch ("videotestsrc num-buffers=3 ! "
      "video/x-raw,format=GRAY8,width=320,height=240 ! cudalayoutdetect "
      "batch-size=2 ! fakesink name=s signal-handoffs=true", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  GstSample *sample;
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (message, "doclayout-device"));
  fail_unless_equals_string (gst_structure_get_string
      (gst_message_get_structure (message), "device"), "cpu");
  gst_message_unref (message);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_string (GST_MESSAGE_TYPE_NAME (message), "eos");
  gst_message_unref (message);
  g_object_get (sink, "last-sample", &sample, NULL);
  fail_unless (gst_is_unified_memory (gst_buffer_peek_memory
          (gst_sample_get_buffer (sample), 0)));
  gst_sample_unref (sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

static Suite *
pages_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect with pages");
  TCase *tc = doc_tcase_new ("pages");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, pages_in_order, 0, 4);
  tcase_add_test (tc, batches_do_not_matter);
  tcase_add_test (tc, formats_and_strides);
  tcase_add_test (tc, failed_pages_and_gaps_pass);
  tcase_add_test (tc, shared_buffer);
  tcase_add_test (tc, events_keep_their_place);
  tcase_add_test (tc, flush);
  tcase_add_test (tc, stop_while_working);
  tcase_add_test (tc, states);
  tcase_add_test (tc, two_elements);
  tcase_add_test (tc, settings_while_playing);
  tcase_add_test (tc, labels_file);
  tcase_add_loop_test (tc, allocation, 0, 2);
  tcase_add_test (tc, latency);
  tcase_add_test (tc, short_frame);
  tcase_add_test (tc, pipeline);
  return s;
}

int
main (int argc, char **argv)
{
  const gchar *named = g_getenv ("DOCLAYOUT_MODEL");
  g_autofree gchar *path = named ? g_strdup (named)
      : g_build_filename (g_get_user_cache_dir (), "gst-doclayout",
      "layout_cdla.onnx", NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_print ("skipped: no model at %s (tests/run.sh fetches it)\n", path);
    return 77;
  }
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (pages_suite (), "cudalayoutdetect_pages",
      __FILE__);
}
