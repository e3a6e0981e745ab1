/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutwords.h"

#include "layouttext.h"
#include "regiontext.h"

#define MAX_SKIPPED 1000          /* lines between two, so that no page takes long */

static void
clear_word (gpointer word)
{
  g_free (((GstLayoutWord *) word)->text);
}

static void
clear_line (gpointer line)
{
  g_array_unref (((GstLayoutLine *) line)->words);
}

static GArray *
words_new (void)
{
  GArray *words = g_array_new (FALSE, TRUE, sizeof (GstLayoutWord));

  g_array_set_clear_func (words, clear_word);
  return words;
}

static GArray *
split_words (const gchar * text)
{
  GArray *words = words_new ();
  g_auto (GStrv) parts = g_strsplit (text, " ", -1);

  for (guint i = 0; parts[i]; i++) {
    GstLayoutWord word = {.text = g_strdup (parts[i]) };

    g_array_append_val (words, word);
  }
  return words;
}

static void
add_word (GstLayoutLine * line, gchar * text, const GstDocTextSpan * span)
{
  const GstLayoutWord word = { text, {span->x0, span->y0, span->x1, span->y1} };

  if (line->words->len == 0)
    line->box = word.box;
  line->box.x0 = MIN (line->box.x0, word.box.x0);
  line->box.y0 = MIN (line->box.y0, word.box.y0);
  line->box.x1 = MAX (line->box.x1, word.box.x1);
  line->box.y1 = MAX (line->box.y1, word.box.y1);
  g_array_append_val (line->words, word);
}

/* An array of GstLayoutLine for each region. */
static GPtrArray *
lines_new (guint n)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (guint i = 0; i < n; i++) {
    GArray *lines = g_array_new (FALSE, TRUE, sizeof (GstLayoutLine));

    g_array_set_clear_func (lines, clear_line);
    g_ptr_array_add (all, lines);
  }
  return all;
}

/* Lines of the text layer's words, to the regions that have them. */
static GPtrArray *
find_lines (const GstLayoutJsonPage * in, const GArray * regions)
{
  GPtrArray *all = lines_new (regions->len);
  g_autoptr (GArray) words = in->spans && in->layout ? gst_layout_place_words (in->page, in->layout, in->spans) : NULL;
  g_autofree gint *owners = words ? gst_layout_text_owners (regions, words) : NULL;
  g_autofree guint *numbers = g_new0 (guint, regions->len); /* of the region's last line */

  for (guint i = 0; words && i < words->len; i++) {
    const GstDocTextSpan *word = &g_array_index (words, GstDocTextSpan, i);
    const gint owner = owners[i];
    g_autofree gchar *text = gst_region_text_flow (word->text);
    GArray *lines;

    if (owner < 0 || text[0] == '\0')
      continue;
    lines = g_ptr_array_index (all, owner);
    if (lines->len == 0 || word->line != numbers[owner]) {
      GstLayoutLine line = {.words = words_new () };

      g_array_append_val (lines, line);
      numbers[owner] = word->line;
    }
    add_word (&g_array_index (lines, GstLayoutLine, lines->len - 1), g_steal_pointer (&text), word);
  }
  return all;
}

static gboolean
is_line (const GstLayoutLine * a, const GstLayoutLine * b)
{
  if (a->words->len != b->words->len)
    return FALSE;
  for (guint i = 0; i < a->words->len; i++)
    if (!g_str_equal (g_array_index (a->words, GstLayoutWord, i).text,
            g_array_index (b->words, GstLayoutWord, i).text))
      return FALSE;
  return TRUE;
}

/* Looks for the line among `found` from `*at` on, which it moves behind it. */
static void
place_line (GstLayoutLine * line, const GArray * found, guint * at)
{
  const guint end = MIN (found->len, *at + MAX_SKIPPED);

  for (guint i = *at; i < end; i++) {
    const GstLayoutLine *other = &g_array_index (found, GstLayoutLine, i);

    if (!is_line (line, other))
      continue;
    for (guint j = 0; j < line->words->len; j++)
      g_array_index (line->words, GstLayoutWord, j).box = g_array_index (other->words, GstLayoutWord, j).box;
    line->box = other->box;
    line->placed = TRUE;
    *at = i + 1;
    return;
  }
}

GPtrArray *
gst_layout_words (const GstLayoutJsonPage * in, const GArray * regions)
{
  GPtrArray *all = lines_new (regions->len);
  g_autoptr (GPtrArray) found = find_lines (in, regions);

  for (guint i = 0; i < regions->len; i++) {
    g_auto (GStrv) texts = gst_region_text_lines (g_array_index (regions, GstDocRegion, i).text);
    guint at = 0;

    for (guint j = 0; texts[j]; j++) {
      GstLayoutLine line = {.words = split_words (texts[j]) };

      place_line (&line, g_ptr_array_index (found, i), &at);
      g_array_append_val ((GArray *) g_ptr_array_index (all, i), line);
    }
  }
  return all;
}
