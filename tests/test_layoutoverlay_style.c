/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay: fills, dashes, filters, the path and the legend, by their pixels. */
#include "overlay_harness.h"

#define PATH 0xcc3311

static guint32
pixel (GstBuffer * buffer, gint x, gint y)
{
  return overlay_pixel (buffer, WIDTH, x, y);
}

/* ------------------------------------------------------------------ fills */

static guint
mixed (guint32 color, guint shift, gdouble alpha)
{
  return (guint) ((color >> shift & 0xff) * alpha + 255 * (1 - alpha) + 0.5);
}

/* The inside of the box alone is tinted, the outline stays as it is. */
GST_START_TEST (test_fill)
{
  static const gdouble alphas[] = { 0, 0.25, 0.5, 1 };
  const gint outer[] = { 47, 27, 153, 73 }, inner[] = { 50, 30, 150, 70 };
  const guint32 color = gst_doc_label_color ("text");
  const gdouble alpha = alphas[__i__];
  const GstDocRegion region = TEXT;
  g_autofree gchar *launch = g_strdup_printf (PLAIN "thickness=3 fill-alpha=%g", alpha);
  GstBuffer *out = overlay_draw (launch, &region, 1);

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++) {
      const gdouble share = overlay_inside (x, y, inner) ? alpha : overlay_inside (x, y, outer);

      for (guint shift = 0; shift < 24; shift += 8)
        fail_unless (ABS ((gint) (pixel (out, x, y) >> shift & 0xff) - (gint) mixed (color, shift, share)) <=
            (share > 0 && share < 1), "alpha %g: pixel %d, %d is %06x", alpha, x, y, pixel (out, x, y));
    }
  gst_buffer_unref (out);
}

GST_END_TEST

/* What is between dashes is as it was. */
GST_START_TEST (test_fill_and_dashes)
{
  const GstDocRegion region = { 0, 0, "text", 0.2, 50, 30, 150, 70 };
  GstBuffer *out = overlay_draw (PLAIN "thickness=3 fill-alpha=1", &region, 1);

  fail_unless_equals_int (pixel (out, 47 + 11, 28), gst_doc_label_color ("text"));
  fail_unless_equals_int (pixel (out, 47 + 13, 28), 0xffffff);
  fail_unless_equals_int (pixel (out, 47 + 13, 30), gst_doc_label_color ("text"));
  gst_buffer_unref (out);
}

GST_END_TEST

/* ------------------------------------------------------------------ dashes */

/* Runs of pixels along a line that are of `color`, or not. */
typedef struct
{
  gint n, least, most;          /* between the first and the last pixel of the line, which are of the colour */
} Runs;

static void
count_run (Runs * runs, gint length)
{
  runs->n++;
  runs->least = MIN (runs->least, length);
  runs->most = MAX (runs->most, length);
}

/* From x, y on, `length` pixels to the right or down. */
static void
find_runs (GstBuffer * buffer, gint x, gint y, gboolean down, gint length, guint32 color, Runs * dashes,
    Runs * gaps)
{
  gboolean on = TRUE;
  gint begun = 0;

  *dashes = *gaps = (Runs) { 0, G_MAXINT, 0};
  for (gint i = 0; i <= length; i++) {
    gboolean now = i < length && pixel (buffer, down ? x : x + i, down ? y + i : y) == color;

    if (now == on && i < length)
      continue;
    count_run (on ? dashes : gaps, i - begun);
    on = now;
    begun = i;
  }
}

static void
check_dashes (GstBuffer * out, gint x, gint y, gboolean down, gint length, gint t)
{
  Runs dashes, gaps;

  find_runs (out, x, y, down, length, gst_doc_label_color ("text"), &dashes, &gaps);
  fail_unless (dashes.least == 4 * t && dashes.most == 4 * t, "%d pixels of width %d: dashes of %d to %d",
      length, t, dashes.least, dashes.most);
  fail_unless (dashes.n == gaps.n + 1, "a side does not end with dashes");
  fail_unless (gaps.most - gaps.least <= 1 && 2 * gaps.least >= 3 * t && gaps.most <= 5 * t,
      "%d pixels of width %d: gaps of %d to %d", length, t, gaps.least, gaps.most);
}

/* Scores below the border are dashed on all four sides, in the outline's place; others are not. */
GST_START_TEST (test_dashes)
{
  static const struct
  {
    const gchar *below;
    gdouble score;
    gboolean dashed;
  } rows[] = {
    {"", 0.49, TRUE}, {"", 0.5, FALSE}, {"dash-below=0.9", 0.89, TRUE}, {"dash-below=0", 0, FALSE},
    {"dash-below=1", 0.999, TRUE}, {"dash-below=1", 1, FALSE}, {"dash-below=0.7", (gfloat) 0.7, FALSE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (gint t = 1; t <= 3; t++) {
      const GstDocRegion region = { 0, 0, "text", rows[i].score, 50, 30, 150, 70 };
      const gint outer[] = { 50 - t, 30 - t, 150 + t, 70 + t }, inner[] = { 50, 30, 150, 70 };
      g_autofree gchar *launch = g_strdup_printf (PLAIN "thickness=%d %s", t, rows[i].below);
      GstBuffer *out = overlay_draw (launch, &region, 1);
      gint missing = 0;

      for (gint y = 0; y < HEIGHT; y++)
        for (gint x = 0; x < WIDTH; x++) {
          const gboolean in = overlay_inside (x, y, outer) && !overlay_inside (x, y, inner);

          fail_unless (in || pixel (out, x, y) == 0xffffff, "%d, %d is not in the outline", x, y);
          missing += in && pixel (out, x, y) != gst_doc_label_color ("text");
        }
      fail_unless ((missing > 0) == rows[i].dashed, "%s: score %g", rows[i].below, rows[i].score);
      for (gint k = 0; k < t && rows[i].dashed; k++) {
        check_dashes (out, outer[0], outer[1] + k, FALSE, 100 + 2 * t, t);
        check_dashes (out, outer[0], outer[3] - 1 - k, FALSE, 100 + 2 * t, t);
        check_dashes (out, outer[0] + k, outer[1], TRUE, 40 + 2 * t, t);
        check_dashes (out, outer[2] - 1 - k, outer[1], TRUE, 40 + 2 * t, t);
      }
      gst_buffer_unref (out);
    }
}

GST_END_TEST

/* A box too small for whole dashes still has gaps on each side. */
GST_START_TEST (test_small_dashes)
{
  const GstDocRegion region = { 0, 0, "text", 0.2, 50, 30, 55, 36 };
  GstBuffer *out = overlay_draw (PLAIN "thickness=2", &region, 1);
  Runs dashes, gaps;

  find_runs (out, 48, 28, FALSE, 9, gst_doc_label_color ("text"), &dashes, &gaps);
  fail_unless (dashes.n == 2 && gaps.least >= 2);
  find_runs (out, 48, 28, TRUE, 10, gst_doc_label_color ("text"), &dashes, &gaps);
  fail_unless (dashes.n == 2 && gaps.least >= 2);
  gst_buffer_unref (out);
}

GST_END_TEST

/* ------------------------------------------------------------------ filters */

GST_START_TEST (test_min_score)
{
  static const struct
  {
    const gchar *score;
    gboolean text, table;       /* of scores 0.9 and 0.5 */
  } rows[] = {
    {"0", TRUE, TRUE}, {"0.5", TRUE, TRUE}, {"0.51", TRUE, FALSE}, {"0.9", TRUE, FALSE}, {"1", FALSE, FALSE},
  };
  const GstDocRegion regions[] = { TEXT, TABLE };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *launch = g_strdup_printf ("layoutoverlay draw-legend=true min-score=%s", rows[i].score);
    GstBuffer *out = overlay_draw (launch, regions, 2);

    fail_unless ((overlay_count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("text")) > 0) == rows[i].text);
    fail_unless ((overlay_count_color (out, WIDTH, HEIGHT, gst_doc_label_color ("table")) > 0) == rows[i].table);
    gst_buffer_unref (out);
  }
}

GST_END_TEST

/* ------------------------------------------------------------------ the path */

/* Slanted lines have edges that are mixed with what is behind them. */
static gboolean
is_path (guint32 color)
{
  for (guint shift = 0; shift < 24; shift += 8)
    if (ABS ((gint) (color >> shift & 0xff) - (gint) (PATH >> shift & 0xff)) > 60)
      return FALSE;
  return TRUE;
}

/* Of the pixels of a line from x0, y0 to x1, y1, how many are of the path, in percent; the ends are left out. */
static guint
on_path (GstBuffer * buffer, gint x0, gint y0, gint x1, gint y1)
{
  guint n = 0;

  for (gint i = 20; i < 80; i++)
    n += is_path (pixel (buffer, x0 + (x1 - x0) * i / 100, y0 + (y1 - y0) * i / 100));
  return n * 100 / 60;
}

/* Of the lower part of column x, rows of the path's colour. */
static guint
breadth (GstBuffer * buffer, gint x)
{
  guint n = 0;

  for (gint y = 60; y < HEIGHT; y++)
    n += pixel (buffer, x, y) == PATH;
  return n;
}

/* From region to region by `order`, whatever the order of the array, with heads where the arrows end. Regions that are
 * not drawn have no place in it. */
GST_START_TEST (test_path)
{
  const GstDocRegion regions[] = {
    {.label = "text",.score = 0.9,.x0 = 20,.y0 = 10,.x1 = 40,.y1 = 30,.order = 2},
    {.label = "text",.score = 0.8,.x0 = 20,.y0 = 70,.x1 = 40,.y1 = 90,.order = 0},
    {.label = "text",.score = 0.7,.x0 = 160,.y0 = 70,.x1 = 180,.y1 = 90,.order = 1},
    {.label = "footer",.score = 0.6,.x0 = 90,.y0 = 5,.x1 = 110,.y1 = 15,.order = 3},
  };
  const gchar *launch = PLAIN "thickness=3 draw-order-path=true classes=-footer";
  GstBuffer *out = overlay_draw (launch, regions, G_N_ELEMENTS (regions));

  fail_unless (on_path (out, 30, 80, 170, 80) > 95);
  fail_unless (on_path (out, 170, 80, 30, 20) > 80);
  fail_unless_equals_int (on_path (out, 30, 20, 30, 80), 0);
  fail_unless_equals_int (breadth (out, 80), 3);
  fail_unless (breadth (out, 157) > 3 + 3, "no head before 170, 80");
  fail_unless (pixel (out, 80, 80) == PATH && pixel (out, 80, 83) == 0xffffff);
  gst_buffer_unref (out);

  out = overlay_draw (PLAIN "thickness=3", regions, G_N_ELEMENTS (regions));
  fail_unless_equals_int (overlay_count_color (out, WIDTH, HEIGHT, PATH), 0);
  gst_buffer_unref (out);
  out = overlay_draw (launch, regions, 1);
  fail_unless_equals_int (overlay_count_color (out, WIDTH, HEIGHT, PATH), 0);
  gst_buffer_unref (out);
}

GST_END_TEST

/* ------------------------------------------------------------------ the legend */

/* The smallest box around what differs between two frames: x0, y0, x1, y1. */
static void
changed (GstBuffer * a, GstBuffer * b, gint * box)
{
  box[0] = box[1] = G_MAXINT;
  box[2] = box[3] = 0;
  for (gint i = 0; i < WIDTH * HEIGHT; i++) {
    gint x = i % WIDTH, y = i / WIDTH;

    if (pixel (a, x, y) == pixel (b, x, y))
      continue;
    box[0] = MIN (box[0], x);
    box[1] = MIN (box[1], y);
    box[2] = MAX (box[2], x + 1);
    box[3] = MAX (box[3], y + 1);
  }
}

/* The first row of a swatch of `color` in the box; -1: there is none. A swatch is a square. */
static gint
find_swatch (GstBuffer * buffer, const gint * box, guint32 color)
{
  gint rows = 0, columns = 0, top = -1;

  for (gint y = box[1]; y < box[3]; y++) {
    gint n = 0;

    for (gint x = box[0]; x < box[2]; x++)
      n += pixel (buffer, x, y) == color;
    if (n > 0 && top < 0)
      top = y;
    rows += n > 0;
    columns = MAX (columns, n);
  }
  fail_unless_equals_int (rows, columns);
  return top;
}

/* In the corner where it hides least; one line for each class that is drawn, the most frequent first. */
GST_START_TEST (test_legend)
{
  static const struct
  {
    gdouble table[4];
    gint x, y;                  /* -1: the legend is to the left or top, 1: to the right or bottom; 0: at no end */
  } rows[] = {
    {{2, 2, 30, 30}, 1, 1}, {{150, 60, 198, 98}, 1, -1}, {{90, 2, 198, 98}, -1, 1},
    {{2, 80, 198, 98}, 1, -1}, {{2, 2, 198, 20}, 1, 1},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gdouble *b = rows[i].table;
    const GstDocRegion regions[] = {
      {0, 0, "table", 0.9, b[0], b[1], b[2], b[3]},
      {1, 1, "text", 0.9, b[0] + 4, b[1] + 4, b[0] + 8, b[1] + 8},
      {2, 1, "text", 0.9, b[0] + 12, b[1] + 4, b[0] + 16, b[1] + 8},
      {3, 1, "title", 0.2, b[0] + 4, b[1] + 10, b[0] + 8, b[1] + 14},
    };
    GstBuffer *without = overlay_draw (PLAIN "min-score=0.5", regions, 4);
    GstBuffer *with = overlay_draw (PLAIN "min-score=0.5 draw-legend=true", regions, 4);
    gint box[4], text, table;

    changed (without, with, box);
    fail_unless (box[2] - box[0] > 20 && box[3] - box[1] > 20 && box[3] - box[1] < 50, "row %u: %d, %d … %d, %d",
        i, box[0], box[1], box[2], box[3]);
    fail_unless_equals_int (box[0] > 100 ? 1 : box[2] < 100 ? -1 : 0, rows[i].x);
    fail_unless_equals_int (box[3] > 90 ? 1 : box[1] < 10 ? -1 : 0, rows[i].y);
    text = find_swatch (with, box, gst_doc_label_color ("text"));
    table = find_swatch (with, box, gst_doc_label_color ("table"));
    fail_unless (text > 0 && table > text, "row %u: text at %d, table at %d", i, text, table);
    fail_unless_equals_int (overlay_count_color (with, WIDTH, HEIGHT, gst_doc_label_color ("title")), 0);
    gst_buffer_unref (without);
    gst_buffer_unref (with);
  }
}

GST_END_TEST

/* With something in each corner it is at a side, between them. */
GST_START_TEST (test_legend_at_side)
{
  const GstDocRegion regions[] = {
    {0, 0, "text", 0.9, 2, 2, 60, 20}, {1, 0, "text", 0.9, 140, 2, 198, 20},
    {2, 0, "text", 0.9, 2, 80, 60, 98}, {3, 0, "text", 0.9, 140, 80, 198, 98},
  };
  GstBuffer *without = overlay_draw (PLAIN, regions, 4);
  GstBuffer *with = overlay_draw (PLAIN "draw-legend=true", regions, 4);
  gint box[4];

  changed (without, with, box);
  fail_unless (box[0] > 100 && box[1] >= 21 && box[3] <= 79, "%d, %d … %d, %d", box[0], box[1], box[2], box[3]);
  gst_buffer_unref (without);
  gst_buffer_unref (with);
}

GST_END_TEST

/* More classes than fit one below the other: the last line stands for the rest, and the box stays in the frame. */
GST_START_TEST (test_long_legend)
{
  GArray *regions = g_array_new (FALSE, TRUE, sizeof (GstDocRegion));
  GstBuffer *without, *with;
  gint box[4];

  for (guint i = 0; i < 30; i++) {
    const GstDocRegion region = {.label = g_intern_string (i % 2 ? "table" : "text"),.score = 0.9,
      .x0 = 5,.y0 = 5,.x1 = 10,.y1 = 10
    };
    g_autofree gchar *name = g_strdup_printf ("class %u", i);

    g_array_append_val (regions, region);
    g_array_index (regions, GstDocRegion, i).label = g_intern_string (name);
  }
  without = overlay_draw (PLAIN, (GstDocRegion *) regions->data, regions->len);
  with = overlay_draw (PLAIN "draw-legend=true", (GstDocRegion *) regions->data, regions->len);
  changed (without, with, box);
  fail_unless (box[1] > 0 && box[3] < HEIGHT && box[2] < WIDTH && box[3] - box[1] > HEIGHT / 2,
      "%d, %d … %d, %d", box[0], box[1], box[2], box[3]);
  gst_buffer_unref (without);
  gst_buffer_unref (with);
  g_array_unref (regions);
}

GST_END_TEST

static Suite *
layoutoverlay_style_suite (void)
{
  Suite *s = suite_create ("layoutoverlay style");
  TCase *tc = doc_tcase_new ("style");

  tcase_add_loop_test (tc, test_fill, 0, 4);
  tcase_add_test (tc, test_fill_and_dashes);
  tcase_add_test (tc, test_dashes);
  tcase_add_test (tc, test_small_dashes);
  tcase_add_test (tc, test_min_score);
  tcase_add_test (tc, test_path);
  tcase_add_test (tc, test_legend);
  tcase_add_test (tc, test_legend_at_side);
  tcase_add_test (tc, test_long_legend);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (layoutoverlay_style)
