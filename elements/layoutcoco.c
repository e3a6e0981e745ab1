/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COCO results (cocodataset.org, "results format" of detection): one flat array, boxes x, y, width, height in pixels,
 * unrounded. The second file has the images and categories that it speaks of, in the form of ground truth without
 * annotations, so that pycocotools loads both. */
#include "layoutwriter.h"

#include "documentname.h"
#include "jsontext.h"

typedef struct {
  gint id;
  const gchar *name; /* interned */
} Category;

typedef struct {
  GstLayoutWriter parent;
  GString *images;
  GArray *categories; /* in the order in which they came */
  guint64 results;
} CocoWriter;

static void
coco_begin (GstLayoutWriter * writer, const GstLayoutJsonPage * first, GString * out)
{
  CocoWriter *self = (CocoWriter *) writer;

  self->images = g_string_new (NULL);
  self->categories = g_array_new (FALSE, FALSE, sizeof (Category));
  g_string_append_c (out, '[');
}

static void
add_image (CocoWriter * self, const GstLayoutJsonPage * in)
{
  g_autofree gchar *file = gst_document_file_name (gst_layout_json_document (in));
  g_autofree gchar *name = g_strdup_printf ("%s#page=%u", file, gst_layout_json_number (in));
  GString *s = self->images;

  g_string_append (s, self->parent.pages ? ",\n{" : "\n{");
  gst_json_append_key (s, "id");
  gst_json_append_unsigned (s, self->parent.pages + 1, TRUE);
  gst_json_append_key (s, "file_name");
  gst_json_append_string (s, name);
  gst_json_append_key (s, "width");
  gst_json_append_unsigned (s, gst_layout_json_width (in), TRUE);
  gst_json_append_key (s, "height");
  gst_json_append_unsigned (s, gst_layout_json_height (in), TRUE);
  gst_json_append_key (s, "document");
  gst_json_append_string (s, gst_layout_json_document (in));
  gst_json_append_key (s, "page");
  gst_json_append_unsigned (s, gst_layout_json_number (in), TRUE);
  g_string_append_c (s, '}');
}

static void
note_category (CocoWriter * self, const GstDocRegion * r)
{
  const Category category = { r->class_id + 1, r->label };

  for (guint i = 0; i < self->categories->len; i++)
    if (g_array_index (self->categories, Category, i).id == category.id)
      return;
  g_array_append_val (self->categories, category);
}

static void
append_result (GString * s, guint64 image, const GstDocRegion * r)
{
  const gdouble box[] = { r->x0, r->y0, r->x1 - r->x0, r->y1 - r->y0 };

  g_string_append_c (s, '{');
  gst_json_append_key (s, "image_id");
  gst_json_append_unsigned (s, image, TRUE);
  gst_json_append_key (s, "category_id");
  g_string_append_printf (s, "%d", r->class_id + 1);
  gst_json_append_key (s, "bbox");
  for (guint i = 0; i < G_N_ELEMENTS (box); i++) {
    g_string_append (s, i ? ", " : "[");
    gst_json_append_exact (s, box[i]);
  }
  g_string_append_c (s, ']');
  gst_json_append_key (s, "score");
  gst_json_append_exact (s, r->score);
  g_string_append_c (s, '}');
}

static void
coco_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions,
    GString * out)
{
  CocoWriter *self = (CocoWriter *) writer;

  add_image (self, in);
  for (guint i = 0; i < regions->len; i++) {
    const GstDocRegion *r = &g_array_index (regions, GstDocRegion, i);

    note_category (self, r);
    g_string_append (out, self->results++ ? ",\n" : "\n");
    append_result (out, writer->pages + 1, r);
  }
}

static void
coco_end (GstLayoutWriter * writer, GString * out)
{
  g_string_append (out, "\n]\n");
}

static void
coco_companion (GstLayoutWriter * writer, GString * out)
{
  CocoWriter *self = (CocoWriter *) writer;

  g_string_append_printf (out, "{\"info\": {\"description\": \"gst-doclayout\"}, \"licenses\": [],\n"
      "\"images\": [%s\n],\n\"annotations\": [],\n\"categories\": [", self->images->str);
  for (guint i = 0; i < self->categories->len; i++) {
    const Category *category = &g_array_index (self->categories, Category, i);

    g_string_append_printf (out, "%s\n{\"id\": %d, \"name\": ", i ? "," : "", category->id);
    gst_json_append_string (out, category->name);
    g_string_append_c (out, '}');
  }
  g_string_append (out, "\n]}\n");
}

static void
coco_finalize (GstLayoutWriter * writer)
{
  CocoWriter *self = (CocoWriter *) writer;

  g_clear_pointer (&self->categories, g_array_unref);
  if (self->images)
    g_string_free (self->images, TRUE);
}

const GstLayoutWriterClass gst_layout_writer_coco = {
  .name = "coco",
  .holds = GST_LAYOUT_HOLDS_ANYTHING,
  .size = sizeof (CocoWriter),
  .begin = coco_begin,
  .page = coco_page,
  .end = coco_end,
  .companion = coco_companion,
  .finalize = coco_finalize,
};
