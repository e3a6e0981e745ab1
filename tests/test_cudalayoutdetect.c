/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect without a model: states, caps, and what it says when it cannot start. */
#include "gst_harness.h"

#include <glib/gstdio.h>

/* Asks for PAUSED and returns the error that the element posts; both must happen. */
static GError *
fail_to_start (GstElement * element)
{
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error;

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error was posted");
  gst_message_parse_error (message, &error, NULL);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL, "more than one error");
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  return error;
}

/* Each of `words` stands in the message. */
static void
check_error (GError * error, GQuark domain, gint code,
    const gchar * const *words)
{
  g_print ("  %s\n", error->message);
  fail_unless (g_error_matches (error, domain, code), "%s %d",
      g_quark_to_string (error->domain), error->code);
  for (; *words; words++)
    fail_unless (strstr (error->message, *words) != NULL, "“%s” is missing",
        *words);
  g_error_free (error);
}

#define WORDS(...) (const gchar *const[]) { __VA_ARGS__, NULL }

GST_START_TEST (no_model)
{
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);

  g_unsetenv ("DOCLAYOUT_MODEL");
  check_error (fail_to_start (element), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, WORDS ("/gst-doclayout/layout_cdla.onnx",
          "detect.sh", "model-file="));
  /* and it may be asked again */
  g_setenv ("DOCLAYOUT_MODEL", "/no/such.onnx", TRUE);
  check_error (fail_to_start (element), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, WORDS ("/no/such.onnx",
          "DOCLAYOUT_MODEL"));
  g_object_set (element, "model-file", "/another.onnx", NULL);
  check_error (fail_to_start (element), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, WORDS ("/another.onnx"));
  g_object_set (element, "model-file", "/", NULL);
  check_error (fail_to_start (element), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ, WORDS ("\"/\"", "regular file"));
  gst_object_unref (element);
}

GST_END_TEST

GST_START_TEST (not_a_model)
{
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);
  g_autofree gchar *path = g_build_filename (g_get_tmp_dir (),
      "gst-doclayout-test-XXXXXX", NULL);
  gint fd = g_mkstemp (path);

  fail_unless (fd >= 0);
  fail_unless (g_file_set_contents (path, "this is no model", -1, NULL));
  g_object_set (element, "model-file", path, NULL);
  check_error (fail_to_start (element), GST_STREAM_ERROR,
      GST_STREAM_ERROR_WRONG_TYPE, WORDS (path, "ONNX"));
  g_close (fd, NULL);
  g_unlink (path);
  gst_object_unref (element);
}

GST_END_TEST

GST_START_TEST (no_cuda)
{
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);

  gst_util_set_object_arg (G_OBJECT (element), "device", "cuda");
  check_error (fail_to_start (element), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, WORDS ("device=cuda", "CUDA backend"));
  gst_object_unref (element);
}

GST_END_TEST

GST_START_TEST (made_and_torn_down)
{
  for (guint i = 0; i < 100; i++) {
    GstElement *pipeline = gst_parse_launch ("videotestsrc ! cudalayoutdetect "
        "name=d ! fakesink", NULL);
    GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "d");
    gchar *device;
    GstStructure *stats;

    fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
    g_object_get (element, "device-used", &device, "stats", &stats, NULL);
    fail_unless (device == NULL);
    fail_unless (gst_structure_has_name (stats, "doclayout-stats"));
    gst_structure_free (stats);
    if (i % 2)
      gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    gst_object_unref (element);
    gst_object_unref (pipeline);
  }
}

GST_END_TEST

GST_START_TEST (caps)
{
  static const struct
  {
    const gchar *caps;
    gboolean taken;
  } cases[] = {
    {"video/x-raw,format=BGRx", TRUE}, {"video/x-raw,format=BGRA", TRUE},
    {"video/x-raw,format=RGBx", TRUE}, {"video/x-raw,format=RGBA", TRUE},
    {"video/x-raw,format=RGB", TRUE}, {"video/x-raw,format=BGR", TRUE},
    {"video/x-raw,format=GRAY8", TRUE}, {"video/x-raw,format=I420", FALSE},
    {"video/x-raw,format=ARGB", FALSE}, {"image/png", FALSE},
    {"video/x-raw(memory:GLMemory),format=RGBA", FALSE},
  };
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstCaps *all = gst_pad_query_caps (pad, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstCaps *caps = gst_caps_from_string (cases[i].caps);

    fail_unless_equals_int (gst_caps_can_intersect (all, caps),
        cases[i].taken);
    gst_caps_unref (caps);
  }
  gst_caps_unref (all);
  gst_object_unref (pad);
  gst_object_unref (element);
}

GST_END_TEST

GST_START_TEST (caps_are_downstreams)
{
  GstElement *bin = gst_parse_bin_from_description ("cudalayoutdetect ! "
      "capsfilter caps=video/x-raw,format=RGB,width=320", TRUE, NULL);
  GstPad *pad = gst_element_get_static_pad (bin, "sink");
  GstCaps *got = gst_pad_query_caps (pad, NULL), *expected =
      gst_caps_from_string ("video/x-raw,format=RGB,width=320,"
      "height=[1,2147483647],framerate=[0/1,2147483647/1]");

  fail_unless (gst_caps_is_equal (got, expected), "%" GST_PTR_FORMAT,
      (gpointer) got);
  gst_caps_unref (got);
  gst_caps_unref (expected);
  gst_object_unref (pad);
  gst_object_unref (bin);
}

GST_END_TEST

static Suite *
cudalayoutdetect_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect");
  TCase *tc = doc_tcase_new ("without a model");

  /* The cache folder must be one without a model, before anything asks for it. */
  g_setenv ("XDG_CACHE_HOME", "/no/such/folder", TRUE);
  g_setenv ("DOCLAYOUT_CUDA_MODULE", "/no/such.so", TRUE); /* an installed one would do */
  suite_add_tcase (s, tc);
  tcase_add_test (tc, no_model);
  tcase_add_test (tc, not_a_model);
  tcase_add_test (tc, no_cuda);
  tcase_add_test (tc, made_and_torn_down);
  tcase_add_test (tc, caps);
  tcase_add_test (tc, caps_are_downstreams);
  return s;
}

GST_CHECK_MAIN (cudalayoutdetect)
