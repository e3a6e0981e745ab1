/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames reach a GPU, with an engine that has one (fake_engine.h), which reads only what was made readable. */
#include "fake_harness.h"

#include "gst/gstunifiedallocator.h"

#define CAPS(height) "video/x-raw,format=GRAY8,width=1024,height=" #height ",framerate=1/1"

/* The pool that the element proposes, at work. */
static GstBufferPool *
propose (GstHarness * h)
{
  GstPad *pad = gst_element_get_static_pad (h->element, "sink");
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;

  fail_unless (gst_pad_query (pad, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_object_unref (pad);
  return pool;
}

static void
drop (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static GstBuffer *
pooled_page (GstBufferPool * pool, guint number, gsize size)
{
  GstBuffer *buffer = NULL;

  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  fail_unless_equals_int (gst_buffer_get_size (buffer), size);
  gst_buffer_memset (buffer, 0, number, size);
  GST_BUFFER_PTS (buffer) = number * GST_SECOND;
  return buffer;
}

static gpointer
data_of (GstBuffer * buffer)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  gst_buffer_unmap (buffer, &map);
  return map.data;
}

static gchar *
memory_path (GstHarness * h)
{
  gchar *path;

  g_object_get (h->element, "memory-path", &path, NULL);
  return path;
}

static gboolean
is_unified (GstBuffer * buffer)
{
  return gst_is_unified_memory (gst_buffer_peek_memory (buffer, 0));
}

/* Sends `n` pages, one at a time, and takes them back; the engine sees each where it is. Returns those that come in
 * unified memory. */
static guint
run_pages (GstHarness * h, guint n, gsize size)
{
  GstBufferPool *pool = propose (h);
  guint unified = 0;

  for (guint i = 0; i < n; i++) {
    GstBuffer *page = pooled_page (pool, i, size);
    gpointer data = data_of (page);

    unified += is_unified (page);
    fail_unless_equals_int (gst_harness_push (h, page), GST_FLOW_OK);
    fake_pull (h, i);
    fail_unless (fake_engine.data == data, "the frame was copied");
  }
  drop (pool);
  return unified;
}

static guint64
staged (GstHarness * h)
{
  GstStructure *stats;
  guint64 bytes;
  gchar *path;

  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-staged", &bytes));
  g_object_get (h->element, "memory-path", &path, NULL);
  fail_unless_equals_string (gst_structure_get_string (stats, "memory-path"),
      path);
  g_free (path);
  gst_structure_free (stats);
  return bytes;
}

static GstHarness *
start (const gchar * properties, const gchar * caps)
{
  GstHarness *h = fake_start (properties);

  gst_harness_set_src_caps_str (h, caps);
  return h;
}

GST_START_TEST (frames_are_registered_once)
{
  g_autofree gchar *path = NULL;
  GstHarness *h;

  fake_engine.path = NN_MEMORY_REGISTERED;
  h = start ("batch-size=1", CAPS (1000));
  path = memory_path (h);
  fail_unless_equals_string (path, "registered");
  fail_unless_equals_int (run_pages (h, 20, 1024 * 1000), 20);
  fail_unless (fake_engine.n_registered > 0);
  fail_unless (fake_engine.n_registered < 20,
      "a frame that came back from the pool was registered again");
  fail_unless_equals_uint64 (staged (h), 0);
  gst_harness_teardown (h);
  fail_unless_equals_int (fake_engine.n_unregistered,
      fake_engine.n_registered);
}

GST_END_TEST

GST_START_TEST (frames_of_other_sizes_are_registered_already)
{
  GstHarness *h;
  gint before;

  fake_engine.path = NN_MEMORY_REGISTERED;
  h = start ("batch-size=1", CAPS (1000));
  run_pages (h, 5, 1024 * 1000);
  before = fake_engine.n_registered;
  gst_harness_set_src_caps_str (h, CAPS (990));
  run_pages (h, 5, 1024 * 990);
  gst_harness_set_src_caps_str (h, CAPS (995));
  run_pages (h, 5, 1024 * 995);
  fail_unless_equals_int (fake_engine.n_registered, before);
  fail_unless_equals_int (fake_engine.n_unregistered, 0);
  gst_harness_teardown (h);
  fail_unless_equals_int (fake_engine.n_unregistered, before);
}

GST_END_TEST

GST_START_TEST (other_memory_is_staged)
{
  GstHarness *h;

  fake_engine.path = NN_MEMORY_REGISTERED;
  h = fake_start ("batch-size=1");
  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (gst_harness_push (h, fake_page (i)), GST_FLOW_OK);
    fake_pull (h, i);
  }
  fail_unless_equals_int (fake_engine.n_registered, 0);
  fail_unless_equals_uint64 (staged (h), 3 * 4 * 4);
  gst_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (what_cannot_be_registered_is_staged)
{
  GstHarness *h;

  fake_engine.path = NN_MEMORY_REGISTERED;
  fake_engine.no_registering = true;
  h = start ("batch-size=1", CAPS (1000));
  run_pages (h, 3, 1024 * 1000);
  fail_unless_equals_uint64 (staged (h), 3 * 1024 * 1000);
  gst_harness_teardown (h);
  fail_unless_equals_int (fake_engine.n_unregistered, 0);
}

GST_END_TEST

GST_START_TEST (any_memory_is_read_directly)
{
  g_autofree gchar *path = NULL;
  GstHarness *h;

  fake_engine.path = NN_MEMORY_DIRECT;
  h = start ("batch-size=1", CAPS (1000));
  path = memory_path (h);
  fail_unless_equals_string (path, "direct");
  fail_unless_equals_int (run_pages (h, 3, 1024 * 1000), 3);
  gst_harness_set_src_caps_str (h, FAKE_CAPS);
  fail_unless_equals_int (gst_harness_push (h, fake_page (7)), GST_FLOW_OK);
  fake_pull (h, 7);
  fail_unless_equals_int (fake_engine.n_registered, 0);
  fail_unless_equals_uint64 (staged (h), 0);
  gst_harness_teardown (h);
}

GST_END_TEST

/* What `properties` have upstream proposed. */
static void
check_kind (nn_memory_path path, const gchar * properties, nn_memory_kind kind)
{
  GstHarness *h;

  fake_engine.path = path;
  h = start (properties, CAPS (1000));
  fail_unless_equals_int (run_pages (h, 5, 1024 * 1000), 0);
  fail_unless (fake_engine.n_allocated[kind] > 0);
  fail_unless_equals_int (fake_engine.n_registered, 0);
  fail_unless_equals_uint64 (staged (h), 0);
  gst_harness_teardown (h);
  fail_unless_equals_int (fake_engine.n_freed[kind],
      fake_engine.n_allocated[kind]);
}

GST_START_TEST (memory_of_the_driver)
{
  check_kind (NN_MEMORY_STAGED, "batch-size=1", NN_MEMORY_PINNED);
  check_kind (NN_MEMORY_REGISTERED, "batch-size=1 memory=pinned",
      NN_MEMORY_PINNED);
  check_kind (NN_MEMORY_REGISTERED, "batch-size=1 memory=managed",
      NN_MEMORY_MANAGED);
  check_kind (NN_MEMORY_DIRECT, "batch-size=1 memory=managed",
      NN_MEMORY_MANAGED);
}

GST_END_TEST

GST_START_TEST (no_managed_memory)
{
  GstElement *element = fake_element_new ("memory=managed");
  GstBus *bus = gst_bus_new ();
  GError *error = NULL;
  GstMessage *message;

  fake_engine.path = NN_MEMORY_REGISTERED;
  fake_engine.no_managed = true;
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless_equals_string (error->message,
      "memory=managed: no managed memory");
  g_error_free (error);
  gst_message_unref (message);

  /* The CPU needs none. */
  gst_bus_set_flushing (bus, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_util_set_object_arg (G_OBJECT (element), "device", "cpu");
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

GST_END_TEST

static Suite *
cudalayoutdetect_memory_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect-memory");
  TCase *tc = fake_tcase_new ("memory");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, frames_are_registered_once);
  tcase_add_test (tc, frames_of_other_sizes_are_registered_already);
  tcase_add_test (tc, other_memory_is_staged);
  tcase_add_test (tc, what_cannot_be_registered_is_staged);
  tcase_add_test (tc, any_memory_is_read_directly);
  tcase_add_test (tc, memory_of_the_driver);
  tcase_add_test (tc, no_managed_memory);
  return s;
}

GST_CHECK_MAIN (cudalayoutdetect_memory)
