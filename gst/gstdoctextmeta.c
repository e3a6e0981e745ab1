/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstdoctextmeta.h"

void
gst_doc_text_meta_register (void)
{
  static gsize once = 0;
  static const gchar *no_tags[] = { NULL };

  if (g_once_init_enter (&once)) {
    /* A second copy of this library in the process may have been first. */
    if (gst_meta_get_info (GST_DOC_TEXT_META_NAME) == NULL)
      gst_meta_register_custom (GST_DOC_TEXT_META_NAME, no_tags, NULL, NULL,
          NULL);
    g_once_init_leave (&once, 1);
  }
}

static gboolean
is_spans (GVariant * variant)
{
  return variant != NULL
      && g_variant_is_of_type (variant,
      G_VARIANT_TYPE (GST_DOC_TEXT_SPANS_TYPE));
}

gboolean
gst_doc_text_meta_add (GstBuffer * buffer, GVariant * spans)
{
  GstCustomMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), FALSE);
  g_return_val_if_fail (is_spans (spans), FALSE);

  g_variant_ref_sink (spans);
  if (!gst_buffer_is_writable (buffer)) {
    g_variant_unref (spans);
    return FALSE;
  }
  gst_doc_text_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_TEXT_META_NAME);
  if (meta == NULL)
    meta = gst_buffer_add_custom_meta (buffer, GST_DOC_TEXT_META_NAME);
  gst_structure_set (gst_custom_meta_get_structure (meta),
      "spans", G_TYPE_VARIANT, spans, NULL);
  g_variant_unref (spans);
  return TRUE;
}

GVariant *
gst_doc_text_meta_get (GstBuffer * buffer)
{
  GstCustomMeta *meta;
  const GValue *value;
  GVariant *spans;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  gst_doc_text_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_TEXT_META_NAME);
  if (meta == NULL)
    return NULL;
  value = gst_structure_get_value (gst_custom_meta_get_structure (meta),
      "spans");
  if (value == NULL || !G_VALUE_HOLDS_VARIANT (value))
    return NULL;
  spans = g_value_get_variant (value);
  return is_spans (spans) ? g_variant_ref (spans) : NULL;
}

guint
gst_doc_text_n_spans (GVariant * spans)
{
  g_return_val_if_fail (is_spans (spans), 0);

  return (guint) g_variant_n_children (spans);
}

void
gst_doc_text_get_span (GVariant * spans, guint index, GstDocTextSpan * span)
{
  g_return_if_fail (is_spans (spans));
  g_return_if_fail (index < g_variant_n_children (spans));
  g_return_if_fail (span != NULL);

  g_variant_get_child (spans, index, "(&sddddd&suu)", &span->text, &span->x0,
      &span->y0, &span->x1, &span->y1, &span->size, &span->font, &span->flags,
      &span->line);
}
