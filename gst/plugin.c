/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin: registers the elements and the metas, and nothing else. */
#include <gst/gst.h>

#include "elements/gstcudalayoutdetect.h"
#include "elements/gstjsonsink.h"
#include "elements/gstlayoutoverlay.h"
#include "elements/gstpdfsrc.h"
#include "gstdoclayoutmeta.h"
#include "gstdocpagemeta.h"
#include "gstdoctextmeta.h"

/* In pipeline order. */
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

/* An element that cannot be registered must not take the others with it. */
static gboolean
plugin_init (GstPlugin * plugin)
{
  guint added = 0;

  gst_doc_page_meta_register ();
  gst_doc_layout_meta_register ();
  gst_doc_text_meta_register ();
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    if (elements[i].add (plugin))
      added++;
    else
      GST_ERROR ("could not register %s", elements[i].name);
  }
  return added > 0;
}

#define PACKAGE "gst-doclayout"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, doclayout,
    "Document layout detection: PDF pages in, regions out", plugin_init,
    GST_DOC_VERSION, "LGPL", "gst-doclayout",
    "Unknown package origin")
