/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with frames in a GPU's memory: libgstcuda on a driver (fakecuda/) whose memory faults when the CPU
 * reads it, and an engine (fake_engine.h) that reads it where it has the GPU. */
#include "fake_harness.h"
#include "elements/layoutcudamemory.h"
#include "fakecuda/fake_cuda.h"

#include <gmodule.h>

#define GST_USE_UNSTABLE_API
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudautils.h>

#define SIZE "width=4,height=4,framerate=1/1"
#define CUDA_CAPS "video/x-raw(memory:CUDAMemory),format=BGRx," SIZE
#define PLAIN_CAPS "video/x-raw,format=BGRx," SIZE
#define ROW 256                 /* bytes, of the fake driver's memory */

static gint
n_retained (void)
{
  GModule *driver = g_module_open ("libcuda.so.1", G_MODULE_BIND_LAZY);
  int (*count) (void) = NULL;
  gint n;

  fail_unless (driver && g_module_symbol (driver, "fake_cuda_n_retained",
          (gpointer *) & count));
  n = count ();
  g_module_close (driver);
  return n;
}

/* What a neighbour before or behind the element is answered; NULL: nothing. */
static GstCudaContext *
ask (GstElement * element, const gchar * pad_name)
{
  GstPad *pad = gst_element_get_static_pad (element, pad_name);
  GstQuery *query = gst_query_new_context (GST_CUDA_CONTEXT_TYPE);
  GstCudaContext *found = NULL;
  GstContext *context;

  if (gst_pad_query (pad, query)) {
    gst_query_parse_context (query, &context);
    fail_unless (gst_structure_get (gst_context_get_structure (context),
            GST_CUDA_CONTEXT_TYPE, GST_TYPE_CUDA_CONTEXT, &found, NULL));
  }
  gst_query_unref (query);
  gst_object_unref (pad);
  return found;
}

/* From 1.24 on elements may not wait for what their stream does to a frame. */
static void
add_stream (GstStructure * config, GstCudaContext * context)
{
#if GST_CHECK_VERSION (1, 24, 0)
  GstCudaStream *stream = gst_cuda_stream_new (context);

  fail_unless (stream != NULL);
  gst_buffer_pool_config_set_cuda_stream (config, stream);
  gst_cuda_stream_unref (stream);
#endif
}

/* A frame of one grey that is in the GPU's memory, like a decoder's, or on its way there. */
static GstBuffer *
frame_in (GstCudaContext * context, guint number)
{
  GstCaps *caps = gst_caps_from_string (CUDA_CAPS);
  GstBufferPool *pool;
  GstStructure *config;
  GstBuffer *buffer;
  GstMapInfo map;

  gst_cuda_memory_init_once ();
  pool = gst_cuda_buffer_pool_new (context);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, 64, 0, 0);
  add_stream (config, context);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  gst_buffer_pool_set_active (pool, TRUE);
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  memset (map.data, number, map.size);
  gst_buffer_unmap (buffer, &map);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ | GST_MAP_CUDA));
  fail_unless ((guintptr) map.data & FAKE_CUDA_BIT);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = number * GST_SECOND;
  gst_object_unref (pool);
  gst_caps_unref (caps);
  return buffer;
}

static guint64
staged (GstHarness * h)
{
  GstStructure *stats;
  guint64 bytes;

  g_object_get (h->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "bytes-staged", &bytes));
  gst_structure_free (stats);
  return bytes;
}

/* What neighbours get from the element, the engine reads where it lies; what lies in another context, or is to be read
 * by the CPU, is copied. */
GST_START_TEST (frames)
{
  static const struct
  {
    const gchar *properties, *caps;
    gboolean own, direct;
  } cases[] = {
    {"device=cuda", CUDA_CAPS, TRUE, TRUE},
    {"device=cuda", PLAIN_CAPS, TRUE, TRUE},
    {"device=cuda", CUDA_CAPS, FALSE, FALSE},
    {"device=cpu", CUDA_CAPS, TRUE, FALSE},
    {"device=cpu", CUDA_CAPS, FALSE, FALSE},
  };
  const gboolean direct = cases[__i__].direct;
  GstHarness *h = fake_start (cases[__i__].properties);
  GstCudaContext *context;

  fail_unless (gst_cuda_load_library ());
  fake_engine.path = NN_MEMORY_DIRECT;  /* it copies nothing itself */
  gst_harness_set_src_caps_str (h, cases[__i__].caps);
  if (direct)
    context = ask (h->element, "sink");
  else if (cases[__i__].own)
    context = GST_CUDA_CONTEXT (gst_layout_cuda_context_get (0));
  else
    context = gst_cuda_context_new (0);
  fail_unless (context != NULL);
  for (guint i = 7; i < 9; i++)
    fail_unless_equals_int (gst_harness_push (h, frame_in (context, i)),
        GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  fake_pull (h, 7);
  fake_pull (h, 8);
  fail_unless (((guintptr) fake_engine.data & FAKE_CUDA_BIT) ==
      (direct ? FAKE_CUDA_BIT : 0));
  fail_unless_equals_uint64 (staged (h), direct ? 0 : 2 * 4 * ROW);
  gst_object_unref (context);
  gst_harness_teardown (h);
}

GST_END_TEST

/* Both pads answer with one context, from before the element is started until it runs on a CPU. */
GST_START_TEST (context)
{
  GstElement *element = fake_element_new ("");
  GstCudaContext *early = ask (element, "sink"), *late, *behind;

  fail_unless (early != NULL);
  fail_unless_equals_int (n_retained (), 1);
  gst_element_set_state (element, GST_STATE_PAUSED);
  late = ask (element, "sink");
  behind = ask (element, "src");
  fail_unless (late == early && behind == early);
  gst_object_unref (late);
  gst_object_unref (behind);
  gst_element_set_state (element, GST_STATE_NULL);
  fail_unless_equals_int (n_retained (), 1);
  gst_object_unref (early);
  fail_unless_equals_int (n_retained (), 0);

  /* There is one GPU. */
  g_object_set (element, "cuda-device-id", 1, NULL);
  fail_unless (ask (element, "sink") == NULL);
  gst_object_unref (element);
}

GST_END_TEST

GST_START_TEST (no_context_on_a_cpu)
{
  GstElement *element = fake_element_new ("device=cpu");

  fail_unless (ask (element, "sink") == NULL);
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless (ask (element, "sink") == NULL);
  gst_element_set_state (element, GST_STATE_NULL);

  /* Fallen back to one. */
  fake_engine.check.status = NN_ERR_DEVICE;
  gst_util_set_object_arg (G_OBJECT (element), "device", "auto");
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless (ask (element, "sink") == NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
}

GST_END_TEST

/* Elements that are plugged in later ask the bin. */
GST_START_TEST (bin_is_told)
{
  GstElement *bin = gst_object_ref_sink (gst_bin_new (NULL));
  GstElement *element = fake_element_new ("");
  GstContext *known;

  gst_bin_add (GST_BIN (bin), element);
  gst_object_unref (element);
  gst_element_set_state (bin, GST_STATE_PAUSED);
  known = gst_element_get_context (bin, GST_CUDA_CONTEXT_TYPE);
  fail_unless (known != NULL);
  gst_context_unref (known);
  gst_element_set_state (bin, GST_STATE_NULL);
  gst_object_unref (bin);
}

GST_END_TEST

static GstQuery *
ask_allocation (GstHarness * h)
{
  GstCaps *caps = gst_caps_from_string (CUDA_CAPS);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_caps_unref (caps);
  return query;
}

/* Upstream is proposed a pool in the GPU's memory, of buffers as large as there. */
GST_START_TEST (pool)
{
  GstHarness *h = fake_start ("device=cuda batch-size=2");
  GstQuery *query;
  GstBufferPool *pool;
  GstCudaContext *own = ask (h->element, "sink");
  guint size, min;

  gst_harness_set_src_caps_str (h, CUDA_CAPS);
  query = ask_allocation (h);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, NULL);
  fail_unless (GST_IS_CUDA_BUFFER_POOL (pool));
  fail_unless (GST_CUDA_BUFFER_POOL (pool)->context == own);
  fail_unless_equals_int (size, 4 * ROW);
  fail_unless (min >= 3 * 2 + 2);
  gst_object_unref (pool);
  gst_object_unref (own);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST

/* On a CPU there is no pool for them: upstream has its own. */
GST_START_TEST (no_pool_on_a_cpu)
{
  GstHarness *h = fake_start ("device=cpu");
  GstQuery *query;
  GstBufferPool *pool;

  gst_harness_set_src_caps_str (h, CUDA_CAPS);
  query = ask_allocation (h);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  fail_unless (pool == NULL);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST

static Suite *
cuda_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, a GPU's memory");
  TCase *tc = fake_tcase_new ("CUDA memory");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, frames, 0, 5);
  tcase_add_test (tc, context);
  tcase_add_test (tc, no_context_on_a_cpu);
  tcase_add_test (tc, bin_is_told);
  tcase_add_test (tc, pool);
  tcase_add_test (tc, no_pool_on_a_cpu);
  return s;
}

GST_CHECK_MAIN (cuda)
