/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints lines for test_layoutjson.py to check: for each case a line of JSON with what went in,
 * written by printf, and the line that layoutjson makes of it. */
#include "elements/layoutjson.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHA256 "25b1f27ec56aa932a48f30cbd6293c358a156280f4b20b0a973bab210c39f62c"

static void
print_number (const gchar * key, gdouble v)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  g_print ("\"%s\": %s, ", key, isfinite (v) ? g_ascii_dtostr (text, sizeof (text), v) : "null");
}

/* Text that needs no escaping but for its line breaks; the odd one is known to the test. */
static void
print_text (const gchar * text)
{
  g_autofree gchar *escaped = g_strescape (text ? text : "", NULL);

  g_print (text && !strchr (text, '"') ? "\"text\": \"%s\", " : "\"text\": null, ", escaped);
}

static void
print_orphans (const GstDocLayout * layout)
{
  g_print (layout->orphans ? ", \"orphans\": [" : ", \"orphans\": null");
  for (guint i = 0; layout->orphans && i < layout->orphans->len; i++) {
    const GstDocTextLine *line = &g_array_index (layout->orphans, GstDocTextLine, i);

    g_print ("%s{", i ? ", " : "");
    print_number ("x0", line->x0);
    print_number ("y0", line->y0);
    print_number ("x1", line->x1);
    print_number ("y1", line->y1);
    print_text (line->text);
    g_print ("\"\": 0}");
  }
  g_print (layout->orphans ? "], \"counts\": [%u, %u, %u]" : "", layout->characters, layout->region_characters,
      layout->orphan_characters);
}

static void
print_case (const gchar * name, const GstDocPage * page, const GstDocLayout * layout)
{
  GstLayoutJsonPage in = {.page = page,.layout = layout,.number = 5,.width = 640,.height = 480 };
  GArray *regions = gst_layout_json_regions (layout);
  gchar *line;

  in.pts = layout ? 1500000000 : GST_CLOCK_TIME_NONE;
  line = gst_layout_json_line (&in, regions);
  g_print ("{\"case\": \"%s\", ", name);
  if (page) {
    print_number ("page", page->page);
    print_number ("page-width", page->width);
    print_number ("page-height", page->height);
    print_number ("width-pt", page->width_pt);
    print_number ("height-pt", page->height_pt);
    print_number ("scale", page->scale);
    print_number ("x", page->x);
    print_number ("y", page->y);
    print_number ("render", page->render_ms);
  }
  if (layout) {
    print_number ("width", layout->width);
    print_number ("origin-sx", layout->origin_sx);
    print_number ("origin-sy", layout->origin_sy);
    print_number ("origin-tx", layout->origin_tx);
    print_number ("origin-ty", layout->origin_ty);
    print_number ("origin-width", layout->origin_width);
    print_number ("origin-height", layout->origin_height);
    print_number ("infer", layout->infer_ms);
  }
  g_print ("\"regions\": [");
  for (guint i = 0; layout && i < layout->regions->len; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    g_print ("%s{", i ? ", " : "");
    print_number ("x0", r->x0);
    print_number ("y0", r->y0);
    print_number ("x1", r->x1);
    print_number ("y1", r->y1);
    print_number ("score", r->score);
    print_number ("order", r->order);
    print_text (r->text);
    g_print ("\"label\": \"%s\"}", r->label);
  }
  g_print ("]");
  if (layout)
    print_orphans (layout);
  g_print ("}\n");
  puts (line);                  /* g_print() would convert it to the locale's characters */
  g_array_unref (regions);
  g_free (line);
}

static GstDocLayout *
layout_new (GRand * rand, guint n)
{
  static const gchar *const labels[] = { "text", "table", "List-item", "figure" };
  GstDocLayout *layout = gst_doc_layout_new (827, 1170);

  layout->model = g_strdup ("layout_cdla.onnx");
  layout->model_sha256 = g_strdup (SHA256);
  layout->device = g_strdup ("cpu");
  layout->infer_ms = g_rand_double_range (rand, 0, 100);
  for (guint i = 0; i < n; i++) {
    GstDocRegion r = {.id = i,.label = labels[i % G_N_ELEMENTS (labels)] };

    r.score = g_rand_double (rand);
    r.x0 = g_rand_int_range (rand, 0, 8) * 100.25;
    r.y0 = g_rand_int_range (rand, 0, 5) * 200.125;
    r.x1 = r.x0 + g_rand_double_range (rand, 0, 400);
    r.y1 = r.y0 + g_rand_double_range (rand, 0, 400);
    r.order = 7 * i % n;        /* each once, but where n is a multiple of 7: then by their boxes */
    g_array_append_val (layout->regions, r);
  }
  return layout;
}

static void
add_text (GRand * rand, GstDocLayout * layout, guint n_orphans)
{
  layout->orphans = gst_doc_text_lines_new ();
  for (guint i = 0; i < layout->regions->len; i++)
    g_array_index (layout->regions, GstDocRegion, i).text =
        i % 4 == 3 ? g_strdup ("") : g_strdup_printf ("line %u\nand another", i);
  for (guint i = 0; i < n_orphans; i++) {
    GstDocTextLine line = { g_strdup_printf ("orphan %u", i) };

    line.x0 = g_rand_double_range (rand, -10, 800);
    line.y0 = g_rand_double_range (rand, -10, 1100);
    line.x1 = line.x0 + g_rand_double_range (rand, 0, 100);
    line.y1 = line.y0 + g_rand_double_range (rand, 0, 20);
    g_array_append_val (layout->orphans, line);
  }
  layout->region_characters = g_rand_int_range (rand, 0, 10000);
  layout->orphan_characters = g_rand_int_range (rand, 0, 10000);
  layout->characters = layout->region_characters + layout->orphan_characters;
}

/* Pages of random places and sizes, the detector having seen frames of other sizes than these. */
static void
print_random (void)
{
  GRand *rand = g_rand_new_with_seed (4711);

  for (guint i = 0; i < 200; i++) {
    GstDocLayout *layout = layout_new (rand, i % 30);
    GstDocPage page = GST_DOC_PAGE_INIT;

    page.document = "file:///a.pdf";
    page.page = i + 1;
    page.pages = 200;
    page.render_ms = g_rand_double_range (rand, 0, 1000);
    page.wait_ms = g_rand_double_range (rand, 0, 1e-3);
    if (i % 4) {
      page.width_pt = g_rand_double_range (rand, 10, 2000);
      page.height_pt = g_rand_double_range (rand, 10, 2000);
      page.rotation = i % 4 * 90;
    }
    if (i % 3) {
      layout->origin_sx = g_rand_double_range (rand, 0.1, 4);
      layout->origin_sy = g_rand_double_range (rand, 0.1, 4);
      layout->origin_tx = g_rand_double_range (rand, -40, 40);
      layout->origin_ty = g_rand_double_range (rand, -40, 40);
      layout->origin_width = g_rand_int_range (rand, 1, 3000);
      layout->origin_height = g_rand_int_range (rand, 1, 3000);
    }
    if (i % 5 > 2) {
      page.width = g_rand_int_range (rand, 1, 3000);
      page.height = g_rand_int_range (rand, 1, 3000);
      page.scale = g_rand_double_range (rand, 0.2, 4);
      page.x = i % 2 ? 17 : 0;
      page.y = i % 2 ? 0 : 4;
    }
    if (i % 2)
      add_text (rand, layout, i % 5);
    print_case ("random", &page, layout);
    gst_doc_layout_free (layout);
  }
  g_rand_free (rand);
}

/* What no element should send, and a line must stand all the same. */
static void
print_odd (void)
{
  GstDocPage page = GST_DOC_PAGE_INIT;
  GstDocLayout *layout = gst_doc_layout_new (100, 50);
  GstDocRegion odd[] = {
    {0, 0, "text", 0.5, NAN, 1, 2, 3}, {1, 0, "text", 0.5, 1, INFINITY, 2, 3},
    {2, 0, "text", NAN, 1, 2, 2, 3}, {3, 0, "text", 1, -0.001, -1e-9, 1e20, 123456789.125},
    {4, 0, "text", 0.93, 0.1, 0.2, 99.996, 49.994},
  };

  g_array_append_vals (layout->regions, odd, G_N_ELEMENTS (odd));
  layout->infer_ms = INFINITY;
  page.render_ms = NAN;
  page.page = 1;
  page.width_pt = INFINITY;
  page.height_pt = 10;
  print_case ("odd", &page, layout);
  page.width_pt = 10;
  g_array_index (layout->regions, GstDocRegion, 4).text = g_strdup ("\"\\\a\xc2\x85\xef\xbf\xbf");
  layout->orphans = gst_doc_text_lines_new ();
  print_case ("odd text", &page, layout);
  page.error = "quote \" backslash \\ tab \t newline \n bell \a bad \xff\xfe line separator \xe2\x80\xa8 ü 頁";
  page.document = "file:///a%20b.pdf";
  print_case ("error", &page, layout);
  print_case ("error without layout", &page, NULL);
  gst_doc_layout_free (layout);
}

int
main (int argc, char **argv)
{
  GstDocLayout *layout;

  setlocale (LC_ALL, "");
  gst_init (&argc, &argv);
  print_case ("camera", NULL, NULL);
  layout = gst_doc_layout_new (10, 20);
  print_case ("camera with layout", NULL, layout);
  gst_doc_layout_free (layout);
  print_odd ();
  print_random ();
  return 0;
}
