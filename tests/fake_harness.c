/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_harness.h"

#include "elements/gstcudalayoutdetect.h"
#include "elements/gstjsonsink.h"
#include "elements/gstlayoutoverlay.h"
#include "elements/gstpdfsrc.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

#include <glib/gstdio.h>

static gchar *model;

static const struct
{
  const gchar *name;
  gboolean (*add) (GstPlugin * plugin);
} elements[] = {
  {"pdfsrc", gst_element_register_pdfsrc},
  {"cudalayoutdetect", gst_element_register_cudalayoutdetect},
  {"layoutoverlay", gst_element_register_layoutoverlay},
  {"jsonsink", gst_element_register_jsonsink},
};

/* Factories are the registry's for good; the leaks tracer, which saw them being made, is told so. */
static void
add_elements (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    GstPluginFeature *factory;

    fail_unless (elements[i].add (NULL), "%s", elements[i].name);
    factory = gst_registry_lookup_feature (gst_registry_get (),
        elements[i].name);
    GST_OBJECT_FLAG_SET (factory, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    gst_object_unref (factory);
  }
}

static void
add (void)
{
  gint fd = g_file_open_tmp ("gst-doclayout-test-XXXXXX", &model, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  g_setenv ("DOCLAYOUT_MODEL", model, TRUE);
  gst_doc_page_meta_register ();
  gst_doc_layout_meta_register ();
  add_elements ();
}

static void
remove_model (void)
{
  g_unlink (model);
  g_clear_pointer (&model, g_free);
}

TCase *
fake_tcase_new (const gchar * name)
{
  TCase *tc = doc_tcase_new (name);

  tcase_add_unchecked_fixture (tc, add, remove_model);
  tcase_add_checked_fixture (tc, fake_reset, NULL);
  return tc;
}

GstElement *
fake_element_new (const gchar * properties)
{
  g_auto (GStrv) words = g_strsplit (properties, " ", -1);
  GstElement *element = gst_element_factory_make ("cudalayoutdetect", NULL);

  gst_object_ref_sink (element);
  g_object_set (element, "model-file", model, NULL);
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
