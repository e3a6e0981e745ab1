/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonsink: formats that are no lines, and which page goes to which file. */
#include "jsonsink_harness.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gst/gstdocpagemeta.h"

/* A page of json_page_new() of another document; with NULL, of none. */
static GstBuffer *
page_of (const gchar * document, guint number)
{
  GstBuffer *buffer = json_page_new (number, 2, NULL);
  GstDocPage page;

  gst_doc_page_meta_get (buffer, &page);
  page.document = document;
  gst_doc_page_meta_add (buffer, &page);
  return buffer;
}

static const gchar *const formats[] = { "jsonl", "json", "coco", "docling", "markdown", "alto", "pagexml" };

static GstHarness *
harness_new (const gchar * name, const gchar * format)
{
  g_autofree gchar *location = g_build_filename (json_folder, name, NULL);
  GstHarness *h = json_harness_new (location, NULL);

  gst_element_set_state (h->element, GST_STATE_READY);
  gst_util_set_object_arg (G_OBJECT (h->element), "format", format);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  return h;
}

static void
push (GstHarness * h, const gchar * document, guint number)
{
  fail_unless_equals_int (gst_harness_push (h, page_of (document, number)), GST_FLOW_OK);
}

/* The pages of a file, as "1 2 3"; NULL where there is no file. */
static gchar *
pages_in (const gchar * name)
{
  g_autofree gchar *path = g_build_filename (json_folder, name, NULL);
  g_autofree gchar *content = NULL;
  g_autoptr (GString) pages = NULL;

  if (!g_file_get_contents (path, &content, NULL, NULL))
    return NULL;
  pages = g_string_new (NULL);
  for (const gchar * at = content; (at = strstr (at, "\"page\": ")); at++)
    g_string_append_printf (pages, "%s%d", pages->len ? " " : "", atoi (at + strlen ("\"page\": ")));
  return g_strdup (pages->str);
}

static void
check_file (const gchar * name, const gchar * pages)
{
  g_autofree gchar *got = pages_in (name);

  fail_unless (g_strcmp0 (got, pages) == 0, "%s has %s and not %s", name, got, pages);
}

GST_START_TEST (test_json)
{
  GstHarness *h = harness_new ("a.json", "json");
  g_autofree gchar *path = g_build_filename (json_folder, "a.json", NULL);
  g_autofree gchar *content = NULL;

  for (guint i = 1; i <= 3; i++)
    push (h, "file:///a.pdf", i);
  fail_unless_equals_int (json_entries (), 1);
  check_file ("a.json", NULL);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_file ("a.json", "1 2 3");
  fail_unless (g_file_get_contents (path, &content, NULL, NULL));
  fail_unless (g_str_has_prefix (content, "[\n{\"schema\"") && g_str_has_suffix (content, "}\n]\n"));
  fail_unless_equals_int (json_entries (), 1);
  json_harness_teardown (h);
}

GST_END_TEST

/* What was done when a pipeline is stopped is a whole file all the same. */
GST_START_TEST (test_json_interrupted)
{
  GstHarness *h = harness_new ("a.json", "json");
  g_autofree gchar *path = g_build_filename (json_folder, "a.json", NULL);
  g_autofree gchar *content = NULL;

  push (h, "file:///a.pdf", 1);
  json_harness_teardown (h);
  check_file ("a.json", "1");
  fail_unless (g_file_get_contents (path, &content, NULL, NULL));
  fail_unless (g_str_has_suffix (content, "}\n]\n"));
}

GST_END_TEST

GST_START_TEST (test_append_refused)
{
  const gboolean appendable = g_str_equal (formats[__i__], "jsonl");
  GstElement *e = gst_element_factory_make ("jsonsink", NULL);
  GstBus *bus = gst_bus_new ();

  g_object_set (e, "location", json_path, "append", TRUE, NULL);
  gst_util_set_object_arg (G_OBJECT (e), "format", formats[__i__]);
  gst_element_set_bus (e, bus);
  fail_unless ((gst_element_set_state (e, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) == !appendable);
  if (!appendable)
    json_check_error (bus, GST_RESOURCE_ERROR_OPEN_WRITE, "append=true needs format=jsonl");
  gst_element_set_state (e, GST_STATE_NULL);
  fail_unless_equals_int (json_entries (), 0);
  gst_element_set_bus (e, NULL);
  gst_object_unref (bus);
  gst_object_unref (e);
}

GST_END_TEST

/* A file a document; a name that comes again is another document's. A file is there as soon as the next one begins. */
GST_START_TEST (test_file_a_document)
{
  GstHarness *h = harness_new (__i__ ? "%s.json" : "%02d.json", "json");

  push (h, "file:///x/a.pdf", 1);
  push (h, "file:///x/a.pdf", 2);
  push (h, "file:///y/a.pdf", 1);
  check_file (__i__ ? "a.json" : "01.json", "1 2");
  push (h, "file:///y/b%2Fc.pdf", 5);
  push (h, NULL, 1);
  push (h, "file:///y/a-2.png", 7);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_file (__i__ ? "a.json" : "01.json", "1 2");
  check_file (__i__ ? "a-2.json" : "02.json", "1");
  check_file (__i__ ? "b_c.json" : "03.json", "5");
  check_file (__i__ ? "document.json" : "04.json", "1");
  check_file (__i__ ? "a-2-2.json" : "05.json", "7");
  fail_unless_equals_int (json_entries (), 5);
  json_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (test_file_a_page)
{
  GstHarness *h = harness_new ("%s-%03p.jsonl", "jsonl");

  push (h, "file:///x/a.pdf", 3);
  push (h, "file:///x/a.pdf", 4);
  push (h, "file:///y/a.pdf", 3);
  json_harness_teardown (h);
  check_file ("a-003.jsonl", "3");
  check_file ("a-004.jsonl", "4");
  check_file ("a-2-003.jsonl", "3");
  fail_unless_equals_int (json_entries (), 3);
}

GST_END_TEST

/* One message a file, from the first to the last. */
GST_START_TEST (test_messages)
{
  GstHarness *h = harness_new ("%d", "jsonl");

  push (h, "file:///x/a.pdf", 1);
  push (h, "file:///x/b.pdf", 1);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint i = 1; i <= 2; i++) {
    g_autofree gchar *path = g_strdup_printf ("%s/%u", json_folder, i);
    GstMessage *message = json_pop (h, GST_MESSAGE_ELEMENT);

    fail_unless (gst_message_has_name (message, "jsonsink-file"));
    fail_unless_equals_string (gst_structure_get_string (gst_message_get_structure (message),
            "location"), path);
    gst_message_unref (message);
  }
  json_harness_teardown (h);
}

GST_END_TEST

static void
check_end_fails (GstHarness * h, const gchar * text)
{
  fail_if (gst_harness_push_event (h, gst_event_new_eos ()));
  json_check_error (h->element->bus, GST_RESOURCE_ERROR_WRITE, text);
  fail_unless (json_pop (h, GST_MESSAGE_EOS) == NULL);
}

/* A file that cannot be written costs none of the others, and the stream ends with an error. */
GST_START_TEST (test_one_fails)
{
  GstHarness *h = harness_new ("%s", "json");
  g_autofree gchar *folder = g_build_filename (json_folder, "b", NULL);

  fail_unless (g_mkdir (folder, 0700) == 0);
  push (h, "file:///a.pdf", 1);
  push (h, "file:///b.pdf", 1);
  json_check_warning (h, "Is a directory");
  push (h, "file:///b.pdf", 2);
  push (h, "file:///c.pdf", 1);
  json_check_warning (h, NULL);
  check_end_fails (h, "1 of 3 files could not be written");
  json_harness_teardown (h);
  check_file ("a", "1");
  check_file ("c", "1");
  fail_unless_equals_int (json_entries (), 3);
}

GST_END_TEST

/* Each format says what is wrong once, and leaves nothing behind. */
GST_START_TEST (test_refused)
{
  const gchar *const locations[] = { json_folder, "/nowhere/a", "/dev/full" };
  const gchar *const texts[] = { "Is a directory", "No such file", "No space left" };
  const gint codes[] = { GST_RESOURCE_ERROR_OPEN_WRITE, GST_RESOURCE_ERROR_OPEN_WRITE,
    GST_RESOURCE_ERROR_NO_SPACE_LEFT };

  for (guint i = 0; i < G_N_ELEMENTS (locations); i++) {
    GstHarness *h = json_harness_new ("/dev/null", NULL);
    GstFlowReturn ret;

    gst_element_set_state (h->element, GST_STATE_READY);
    g_object_set (h->element, "location", locations[i], NULL);
    gst_util_set_object_arg (G_OBJECT (h->element), "format", formats[__i__]);
    if (gst_element_set_state (h->element, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
      ret = gst_harness_push (h, page_of ("file:///a.pdf", 1));
      fail_unless (!gst_harness_push_event (h, gst_event_new_eos ()) || ret == GST_FLOW_ERROR);
    }
    json_check_error (h->element->bus, codes[i], texts[i]);
    json_harness_teardown (h);
  }
  fail_unless_equals_int (json_entries (), 0);
}

GST_END_TEST

/* A reader that goes away is an error too, in the middle or at the end. */
GST_START_TEST (test_closed_pipe)
{
  g_autofree gchar *location = NULL;
  GstHarness *h;
  GstFlowReturn ret = GST_FLOW_OK;
  gint fds[2];

  fail_unless (pipe (fds) == 0);
  location = g_strdup_printf ("/dev/fd/%d", fds[1]);
  h = json_harness_new (location, NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  gst_util_set_object_arg (G_OBJECT (h->element), "format", formats[__i__]);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  close (fds[1]);
  close (fds[0]);
  ret = gst_harness_push (h, page_of ("file:///a.pdf", 1));
  fail_unless (!gst_harness_push_event (h, gst_event_new_eos ()) || ret == GST_FLOW_ERROR);
  json_check_error (h->element->bus, GST_RESOURCE_ERROR_WRITE, "Broken pipe");
  json_harness_teardown (h);
}

GST_END_TEST

/* A file that holds one document (or page) is whole when a second one comes, and the error says what to do. */
GST_START_TEST (test_second_document)
{
  static const gchar *const whole[] = { NULL, NULL, NULL, "}}\n", "```\n", "</alto>\n", "</PcGts>\n" };
  const gboolean by_page = g_str_equal (formats[__i__], "pagexml");
  GstHarness *h = harness_new ("a", formats[__i__]);
  g_autofree gchar *path = g_build_filename (json_folder, "a", NULL);
  g_autofree gchar *content = NULL;
  GstFlowReturn ret;

  push (h, "file:///a.pdf", 1);
  ret = gst_harness_push (h, page_of (by_page ? "file:///a.pdf" : "file:///b.pdf", 2));
  if (whole[__i__] == NULL) {
    fail_unless_equals_int (ret, GST_FLOW_OK);
  } else {
    fail_unless_equals_int (ret, GST_FLOW_ERROR);
    json_check_error (h->element->bus, GST_RESOURCE_ERROR_WRITE, by_page ? "holds one page, and page 2 of "
        "file:///a.pdf" : "holds one document, and page 2 of file:///b.pdf");
    fail_unless (g_file_get_contents (path, &content, NULL, NULL));
    fail_unless (g_str_has_suffix (content, whole[__i__]) || g_str_equal (formats[__i__], "markdown"), "%s", content);
  }
  json_harness_teardown (h);
  fail_unless_equals_int (json_entries (), g_str_equal (formats[__i__], "coco") ? 2 : 1);
}

GST_END_TEST

/* COCO's second file has its name before the first one, or neither has. */
GST_START_TEST (test_images)
{
  g_autofree gchar *folder = g_build_filename (json_folder, "x", NULL);
  g_autofree gchar *images = g_build_filename (json_folder, "x", "i.json", NULL);
  GstHarness *h = harness_new ("a.json", "coco");

  push (h, "file:///a.pdf", 1);
  gst_harness_push_event (h, gst_event_new_eos ());
  json_harness_teardown (h);
  check_file ("a.images.json", "1");
  fail_unless_equals_int (json_entries (), 2);

  h = json_harness_new ("/dev/null", NULL);
  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "images-location", images, NULL);
  gst_util_set_object_arg (G_OBJECT (h->element), "format", "coco");
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  json_check_error (h->element->bus, GST_RESOURCE_ERROR_OPEN_WRITE, "x/i.json");
  fail_unless (g_mkdir (folder, 0700) == 0);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  push (h, "file:///a.pdf", 1);
  json_harness_teardown (h);
  fail_unless (g_file_test (images, G_FILE_TEST_EXISTS));
  g_remove (images);
}

GST_END_TEST

GST_START_TEST (test_images_of_one_name)
{
  GstHarness *h = json_harness_new (json_path, NULL);

  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "images-location", json_path, NULL);
  gst_util_set_object_arg (G_OBJECT (h->element), "format", "coco");
  fail_unless_equals_int (gst_element_set_state (h->element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  json_check_error (h->element->bus, GST_RESOURCE_ERROR_OPEN_WRITE, "two files need two names");
  json_harness_teardown (h);
  fail_unless_equals_int (json_entries (), 0);
}

GST_END_TEST

/* Nor does one that is full cost others. */
GST_START_TEST (test_one_is_full)
{
  GstHarness *h = harness_new ("%s", "jsonl");
  g_autofree gchar *full = g_build_filename (json_folder, "b", NULL);

  fail_unless (symlink ("/dev/full", full) == 0);
  push (h, "file:///a.pdf", 1);
  push (h, "file:///b.pdf", 1);
  json_check_warning (h, "No space left");
  push (h, "file:///c.pdf", 1);
  check_end_fails (h, "1 of 3 files");
  json_harness_teardown (h);
  check_file ("a", "1");
  check_file ("c", "1");
}

GST_END_TEST

/* A location that cannot tell two files apart loses none of what is there. */
GST_START_TEST (test_names_that_collide)
{
  GstHarness *h = harness_new ("%p", "json");

  push (h, "file:///a.pdf", 1);
  push (h, "file:///a.pdf", 2);
  push (h, "file:///b.pdf", 2);
  json_check_warning (h, "names one file for page 2 of file:///b.pdf and for one before");
  push (h, "file:///b.pdf", 3);
  check_end_fails (h, "1 of 4 files");
  json_harness_teardown (h);
  check_file ("1", "1");
  check_file ("2", "2");
  check_file ("3", "3");
}

GST_END_TEST

static void
push_empty (GstHarness * h, guint number, const gchar * error)
{
  fail_unless_equals_int (gst_harness_push (h, json_page_new (number, 0, error)), GST_FLOW_OK);
}

GST_START_TEST (test_empty_pages)
{
  GstHarness *h = harness_new ("%s.json", "json");

  g_object_set (h->element, "empty-pages", __i__ == 0, NULL);
  push (h, "file:///a.pdf", 1);
  push_empty (h, 2, NULL);
  push_empty (h, 3, "broken");
  push (h, "file:///a.pdf", 4);
  gst_harness_push_event (h, gst_event_new_eos ());
  check_file ("a.json", __i__ ? "1 3 4" : "1 2 3 4");
  json_harness_teardown (h);
}

GST_END_TEST

GST_START_TEST (test_nothing_but_empty_pages)
{
  GstHarness *h = harness_new (__i__ ? "%s.json" : "a.json", "json");

  g_object_set (h->element, "empty-pages", FALSE, NULL);
  push_empty (h, 1, NULL);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  json_check_warning (h, "No page has regions");
  json_harness_teardown (h);
  fail_unless_equals_int (json_entries (), 0);
}

GST_END_TEST

/* What comes at the end only waits for a slow reader, too, can be paused, and goes on. */
GST_START_TEST (test_blocked_at_the_end)
{
  g_autofree gchar *launch = g_strdup_printf ("videotestsrc num-buffers=300 ! "
      "jsonsink format=%s location=%s", __i__ ? "alto" : "json", json_path);
  const gchar *end = __i__ ? "</alto>\n" : "}\n]\n";
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  g_autoptr (GString) all = g_string_new (NULL);
  gchar text[4097];
  gssize n;
  gint fd;

  fail_unless (mkfifo (json_path, 0600) == 0);
  fd = open (json_path, O_RDONLY | O_NONBLOCK);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_usleep (200 * 1000);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_usleep (50 * 1000);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 2000 && !g_str_has_suffix (all->str, end); i++) {
    while ((n = read (fd, text, sizeof (text) - 1)) > 0)
      g_string_append_len (all, text, n);
    g_usleep (5 * 1000);
  }
  gst_message_unref (gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_EOS));
  fail_unless (strstr (all->str, __i__ ? "PHYSICAL_IMG_NR=\"300\"" : "\"page\": 300,") != NULL);
  fail_unless (g_str_has_suffix (all->str, end));
  close (fd);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST

static Suite *
jsonsink_files_suite (void)
{
  Suite *s = suite_create ("jsonsink_files");
  TCase *tc = doc_tcase_new ("general");

  tcase_add_checked_fixture (tc, json_setup, json_teardown);
  tcase_add_test (tc, test_json);
  tcase_add_test (tc, test_json_interrupted);
  tcase_add_loop_test (tc, test_append_refused, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_file_a_document, 0, 2);
  tcase_add_test (tc, test_file_a_page);
  tcase_add_test (tc, test_messages);
  tcase_add_test (tc, test_one_fails);
  tcase_add_test (tc, test_one_is_full);
  tcase_add_test (tc, test_names_that_collide);
  tcase_add_loop_test (tc, test_empty_pages, 0, 2);
  tcase_add_loop_test (tc, test_nothing_but_empty_pages, 0, 2);
  tcase_add_loop_test (tc, test_refused, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_closed_pipe, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tc, test_second_document, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tc, test_images);
  tcase_add_test (tc, test_images_of_one_name);
  tcase_add_loop_test (tc, test_blocked_at_the_end, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (jsonsink_files)
