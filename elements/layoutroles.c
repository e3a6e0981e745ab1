/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutroles.h"

#include "gst/gstdoclabels.h"

/* Labels of docling's heron and egret, DocLayNet, CDLA, PP-DocLayout and DocLayout-YOLO. CDLA and DocLayout-YOLO call
 * every heading a title. "content" is PP-DocLayout's word for a table of contents, "number" for that of a page, "abandon"
 * DocLayout-YOLO's for headers, footers and page numbers. */
static const struct
{
  GstLayoutRole role;
  const gchar *labels[12];
} rows[] = {
  {{GST_LAYOUT_KIND_TEXT, "text", "TextRegion", "paragraph"},
      {"text", "paragraph", "plain_text", "abstract", "vertical_text",
          "formula_number"}},
  {{GST_LAYOUT_KIND_TEXT, "text", "TextRegion", "marginalia"}, {"aside_text"}},
  {{GST_LAYOUT_KIND_TITLE, "title", "TextRegion", "heading"}, {"doc_title"}},
  {{GST_LAYOUT_KIND_ANY_HEADING, "title", "TextRegion", "heading"}, {"title"}},
  {{GST_LAYOUT_KIND_HEADING, "section_header", "TextRegion", "heading"},
      {"section_header", "paragraph_title", "heading"}},
  {{GST_LAYOUT_KIND_LIST_ITEM, "list_item", "TextRegion", "paragraph"},
      {"list_item", "list"}},
  {{GST_LAYOUT_KIND_CAPTION, "caption", "TextRegion", "caption"},
      {"caption", "figure_title", "figure_caption", "chart_title", "table_caption", "table_title",
          "formula_caption"}},
  {{GST_LAYOUT_KIND_TEXT, "footnote", "TextRegion", "footnote"},
      {"footnote", "table_footnote", "vision_footnote"}},
  {{GST_LAYOUT_KIND_TEXT, "reference", "TextRegion", "paragraph"},
      {"reference", "reference_content"}},
  {{GST_LAYOUT_KIND_TEXT, "page_header", "TextRegion", "header", TRUE},
      {"page_header", "header"}},
  {{GST_LAYOUT_KIND_TEXT, "page_footer", "TextRegion", "footer", TRUE},
      {"page_footer", "footer"}},
  {{GST_LAYOUT_KIND_TEXT, "page_footer", "TextRegion", "page-number", TRUE},
      {"number", "page_number"}},
  {{GST_LAYOUT_KIND_TEXT, "page_footer", "TextRegion", "other", TRUE}, {"abandon"}},
  {{GST_LAYOUT_KIND_TEXT, "checkbox_selected", "TextRegion", "other"},
      {"checkbox_selected"}},
  {{GST_LAYOUT_KIND_TEXT, "checkbox_unselected", "TextRegion", "other"},
      {"checkbox_unselected"}},
  {{GST_LAYOUT_KIND_CODE, "code", "TextRegion", "other"}, {"code", "algorithm"}},
  {{GST_LAYOUT_KIND_FORMULA, "formula", "MathsRegion"},
      {"formula", "equation", "display_formula", "inline_formula",
          "isolate_formula"}},
  {{GST_LAYOUT_KIND_PICTURE, "picture", "ImageRegion"},
      {"picture", "figure", "image", "photo"}},
  {{GST_LAYOUT_KIND_PICTURE, "picture", "ImageRegion", NULL, TRUE},
      {"header_image", "footer_image"}},
  {{GST_LAYOUT_KIND_PICTURE, "picture", "GraphicRegion", "stamp"}, {"seal"}},
  {{GST_LAYOUT_KIND_PICTURE, "chart", "ChartRegion"}, {"chart"}},
  {{GST_LAYOUT_KIND_TABLE, "table", "TableRegion"}, {"table"}},
  {{GST_LAYOUT_KIND_TABLE, "document_index", "TextRegion", "TOC-entry"},
      {"document_index", "content"}},
  {{GST_LAYOUT_KIND_FORM, "form", "CustomRegion", "form"}, {"form"}},
  {{GST_LAYOUT_KIND_KEY_VALUE, "key_value_region", "CustomRegion", "key_value_region"},
      {"key_value_region"}},
};

const GstLayoutRole *
gst_layout_role (const gchar * label)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (guint j = 0; rows[i].labels[j]; j++)
      if (gst_doc_label_equal (label, rows[i].labels[j]))
        return &rows[i].role;
  return &rows[0].role;
}
