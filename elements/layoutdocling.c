/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DoclingDocument 1.8.0, as docling-core reads it. Its lists of items by type come after one another, so that all of it
 * is written at the end. */
#include "layoutwriter.h"

#include "documentname.h"
#include "jsontext.h"
#include "layoutcaptions.h"
#include "layoutroles.h"
#include "regiontext.h"

#define VERSION "1.8.0"
#define DECIMALS 2
#define DECIMALS_SIZE 3

/* The document's lists, in the order in which they are written. */
typedef enum {
  GROUPS,
  TEXTS,
  PICTURES,
  TABLES,
  KEY_VALUES,
  FORMS,
  N_LISTS,
} List;

static const gchar *const list_names[N_LISTS] =
    { "groups", "texts", "pictures", "tables", "key_value_items", "form_items" };

typedef struct {
  GString *text;
  guint n;
} Items;

typedef struct {
  GstLayoutWriter parent;
  gchar *name;
  Items items[N_LISTS];
  Items body, pages; /* references; objects by number */
  GHashTable *numbers; /* of pages that are there */
  GString *group; /* references to the items of the list that is open, or NULL */
  gboolean titled;
} DoclingWriter;

/* Where a region's item is. */
typedef struct {
  List list;
  guint index;
} Place;

static void
docling_begin (GstLayoutWriter * writer, const GstLayoutJsonPage * first, GString * out)
{
  DoclingWriter *self = (DoclingWriter *) writer;

  self->name = gst_document_name (gst_layout_json_document (first));
  self->numbers = g_hash_table_new (NULL, NULL);
  self->body.text = g_string_new (NULL);
  self->pages.text = g_string_new (NULL);
  for (guint i = 0; i < N_LISTS; i++)
    self->items[i].text = g_string_new (NULL);
}

/* Space for one more: the string to append it to. */
static GString *
next_item (Items * items)
{
  g_string_append (items->text, items->n++ ? ",\n" : "\n");
  return items->text;
}

static void
append_ref (GString * s, List list, guint index)
{
  g_string_append_printf (s, "{\"$ref\": \"#/%s/%u\"}", list_names[list], index);
}

/* Items of a list that follow each other, whatever is printed between them at the ends of pages, are children of one
 * group. */
static void
open_group (DoclingWriter * self)
{
  if (self->group == NULL) {
    append_ref (next_item (&self->body), GROUPS, self->items[GROUPS].n);
    self->group = g_string_new (NULL);
  }
}

static void
close_group (DoclingWriter * self)
{
  const guint index = self->items[GROUPS].n;

  if (self->group == NULL)
    return;
  g_string_append_printf (next_item (&self->items[GROUPS]), "{\"self_ref\": \"#/groups/%u\", "
      "\"parent\": {\"$ref\": \"#/body\"}, \"children\": [%s], \"content_layer\": \"body\", "
      "\"name\": \"list\", \"label\": \"list\"}", index, self->group->str);
  g_string_free (self->group, TRUE);
  self->group = NULL;
}

static List
list_of (const GstLayoutRole * role)
{
  switch (role->kind) {
    case GST_LAYOUT_KIND_PICTURE:
      return PICTURES;
    case GST_LAYOUT_KIND_TABLE:
      return TABLES;
    case GST_LAYOUT_KIND_FORM:
      return FORMS;
    case GST_LAYOUT_KIND_KEY_VALUE:
      return KEY_VALUES;
    default:
      return TEXTS;
  }
}

/* Points, or pixels where the page's size is not known: FALSE. */
static gboolean
get_size (const GstLayoutJsonPage * in, gdouble size[2])
{
  const gboolean points = in->page && gst_layout_has_size (in->page);

  size[0] = points ? in->page->width_pt : gst_layout_json_width (in);
  size[1] = points ? in->page->height_pt : gst_layout_json_height (in);
  return points;
}

/* Within the page, as docling-core has it. */
static void
append_prov (GString * s, const GstLayoutJsonPage * in, const GstDocRegion * r)
{
  gdouble box[] = { r->x0, r->y0, r->x1, r->y1 };
  static const gchar *const sides[] = { "l", "t", "r", "b" };
  gdouble size[2];
  g_autofree gchar *valid = g_utf8_make_valid (r->text ? r->text : "", -1);

  if (get_size (in, size) && gst_layout_to_points (in->page, in->layout, r->x0, r->y0, &box[0], &box[1]))
    gst_layout_to_points (in->page, in->layout, r->x1, r->y1, &box[2], &box[3]);
  g_string_append_printf (s, "[{\"page_no\": %u, \"bbox\": {", gst_layout_json_number (in));
  for (guint i = 0; i < G_N_ELEMENTS (box); i++) {
    gst_json_append_key (s, sides[i]);
    gst_json_append_number (s, CLAMP (box[i], 0, size[i % 2]), DECIMALS);
  }
  g_string_append_printf (s, ", \"coord_origin\": \"TOPLEFT\"}, \"charspan\": [0, %ld]}]", g_utf8_strlen (valid, -1));
}

/* The first heading of a model that calls all of them titles is the document's. */
static const gchar *
label_of (DoclingWriter * self, const GstLayoutRole * role)
{
  const gboolean title = role->kind == GST_LAYOUT_KIND_TITLE
      || (role->kind == GST_LAYOUT_KIND_ANY_HEADING && !self->titled);

  if (role->kind == GST_LAYOUT_KIND_ANY_HEADING && !title)
    return "section_header";
  self->titled |= title;
  return role->docling;
}

static void
append_text (GString * s, const GstLayoutRole * role, const gchar * label, const gchar * orig)
{
  g_autofree gchar *valid = g_utf8_make_valid (orig ? orig : "", -1);
  g_autofree gchar *flow = gst_region_text_flow (valid);
  const gboolean item = role->kind == GST_LAYOUT_KIND_LIST_ITEM;
  const gsize number = item ? gst_region_text_number (flow) : 0;
  const gsize marker = item && !number ? gst_region_text_bullet (flow) : number;

  gst_json_append_key (s, "orig");
  gst_json_append_string (s, valid);
  gst_json_append_key (s, "text");
  gst_json_append_string (s, role->kind == GST_LAYOUT_KIND_CODE ? valid : flow + marker);
  if (item) {
    g_autofree gchar *mark = marker ? g_strndup (flow, marker - 1) : g_strdup ("-");

    gst_json_append_key (s, "enumerated");
    g_string_append (s, number ? "true" : "false");
    gst_json_append_key (s, "marker");
    gst_json_append_string (s, mark);
  }
  if (g_str_equal (label, "section_header"))
    g_string_append (s, ", \"level\": 1");
  if (role->kind == GST_LAYOUT_KIND_CODE)
    g_string_append (s, ", \"captions\": [], \"references\": [], \"footnotes\": [], \"image\": null, "
        "\"code_language\": \"unknown\"");
}

/* What is no text but has captions: those of the regions whose subject it is. */
static void
append_floating (GString * s, List list, guint region, const gint * subjects, const Place * places,
    guint n)
{
  gboolean any = FALSE;

  gst_json_append_key (s, "captions");
  g_string_append_c (s, '[');
  for (guint i = 0; i < n; i++) {
    if (subjects[i] != (gint) region)
      continue;
    g_string_append (s, any ? ", " : "");
    append_ref (s, places[i].list, places[i].index);
    any = TRUE;
  }
  g_string_append (s, "], \"references\": [], \"footnotes\": [], \"image\": null");
  if (list == TABLES)
    g_string_append (s, ", \"data\": {\"table_cells\": [], \"num_rows\": 0, \"num_cols\": 0}");
  else if (list != PICTURES)
    g_string_append (s, ", \"graph\": {\"cells\": [], \"links\": []}");
  if (list == TABLES || list == PICTURES)
    g_string_append (s, ", \"annotations\": []");
}

/* The item's fields that all have, and a reference to it from its parent. */
static GString *
begin_item (DoclingWriter * self, const GstLayoutRole * role, const Place * place, const gchar * label)
{
  GString *s = next_item (&self->items[place->list]);
  const gboolean item = role->kind == GST_LAYOUT_KIND_LIST_ITEM;

  if (item)
    open_group (self);
  else if (!role->furniture)
    close_group (self);
  g_string_append_printf (s, "{\"self_ref\": \"#/%s/%u\", \"parent\": ", list_names[place->list], place->index);
  if (item) {
    append_ref (s, GROUPS, self->items[GROUPS].n);
    g_string_append (self->group, self->group->len ? ", " : "");
    append_ref (self->group, place->list, place->index);
  } else {
    g_string_append (s, "{\"$ref\": \"#/body\"}");
    append_ref (next_item (&self->body), place->list, place->index);
  }
  g_string_append_printf (s, ", \"children\": [], \"content_layer\": \"%s\", \"label\": \"%s\", \"prov\": ",
      role->furniture ? "furniture" : "body", label);
  return s;
}

static void
add_page (DoclingWriter * self, const GstLayoutJsonPage * in)
{
  const guint number = gst_layout_json_number (in);
  gdouble size[2];
  GString *s;

  if (!g_hash_table_add (self->numbers, GUINT_TO_POINTER (number)))
    return;
  get_size (in, size);
  s = next_item (&self->pages);
  g_string_append_printf (s, "\"%u\": {\"size\": {\"width\": ", number);
  gst_json_append_number (s, size[0], DECIMALS_SIZE);
  gst_json_append_key (s, "height");
  gst_json_append_number (s, size[1], DECIMALS_SIZE);
  g_string_append_printf (s, "}, \"image\": null, \"page_no\": %u}", number);
}

static void
docling_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions, GString * out)
{
  DoclingWriter *self = (DoclingWriter *) writer;
  g_autofree gint *subjects = gst_layout_captions (regions, gst_layout_json_height (in));
  g_autofree Place *places = g_new (Place, regions->len);
  guint next[N_LISTS];

  add_page (self, in);
  for (guint i = 0; i < N_LISTS; i++)
    next[i] = self->items[i].n;
  for (guint i = 0; i < regions->len; i++) {
    places[i].list = list_of (gst_layout_role (g_array_index (regions, GstDocRegion, i).label));
    places[i].index = next[places[i].list]++;
  }
  for (guint i = 0; i < regions->len; i++) {
    const GstDocRegion *r = &g_array_index (regions, GstDocRegion, i);
    const GstLayoutRole *role = gst_layout_role (r->label);
    const gchar *label = label_of (self, role);
    GString *s = begin_item (self, role, &places[i], label);

    append_prov (s, in, r);
    if (places[i].list == TEXTS)
      append_text (s, role, label, r->text);
    else
      append_floating (s, places[i].list, i, subjects, places, regions->len);
    g_string_append_c (s, '}');
  }
}

static void
docling_end (GstLayoutWriter * writer, GString * out)
{
  DoclingWriter *self = (DoclingWriter *) writer;

  close_group (self);
  g_string_append (out, "{\"schema_name\": \"DoclingDocument\", \"version\": \"" VERSION "\", \"name\": ");
  gst_json_append_string (out, self->name);
  g_string_append_printf (out, ",\n\"furniture\": {\"self_ref\": \"#/furniture\", \"children\": [], "
      "\"content_layer\": \"furniture\", \"name\": \"_root_\", \"label\": \"unspecified\"},\n"
      "\"body\": {\"self_ref\": \"#/body\", \"children\": [%s\n], \"content_layer\": \"body\", "
      "\"name\": \"_root_\", \"label\": \"unspecified\"}", self->body.text->str);
  for (guint i = 0; i < N_LISTS; i++)
    g_string_append_printf (out, ",\n\"%s\": [%s\n]", list_names[i], self->items[i].text->str);
  g_string_append_printf (out, ",\n\"pages\": {%s\n}}\n", self->pages.text->str);
}

static void
docling_finalize (GstLayoutWriter * writer)
{
  DoclingWriter *self = (DoclingWriter *) writer;

  if (self->name == NULL)
    return;
  for (guint i = 0; i < N_LISTS; i++)
    g_string_free (self->items[i].text, TRUE);
  g_string_free (self->body.text, TRUE);
  g_string_free (self->pages.text, TRUE);
  if (self->group)
    g_string_free (self->group, TRUE);
  g_hash_table_unref (self->numbers);
  g_free (self->name);
}

const GstLayoutWriterClass gst_layout_writer_docling = {
  .name = "docling",
  .holds = GST_LAYOUT_HOLDS_DOCUMENT,
  .size = sizeof (DoclingWriter),
  .begin = docling_begin,
  .page = docling_page,
  .end = docling_end,
  .finalize = docling_finalize,
};
