/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstdocpagemeta.h"

void
gst_doc_page_meta_register (void)
{
  static gsize once = 0;
  static const gchar *no_tags[] = { NULL };

  if (g_once_init_enter (&once)) {
    /* A second copy of this library in the process may have been first. */
    if (gst_meta_get_info (GST_DOC_PAGE_META_NAME) == NULL)
      gst_meta_register_custom (GST_DOC_PAGE_META_NAME, no_tags, NULL, NULL,
          NULL);
    g_once_init_leave (&once, 1);
  }
}

static void
set_uint (GstStructure * s, const gchar * name, guint value)
{
  if (value > 0)
    gst_structure_set (s, name, G_TYPE_UINT, value, NULL);
}

static void
set_positive (GstStructure * s, const gchar * name, gdouble value)
{
  if (value > 0.0)
    gst_structure_set (s, name, G_TYPE_DOUBLE, value, NULL);
}

static void
set_time (GstStructure * s, const gchar * name, gdouble value)
{
  if (value >= 0.0)
    gst_structure_set (s, name, G_TYPE_DOUBLE, value, NULL);
}

gboolean
gst_doc_page_meta_add (GstBuffer * buffer, const GstDocPage * page)
{
  GstCustomMeta *meta;
  GstStructure *s;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), FALSE);
  g_return_val_if_fail (page != NULL, FALSE);

  if (!gst_buffer_is_writable (buffer))
    return FALSE;
  gst_doc_page_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_PAGE_META_NAME);
  if (meta == NULL)
    meta = gst_buffer_add_custom_meta (buffer, GST_DOC_PAGE_META_NAME);
  s = gst_custom_meta_get_structure (meta);

  gst_structure_remove_all_fields (s);
  if (page->document)
    gst_structure_set (s, "document", G_TYPE_STRING, page->document, NULL);
  set_uint (s, "page", page->page);
  set_uint (s, "pages", page->pages);
  set_uint (s, "width", page->width);
  set_uint (s, "height", page->height);
  set_positive (s, "width-pt", page->width_pt);
  set_positive (s, "height-pt", page->height_pt);
  if (page->rotation >= 0)
    gst_structure_set (s, "rotation", G_TYPE_INT, page->rotation, NULL);
  gst_structure_set (s, "status", G_TYPE_STRING, page->error ? "error" : "ok",
      NULL);
  if (page->error)
    gst_structure_set (s, "error", G_TYPE_STRING, page->error, NULL);
  set_time (s, "render-ms", page->render_ms);
  set_time (s, "wait-ms", page->wait_ms);
  if (page->scale > 0.0)
    gst_structure_set (s, "scale", G_TYPE_DOUBLE, page->scale,
        "x", G_TYPE_DOUBLE, page->x, "y", G_TYPE_DOUBLE, page->y, NULL);
  return TRUE;
}

gboolean
gst_doc_page_meta_get (GstBuffer * buffer, GstDocPage * page)
{
  const GstDocPage unknown = GST_DOC_PAGE_INIT;
  GstCustomMeta *meta;
  const GstStructure *s;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), FALSE);
  g_return_val_if_fail (page != NULL, FALSE);

  *page = unknown;
  gst_doc_page_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_PAGE_META_NAME);
  if (meta == NULL)
    return FALSE;
  s = gst_custom_meta_get_structure (meta);

  /* Each getter leaves its target alone where the field is absent or of another type. */
  page->document = gst_structure_get_string (s, "document");
  gst_structure_get_uint (s, "page", &page->page);
  gst_structure_get_uint (s, "pages", &page->pages);
  gst_structure_get_uint (s, "width", &page->width);
  gst_structure_get_uint (s, "height", &page->height);
  gst_structure_get_double (s, "width-pt", &page->width_pt);
  gst_structure_get_double (s, "height-pt", &page->height_pt);
  gst_structure_get_int (s, "rotation", &page->rotation);
  if (g_strcmp0 (gst_structure_get_string (s, "status"), "error") == 0) {
    page->error = gst_structure_get_string (s, "error");
    if (page->error == NULL)
      page->error = "unknown error";
  }
  gst_structure_get_double (s, "render-ms", &page->render_ms);
  gst_structure_get_double (s, "wait-ms", &page->wait_ms);
  gst_structure_get_double (s, "scale", &page->scale);
  gst_structure_get_double (s, "x", &page->x);
  gst_structure_get_double (s, "y", &page->y);
  return TRUE;
}
