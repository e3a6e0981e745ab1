/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch-pages.h"

#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"

/* Pages that this run will bring: fewer than the document has where some were chosen. */
static guint
count_pages_to_come (GstPad *pad, const GstDocPage *page)
{
  gint64 duration = 0;
  gboolean known = GST_PAD_IS_SRC (pad) ? gst_pad_query_duration (pad, GST_FORMAT_DEFAULT, &duration)
                                        : gst_pad_peer_query_duration (pad, GST_FORMAT_DEFAULT, &duration);
  return known && duration > 0 && duration <= G_MAXUINT ? (guint) duration : page->pages;
}

static void
describe_layout (GstStructure *message, const GstDocLayout *layout)
{
  g_autoptr (GstStructure) labels = gst_structure_new_empty ("labels");
  for (guint i = 0; i < layout->regions->len; i++) {
    const char *label = g_array_index (layout->regions, GstDocRegion, i).label;
    guint count = 0;
    gst_structure_get_uint (labels, label, &count);
    gst_structure_set (labels, label, G_TYPE_UINT, count + 1, NULL);
  }
  gst_structure_set (message, "regions", G_TYPE_UINT, layout->regions->len, "labels", GST_TYPE_STRUCTURE,
                     labels, "device", G_TYPE_STRING, layout->device, NULL);
}

static GstPadProbeReturn
on_page (GstPad *pad, GstPadProbeInfo *info, gpointer pipeline)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstDocPage page;
  gst_doc_page_meta_get (buffer, &page);
  g_autoptr (GstDocLayout) layout = gst_doc_layout_meta_get (buffer);
  GstStructure *message = gst_structure_new (LAUNCH_PAGE_MESSAGE, "page", G_TYPE_UINT, page.page, "pages",
                                             G_TYPE_UINT, count_pages_to_come (pad, &page), "error",
                                             G_TYPE_STRING, page.error, NULL);
  if (layout)
    describe_layout (message, layout);
  gst_element_post_message (pipeline, gst_message_new_element (GST_OBJECT (pipeline), message));
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
  GstDocPage page;
  if (gst_doc_page_meta_get (GST_PAD_PROBE_INFO_BUFFER (info), &page) && page.page <= G_MAXINT)
    g_object_set (sink, "index", (gint) page.page, NULL);
  return GST_PAD_PROBE_OK;
}

void
launch_pages_number_files (GstElement *sink)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  if (pad)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_file, sink, NULL);
}
