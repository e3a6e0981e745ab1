/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layouthyphen.h"

#include <string.h>

#include "gst/gstdoctextmeta.h"

#define SOFT_HYPHEN 0xad

/* Bytes of a word that may go on. Nothing is as long, and no file can make it take long. */
#define LONGEST 200

struct _GstLayoutHyphens
{
  GHashTable *compounds;        /* words with a hyphen in them, folded */
};

/* What a word that was cut short for the sake of another stands in front of. */
static const gchar *const suspending[] = { "and", "or", "to", "und", "oder", "bis", "sowie", "bzw.", "et", "ou", "y",
  "o", "e", "en", "of", NULL
};

static gboolean
is_hyphen (gunichar c)
{
  return c == '-' || c == 0x2010;
}

/* The word without what is around it (quotes, brackets, full stops), in one case, its hyphens '-'. (transfer full) */
static gchar *
fold (const gchar * word)
{
  GString *text = g_string_new (NULL);
  gsize end = 0;                /* behind its last letter or digit */
  gchar *folded;

  for (const gchar * p = word; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (text->len == 0 && !g_unichar_isalnum (c))
      continue;
    g_string_append_unichar (text, is_hyphen (c) ? '-' : c);
    if (g_unichar_isalnum (c))
      end = text->len;
  }
  g_string_truncate (text, end);
  folded = g_utf8_casefold (text->str, -1);
  g_string_free (text, TRUE);
  return folded;
}

GstLayoutHyphens *
gst_layout_hyphens_new (const GArray * words)
{
  GstLayoutHyphens *hyphens = g_new (GstLayoutHyphens, 1);

  hyphens->compounds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < words->len; i++) {
    gchar *word = fold (g_array_index (words, GstDocTextSpan, i).text);

    if (strchr (word, '-'))
      g_hash_table_add (hyphens->compounds, word);
    else
      g_free (word);
  }
  return hyphens;
}

void
gst_layout_hyphens_free (GstLayoutHyphens * hyphens)
{
  if (hyphens == NULL)
    return;
  g_hash_table_unref (hyphens->compounds);
  g_free (hyphens);
}

/* Two or more letters, behind brackets or quotes, and nothing else. */
static gboolean
is_syllables (const gchar * stem, const gchar * end)
{
  guint letters = 0;

  for (; stem < end && g_unichar_ispunct (g_utf8_get_char (stem)); stem = g_utf8_next_char (stem))
    if (is_hyphen (g_utf8_get_char (stem)))
      return FALSE;
  for (; stem < end; stem = g_utf8_next_char (stem), letters++)
    if (!g_unichar_isalpha (g_utf8_get_char (stem)) && !g_unichar_ismark (g_utf8_get_char (stem)))
      return FALSE;
  return letters >= 2;
}

static gboolean
is_compound (const GstLayoutHyphens * hyphens, const gchar * stem, const gchar * next)
{
  g_autofree gchar *whole = g_strconcat (stem, next, NULL);
  g_autofree gchar *folded = fold (whole);

  return g_hash_table_contains (hyphens->compounds, folded);
}

/* NULL: it is longer than words are. */
static const gchar *
last_word (const GString * text)
{
  const gchar *p = text->str + text->len;

  while (p > text->str && p[-1] != ' ' && p[-1] != '\n')
    if (--p + LONGEST < text->str + text->len)
      return NULL;
  return p;
}

gboolean
gst_layout_hyphens_join (const GstLayoutHyphens * hyphens, GString * text, const gchar * next)
{
  const gchar *stem = last_word (text);
  const gchar *end = stem ? g_utf8_find_prev_char (stem, text->str + text->len) : NULL;
  const gchar *before = end ? g_utf8_find_prev_char (stem, end) : NULL;
  gunichar hyphen = end ? g_utf8_get_char (end) : 0;

  if (before == NULL || !(hyphen == SOFT_HYPHEN || is_hyphen (hyphen))
      || !g_unichar_isalnum (g_utf8_get_char (before)) || !g_unichar_isalnum (g_utf8_get_char (next))
      || (hyphen != SOFT_HYPHEN && g_strv_contains (suspending, next)))
    return FALSE;
  if (hyphen == SOFT_HYPHEN || (is_syllables (stem, end) && g_unichar_islower (g_utf8_get_char (next))
          && !is_compound (hyphens, stem, next)))
    g_string_truncate (text, (gsize) (end - text->str));
  return TRUE;
}
