/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstdoclabels.h"

/* Paul Tol's "muted" scheme, nine colours made to be told apart in normal vision and with every
 * kind of red-green blindness (P. Tol, Colour Schemes, SRON/EPS/TN/09-002, issue 3.2, 2021). Its
 * tenth, pale grey, is left out: it cannot be seen on paper. */
enum
{
  INDIGO = 0x332288,
  CYAN = 0x88ccee,
  TEAL = 0x44aa99,
  GREEN = 0x117733,
  OLIVE = 0x999933,
  SAND = 0xddcc77,
  ROSE = 0xcc6677,
  WINE = 0x882255,
  PURPLE = 0xaa4499,
};

/* One row a meaning. Rose and teal are the closest pair for the colour-blind, so teal goes to what
 * rarely meets a title on a page. */
static const struct
{
  guint32 color;
  const gchar *labels[16];
} meanings[] = {
  {INDIGO, {"text", "paragraph", "plain_text", "abstract", "content",
          "aside_text", "vertical_text"}},
  {ROSE, {"title", "section_header", "doc_title", "paragraph_title",
          "heading"}},
  {GREEN, {"figure", "picture", "image", "chart", "photo", "header_image",
          "footer_image", "seal"}},
  {CYAN, {"table", "document_index", "form", "key_value_region"}},
  {SAND, {"caption", "figure_caption", "table_caption", "formula_caption",
          "figure_title", "table_title", "chart_title"}},
  {OLIVE, {"header", "footer", "page_header", "page_footer", "number",
          "page_number", "abandon"}},
  {PURPLE, {"formula", "equation", "display_formula", "inline_formula",
          "isolate_formula", "formula_number", "code", "algorithm"}},
  {WINE, {"reference", "reference_content", "footnote", "table_footnote",
          "vision_footnote"}},
  {TEAL, {"list", "list_item", "checkbox_selected", "checkbox_unselected"}},
};

static gchar
fold (gchar c)
{
  return c == '-' || c == ' ' ? '_' : g_ascii_tolower (c);
}

gboolean
gst_doc_label_equal (const gchar * a, const gchar * b)
{
  if (a == NULL || b == NULL)
    return a == b;
  for (; *a && *b; a++, b++)
    if (fold (*a) != fold (*b))
      return FALSE;
  return *a == *b;
}

/* FNV-1a, 32 bits: the same on every machine, which g_str_hash() does not promise. */
static guint32
label_hash (const gchar * label)
{
  guint32 hash = 2166136261u;

  for (; *label; label++)
    hash = (hash ^ (guint8) * label) * 16777619u;
  return hash;
}

guint32
gst_doc_label_color (const gchar * label)
{
  if (label == NULL)
    label = "";
  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++) {
    for (guint j = 0; meanings[i].labels[j]; j++) {
      if (gst_doc_label_equal (label, meanings[i].labels[j]))
        return meanings[i].color;
    }
  }
  return meanings[label_hash (label) % G_N_ELEMENTS (meanings)].color;
}
