/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_harness.h"

#include "elements/gstcudalayoutdetectpads.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

#include <glib/gstdio.h>

static gchar *model;

static void
add (void)
{
  gint fd = g_file_open_tmp ("gst-doclayout-test-XXXXXX", &model, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  gst_doc_page_meta_register ();
  gst_doc_layout_meta_register ();
  GST_DEBUG_CATEGORY_INIT (gst_cuda_layout_detect_debug, "cudalayoutdetect",
      0, "layout detection");
}

static void
remove_model (void)
{
  g_unlink (model);
  g_clear_pointer (&model, g_free);
}

static void
reset (void)
{
  fake_engine = (FakeEngine) {
  0};
}

TCase *
fake_tcase_new (const gchar * name)
{
  TCase *tc = doc_tcase_new (name);

  tcase_add_unchecked_fixture (tc, add, remove_model);
  tcase_add_checked_fixture (tc, reset, NULL);
  return tc;
}

/* Of the type, not of a factory: the leaks tracer would take one that is made here for a leak. */
GstElement *
fake_element_new (const gchar * properties)
{
  g_auto (GStrv) words = g_strsplit (properties, " ", -1);
  GstElement *element = g_object_ref_sink (g_object_new
      (GST_TYPE_CUDA_LAYOUT_DETECT, "model-file", model, NULL));

  for (guint i = 0; words[i]; i++) {
    gchar *value = strchr (words[i], '=');

    if (value == NULL)
      continue;
    *value = '\0';
    gst_util_set_object_arg (G_OBJECT (element), words[i], value + 1);
  }
  return element;
}

GstHarness *
fake_start (const gchar * properties)
{
  GstElement *element = fake_element_new (properties);
  GstHarness *h = gst_harness_new_with_element (element, "sink", "src");

  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, FAKE_CAPS);
  return h;
}

GstBuffer *
fake_page (guint number)
{
  return doc_frame_new (FAKE_CAPS, number, number * GST_SECOND);
}

void
fake_pull (GstHarness * h, guint number)
{
  GstBuffer *buffer = gst_harness_pull (h);
  GstDocLayout *layout;

  fail_unless (buffer != NULL, "page %u did not come", number);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), number * GST_SECOND);
  layout = gst_doc_layout_meta_get (buffer);
  fail_unless (layout != NULL, "page %u has no layout", number);
  fail_unless_equals_int (layout->regions->len, 1);
  fail_unless_equals_float (g_array_index (layout->regions, GstDocRegion,
          0).score, number / 255.0f);
  gst_doc_layout_free (layout);
  gst_buffer_unref (buffer);
}
