/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PAGE XML of 2019-07-15 (primaresearch.org/schema/PAGE/gts/pagecontent): one page a file, regions in reading order with
 * the model's own label beside PAGE's type. */
#include "layoutwriter.h"

#include <math.h>

#include "documentname.h"
#include "jsontext.h"
#include "layoutroles.h"
#include "layoutwords.h"
#include "xmltext.h"

#define NAMESPACE "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
#define DECIMALS_SCORE 4

/* PAGE's points are whole pixels of the image. */
static guint
to_pixel (gdouble v, guint size)
{
  return (guint) floor (CLAMP (v, 0, (gdouble) size) + 0.5);
}

static void
append_coords (GString * s, const GstLayoutJsonPage * in, const GstLayoutBox * box, gdouble score)
{
  const guint width = gst_layout_json_width (in), height = gst_layout_json_height (in);
  const guint x0 = to_pixel (box->x0, width), y0 = to_pixel (box->y0, height);
  const guint x1 = to_pixel (box->x1, width), y1 = to_pixel (box->y1, height);

  g_string_append_printf (s, "<Coords points=\"%u,%u %u,%u %u,%u %u,%u\"", x0, y0, x1, y0, x1, y1, x0, y1);
  if (score >= 0 && score <= 1) {
    g_string_append (s, " conf=\"");
    gst_json_append_number (s, score, DECIMALS_SCORE);
    g_string_append_c (s, '"');
  }
  g_string_append (s, "/>\n");
}

static void
append_equiv (GString * s, const gchar * text)
{
  g_string_append (s, "<TextEquiv><Unicode>");
  gst_xml_append_text (s, text);
  g_string_append (s, "</Unicode></TextEquiv>\n");
}

static void
join_words (GString * s, const GstLayoutLine * line)
{
  for (guint i = 0; i < line->words->len; i++)
    g_string_append_printf (s, "%s%s", i ? " " : "", g_array_index (line->words, GstLayoutWord, i).text);
}

/* Its place is what PAGE asks a line for, so that those without are in the region's text only. */
static void
append_line (GString * s, const GstLayoutJsonPage * in, const GstLayoutLine * line, const gchar * region, guint index)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (s, "<TextLine id=\"%s_l%u\">\n", region, index);
  append_coords (s, in, &line->box, -1);
  for (guint i = 0; i < line->words->len; i++) {
    const GstLayoutWord *word = &g_array_index (line->words, GstLayoutWord, i);

    g_string_append_printf (s, "<Word id=\"%s_l%u_w%u\">\n", region, index, i);
    append_coords (s, in, &word->box, -1);
    append_equiv (s, word->text);
    g_string_append (s, "</Word>\n");
  }
  join_words (text, line);
  append_equiv (s, text->str);
  g_string_append (s, "</TextLine>\n");
}

static void
append_lines (GString * s, const GstLayoutJsonPage * in, const GArray * lines, const gchar * region)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < lines->len; i++) {
    const GstLayoutLine *line = &g_array_index (lines, GstLayoutLine, i);

    if (line->placed)
      append_line (s, in, line, region, i);
    g_string_append (text, i ? "\n" : "");
    join_words (text, line);
  }
  if (lines->len)
    append_equiv (s, text->str);
}

static void
append_region (GString * s, const GstLayoutJsonPage * in, const GstDocRegion * r, const GArray * lines, guint index)
{
  const GstLayoutRole *role = gst_layout_role (r->label);
  const GstLayoutBox box = { r->x0, r->y0, r->x1, r->y1 };
  g_autofree gchar *id = g_strdup_printf ("r%u", index);
  g_autofree gchar *inner = g_strdup_printf ("r%u_text", index);
  const gboolean text = g_str_equal (role->page, "TextRegion");

  g_string_append_printf (s, "<%s id=\"%s\"", role->page, id);
  if (role->page_type)
    gst_xml_append_attribute (s, "type", role->page_type);
  g_string_append (s, ">\n");
  append_coords (s, in, &box, r->score);
  g_string_append (s, "<Labels><Label");
  gst_xml_append_attribute (s, "value", r->label);
  g_string_append (s, "/></Labels>\n");
  if (text) {
    append_lines (s, in, lines, id);
  } else if (lines->len) {
    g_string_append_printf (s, "<TextRegion id=\"%s\" type=\"other\">\n", inner);
    append_coords (s, in, &box, -1);
    append_lines (s, in, lines, inner);
    g_string_append (s, "</TextRegion>\n");
  }
  g_string_append_printf (s, "</%s>\n", role->page);
}

static void
append_metadata (GString * s, const GstLayoutJsonPage * in)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  const gchar *document = gst_layout_json_document (in);

  g_string_append (s, "<Metadata");
  if (document)
    gst_xml_append_attribute (s, "externalRef", document);
  g_string_append (s, ">\n");
  gst_xml_append_element (s, "Creator", "gst-doclayout " GST_DOC_VERSION);
  gst_xml_append_element (s, "Created", time);
  gst_xml_append_element (s, "LastChange", time);
  if (in->page && in->page->error)
    gst_xml_append_element (s, "Comments", in->page->error);
  if (in->layout && in->layout->model) {
    g_string_append (s, "<MetadataItem type=\"processingStep\" name=\"layout detection\"");
    gst_xml_append_attribute (s, "value", in->layout->model);
    g_string_append (s, "/>\n");
  }
  g_string_append (s, "</Metadata>\n");
}

static void
append_order (GString * s, guint n)
{
  if (n == 0)
    return;
  g_string_append (s, "<ReadingOrder>\n<OrderedGroup id=\"order\">\n");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (s, "<RegionRefIndexed index=\"%u\" regionRef=\"r%u\"/>\n", i, i);
  g_string_append (s, "</OrderedGroup>\n</ReadingOrder>\n");
}

static void
pagexml_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions, GString * out)
{
  g_autofree gchar *file = gst_document_file_name (gst_layout_json_document (in));
  g_autoptr (GPtrArray) words = gst_layout_words (in, regions);

  g_string_append (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PcGts xmlns=\"" NAMESPACE "\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"" NAMESPACE " "
      NAMESPACE "/pagecontent.xsd\">\n");
  append_metadata (out, in);
  g_string_append (out, "<Page");
  gst_xml_append_attribute (out, "imageFilename", file);
  g_string_append_printf (out, " imageWidth=\"%u\" imageHeight=\"%u\" custom=\"page {number:%u;}\">\n",
      gst_layout_json_width (in), gst_layout_json_height (in), gst_layout_json_number (in));
  append_order (out, regions->len);
  for (guint i = 0; i < regions->len; i++)
    append_region (out, in, &g_array_index (regions, GstDocRegion, i), g_ptr_array_index (words, i), i);
  g_string_append (out, "</Page>\n</PcGts>\n");
}

const GstLayoutWriterClass gst_layout_writer_pagexml = {
  .name = "pagexml",
  .holds = GST_LAYOUT_HOLDS_PAGE,
  .size = sizeof (GstLayoutWriter),
  .page = pagexml_page,
};
