/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin: registers the elements and the metas, and nothing else. */
#include <gst/gst.h>

#include "gstdoclayoutmeta.h"
#include "gstdocpagemeta.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gst_doc_page_meta_register ();
  gst_doc_layout_meta_register ();
  return TRUE;
}

#define PACKAGE "gst-doclayout"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, doclayout,
    "Document layout detection: PDF pages in, regions out", plugin_init,
    GST_DOC_VERSION, "LGPL", "gst-doclayout",
    "https://gstreamer.freedesktop.org/")
