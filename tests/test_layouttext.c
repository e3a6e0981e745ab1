/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/layouthyphen.h"
#include "elements/layoutsnap.h"
#include "elements/layouttext.h"

#include <gst/check/check.h>
#include <math.h>
#include <string.h>

static void
add_region (GstDocLayout * layout, const gchar * label, gdouble score, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  GstDocRegion r = { layout->regions->len, 0, g_intern_string (label), score, x0, y0, x1, y1 };

  g_array_append_val (layout->regions, r);
}

static void
add_word (GArray * words, const gchar * text, guint line, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  GstDocTextSpan word = { text, x0, y0, x1, y1, 10, "", 0, line };

  g_array_append_val (words, word);
}

static const gchar *
text_of (const GstDocLayout * layout, guint index)
{
  return g_array_index (layout->regions, GstDocRegion, index).text;
}

static void
check_box (const GstDocLayout * layout, guint index, gdouble x0, gdouble y0, gdouble x1, gdouble y1)
{
  const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, index);

  fail_unless (r->x0 == x0 && r->y0 == y0 && r->x1 == x1 && r->y1 == y1, "region %u is %g %g %g %g, not %g %g %g %g",
      index, r->x0, r->y0, r->x1, r->y1, x0, y0, x1, y1);
}

GST_START_TEST (words_of_two_columns)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (200, 100);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));
  const GstDocTextLine *orphans;

  add_region (layout, "text", 0.9, 0, 0, 90, 50);
  add_region (layout, "text", 0.8, 110, 0, 200, 50);
  add_region (layout, "figure", 0.8, 110, 60, 200, 100);
  add_word (words, "The", 0, 5, 5, 20, 15);
  add_word (words, "left", 0, 25, 5, 40, 15);
  add_word (words, "half", 0, 92, 5, 108, 15);  /* in the gutter, as what follows it in its line is not */
  add_word (words, "of", 0, 45, 5, 55, 15);
  add_word (words, "it.", 1, 5, 20, 15, 30);
  add_word (words, "Größe", 2, 115, 5, 140, 15);
  add_word (words, "12", 3, 115, 20, 125, 30);
  add_word (words, "page", 4, 90, 52, 100, 58);
  add_word (words, "7", 4, 102, 51, 106, 59);
  add_word (words, "so", 5, 92, 70, 108, 80);
  gst_layout_text (layout, words, FALSE, FALSE);
  fail_unless_equals_string (text_of (layout, 0), "The left half of\nit.");
  fail_unless_equals_string (text_of (layout, 1), "Größe\n12");
  fail_unless_equals_string (text_of (layout, 2), "");
  fail_unless (layout->characters == 30 && layout->region_characters == 23 && layout->orphan_characters == 7,
      "%u %u %u", layout->characters, layout->region_characters, layout->orphan_characters);
  orphans = (const GstDocTextLine *) layout->orphans->data;
  fail_unless_equals_int (layout->orphans->len, 2);
  fail_unless_equals_string (orphans[0].text, "page 7");
  fail_unless (orphans[0].x0 == 90 && orphans[0].y0 == 51 && orphans[0].x1 == 106 && orphans[0].y1 == 59);
  fail_unless_equals_string (orphans[1].text, "so");
  fail_unless (orphans[1].x0 == 92 && orphans[1].y0 == 70);
  check_box (layout, 0, 0, 0, 90, 50);

  /* once more: nothing is added to what was there */
  gst_layout_text (layout, words, FALSE, FALSE);
  fail_unless_equals_string (text_of (layout, 1), "Größe\n12");
  fail_unless (layout->characters == 30 && layout->orphans->len == 2);
}

GST_END_TEST

/* Lines of words "a" in region 0, "b" in region 1 and "x" in none; upper case: what they are to be. */
static const gchar *const rests[][2] = {
  {"axxxb", "AAABB"}, {"axxb", "AABB"}, {"xxa", "AAA"}, {"bxx", "BBB"}, {"abxba", "ABBBA"}, {"xax", "AAA"}, {"xx", "XX"},
};

GST_START_TEST (rest_of_a_line)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (200, 100);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));
  guint wanted[3] = { 0, 0, 0 };

  add_region (layout, "text", 0.9, 0, 0, 50, 100);
  add_region (layout, "text", 0.9, 100, 0, 150, 100);
  for (guint i = 0; i < G_N_ELEMENTS (rests); i++) {
    for (const gchar * c = rests[i][0]; *c; c++) {
      gdouble x = *c == 'a' ? 10 : *c == 'b' ? 110 : 60;

      add_word (words, "w", i, x, 10, x + 10, 20);
    }
    for (const gchar * c = rests[i][1]; *c; c++)
      wanted[*c == 'A' ? 0 : *c == 'B' ? 1 : 2]++;
    gst_layout_text (layout, words, FALSE, FALSE);
    fail_unless (strlen (text_of (layout, 0)) == 2 * wanted[0] - 1
        && (wanted[1] == 0 || strlen (text_of (layout, 1)) == 2 * wanted[1] - 1)
        && layout->orphan_characters == wanted[2], "%s: %s / %s", rests[i][0], text_of (layout, 0), text_of (layout, 1));
  }
}

GST_END_TEST

/* Which of several regions has the word at 50 50 60 60. */
static const struct
{
  const gchar *what;
  gdouble regions[3][5];        /* score, box; score 0: there is no more */
  gint owner;
} owners[] = {
  {"the one that covers more", {{0.5, 0, 0, 54, 100}, {0.4, 54, 0, 100, 100}}, 1},
  {"of two that cover all, the smaller", {{0.9, 0, 0, 100, 100}, {0.4, 40, 40, 70, 70}}, 1},
  {"the smaller, the other way round", {{0.4, 40, 40, 70, 70}, {0.9, 0, 0, 100, 100}}, 0},
  {"of two alike, the better", {{0.4, 40, 40, 70, 70}, {0.6, 40, 40, 70, 70}}, 1},
  {"of two that are the same, the first", {{0.6, 40, 40, 70, 70}, {0.6, 40, 40, 70, 70}}, 0},
  {"the whole before a part, though larger", {{0.9, 50, 50, 58, 60}, {0.4, 0, 0, 100, 100}}, 1},
  {"a fifth is enough", {{0.9, 0, 0, 52, 100}}, 0},
  {"less is not", {{0.9, 0, 0, 51.9, 100}}, -1},
  {"nor is an edge", {{0.9, 0, 0, 50, 100}, {0.9, 60, 0, 90, 100}}, -1},
  {"nor what is nowhere", {{0.9, NAN, 0, 100, 100}}, -1},
};

GST_START_TEST (owner_of_a_word)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (100, 100);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));

  for (guint i = 0; i < 3 && owners[__i__].regions[i][0] > 0; i++) {
    const gdouble *r = owners[__i__].regions[i];

    add_region (layout, "text", r[0], r[1], r[2], r[3], r[4]);
  }
  add_word (words, "word", 0, 50, 50, 60, 60);
  gst_layout_text (layout, words, FALSE, FALSE);
  for (guint i = 0; i < layout->regions->len; i++)
    fail_unless_equals_string (text_of (layout, i), (gint) i == owners[__i__].owner ? "word" : "");
  fail_unless (layout->orphans->len == (owners[__i__].owner < 0 ? 1u : 0u), "%s", owners[__i__].what);
}

GST_END_TEST

static const struct
{
  const gchar *page;            /* words of the page elsewhere */
  const gchar *lines;           /* with '|' between them */
  const gchar *joined;
} hyphens[] = {
  {"", "an exam-|ple of it", "an example\nof it"},
  {"", "an exam-|ple", "an example"},
  {"", "inter-|na-|tional law", "international\nlaw"},
  {"", "(exam-|ple) \"quo-|ted\"", "(example)\n\"quoted\""},
  {"", "Über-|größe", "Übergröße"},
  {"", "exam\xe2\x80\x90|ple", "example"},
  {"", "exam\xc2\xad|ple", "example"},
  {"", "Hard\xc2\xad|Ware", "HardWare"},
  {"", "soft\xc2\xadhyphen inside|stays", "soft\xc2\xadhyphen inside\nstays"},
  {"", "no hyphen|here", "no hyphen\nhere"},
  /* the hyphen stays */
  {"", "state-of-the-|art", "state-of-the-art"},
  {"", "Anglo-|American", "Anglo-American"},
  {"", "1990-|2000", "1990-2000"},
  {"", "A4-|size", "A4-size"},
  {"", "e-|mail", "e-mail"},
  {"", "flag -foo-|bar", "flag -foo-bar"},
  {"a well-known one", "the well-|known fact", "the well-known\nfact"},
  {"(Well\xe2\x80\x90Known).", "well-|known,", "well-known,"},
  {"wellknown", "well-|known", "wellknown"},
  /* and so does the line's end */
  {"", "pre- and post-|war", "pre- and postwar"},
  {"", "the pre-|and the post-war", "the pre-\nand the post-war"},
  {"", "Vor-|und Nachteile", "Vor-\nund Nachteile"},
  {"", "a dash -|then", "a dash -\nthen"},
  {"", "a dash \xe2\x80\x93|then", "a dash \xe2\x80\x93\nthen"},
  {"", "option --|all", "option --\nall"},
  {"", "list-|(one)", "list-\n(one)"},
  {"", "last-", "last-"},
};

/* Lines of words into a region, what stands elsewhere on the page into another one. */
GST_START_TEST (hyphens_at_the_end_of_a_line)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (1000, 1000);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));
  g_auto (GStrv) lines = g_strsplit (hyphens[__i__].lines, "|", -1);
  g_auto (GStrv) others = g_strsplit (hyphens[__i__].page, " ", -1);
  g_autofree gchar *before = g_strdelimit (g_strdup (hyphens[__i__].lines), "|", '\n');
  GPtrArray *kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  guint characters;

  add_region (layout, "text", 0.9, 0, 0, 1000, 500);
  add_region (layout, "text", 0.9, 0, 500, 1000, 1000);
  for (guint i = 0; lines[i]; i++) {
    gchar **line = g_strsplit (lines[i], " ", -1);

    g_ptr_array_add (kept, line);
    for (guint k = 0; line[k]; k++)
      add_word (words, line[k], i, 20 * k, 20 * i, 20 * k + 15, 20 * i + 10);
  }
  for (guint i = 0; others[i]; i++)
    add_word (words, others[i], 99, 20 * i, 600, 20 * i + 15, 610);
  gst_layout_text (layout, words, FALSE, FALSE);
  fail_unless_equals_string (text_of (layout, 0), before);
  characters = layout->region_characters;
  gst_layout_text (layout, words, TRUE, FALSE);
  fail_unless_equals_string (text_of (layout, 0), hyphens[__i__].joined);
  fail_unless_equals_int (layout->region_characters, characters);
  g_ptr_array_unref (kept);
}

GST_END_TEST

/* What grows and shrinks, at which neighbour it ends. */
GST_START_TEST (snapped_boxes)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (400, 400);
  const GstLayoutHull hulls[] = {
    {12, 5, 180, 48}, {20, 55, 90, 62}, {110, 110, 150, 150}, GST_LAYOUT_NO_HULL, {-5, 350, 399, 420},
    {205, 4, 260, 60}, {240, 50, 300, 80}, {20, 130, 90, 200}, {20, 210, 90, 260},
  };

  add_region (layout, "text", 0.9, 10, 10, 200, 40);    /* shrinks at its sides, grows above and below */
  add_region (layout, "title", 0.9, 10, 50, 100, 60);
  add_region (layout, "figure", 0.9, 100, 100, 200, 200);
  add_region (layout, "text", 0.9, 300, 300, 380, 340);
  add_region (layout, "text", 0.9, 10, 360, 390, 390);  /* ends at the frame */
  add_region (layout, "text", 0.9, 200, 0, 270, 40);    /* no further than half way to the next one, whose line it */
  add_region (layout, "code", 0.9, 230, 60, 310, 80);   /* reaches into */
  add_region (layout, "text", 0.9, 10, 130, 105, 195);  /* overlaps the figure, and shrinks off it */
  add_region (layout, "table", 0.9, 10, 205, 100, 300);
  gst_layout_snap (layout, hulls);
  check_box (layout, 0, 12, 5, 180, 48);
  check_box (layout, 1, 20, 55, 90, 62);
  check_box (layout, 2, 100, 100, 200, 200);
  check_box (layout, 3, 300, 300, 380, 340);
  check_box (layout, 4, 0, 350, 399, 400);
  check_box (layout, 5, 205, 4, 260, 55);
  check_box (layout, 6, 240, 55, 300, 80);
  check_box (layout, 7, 20, 130, 90, 200);
  check_box (layout, 8, 10, 205, 100, 300);
}

GST_END_TEST

/* Boxes that overlap do so no further, and one in another is not its neighbour. */
GST_START_TEST (snapped_boxes_that_overlapped)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (400, 400);
  const GstLayoutHull hulls[] = { {10, 10, 100, 60}, {10, 35, 100, 90}, GST_LAYOUT_NO_HULL, {210, 195, 290, 225} };

  add_region (layout, "text", 0.9, 10, 10, 100, 50);
  add_region (layout, "text", 0.9, 10, 45, 100, 90);
  add_region (layout, "figure", 0.9, 200, 200, 300, 300);
  add_region (layout, "text", 0.9, 210, 202, 290, 220);
  gst_layout_snap (layout, hulls);
  check_box (layout, 0, 10, 10, 100, 50);
  check_box (layout, 1, 10, 45, 100, 90);
  check_box (layout, 2, 200, 200, 300, 300);
  check_box (layout, 3, 210, 195, 290, 225);
}

GST_END_TEST

static gdouble
random_place (GRand * rand, gdouble to)
{
  static const gdouble odd[] = { NAN, INFINITY, -1e300, 0 };

  return g_rand_int_range (rand, 0, 15) == 0 ? odd[g_rand_int_range (rand, 0, 4)] : g_rand_double_range (rand, 0, to);
}

static GstDocLayout *
random_layout (GRand * rand, guint n)
{
  static const gchar *const labels[] = { "text", "title", "figure", "table", "list_item", "equation" };
  GstDocLayout *layout = gst_doc_layout_new (800, 1000);

  for (guint i = 0; i < n; i++) {
    gdouble x = random_place (rand, 700), y = random_place (rand, 900), width = random_place (rand, 300);
    gdouble height = random_place (rand, 200);

    add_region (layout, labels[i % G_N_ELEMENTS (labels)], g_rand_double (rand), x, y, x + width, y + height);
  }
  return layout;
}

/* Words of 0 to 8 characters, some of them odd, a few a line; some without area, some outside of the page. */
static GArray *
random_words (GRand * rand, guint n)
{
  static const gchar *const texts[] = { "a", "Größe", "exam-", "ple", "頁数", "\xc2\xad", "soft\xc2\xad", "",
    "\xc2\xa0", "العربية", "12-", "𝔘𝔫𝔦", "-"
  };
  GArray *words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));

  for (guint i = 0; i < n; i++) {
    gdouble x = g_rand_double_range (rand, -20, 810), y = g_rand_double_range (rand, -20, 1010);
    gint width = g_rand_int_range (rand, 0, 60), height = g_rand_int_range (rand, 0, 15);

    add_word (words, texts[g_rand_int_range (rand, 0, G_N_ELEMENTS (texts))], i / 4, x, y, x + width, y + height);
  }
  return words;
}

static guint
count (const gchar * text)
{
  guint n = 0;
  glong length;
  gunichar *characters = g_utf8_to_ucs4 (text, -1, NULL, &length, NULL);

  for (glong i = 0; i < length; i++)
    n += !g_unichar_isspace (characters[i]);
  g_free (characters);
  return n;
}

static gboolean
is_placed (const GstDocRegion * r)
{
  return isfinite (r->x0) && isfinite (r->y0) && isfinite (r->x1) && isfinite (r->y1);
}

static gdouble
overlap (const GstDocRegion * a, const GstDocRegion * b)
{
  gdouble width = MIN (a->x1, b->x1) - MAX (a->x0, b->x0), height = MIN (a->y1, b->y1) - MAX (a->y0, b->y0);

  return width > 0 && height > 0 ? width * height : 0;
}

static void
check_counts (const GstDocLayout * layout, const GArray * words, gboolean joined)
{
  guint page = 0, regions = 0, orphans = 0;

  for (guint i = 0; i < words->len; i++)
    page += count (g_array_index (words, GstDocTextSpan, i).text);
  for (guint i = 0; i < layout->regions->len; i++)
    regions += count (text_of (layout, i));
  for (guint i = 0; i < layout->orphans->len; i++)
    orphans += count (g_array_index (layout->orphans, GstDocTextLine, i).text);
  fail_unless_equals_int (layout->characters, page);
  fail_unless_equals_int (layout->orphan_characters, orphans);
  fail_unless_equals_int (layout->region_characters + layout->orphan_characters, page);
  if (joined)
    fail_unless (layout->region_characters >= regions);
  else
    fail_unless_equals_int (layout->region_characters, regions);
}

/* Whatever words and regions there are, no character is lost or told twice, and boxes keep off each other. */
GST_START_TEST (any_page)
{
  GRand *rand = g_rand_new_with_seed (1618);

  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GstDocLayout) layout = random_layout (rand, i % 40);
    g_autoptr (GArray) words = random_words (rand, i % 7 ? g_rand_int_range (rand, 1, 300) : 0);
    const guint n = layout->regions->len;
    g_autofree GstDocRegion *before = g_memdup2 (layout->regions->data, n * sizeof *before);
    const GstDocRegion *r = (const GstDocRegion *) layout->regions->data;

    gst_layout_text (layout, words, i % 2, i % 3 == 0);
    check_counts (layout, words, i % 2);
    for (guint k = 0; k < n; k++) {
      gboolean is_text = g_str_equal (r[k].label, "text") || g_str_equal (r[k].label, "title")
          || g_str_equal (r[k].label, "list_item");

      fail_unless ((i % 3 == 0 && is_text && r[k].text[0])
          || memcmp (&before[k].x0, &r[k].x0, 4 * sizeof (gdouble)) == 0, "a box has moved");
      fail_unless (!is_placed (&before[k]) || is_placed (&r[k]), "%u is nowhere any more", k);
      for (guint j = k + 1; j < n; j++)
        if (is_placed (&before[k]) && is_placed (&before[j]) && overlap (&before[k], &before[j]) == 0)
          fail_unless (overlap (&r[k], &r[j]) == 0, "%u and %u overlap", k, j);
    }
  }
  g_rand_free (rand);
}

GST_END_TEST

/* A file cannot make a page long: one line without end, one word without end. */
GST_START_TEST (time_it_takes)
{
  g_autoptr (GstDocLayout) layout = gst_doc_layout_new (1000, 1000);
  g_autoptr (GArray) words = g_array_new (FALSE, FALSE, sizeof (GstDocTextSpan));
  gint64 start = g_get_monotonic_time (), took;

  for (guint i = 0; i < 200000; i++) {
    add_word (words, "a\xc2\xad", i, 10, 10, 20, 20);
    add_word (words, "b", 0, 600, 10, 610, 20);
  }
  add_region (layout, "text", 0.5, 0, 0, 500, 1000);
  gst_layout_text (layout, words, TRUE, TRUE);
  took = g_get_monotonic_time () - start;
  fail_unless_equals_int (layout->characters, 600000);
  fail_unless (took < 3 * G_TIME_SPAN_SECOND, "%.1f s", took * 1e-6);
}

GST_END_TEST

static Suite *
layouttext_suite (void)
{
  Suite *s = suite_create ("layouttext");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, words_of_two_columns);
  tcase_add_test (tc, rest_of_a_line);
  tcase_add_loop_test (tc, owner_of_a_word, 0, G_N_ELEMENTS (owners));
  tcase_add_loop_test (tc, hyphens_at_the_end_of_a_line, 0, G_N_ELEMENTS (hyphens));
  tcase_add_test (tc, snapped_boxes);
  tcase_add_test (tc, snapped_boxes_that_overlapped);
  tcase_add_test (tc, any_page);
  tcase_add_test (tc, time_it_takes);
  return s;
}

GST_CHECK_MAIN (layouttext)
