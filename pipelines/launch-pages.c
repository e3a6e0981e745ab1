/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch-pages.h"

#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

/* The structure of a custom meta, or NULL. Asking for a meta that no plugin has registered yet
 * would be a programming error to GStreamer. */
static const GstStructure *
get_meta (GstBuffer *buffer, const char *name)
{
  GstCustomMeta *meta = gst_meta_get_info (name) ? gst_buffer_get_custom_meta (buffer, name) : NULL;
  return meta ? gst_custom_meta_get_structure (meta) : NULL;
}

static void
copy_field (GstStructure *to, const char *field, const GstStructure *from)
{
  const GValue *value = gst_structure_get_value (from, field);
  if (value)
    gst_structure_set_value (to, field, value);
}

/* Pages that this run will bring: fewer than the document has where some were chosen. */
static guint
count_pages_to_come (GstPad *pad, const GstStructure *meta)
{
  gint64 duration = 0;
  guint pages = 0;
  gboolean known = GST_PAD_IS_SRC (pad) ? gst_pad_query_duration (pad, GST_FORMAT_DEFAULT, &duration)
                                        : gst_pad_peer_query_duration (pad, GST_FORMAT_DEFAULT, &duration);
  if (known && duration > 0 && duration <= G_MAXUINT)
    return (guint) duration;
  if (meta)
    gst_structure_get_uint (meta, "pages", &pages);
  return pages;
}

static void
count_regions (GstStructure *page, const GstStructure *layout)
{
  const GValue *regions = gst_structure_get_value (layout, "regions");
  guint n = regions && GST_VALUE_HOLDS_ARRAY (regions) ? gst_value_array_get_size (regions) : 0;
  g_autoptr (GstStructure) labels = gst_structure_new_empty ("labels");
  for (guint i = 0; i < n; i++) {
    const GValue *region = gst_value_array_get_value (regions, i);
    const char *label = gst_structure_get_string (gst_value_get_structure (region), "label");
    guint count = 0;
    gst_structure_get_uint (labels, label, &count);
    gst_structure_set (labels, label, G_TYPE_UINT, count + 1, NULL);
  }
  gst_structure_set (page, "regions", G_TYPE_UINT, n, "labels", GST_TYPE_STRUCTURE, labels, NULL);
}

static GstPadProbeReturn
on_page (GstPad *pad, GstPadProbeInfo *info, gpointer pipeline)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  const GstStructure *meta = get_meta (buffer, GST_DOC_PAGE_META_NAME);
  const GstStructure *layout = get_meta (buffer, GST_DOC_LAYOUT_META_NAME);
  guint to_come = count_pages_to_come (pad, meta);
  GstStructure *page = gst_structure_new_empty (LAUNCH_PAGE_MESSAGE);
  if (to_come > 0)
    gst_structure_set (page, "pages", G_TYPE_UINT, to_come, NULL);
  if (meta) {
    copy_field (page, "page", meta);
    if (g_strcmp0 (gst_structure_get_string (meta, "status"), "error") == 0)
      gst_structure_set (page, "error", G_TYPE_STRING, gst_structure_get_string (meta, "error"), NULL);
  }
  if (layout) {
    copy_field (page, "device", layout);
    count_regions (page, layout);
  }
  gst_element_post_message (pipeline, gst_message_new_element (GST_OBJECT (pipeline), page));
  return GST_PAD_PROBE_OK;
}

static gint
is_detector (gconstpointer item, gconstpointer user_data)
{
  GstElementFactory *factory = gst_element_get_factory (g_value_get_object (item));
  return g_strcmp0 (factory ? GST_OBJECT_NAME (factory) : NULL, "cudalayoutdetect");
}

/* (transfer full) */
static GstPad *
find_pad_to_watch (GstBin *bin)
{
  g_autoptr (GstIterator) all = gst_bin_iterate_recurse (bin);
  g_auto (GValue) found = G_VALUE_INIT;
  if (gst_iterator_find_custom (all, is_detector, &found, NULL))
    return gst_element_get_static_pad (g_value_get_object (&found), "src");
  g_autoptr (GstIterator) sinks = gst_bin_iterate_sinks (bin);
  if (gst_iterator_next (sinks, &found) == GST_ITERATOR_OK)
    return gst_element_get_static_pad (g_value_get_object (&found), "sink");
  return NULL;
}

void
launch_pages_watch (GstElement *pipeline)
{
  g_autoptr (GstPad) pad = GST_IS_BIN (pipeline) ? find_pad_to_watch (GST_BIN (pipeline)) : NULL;
  if (pad)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_page, pipeline, NULL);
}

static GstPadProbeReturn
on_file (GstPad *pad, GstPadProbeInfo *info, gpointer sink)
{
  const GstStructure *meta = get_meta (GST_PAD_PROBE_INFO_BUFFER (info), GST_DOC_PAGE_META_NAME);
  guint number;
  if (meta && gst_structure_get_uint (meta, "page", &number) && number <= G_MAXINT)
    g_object_set (sink, "index", (gint) number, NULL);
  return GST_PAD_PROBE_OK;
}

void
launch_pages_number_files (GstElement *sink)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  if (pad)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_file, sink, NULL);
}
