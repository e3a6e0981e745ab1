/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jsonsink_harness.h"

#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

#include <glib/gstdio.h>
#include <string.h>

gchar *json_folder, *json_path;

void
json_setup (void)
{
  json_folder = g_dir_make_tmp ("jsonsink-XXXXXX", NULL);
  json_path = g_build_filename (json_folder, "pages.jsonl", NULL);
}

void
json_teardown (void)
{
  GDir *dir = g_dir_open (json_folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *entry = g_build_filename (json_folder, name, NULL);
    g_remove (entry);
  }
  g_dir_close (dir);
  fail_unless (g_rmdir (json_folder) == 0);
  g_free (json_folder);
  g_free (json_path);
}

GstBuffer *
json_page_new (guint number, guint n, const gchar * error)
{
  GstBuffer *buffer = doc_frame_new (JSON_CAPS, 0xff, number * GST_SECOND);
  GstDocPage page = GST_DOC_PAGE_INIT;
  GstDocLayout *layout = gst_doc_layout_new (200, 100);

  page.document = "file:///a.pdf";
  page.page = number;
  page.pages = 9;
  page.error = error;
  for (guint i = 0; i < n; i++) {
    GstDocRegion r = { i, 0, i % 3 ? "text" : "table", 0.5, i, n - i, i + 10, n - i + 10 };
    g_array_append_val (layout->regions, r);
  }
  fail_unless (gst_doc_page_meta_add (buffer, &page));
  if (!error)
    fail_unless (gst_doc_layout_meta_add (buffer, layout));
  gst_doc_layout_free (layout);
  return buffer;
}

GstHarness *
json_harness_new (const gchar * location, const gchar * first_property, ...)
{
  GstElement *element = gst_element_factory_make ("jsonsink", NULL);
  GstBus *bus = gst_bus_new ();
  GstHarness *h;
  va_list args;

  gst_element_set_bus (element, bus);
  g_object_set (element, "location", location, NULL);
  va_start (args, first_property);
  if (first_property)
    g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  h = gst_harness_new_with_element (element, "sink", NULL);
  gst_harness_set_src_caps_str (h, JSON_CAPS);
  gst_object_unref (element);
  gst_object_unref (bus);
  return h;
}

void
json_harness_teardown (GstHarness * h)
{
  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

GstMessage *
json_pop (GstHarness * h, GstMessageType type)
{
  return gst_bus_pop_filtered (h->element->bus, type);
}

void
json_check_error (GstBus * bus, gint code, const gchar * text)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  fail_unless (message != NULL, "no error");
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL, "a second error message");
}

void
json_check_warning (GstHarness * h, const gchar * text)
{
  GstMessage *message = json_pop (h, GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  fail_unless ((message != NULL) == (text != NULL));
  if (message == NULL)
    return;
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  gst_message_unref (message);
}

gchar **
json_lines (void)
{
  g_autofree gchar *content = NULL;
  gsize n = 0;

  if (!g_file_get_contents (json_path, &content, &n, NULL))
    return NULL;
  fail_unless (n == 0 || content[n - 1] == '\n', "unfinished: %s", content);
  if (n > 0)
    content[n - 1] = '\0';
  return g_strsplit (content, "\n", -1);
}

void
json_check_pages (guint n)
{
  g_auto (GStrv) all = json_lines ();

  fail_unless_equals_int (all ? g_strv_length (all) : 0, n);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *key = g_strdup_printf ("\"page\": %u,", i + 1);
    fail_unless (strstr (all[i], key) != NULL, "%s", all[i]);
    fail_unless (g_str_has_prefix (all[i], "{\"schema\": \"gst-doclayout/1\"")
        && g_str_has_suffix (all[i], ", \"orphans\": null, \"characters\": null}"), "%s", all[i]);
  }
}

guint
json_entries (void)
{
  GDir *dir = g_dir_open (json_folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

void
json_run (const gchar * launch, guint times)
{
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  for (guint i = 0; i < times; i++) {
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", launch);
    gst_message_unref (message);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}
