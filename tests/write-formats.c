/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the pages of a JSON file as a document of another format, for test_formats.py:
 *   write-formats FORMAT PAGES.json OUTPUT [COMPANION]
 * PAGES.json is an array of objects with the fields of the metas, by their names there; regions and spans are arrays of
 * arrays, in the order in which this file reads them. */
#include "elements/layoutwriter.h"
#include "gst/gstdoctextmeta.h"

#include <json-glib/json-glib.h>

static gdouble
number (JsonObject * o, const gchar * name)
{
  return json_object_has_member (o, name) ? json_object_get_double_member (o, name) : 0;
}

static const gchar *
string (JsonObject * o, const gchar * name)
{
  return json_object_has_member (o, name) && !json_object_get_null_member (o, name)
      ? json_object_get_string_member (o, name) : NULL;
}

static void
read_page (JsonObject * o, GstDocPage * page)
{
  page->document = string (o, "document");
  page->page = (guint) number (o, "page");
  page->error = string (o, "error");
  page->width = (guint) number (o, "width");
  page->height = (guint) number (o, "height");
  page->width_pt = number (o, "width-pt");
  page->height_pt = number (o, "height-pt");
  page->scale = number (o, "scale");
  page->x = number (o, "x");
  page->y = number (o, "y");
}

/* [label, class, score, x0, y0, x1, y1, text or null], in reading order */
static void
add_region (JsonArray * array, guint index, JsonNode * node, gpointer layout)
{
  JsonArray *a = json_node_get_array (node);
  GstDocRegion r = { .id = index, .order = index };

  r.label = g_intern_string (json_array_get_string_element (a, 0));
  r.class_id = (gint) json_array_get_int_element (a, 1);
  r.score = json_array_get_double_element (a, 2);
  r.x0 = json_array_get_double_element (a, 3);
  r.y0 = json_array_get_double_element (a, 4);
  r.x1 = json_array_get_double_element (a, 5);
  r.y1 = json_array_get_double_element (a, 6);
  if (!json_array_get_null_element (a, 7))
    r.text = g_strdup (json_array_get_string_element (a, 7));
  g_array_append_val (((GstDocLayout *) layout)->regions, r);
}

static GstDocLayout *
read_layout (JsonObject * o)
{
  GstDocLayout *layout =
      gst_doc_layout_new ((guint) number (o, "layout-width"), (guint) number (o, "layout-height"));

  layout->model = g_strdup ("model.onnx");
  layout->device = g_strdup ("cpu");
  json_array_foreach_element (json_object_get_array_member (o, "regions"), add_region, layout);
  return layout;
}

/* [text, x0, y0, x1, y1, size, font, flags, line] */
static void
add_span (JsonArray * array, guint index, JsonNode * node, gpointer builder)
{
  JsonArray *a = json_node_get_array (node);

  g_variant_builder_add (builder, "(sdddddsuu)", json_array_get_string_element (a, 0),
      json_array_get_double_element (a, 1), json_array_get_double_element (a, 2),
      json_array_get_double_element (a, 3), json_array_get_double_element (a, 4),
      json_array_get_double_element (a, 5), json_array_get_string_element (a, 6),
      (guint) json_array_get_int_element (a, 7), (guint) json_array_get_int_element (a, 8));
}

static GVariant *
read_spans (JsonObject * o)
{
  GVariantBuilder builder;

  if (!json_object_has_member (o, "spans"))
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE (GST_DOC_TEXT_SPANS_TYPE));
  json_array_foreach_element (json_object_get_array_member (o, "spans"), add_span, &builder);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
write_page (JsonArray * array, guint index, JsonNode * node, gpointer data)
{
  JsonObject *o = json_node_get_object (node);
  GstLayoutWriter *writer = ((gpointer *) data)[0];
  GstDocPage page = GST_DOC_PAGE_INIT;
  GstLayoutJsonPage in = {.page = &page,.number = index + 1,.pts = GST_CLOCK_TIME_NONE };
  g_autoptr (GstDocLayout) layout = NULL;
  g_autoptr (GArray) regions = NULL;
  g_autoptr (GVariant) spans = read_spans (o);

  read_page (o, &page);
  in.width = page.width;
  in.height = page.height;
  in.spans = spans;
  if (json_object_has_member (o, "regions"))
    in.layout = layout = read_layout (o);
  regions = gst_layout_json_regions (page.error ? NULL : layout);
  gst_layout_writer_page (writer, &in, regions, ((gpointer *) data)[1]);
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL), companion = g_string_new (NULL);
  g_autoptr (GEnumClass) formats = NULL;
  GstLayoutWriter *writer;
  gpointer data[2];

  gst_init (NULL, NULL);
  g_return_val_if_fail (argc >= 4, 2);
  formats = g_type_class_ref (GST_TYPE_LAYOUT_FORMAT);
  writer = gst_layout_writer_new (g_enum_get_value_by_nick (formats, argv[1])->value);
  data[0] = writer;
  data[1] = out;
  if (!json_parser_load_from_file (parser, argv[2], NULL))
    return 1;
  json_array_foreach_element (json_node_get_array (json_parser_get_root (parser)), write_page, data);
  gst_layout_writer_end (writer, out);
  if (writer->klass->companion)
    writer->klass->companion (writer, companion);
  gst_layout_writer_free (writer);
  return g_file_set_contents (argv[3], out->str, -1, NULL)
      && (argc < 5 || g_file_set_contents (argv[4], companion->str, -1, NULL)) ? 0 : 1;
}
