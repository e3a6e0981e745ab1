/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ALTO 4.4 (loc.gov/standards/alto): the pages of a document in pixels, blocks in reading order. Its tags and its reading
 * order come before its pages, so that all of it is written at the end. XML is put together here piece by piece and not
 * by a library's writer for the same reason; what is left for one to do, escaping, GLib does (xmltext). */
#include "layoutwriter.h"

#include <string.h>

#include "documentname.h"
#include "layoutroles.h"
#include "layoutwords.h"
#include "xmltext.h"

typedef struct {
  GstLayoutWriter parent;
  gchar *file, *document, *step;
  GPtrArray *labels; /* of the tags; interned */
  GString *order, *pages;
} AltoWriter;

static void
alto_begin (GstLayoutWriter * writer, const GstLayoutJsonPage * first, GString * out)
{
  AltoWriter *self = (AltoWriter *) writer;
  const gchar *document = gst_layout_json_document (first);

  self->file = gst_document_file_name (document);
  self->document = g_strdup (document);
  self->labels = g_ptr_array_new ();
  self->order = g_string_new (NULL);
  self->pages = g_string_new (NULL);
}

/* The number of the tag that stands for a label. */
static guint
tag_of (AltoWriter * self, const gchar * label)
{
  guint index;

  if (g_ptr_array_find (self->labels, label, &index))
    return index;
  g_ptr_array_add (self->labels, (gpointer) label);
  return self->labels->len - 1;
}

static void
append_box (GString * s, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  gst_xml_append_number (s, "HPOS", x0);
  gst_xml_append_number (s, "VPOS", y0);
  gst_xml_append_number (s, "WIDTH", x1 - x0);
  gst_xml_append_number (s, "HEIGHT", y1 - y0);
}

static void
append_line (GString * s, const GstLayoutLine * line, const gchar * block, guint index)
{
  g_string_append_printf (s, "<TextLine ID=\"%s_l%u\"", block, index);
  if (line->placed)
    append_box (s, line->box.x0, line->box.y0, line->box.x1, line->box.y1);
  g_string_append_c (s, '>');
  for (guint i = 0; i < line->words->len; i++) {
    const GstLayoutWord *word = &g_array_index (line->words, GstLayoutWord, i);

    g_string_append (s, i ? "<SP/><String" : "<String");
    if (line->placed)
      append_box (s, word->box.x0, word->box.y0, word->box.x1, word->box.y1);
    gst_xml_append_attribute (s, "CONTENT", word->text);
    g_string_append (s, "/>");
  }
  g_string_append (s, "</TextLine>\n");
}

/* An element with the region's place; what it holds may follow. */
static void
open_block (GString * s, const gchar * element, const gchar * id, guint tag, const GstDocRegion * r)
{
  g_string_append_printf (s, "<%s ID=\"%s\"", element, id);
  append_box (s, r->x0, r->y0, r->x1, r->y1);
  g_string_append_printf (s, " TAGREFS=\"label_%u\"", tag);
}

static void
append_text_block (GString * s, const gchar * id, guint tag, const GstDocRegion * r, const GArray * lines)
{
  open_block (s, "TextBlock", id, tag, r);
  g_string_append (s, lines->len ? ">\n" : "/>\n");
  for (guint i = 0; i < lines->len; i++)
    append_line (s, &g_array_index (lines, GstLayoutLine, i), id, i);
  if (lines->len)
    g_string_append (s, "</TextBlock>\n");
}

/* What holds more than text is a block around its text. */
static void
append_composed_block (GString * s, const gchar * id, guint tag, const GstDocRegion * r, const GArray * lines,
    gboolean picture)
{
  g_autofree gchar *text = g_strconcat (id, "_text", NULL);
  g_autofree gchar *image = g_strconcat (id, "_image", NULL);

  open_block (s, "ComposedBlock", id, tag, r);
  gst_xml_append_attribute (s, "TYPE", r->label);
  g_string_append (s, picture || lines->len ? ">\n" : "/>\n");
  if (picture) {
    open_block (s, "Illustration", image, tag, r);
    g_string_append (s, "/>\n");
  }
  if (lines->len)
    append_text_block (s, text, tag, r, lines);
  if (picture || lines->len)
    g_string_append (s, "</ComposedBlock>\n");
}

static void
append_region (AltoWriter * self, const GstDocRegion * r, const GArray * lines, guint index)
{
  const GstLayoutKind kind = gst_layout_role (r->label)->kind;
  g_autofree gchar *id = g_strdup_printf ("page_%" G_GUINT64_FORMAT "_r%u", self->parent.pages + 1, index);
  const guint tag = tag_of (self, r->label);

  g_string_append_printf (self->order, "<ElementRef ID=\"order_%s\" REF=\"%s\"/>\n", id, id);
  if (kind == GST_LAYOUT_KIND_PICTURE && lines->len == 0) {
    open_block (self->pages, "Illustration", id, tag, r);
    g_string_append (self->pages, "/>\n");
  } else if (kind == GST_LAYOUT_KIND_PICTURE || kind == GST_LAYOUT_KIND_TABLE || kind == GST_LAYOUT_KIND_FORM
      || kind == GST_LAYOUT_KIND_KEY_VALUE) {
    append_composed_block (self->pages, id, tag, r, lines, kind == GST_LAYOUT_KIND_PICTURE);
  } else {
    append_text_block (self->pages, id, tag, r, lines);
  }
}

static void
note_step (AltoWriter * self, const GstLayoutJsonPage * in)
{
  if (self->step == NULL && in->layout && in->layout->model)
    self->step = g_strdup_printf ("layout detection, model %s, on %s", in->layout->model,
        in->layout->device ? in->layout->device : "an unknown device");
}

static void
alto_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions, GString * out)
{
  AltoWriter *self = (AltoWriter *) writer;
  g_autoptr (GPtrArray) words = gst_layout_words (in, regions);
  GString *s = self->pages;

  note_step (self, in);
  g_string_append_printf (s, "<Page ID=\"page_%" G_GUINT64_FORMAT "\" PHYSICAL_IMG_NR=\"%u\"", writer->pages + 1,
      gst_layout_json_number (in));
  gst_xml_append_number (s, "WIDTH", gst_layout_json_width (in));
  gst_xml_append_number (s, "HEIGHT", gst_layout_json_height (in));
  if (in->page && in->page->error) {
    gst_xml_append_attribute (s, "QUALITY", "Missing");
    gst_xml_append_attribute (s, "QUALITY_DETAIL", in->page->error);
  }
  g_string_append (s, ">\n<PrintSpace");
  append_box (s, 0, 0, gst_layout_json_width (in), gst_layout_json_height (in));
  g_string_append (s, ">\n");
  for (guint i = 0; i < regions->len; i++)
    append_region (self, &g_array_index (regions, GstDocRegion, i), g_ptr_array_index (words, i), i);
  g_string_append (s, "</PrintSpace>\n</Page>\n");
}

static void
append_description (AltoWriter * self, GString * out)
{
  g_string_append (out, "<Description>\n<MeasurementUnit>pixel</MeasurementUnit>\n<sourceImageInformation>\n");
  gst_xml_append_element (out, "fileName", self->file);
  if (self->document)
    gst_xml_append_element (out, "documentIdentifier", self->document);
  g_string_append (out, "</sourceImageInformation>\n<Processing ID=\"processing\">\n");
  if (self->step)
    gst_xml_append_element (out, "processingStepDescription", self->step);
  g_string_append (out, "<processingSoftware>\n");
  gst_xml_append_element (out, "softwareName", "gst-doclayout");
  gst_xml_append_element (out, "softwareVersion", GST_DOC_VERSION);
  g_string_append (out, "</processingSoftware>\n</Processing>\n</Description>\n");
}

static void
alto_end (GstLayoutWriter * writer, GString * out)
{
  AltoWriter *self = (AltoWriter *) writer;

  g_string_append (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<alto xmlns=\"http://www.loc.gov/standards/alto/ns-v4#\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:schemaLocation=\"http://www.loc.gov/standards/alto/ns-v4# "
      "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd\" SCHEMAVERSION=\"4.4\">\n");
  append_description (self, out);
  g_string_append (out, "<Tags>\n");
  for (guint i = 0; i < self->labels->len; i++) {
    g_string_append_printf (out, "<LayoutTag ID=\"label_%u\"", i);
    gst_xml_append_attribute (out, "LABEL", g_ptr_array_index (self->labels, i));
    g_string_append (out, "/>\n");
  }
  g_string_append (out, "</Tags>\n");
  if (self->order->len > 0)
    g_string_append_printf (out, "<ReadingOrder>\n<OrderedGroup ID=\"order\">\n%s</OrderedGroup>\n</ReadingOrder>\n",
        self->order->str);
  g_string_append_printf (out, "<Layout>\n%s</Layout>\n</alto>\n", self->pages->str);
}

static void
alto_finalize (GstLayoutWriter * writer)
{
  AltoWriter *self = (AltoWriter *) writer;

  if (self->labels == NULL)
    return;
  g_ptr_array_unref (self->labels);
  g_string_free (self->order, TRUE);
  g_string_free (self->pages, TRUE);
  g_free (self->file);
  g_free (self->document);
  g_free (self->step);
}

const GstLayoutWriterClass gst_layout_writer_alto = {
  .name = "alto",
  .holds = GST_LAYOUT_HOLDS_DOCUMENT,
  .size = sizeof (AltoWriter),
  .begin = alto_begin,
  .page = alto_page,
  .end = alto_end,
  .finalize = alto_finalize,
};
