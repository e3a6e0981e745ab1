/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Lines, and a JSON array of the same objects. */
#include "layoutwriter.h"

static void
append_page (GString * out, const GstLayoutJsonPage * in, const GArray * regions)
{
  g_autofree gchar *made = in->line ? NULL : gst_layout_json_line (in, regions);

  g_string_append (out, in->line ? in->line : made);
}

static void
jsonl_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions,
    GString * out)
{
  append_page (out, in, regions);
  g_string_append_c (out, '\n');
}

const GstLayoutWriterClass gst_layout_writer_jsonl = {
  .name = "jsonl",
  .holds = GST_LAYOUT_HOLDS_ANYTHING,
  .appendable = TRUE,
  .size = sizeof (GstLayoutWriter),
  .page = jsonl_page,
};

static void
json_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions,
    GString * out)
{
  g_string_append (out, writer->pages == 0 ? "[\n" : ",\n");
  append_page (out, in, regions);
}

static void
json_end (GstLayoutWriter * writer, GString * out)
{
  g_string_append (out, "\n]\n");
}

const GstLayoutWriterClass gst_layout_writer_json = {
  .name = "json",
  .holds = GST_LAYOUT_HOLDS_ANYTHING,
  .size = sizeof (GstLayoutWriter),
  .page = json_page,
  .end = json_end,
};
