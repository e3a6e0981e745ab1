/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usage: test_layoutorder golden/reading-order.txt */
#include "elements/layoutorder.h"
#include "elements/layouttopology.h"

#include <gst/check/check.h>
#include <math.h>

typedef struct
{
  gchar *name;
  GstDocLayout *layout;         /* its regions as they are to be read; class_id is the place */
  gboolean right_to_left, hit;
} Page;

static const gchar *golden;

static void
clear_page (gpointer data)
{
  Page *page = data;

  g_free (page->name);
  gst_doc_layout_free (page->layout);
}

static void
add_region (GstDocLayout * layout, const gchar * label, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  GstDocRegion r = {.class_id = (gint) layout->regions->len,.label = g_intern_string (label) };

  r.x0 = x0;
  r.y0 = y0;
  r.x1 = x1;
  r.y1 = y1;
  g_array_append_val (layout->regions, r);
}

static GArray *
read_pages (void)
{
  GArray *pages = g_array_new (FALSE, TRUE, sizeof (Page));
  g_auto (GStrv) lines = NULL;
  gchar *text;

  g_array_set_clear_func (pages, clear_page);
  fail_unless (g_file_get_contents (golden, &text, NULL, NULL), "no file %s", golden);
  lines = g_strsplit (text, "\n", -1);
  g_free (text);
  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) f = g_strsplit (lines[i], " ", 6);

    if (lines[i][0] == '#' || lines[i][0] == '\0')
      continue;
    if (g_str_equal (f[0], "page")) {
      Page page = { g_strdup (f[5]), gst_doc_layout_new (atoi (f[1]), atoi (f[2])),
        g_str_equal (f[3], "rtl"), g_str_equal (f[4], "hit")
      };

      g_array_append_val (pages, page);
    } else {
      add_region (g_array_index (pages, Page, pages->len - 1).layout, f[0],
          atof (f[1]), atof (f[2]), atof (f[3]), atof (f[4]));
    }
  }
  return pages;
}

static void
shuffle (GRand * rand, GstDocLayout * layout)
{
  for (guint i = layout->regions->len; i > 1; i--) {
    GstDocRegion *a = &g_array_index (layout->regions, GstDocRegion, i - 1);
    GstDocRegion *b = &g_array_index (layout->regions, GstDocRegion, g_rand_int_range (rand, 0, (gint32) i));
    GstDocRegion region = *a;

    *a = *b;
    *b = region;
  }
}

/* class_ids in the order that was given, which has each place once. (transfer full) */
static gchar *
order_of (const GstDocLayout * layout)
{
  const guint n = layout->regions->len;
  g_autofree gint *placed = g_new (gint, n);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    placed[i] = -1;
  for (guint i = 0; i < n; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    fail_unless (r->order < n && placed[r->order] == -1, "place %u is given twice or is none", r->order);
    placed[r->order] = r->class_id;
  }
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%d ", placed[i]);
  return g_string_free (text, FALSE);
}

static gchar *
in_order (guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%u ", i);
  return g_string_free (text, FALSE);
}

GST_START_TEST (pages_as_read_by_hand)
{
  g_autoptr (GArray) pages = read_pages ();
  GRand *rand = g_rand_new_with_seed (1);
  guint hits = 0;

  for (guint i = 0; i < pages->len; i++) {
    Page *page = &g_array_index (pages, Page, i);
    g_autofree gchar *wanted = in_order (page->layout->regions->len);

    hits += page->hit;
    for (guint k = 0; k < 5; k++) {
      g_autofree gchar *got = NULL;

      shuffle (rand, page->layout);
      gst_layout_order (page->layout, NULL, page->right_to_left);
      got = order_of (page->layout);
      fail_unless (g_str_equal (got, wanted) == page->hit, "%s: %s%s", page->name, got,
          page->hit ? "" : ", as it should be: a miss that is none any more");
    }
  }
  fail_unless (hits >= 44 && hits + 3 >= pages->len, "only %u of %u", hits, pages->len);
  g_rand_free (rand);
}

GST_END_TEST

/* Twice as large, moved, or seen in a mirror and read from the other side: the same. */
GST_START_TEST (pages_of_other_sizes_and_sides)
{
  g_autoptr (GArray) pages = read_pages ();

  for (guint i = 0; i < pages->len; i++) {
    Page *page = &g_array_index (pages, Page, i);
    g_autofree gchar *before = NULL, *larger = NULL, *mirrored = NULL;

    gst_layout_order (page->layout, NULL, page->right_to_left);
    before = order_of (page->layout);
    page->layout->width *= 2;
    page->layout->height *= 2;
    for (guint k = 0; k < page->layout->regions->len; k++) {
      GstDocRegion *r = &g_array_index (page->layout->regions, GstDocRegion, k);

      r->x0 *= 2;
      r->x1 *= 2;
      r->y0 *= 2;
      r->y1 *= 2;
    }
    gst_layout_order (page->layout, NULL, page->right_to_left);
    larger = order_of (page->layout);
    fail_unless_equals_string (larger, before);
    for (guint k = 0; k < page->layout->regions->len; k++) {
      GstDocRegion *r = &g_array_index (page->layout->regions, GstDocRegion, k);
      gdouble x0 = r->x0;

      r->x0 = page->layout->width - r->x1;
      r->x1 = page->layout->width - x0;
    }
    gst_layout_order (page->layout, NULL, !page->right_to_left);
    mirrored = order_of (page->layout);
    fail_unless_equals_string (mirrored, before);
  }
}

GST_END_TEST

static GstDocLayout *
random_layout (GRand * rand, guint n, gboolean odd)
{
  static const gchar *const labels[] = { "text", "title", "figure", "figure_caption", "table", "table_caption", "header",
    "footer", "footnote", "number", "equation", "caption", "form", "what is this", "aside_text"
  };
  static const gdouble values[] = { NAN, INFINITY, -INFINITY, 0, -1e300, 1e300 };
  GstDocLayout *layout = gst_doc_layout_new (827, 1170);

  for (guint i = 0; i < n; i++) {
    gdouble v[4];

    for (guint k = 0; k < 4; k++)
      v[k] = odd && g_rand_int_range (rand, 0, 9) == 0 ? values[g_rand_int_range (rand, 0, G_N_ELEMENTS (values))]
          : g_rand_int_range (rand, 0, 40) * 20;
    add_region (layout, labels[g_rand_int_range (rand, 0, G_N_ELEMENTS (labels))], v[0], v[1],
        odd ? v[2] : v[0] + v[2] / 4, odd ? v[3] : v[1] + v[3] / 8);
  }
  return layout;
}

/* Boxes that overlap as they like, have no area, run backwards or are none: each has a place, and always the same. */
GST_START_TEST (any_boxes)
{
  GRand *rand = g_rand_new_with_seed (4711);

  for (guint i = 0; i < 600; i++) {
    GstDocLayout *layout = random_layout (rand, i % 60, i % 2);
    g_autofree gchar *order = NULL, *again = NULL;

    gst_layout_order (layout, NULL, i % 3 == 0);
    order = order_of (layout);
    for (guint k = 0; k < layout->regions->len; k++) {
      const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, k);
      gboolean finite = isfinite (r->x0) && isfinite (r->y0) && isfinite (r->x1) && isfinite (r->y1);

      for (guint j = 0; !finite && j < layout->regions->len; j++) {
        const GstDocRegion *s = &g_array_index (layout->regions, GstDocRegion, j);

        if (isfinite (s->x0) && isfinite (s->y0) && isfinite (s->x1) && isfinite (s->y1))
          fail_unless (s->order < r->order, "what has no place is not last");
      }
    }
    gst_layout_order (layout, NULL, i % 3 == 0);
    again = order_of (layout);
    fail_unless_equals_string (order, again);
    gst_doc_layout_free (layout);
  }
  g_rand_free (rand);
}

GST_END_TEST

GST_START_TEST (order_that_a_model_told)
{
  GstDocLayout *layout = gst_doc_layout_new (100, 100);
  const gint told[] = { 7, 3, 7, 0 }, partly[] = { 1, -1, 0, 2 };
  gchar *order;

  for (guint i = 0; i < 4; i++)
    add_region (layout, i == 0 ? "header" : "text", 10, 10 + 20 * i, 90, 25 + 20 * i);
  gst_layout_order (layout, told, FALSE);
  order = order_of (layout);
  fail_unless_equals_string (order, "3 1 0 2 ");
  g_free (order);
  gst_layout_order (layout, partly, FALSE);
  order = order_of (layout);
  fail_unless_equals_string (order, "0 1 2 3 ");
  g_free (order);
  gst_doc_layout_free (layout);
  layout = gst_doc_layout_new (100, 100);
  gst_layout_order (layout, told, FALSE);
  gst_doc_layout_free (layout);
}

GST_END_TEST

/* Breuel's rules, looked up in the result: the first holds always, and so for pairs that nothing contradicts the second. */
GST_START_TEST (topology)
{
  GRand *rand = g_rand_new_with_seed (2003);

  for (guint i = 0; i < 300; i++) {
    GstLayoutCutBox b[70];
    const guint n = 2 + i % 69;

    for (guint k = 0; k < n; k++) {
      b[k] = (GstLayoutCutBox) { g_rand_double_range (rand, 0, 800), g_rand_double_range (rand, 0, 1100) };
      b[k].x1 = b[k].x0 + g_rand_double_range (rand, 5, 300);
      b[k].y1 = b[k].y0 + g_rand_double_range (rand, 5, 300);
      b[k].id = k;
    }
    gst_layout_topology_sort (b, n, 0);
    for (guint k = 0; k < n; k++)
      for (guint j = k + 1; j < n; j++)
        fail_if (b[k].x0 < b[j].x1 && b[j].x0 < b[k].x1 && b[j].y0 + b[j].y1 < b[k].y0 + b[k].y1,
            "box %u of %u is above %u, and behind it", j, n, k);
  }
  g_rand_free (rand);
}

GST_END_TEST

GST_START_TEST (topology_of_sides)
{
  /* The right one is higher, and so the left one goes first only by the second rule; but not past what spans both. */
  GstLayoutCutBox two[] = { {500, 0, 900, 100, 0, 0}, {0, 200, 400, 300, 0, 1} };
  GstLayoutCutBox three[] = { {500, 0, 900, 100, 0, 0}, {0, 200, 400, 300, 0, 1}, {200, 120, 700, 180, 0, 2} };

  gst_layout_topology_sort (two, 2, 5);
  fail_unless (two[0].id == 1 && two[1].id == 0);
  gst_layout_topology_sort (three, 3, 5);
  fail_unless (three[0].id == 0 && three[1].id == 2 && three[2].id == 1);
}

GST_END_TEST

static void
time_layouts (const gchar * what, guint n, GstDocLayout * (*make) (GRand *, guint))
{
  GRand *rand = g_rand_new_with_seed (1);
  GstDocLayout *layout = make (rand, n);
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < 5; i++) {
    gint64 start = g_get_monotonic_time ();

    gst_layout_order (layout, NULL, FALSE);
    least = MIN (least, g_get_monotonic_time () - start);
  }
  g_print ("%s: %u regions in %" G_GINT64_FORMAT " us\n", what, n, least);
  fail_unless (least < G_TIME_SPAN_SECOND, "%s: %u regions take %.1f s", what, n, least * 1e-6);
  gst_doc_layout_free (layout);
  g_rand_free (rand);
}

/* Two columns of paragraphs with a heading over each fourth. */
static GstDocLayout *
columns (GRand * rand, guint n)
{
  GstDocLayout *layout = gst_doc_layout_new (827, 1170);
  const guint rows = (n + 1) / 2;

  for (guint i = 0; i < n; i++) {
    gdouble x = i < rows ? 60 : 430, y = 50 + 1050.0 * (i % rows) / rows;

    add_region (layout, i % 4 ? "text" : "title", x, y, x + 340 - g_rand_int_range (rand, 0, 20), y + 800.0 / rows);
  }
  return layout;
}

static GstDocLayout *
anything (GRand * rand, guint n)
{
  return random_layout (rand, n, FALSE);
}

static GstDocLayout *
one_above_the_other (GRand * rand, guint n)
{
  GstDocLayout *layout = gst_doc_layout_new (827, 1170);

  for (guint i = 0; i < n; i++)
    add_region (layout, "text", g_rand_int_range (rand, 0, 90), 1170.0 * i / n, 700 + g_rand_int_range (rand, 0, 90),
        1170.0 * (i + 0.5) / n);
  return layout;
}

/* No number of regions keeps a page long. */
GST_START_TEST (time_it_takes)
{
  const guint numbers[] = { 20, 200, 1000, 10000 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    time_layouts ("two columns", numbers[i], columns);
    time_layouts ("one column", numbers[i], one_above_the_other);
    time_layouts ("boxes that overlap", numbers[i], anything);
  }
}

GST_END_TEST

static Suite *
layoutorder_suite (void)
{
  Suite *s = suite_create ("layoutorder");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_test (tc, pages_as_read_by_hand);
  tcase_add_test (tc, pages_of_other_sizes_and_sides);
  tcase_add_test (tc, any_boxes);
  tcase_add_test (tc, order_that_a_model_told);
  tcase_add_test (tc, topology);
  tcase_add_test (tc, topology_of_sides);
  tcase_add_test (tc, time_it_takes);
  return s;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  golden = argc > 1 ? argv[1] : "golden/reading-order.txt";
  return gst_check_run_suite (layoutorder_suite (), "layoutorder", __FILE__);
}
