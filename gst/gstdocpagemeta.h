/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Page meta: which page of which document a buffer shows.
 *
 * A GstCustomMeta named "GstDocPageMeta", so applications in any language read it with
 * gst_buffer_get_custom_meta() and gst_custom_meta_get_structure(). Fields (absent = unknown):
 *   document        string   URI of the document
 *   page            uint     from 1
 *   pages           uint     pages in the document
 *   width, height   uint     pixels of the frame as it was made
 *   width-pt, height-pt  double  size in points of the page as seen (crop box, rotated)
 *   rotation        int      degrees clockwise
 *   status          string   "ok" or "error"
 *   error           string   why, where status is "error"
 *   render-ms       double   time to render it
 *   wait-ms         double   time between being rendered and leaving the source
 *   scale           double   pixels of the frame as it was made a point of the page
 *   x, y            double   pixel of that frame where the page's top left corner lies (absent: 0)
 * It has no tags and never changes, so every element that copies a frame passes it on.
 */
#pragma once

#include "gstdocprelude.h"

G_BEGIN_DECLS

#define GST_DOC_PAGE_META_NAME "GstDocPageMeta"

/* Unknown values: NULL, 0 (page, pages, width, height, sizes, scale), -1 (rotation, times). */
typedef struct {
  const gchar *document;
  guint page;
  guint pages;
  guint width, height;
  gdouble width_pt, height_pt;
  gint rotation;
  const gchar *error; /* NULL: the page is well */
  gdouble render_ms, wait_ms;
  gdouble scale;
  gdouble x, y; /* read only with a scale */
} GstDocPage;

#define GST_DOC_PAGE_INIT { NULL, 0, 0, 0, 0, 0.0, 0.0, -1, NULL, -1.0, -1.0, 0.0, 0.0, 0.0 }

/* Registers the meta; called by the plugin, by the functions below, and harmless when repeated. */
GST_DOC_API
void gst_doc_page_meta_register (void);

/* Adds the meta (replacing one that is there); strings are copied. FALSE if `buffer` is not writable. */
GST_DOC_API
gboolean gst_doc_page_meta_add (GstBuffer * buffer, const GstDocPage * page);

/* Reads the meta into `page`, whose strings belong to the buffer. FALSE (and `page` initialised to
 * unknown) where there is none. Fields of the wrong type count as absent. */
GST_DOC_API
gboolean gst_doc_page_meta_get (GstBuffer * buffer, GstDocPage * page);

G_END_DECLS
