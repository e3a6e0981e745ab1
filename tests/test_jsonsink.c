/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonsink: what it writes when, its messages, and one clear error for each failure. */
#include "jsonsink_harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

GST_START_TEST (test_complete_at_the_end)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  for (guint i = 1; i <= 3; i++)
    fail_unless_equals_int (gst_harness_push (h, json_page_new (i, 2, NULL)), GST_FLOW_OK);
  fail_unless (json_lines () == NULL, "there is a file before the end");
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  json_check_pages (3);
  fail_unless_equals_int (json_entries (), 1);
  json_check_warning (h, NULL);
  json_harness_teardown (h);
  json_check_pages (3);
}

GST_END_TEST

GST_START_TEST (test_interrupted)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  for (guint i = 1; i <= 2; i++)
    fail_unless_equals_int (gst_harness_push (h, json_page_new (i, 2, NULL)), GST_FLOW_OK);
  json_harness_teardown (h);
  json_check_pages (2);
  fail_unless_equals_int (json_entries (), 1);
}

GST_END_TEST

/* A job that gives no page leaves what was there, whether it ended or was stopped. */
GST_START_TEST (test_no_page)
{
  GstHarness *h;

  fail_unless (g_file_set_contents (json_path, "old\n", -1, NULL));
  h = json_harness_new (json_path, NULL);
  if (__i__)
    fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  json_check_warning (h, __i__ ? "No page arrived" : NULL);
  json_harness_teardown (h);
  g_auto (GStrv) all = json_lines ();
  fail_unless_equals_string (all[0], "old");
  fail_unless_equals_int (json_entries (), 1);
}

GST_END_TEST

GST_START_TEST (test_refused)
{
  g_autofree gchar *nowhere = g_build_filename (json_folder, "none", "a.jsonl", NULL);
  const struct
  {
    const gchar *location;
    gint code;
    const gchar *text;
  } rows[] = {
    {json_folder, GST_RESOURCE_ERROR_OPEN_WRITE, "Is a directory"},
    {nowhere, GST_RESOURCE_ERROR_OPEN_WRITE, "No such file"},
    {"", GST_RESOURCE_ERROR_NOT_FOUND, "No location"},
    {NULL, GST_RESOURCE_ERROR_NOT_FOUND, "No location"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstElement *e = gst_element_factory_make ("jsonsink", NULL);
    GstBus *bus = gst_bus_new ();

    g_object_set (e, "location", rows[i].location, NULL);
    gst_element_set_bus (e, bus);
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    json_check_error (bus, rows[i].code, rows[i].text);
    gst_element_set_state (e, GST_STATE_NULL);
    gst_element_set_bus (e, NULL);
    gst_object_unref (bus);
    gst_object_unref (e);
  }
}

GST_END_TEST

/* The stream ends with the error, and neither more pages nor the end of it pass for success. */
GST_START_TEST (test_full_disk)
{
  GstHarness *h = json_harness_new ("/dev/full", NULL);

  fail_unless_equals_int (gst_harness_push (h, json_page_new (1, 2, NULL)), GST_FLOW_ERROR);
  json_check_error (h->element->bus, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "No space left");
  fail_unless_equals_int (gst_harness_push (h, json_page_new (2, 2, NULL)), GST_FLOW_ERROR);
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  fail_unless (json_pop (h, GST_MESSAGE_EOS) == NULL && json_pop (h, GST_MESSAGE_ERROR) == NULL);
  json_harness_teardown (h);
}

GST_END_TEST

static const GstStructure *
expect_message (GstMessage * message, const gchar * name)
{
  fail_unless (message != NULL, "no message %s", name);
  fail_unless (gst_message_has_name (message, name));
  return gst_message_get_structure (message);
}

static guint
uint_field (const GstStructure * s, const gchar * name)
{
  guint value = G_MAXUINT;

  fail_unless (gst_structure_get_uint (s, name, &value), "no uint %s", name);
  return value;
}

static void
check_summary (GstHarness * h, guint64 pages, guint64 failed, guint64 regions)
{
  GstMessage *file = json_pop (h, GST_MESSAGE_ELEMENT);
  GstMessage *message = json_pop (h, GST_MESSAGE_ELEMENT);
  const GstStructure *s = expect_message (message, "jsonsink-summary");
  guint64 got[3];

  fail_unless_equals_string (gst_structure_get_string (expect_message (file, "jsonsink-file"),
          "location"), json_path);
  gst_message_unref (file);
  fail_unless (gst_structure_get (s, "pages", G_TYPE_UINT64, &got[0], "failed", G_TYPE_UINT64,
          &got[1], "regions", G_TYPE_UINT64, &got[2], NULL));
  fail_unless_equals_uint64 (got[0], pages);
  fail_unless_equals_uint64 (got[1], failed);
  fail_unless_equals_uint64 (got[2], regions);
  gst_message_unref (message);
}

GST_START_TEST (test_messages)
{
  GstHarness *h = json_harness_new (json_path, "post-messages", TRUE, NULL);
  GstMessage *message;
  const GstStructure *s, *labels;
  const GValue *value;

  gst_harness_push (h, json_page_new (1, 4, NULL));
  gst_harness_push (h, json_page_new (2, 0, "it took too long"));

  message = json_pop (h, GST_MESSAGE_ELEMENT);
  s = expect_message (message, "jsonsink-page");
  fail_unless_equals_int (uint_field (s, "page"), 1);
  fail_unless_equals_int (uint_field (s, "pages"), 9);
  fail_unless_equals_int (uint_field (s, "regions"), 4);
  fail_unless_equals_string (gst_structure_get_string (s, "status"), "ok");
  fail_unless (gst_structure_get_string (s, "error") == NULL);
  value = gst_structure_get_value (s, "labels");
  labels = gst_value_get_structure (value);
  fail_unless_equals_int (gst_structure_n_fields (labels), 2);
  fail_unless_equals_int (uint_field (labels, "text"), 2);
  fail_unless_equals_int (uint_field (labels, "table"), 2);
  fail_unless (g_str_has_prefix (gst_structure_get_string (s, "line"), "{\"schema\""));
  gst_message_unref (message);

  message = json_pop (h, GST_MESSAGE_ELEMENT);
  s = expect_message (message, "jsonsink-page");
  fail_unless_equals_int (uint_field (s, "page"), 2);
  fail_unless_equals_int (uint_field (s, "regions"), 0);
  fail_unless_equals_string (gst_structure_get_string (s, "status"), "error");
  fail_unless_equals_string (gst_structure_get_string (s, "error"), "it took too long");
  gst_message_unref (message);

  gst_harness_push_event (h, gst_event_new_eos ());
  check_summary (h, 2, 1, 4);
  json_harness_teardown (h);
}

GST_END_TEST

/* Without post-messages there is only the summary, an interrupted run has one too. */
GST_START_TEST (test_summary)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  gst_harness_push (h, json_page_new (1, 3, NULL));
  if (__i__)
    gst_harness_push_event (h, gst_event_new_eos ());
  else
    gst_element_set_state (h->element, GST_STATE_READY);
  check_summary (h, 1, 0, 3);
  json_harness_teardown (h);
}

GST_END_TEST

/* A pipeline that runs twice, and a stream that is played again after its end. */
GST_START_TEST (test_again)
{
  const gboolean append = __i__;
  g_autofree gchar *launch = g_strdup_printf ("videotestsrc num-buffers=1 "
      "! jsonsink location=%s append=%d", json_path, append);
  GstHarness *h;
  GstSegment segment;

  json_run (launch, 2);
  g_auto (GStrv) all = json_lines ();
  fail_unless_equals_int (g_strv_length (all), append ? 2 : 1);

  h = json_harness_new (json_path, NULL);
  gst_harness_push (h, json_page_new (1, 1, NULL));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 1; i <= 2; i++)
    fail_unless_equals_int (gst_harness_push (h, json_page_new (i, 1, NULL)), GST_FLOW_OK);
  check_summary (h, 1, 0, 1);
  json_check_pages (1);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_summary (h, 2, 0, 2);
  json_check_pages (2);
  json_harness_teardown (h);
}

GST_END_TEST

/* Appended lines with flush are there at once. */
GST_START_TEST (test_flush)
{
  GstHarness *h;

  fail_unless (g_file_set_contents (json_path, "", -1, NULL));
  h = json_harness_new (json_path, "append", TRUE, "flush", TRUE, NULL);
  gst_harness_push (h, json_page_new (1, 1, NULL));
  json_check_pages (1);
  json_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (test_append_unfinished)
{
  GstHarness *h;

  fail_unless (g_file_set_contents (json_path, "{\"page\"", -1, NULL));
  h = json_harness_new (json_path, "append", TRUE, NULL);
  json_check_warning (h, "not finished");
  gst_harness_push (h, json_page_new (1, 1, NULL));
  gst_harness_push_event (h, gst_event_new_eos ());
  g_auto (GStrv) all = json_lines ();
  fail_unless_equals_int (g_strv_length (all), 2);
  fail_unless_equals_string (all[0], "{\"page\"");
  json_harness_teardown (h);
}

GST_END_TEST

/* A stream without page metas: counted, without a document, as fast as it comes. */
GST_START_TEST (test_stream)
{
  g_autofree gchar *launch = g_strdup_printf ("videotestsrc num-buffers=20 "
      "! video/x-raw,format=GRAY8,width=64,height=48,framerate=1/1 ! jsonsink location=%s", json_path);
  gint64 before = g_get_monotonic_time ();

  json_run (launch, 1);
  fail_unless (g_get_monotonic_time () - before < 10 * G_USEC_PER_SEC, "at the timeline's pace");
  json_check_pages (20);
  g_auto (GStrv) all = json_lines ();
  fail_unless (strstr (all[0], "\"document\": null, ") != NULL, "%s", all[0]);
  fail_unless (strstr (all[0], "\"width\": 64, \"height\": 48, ") != NULL, "%s", all[0]);
  fail_unless (strstr (all[2], "\"pts\": 2000000000,") != NULL, "%s", all[2]);
}

GST_END_TEST

GST_START_TEST (test_nothing_looked)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  for (guint i = 0; i < 2; i++)
    gst_harness_push (h, doc_frame_new (JSON_CAPS, 0, i));
  json_check_warning (h, "cudalayoutdetect");
  json_check_warning (h, NULL);
  json_harness_teardown (h);
}

GST_END_TEST

/* An image file is a document of one page; two sinks of one pipeline each get it. */
GST_START_TEST (test_image_and_tee)
{
  g_autofree gchar *image = g_build_filename (json_folder, "a b.png", NULL);
  g_autofree gchar *other = g_build_filename (json_folder, "other.jsonl", NULL);
  g_autofree gchar *uri = g_filename_to_uri (image, NULL, NULL);
  g_autofree gchar *field = g_strdup_printf ("\"document\": \"%s\", \"page\": 1,", uri);
  g_autofree gchar *make = g_strdup_printf ("videotestsrc num-buffers=1 ! pngenc "
      "! filesink location=\"%s\"", image);
  g_autofree gchar *launch = g_strdup_printf ("filesrc location=\"%s\" ! pngdec ! tee name=t "
      "t. ! queue ! jsonsink location=%s  t. ! queue ! jsonsink location=%s", image, json_path, other);
  g_autofree gchar *content = NULL;

  json_run (make, 1);
  json_run (launch, 1);
  json_check_pages (1);
  g_auto (GStrv) all = json_lines ();
  fail_unless (strstr (all[0], field) != NULL, "%s", all[0]);
  fail_unless (g_file_get_contents (other, &content, NULL, NULL));
  fail_unless (g_str_has_prefix (content, all[0]));
}

GST_END_TEST

/* It needs no pixels, so it takes memory that it cannot map. */
GST_START_TEST (test_caps)
{
  static const gchar *const caps[] = {
    "video/x-raw,format=I420,width=10,height=20,framerate=0/1",
    "video/x-raw(memory:GLMemory),format=RGBA,width=10,height=20,framerate=0/1",
    "video/x-raw(memory:DMABuf),format=NV12,width=10,height=20,framerate=0/1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    GstHarness *h = json_harness_new (json_path, NULL);
    g_autoptr (GstCaps) set = gst_caps_from_string (caps[i]);
    g_autoptr (GstQuery) query = gst_query_new_allocation (set, FALSE);

    gst_harness_set_src_caps_str (h, caps[i]);
    fail_unless_equals_int (gst_harness_push (h, gst_buffer_new ()), GST_FLOW_OK);
    fail_unless (gst_pad_peer_query (h->srcpad, query));
    fail_unless (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
    json_harness_teardown (h);
    g_auto (GStrv) all = json_lines ();
    fail_unless (strstr (all[0], "\"width\": 10, \"height\": 20, ") != NULL, "%s", all[0]);
  }
}

GST_END_TEST

/* Neither stopping nor pausing waits for a reader that does not read; after a pause it goes on. */
GST_START_TEST (test_blocked)
{
  g_autofree gchar *launch =
      g_strdup_printf ("videotestsrc num-buffers=2 ! jsonsink location=%s", json_path);
  GstElement *pipeline;
  GstBus *bus;
  gchar text[4096];
  gint fd;

  fail_unless (mkfifo (json_path, 0600) == 0);
  pipeline = gst_parse_launch (launch, NULL);
  bus = gst_element_get_bus (pipeline);
  for (guint i = 0; i < 2; i++) {
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    g_usleep (200 * 1000);
    gst_element_set_state (pipeline, i ? GST_STATE_PAUSED : GST_STATE_NULL);
    g_usleep (100 * 1000);
  }
  fd = open (json_path, O_RDONLY | O_NONBLOCK);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_EOS));
  text[read (fd, text, sizeof (text) - 1)] = '\0';
  fail_unless (strstr (text, "\"page\": 1,") && strstr (text, "}\n{") &&
      strstr (text, "\"page\": 2,"), "%s", text);
  close (fd);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

/* Nor when a line is in the pipe by half. */
GST_START_TEST (test_blocked_half_way)
{
  g_autofree gchar *launch = g_strdup_printf ("videotestsrc ! jsonsink location=%s", json_path);
  GstElement *pipeline;
  gint fd;

  fail_unless (mkfifo (json_path, 0600) == 0);
  fd = open (json_path, O_RDONLY | O_NONBLOCK);
  pipeline = gst_parse_launch (launch, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_usleep (300 * 1000);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  close (fd);
}

GST_END_TEST

static GstPadProbeReturn
answer (GstPad * pad, GstPadProbeInfo * info, gpointer live)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) == GST_QUERY_URI)
    gst_query_set_uri (query, "v4l2:///dev/video0");
  else if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    gst_query_set_latency (query, live != NULL, 0, GST_CLOCK_TIME_NONE);
  else
    return GST_PAD_PROBE_OK;
  return GST_PAD_PROBE_HANDLED;
}

/* The address of what is live is not that of a document. */
GST_START_TEST (test_live)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  gst_pad_add_probe (h->srcpad, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PUSH, answer,
      GINT_TO_POINTER (__i__), NULL);
  fail_unless_equals_int (gst_harness_push (h, doc_frame_new (JSON_CAPS, 0, 0)), GST_FLOW_OK);
  json_harness_teardown (h);
  g_auto (GStrv) all = json_lines ();
  fail_unless (strstr (all[0], __i__ ? "\"document\": null," :
          "\"document\": \"v4l2:///dev/video0\",") != NULL, "%s", all[0]);
}

GST_END_TEST

GST_START_TEST (test_properties)
{
  GstElement *e = gst_element_factory_make ("jsonsink", NULL);
  g_autofree gchar *location = NULL;
  gboolean append, flush, messages, sync, last;

  g_object_get (e, "location", &location, "append", &append, "flush", &flush,
      "post-messages", &messages, "sync", &sync, "enable-last-sample", &last, NULL);
  fail_unless_equals_string (location, "-");
  fail_if (append || flush || messages || sync || last);
  g_object_set (e, "location", json_path, NULL);
  for (guint i = 0; i < 3; i++) {
    fail_unless (gst_element_set_state (e, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
    fail_unless (gst_element_set_state (e, GST_STATE_NULL) == GST_STATE_CHANGE_SUCCESS);
  }
  fail_unless_equals_int (json_entries (), 0);
  gst_object_unref (e);
}

GST_END_TEST

static Suite *
jsonsink_suite (void)
{
  Suite *s = suite_create ("jsonsink");
  TCase *tc = doc_tcase_new ("general");

  tcase_add_checked_fixture (tc, json_setup, json_teardown);
  tcase_add_test (tc, test_complete_at_the_end);
  tcase_add_test (tc, test_interrupted);
  tcase_add_loop_test (tc, test_no_page, 0, 2);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_full_disk);
  tcase_add_test (tc, test_messages);
  tcase_add_loop_test (tc, test_summary, 0, 2);
  tcase_add_loop_test (tc, test_again, 0, 2);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_append_unfinished);
  tcase_add_test (tc, test_stream);
  tcase_add_test (tc, test_nothing_looked);
  tcase_add_test (tc, test_image_and_tee);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_blocked);
  tcase_add_test (tc, test_blocked_half_way);
  tcase_add_loop_test (tc, test_live, 0, 2);
  tcase_add_test (tc, test_properties);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (jsonsink)
