/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutmeaning.h"

#include "gst/gstdoclabels.h"

#define HEADER GST_LAYOUT_PART_HEADER
#define BODY GST_LAYOUT_PART_BODY
#define ASIDE GST_LAYOUT_PART_ASIDE
#define FOOTNOTE GST_LAYOUT_PART_FOOTNOTE
#define FOOTER GST_LAYOUT_PART_FOOTER
#define MARGIN GST_LAYOUT_PART_MARGIN
#define TEXT GST_LAYOUT_CUT_TEXT
#define HEADING GST_LAYOUT_CUT_HEADING
#define OBJECT GST_LAYOUT_CUT_OBJECT
#define PICTURE GST_LAYOUT_IS_PICTURE
#define TABLE GST_LAYOUT_IS_TABLE
#define LISTING GST_LAYOUT_IS_LISTING
#define FORMULA GST_LAYOUT_IS_FORMULA
#define FORM GST_LAYOUT_IS_FORM

/* Labels of docling's heron and egret, DocLayNet, CDLA, PP-DocLayout and DocLayout-YOLO, whose "abandon" is headers,
 * footers and page numbers. "number" is PP-DocLayout's word for the last of these. */
static const struct
{
  GstLayoutMeaning meaning;
  const gchar *labels[8];
} rows[] = {
  {{BODY, TEXT, 0, 0, FALSE}, {"text"}},        /* and all others */
  {{HEADER, TEXT, 0, 0, FALSE}, {"header", "page_header"}},
  {{HEADER, OBJECT, PICTURE, 0, FALSE}, {"header_image"}},
  {{FOOTER, TEXT, 0, 0, FALSE}, {"footer", "page_footer"}},
  {{FOOTER, OBJECT, PICTURE, 0, FALSE}, {"footer_image"}},
  {{MARGIN, TEXT, 0, 0, FALSE}, {"number", "page_number", "abandon"}},
  {{FOOTNOTE, TEXT, 0, 0, FALSE}, {"footnote"}},
  {{ASIDE, TEXT, 0, 0, FALSE}, {"aside_text"}},
  {{BODY, HEADING, 0, 0, FALSE},
      {"title", "doc_title", "paragraph_title", "section_header", "heading", "list", "list_item"}},
  {{BODY, OBJECT, PICTURE, 0, TRUE}, {"figure", "picture", "image", "chart", "photo", "seal"}},
  {{BODY, OBJECT, TABLE, 0, TRUE}, {"table", "document_index"}},
  {{BODY, OBJECT, FORM, 0, TRUE}, {"form", "key_value_region"}},
  {{BODY, OBJECT, LISTING, 0, FALSE}, {"code", "algorithm"}},
  {{BODY, OBJECT, FORMULA, 0, FALSE},
      {"formula", "equation", "display_formula", "inline_formula", "isolate_formula"}},
  {{BODY, TEXT, 0, PICTURE | TABLE, FALSE}, {"vision_footnote"}},
  {{BODY, TEXT, 0, TABLE, FALSE}, {"table_footnote", "table_caption", "table_title"}},
  {{BODY, TEXT, 0, PICTURE, FALSE}, {"figure_caption", "chart_title"}},
  {{BODY, TEXT, 0, FORMULA, FALSE}, {"formula_caption"}},
  {{BODY, TEXT, 0, GST_LAYOUT_IS_ANY, FALSE}, {"caption", "figure_title"}},
};

const GstLayoutMeaning *
gst_layout_meaning (const gchar * label)
{
  for (guint i = 0; label && i < G_N_ELEMENTS (rows); i++)
    for (guint j = 0; j < G_N_ELEMENTS (rows[i].labels) && rows[i].labels[j]; j++)
      if (gst_doc_label_equal (label, rows[i].labels[j]))
        return &rows[i].meaning;
  return &rows[0].meaning;
}
