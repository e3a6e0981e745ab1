/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metas as others may write them: an older version of this library, applications. */
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstdoctextmeta.h"
#include "gst_harness.h"

GST_START_TEST (page)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstDocPage got;

  gst_doc_page_meta_register ();
  gst_structure_set (gst_custom_meta_get_structure (gst_buffer_add_custom_meta
          (buffer, GST_DOC_PAGE_META_NAME)), "page", G_TYPE_STRING, "three",
      "document", G_TYPE_INT, 1, "status", G_TYPE_STRING, "error", NULL);
  fail_unless (gst_doc_page_meta_get (buffer, &got));
  fail_unless (got.page == 0 && got.document == NULL);
  fail_unless_equals_string (got.error, "unknown error");
  gst_buffer_unref (buffer);
}

GST_END_TEST

static const gchar *const foreign[][2] = {
  {"regions", "x, v=< "
      "(structure)[region, id=(uint)7, class-id=0, label=text, score=0.5, x0=1.0, y0=1.0, x1=2.0, y1=2.0], "
      "(structure)[region, id=(uint)8, class-id=0, label=text, score=0.5, x0=1.0, y0=1.0, x1=2.0], "
      "(structure)[region, id=(uint)9, class-id=0, label=text, score=0.5, x0=1.0, y0=1.0, x1=2.0, y1=3.0, "
      "order=three, text=5] >"},
  {"orphans", "x, v=< 5, (structure)[line, text=5, x0=1.0, y0=1.0, x1=2.0, y1=3.0], "
      "(structure)[line, text=a, x0=1.0, y0=1.0, x1=2.0] >"},
  {"characters", "x, v=-1"},
};

GST_START_TEST (layout)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstStructure *s;
  GstDocLayout *got;
  const GstDocRegion *r;

  gst_doc_layout_meta_register ();
  s = gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer,
          GST_DOC_LAYOUT_META_NAME));
  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autoptr (GstStructure) written = gst_structure_from_string (foreign[i][1],
        NULL);

    fail_unless (written != NULL);
    gst_structure_set_value (s, foreign[i][0], gst_structure_get_value (written,
            "v"));
  }
  got = gst_doc_layout_meta_get (buffer);
  fail_unless_equals_int (got->regions->len, 2);
  r = &g_array_index (got->regions, GstDocRegion, 0);
  fail_unless (r[0].id == 7 && r[0].order == 0 && r[0].text == NULL);
  fail_unless (r[1].id == 9 && r[1].order == 1 && r[1].text == NULL);
  fail_unless (got->orphans != NULL && got->orphans->len == 0
      && got->characters == 0);
  gst_doc_layout_free (got);
  gst_buffer_unref (buffer);
}

GST_END_TEST

GST_START_TEST (text)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstStructure *s;

  gst_doc_text_meta_register ();
  s = gst_custom_meta_get_structure (gst_buffer_add_custom_meta (buffer,
          GST_DOC_TEXT_META_NAME));
  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  gst_structure_set (s, "spans", G_TYPE_STRING, "words", NULL);
  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  gst_structure_set (s, "spans", G_TYPE_VARIANT, g_variant_new ("as", NULL),
      NULL);
  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  gst_structure_set (s, "spans", G_TYPE_VARIANT, NULL, NULL);
  fail_unless (gst_doc_text_meta_get (buffer) == NULL);
  gst_buffer_unref (buffer);
}

GST_END_TEST

static Suite *
metas_foreign_suite (void)
{
  Suite *s = suite_create ("metas_foreign");
  TCase *tc = doc_tcase_new ("metas_foreign");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, page);
  tcase_add_test (tc, layout);
  tcase_add_test (tc, text);
  return s;
}

GST_CHECK_MAIN (metas_foreign)
