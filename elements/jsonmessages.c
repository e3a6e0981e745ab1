/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jsonmessages.h"

static GstStructure *
count_labels (const GArray * regions)
{
  GstStructure *labels = gst_structure_new_empty ("labels");

  for (guint i = 0; i < regions->len; i++) {
    const gchar *label = g_array_index (regions, GstDocRegion, i).label;
    guint n = 0;

    gst_structure_get_uint (labels, label, &n);
    gst_structure_set (labels, label, G_TYPE_UINT, n + 1, NULL);
  }
  return labels;
}

GstMessage *
gst_json_message_page (GstElement * source, const GstLayoutJsonPage * in,
    const GArray * regions, const gchar * line)
{
  g_autoptr (GstStructure) labels = count_labels (regions);
  const GstDocPage *page = in->page;

  return gst_message_new_element (GST_OBJECT (source),
      gst_structure_new ("jsonsink-page",
          "page", G_TYPE_UINT, page->page ? page->page : in->number,
          "pages", G_TYPE_UINT, page->pages,
          "status", G_TYPE_STRING, page->error ? "error" : "ok",
          "error", G_TYPE_STRING, page->error,
          "regions", G_TYPE_UINT, regions->len,
          "labels", GST_TYPE_STRUCTURE, labels,
          "line", G_TYPE_STRING, line, NULL));
}

GstMessage *
gst_json_message_summary (GstElement * source, const GstJsonTotals * totals)
{
  return gst_message_new_element (GST_OBJECT (source),
      gst_structure_new ("jsonsink-summary",
          "pages", G_TYPE_UINT64, totals->pages,
          "failed", G_TYPE_UINT64, totals->failed,
          "regions", G_TYPE_UINT64, totals->regions, NULL));
}

GstMessage *
gst_json_message_file (GstElement * source, const gchar * location)
{
  return gst_message_new_element (GST_OBJECT (source),
      gst_structure_new ("jsonsink-file", "location", G_TYPE_STRING, location, NULL));
}
