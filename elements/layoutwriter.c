/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutwriter.h"

static const GstLayoutWriterClass *const classes[] = {
  [GST_LAYOUT_FORMAT_JSONL] = &gst_layout_writer_jsonl,
  [GST_LAYOUT_FORMAT_JSON] = &gst_layout_writer_json,
  [GST_LAYOUT_FORMAT_COCO] = &gst_layout_writer_coco,
  [GST_LAYOUT_FORMAT_DOCLING] = &gst_layout_writer_docling,
  [GST_LAYOUT_FORMAT_MARKDOWN] = &gst_layout_writer_markdown,
  [GST_LAYOUT_FORMAT_ALTO] = &gst_layout_writer_alto,
  [GST_LAYOUT_FORMAT_PAGEXML] = &gst_layout_writer_pagexml,
};

GType
gst_layout_format_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_FORMAT_JSONL, "JSON Lines, an object a page", "jsonl"},
    {GST_LAYOUT_FORMAT_JSON, "A JSON array of the same objects", "json"},
    {GST_LAYOUT_FORMAT_COCO, "COCO results", "coco"},
    {GST_LAYOUT_FORMAT_DOCLING, "DoclingDocument, a document", "docling"},
    {GST_LAYOUT_FORMAT_MARKDOWN, "Markdown, a document", "markdown"},
    {GST_LAYOUT_FORMAT_ALTO, "ALTO 4 XML, a document", "alto"},
    {GST_LAYOUT_FORMAT_PAGEXML, "PAGE XML, a page", "pagexml"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutFormat",
            values));
  return type;
}

const GstLayoutWriterClass *
gst_layout_writer_class (GstLayoutFormat format)
{
  return classes[format];
}

GstLayoutWriter *
gst_layout_writer_new (GstLayoutFormat format)
{
  const GstLayoutWriterClass *klass = classes[format];
  GstLayoutWriter *writer = g_malloc0 (klass->size);

  writer->klass = klass;
  return writer;
}

void
gst_layout_writer_free (GstLayoutWriter * writer)
{
  if (writer == NULL)
    return;
  if (writer->klass->finalize)
    writer->klass->finalize (writer);
  g_free (writer);
}

void
gst_layout_writer_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in,
    const GArray * regions, GString * out)
{
  if (writer->pages == 0 && writer->klass->begin)
    writer->klass->begin (writer, in, out);
  writer->klass->page (writer, in, regions, out);
  writer->pages++;
}

void
gst_layout_writer_end (GstLayoutWriter * writer, GString * out)
{
  if (writer->klass->end)
    writer->klass->end (writer, out);
}
