/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in the GPU's memory, through libgstcuda on NVIDIA's driver: the default model finds the same to the last bit as
 * in frames of the host, and only what lies in another CUDA context is copied.
 *
 * Not to be forked (CK_FORK=no): nvcodec's plugin opens the driver when it is loaded. Exit status 77 without the model.
 */
#include "tests/detect_harness.h"

#include "gst/gstdoclayoutmeta.h"

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>

#define CUDA_CAPS "video/x-raw(memory:CUDAMemory),format=BGRx," DETECT_SIZE
#define DETECT "cudalayoutdetect name=detect device=cuda batch-size=4 " \
    "batch-timeout=3600000"
#define N_PAGES 6

/* The pool that the element proposes. */
static GstBufferPool *
proposed_pool (GstHarness * h)
{
  GstCaps *caps = gst_caps_from_string (CUDA_CAPS);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  fail_unless (GST_IS_CUDA_BUFFER_POOL (pool));
  gst_query_unref (query);
  gst_caps_unref (caps);
  return pool;
}

/* One in a context that nobody was offered. */
static GstBufferPool *
foreign_pool (GstHarness * h)
{
  GstCaps *caps = gst_caps_from_string (CUDA_CAPS);
  GstCudaContext *context;
  GstBufferPool *pool;
  GstStructure *config;

  fail_unless (gst_cuda_load_library ());
  gst_cuda_memory_init_once ();
  context = gst_cuda_context_new (0);
  fail_unless (context != NULL);
  pool = gst_cuda_buffer_pool_new (context);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, 0, 0, 0);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  gst_caps_unref (caps);
  gst_object_unref (context);
  return pool;
}

/* The same page in the pool's memory, which has other strides: on the GPU already, or on its way. Takes `page`. */
static GstBuffer *
move_page (GstBufferPool * pool, GstBuffer * page, gboolean there)
{
  GstCaps *caps = gst_caps_from_string (DETECT_CAPS);
  GstVideoFrame from, to;
  GstVideoInfo info;
  GstBuffer *moved;
  GstMapInfo map;

  fail_unless (gst_video_info_from_caps (&info, caps));
  gst_caps_unref (caps);
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &moved, NULL),
      GST_FLOW_OK);
  fail_unless (gst_video_frame_map (&from, &info, page, GST_MAP_READ));
  fail_unless (gst_video_frame_map (&to, &info, moved, GST_MAP_WRITE));
  gst_video_frame_copy (&to, &from);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  if (there) {
    fail_unless (gst_buffer_map (moved, &map, GST_MAP_READ | GST_MAP_CUDA));
    gst_buffer_unmap (moved, &map);
  }
  gst_buffer_copy_into (moved, page, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_unref (page);
  return moved;
}

static void
push_pages (GstHarness * h, GstBufferPool * pool)
{
  if (pool)
    fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < N_PAGES; i++) {
    GstBuffer *page = detect_page (i);

    if (pool)
      page = move_page (pool, page, i % 2);
    fail_unless_equals_int (gst_harness_push (h, page), GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
}

/* All regions, in numbers of which no digit is missing; *size: the bytes of the frames that came out. */
static gchar *
pull_regions (GstHarness * h, guint64 * size)
{
  GString *text = g_string_new (NULL);

  *size = 0;
  for (guint i = 0; i < N_PAGES; i++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstDocLayout *layout;

    fail_unless (buffer != NULL, "page %u did not come", i);
    detect_check_found (buffer, i);
    layout = gst_doc_layout_meta_get (buffer);
    for (guint j = 0; j < layout->regions->len; j++) {
      const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, j);

      g_string_append_printf (text, "page %u: %s %.17g, %.17g %.17g %.17g "
          "%.17g\n", i, r->label, r->score, r->x0, r->y0, r->x1, r->y1);
    }
    *size += gst_buffer_get_size (buffer);
    gst_doc_layout_free (layout);
    gst_buffer_unref (buffer);
  }
  return g_string_free (text, FALSE);
}

static guint64
staged (GstHarness * h)
{
  GstElement *detect = GST_IS_BIN (h->element)
      ? gst_bin_get_by_name (GST_BIN (h->element), "detect")
      : gst_object_ref (h->element);
  GstStructure *stats;
  guint64 bytes;

  g_object_get (detect, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-staged", &bytes));
  gst_structure_free (stats);
  gst_object_unref (detect);
  return bytes;
}

/* From frames of the host. */
static gchar *
expected_regions (void)
{
  GstHarness *h = detect_start_with (DETECT);
  guint64 size;
  gchar *regions;

  push_pages (h, NULL);
  regions = pull_regions (h, &size);
  gst_harness_teardown (h);
  return regions;
}

static void
check_pool (GstBufferPool * (*new_pool) (GstHarness * h), gboolean is_copied)
{
  g_autofree gchar *expected = expected_regions (), *found = NULL;
  GstHarness *h = detect_start_with (DETECT);
  GstBufferPool *pool;
  guint64 size;

  gst_harness_set_src_caps_str (h, CUDA_CAPS);
  pool = new_pool (h);
  push_pages (h, pool);
  found = pull_regions (h, &size);
  g_print ("%s", found);
  fail_unless_equals_string (found, expected);
  fail_unless_equals_uint64 (staged (h), is_copied ? size : 0);
  gst_harness_teardown (h);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

GST_START_TEST (own_context)
{
  check_pool (proposed_pool, FALSE);
}

GST_END_TEST

GST_START_TEST (foreign_context)
{
  check_pool (foreign_pool, TRUE);
}

GST_END_TEST

/* GStreamer's element takes our context and our pool. */
GST_START_TEST (uploaded)
{
  GstElementFactory *factory = gst_element_factory_find ("cudaupload");
  g_autofree gchar *expected = NULL, *found = NULL;
  GstHarness *h;
  GstCaps *caps;
  guint64 size;

  if (factory == NULL) {
    g_print ("skipped: there is no cudaupload here (nvcodec, for which the "
        "driver must have libnvcuvid or libnvidia-encode)\n");
    return;
  }
  gst_object_unref (factory);
  expected = expected_regions ();
  h = gst_harness_new_parse ("cudaupload ! " DETECT);
  gst_harness_set_src_caps_str (h, DETECT_CAPS);
  push_pages (h, NULL);
  found = pull_regions (h, &size);
  fail_unless_equals_string (found, expected);
  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (gst_caps_features_contains (gst_caps_get_features (caps, 0),
          "memory:CUDAMemory"));
  fail_unless_equals_uint64 (staged (h), 0);
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
cudamemory_suite (void)
{
  Suite *s = suite_create ("frames in the GPU's memory");
  TCase *tc = tcase_create ("CUDA memory");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, own_context);
  tcase_add_test (tc, foreign_context);
  tcase_add_test (tc, uploaded);
  return s;
}

int
main (int argc, char **argv)
{
  return detect_main (&argc, &argv, cudamemory_suite (), "cudamemory",
      __FILE__);
}
