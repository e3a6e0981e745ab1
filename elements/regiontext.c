/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "regiontext.h"

#include <string.h>

/* Appends the words between `text` and `end`, which may be NULL for all of it. */
static void
append_words (GString * s, const gchar * text, const gchar * end)
{
  const gsize before = s->len;
  gboolean space = FALSE;

  for (const gchar * p = text; *p && p != end; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_isspace (c) || g_unichar_iscntrl (c)) {
      space = TRUE;
      continue;
    }
    if (space && s->len > before)
      g_string_append_c (s, ' ');
    space = FALSE;
    g_string_append_unichar (s, c);
  }
}

gchar *
gst_region_text_flow (const gchar * text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text ? text : "", -1);
  GString *s = g_string_new (NULL);

  append_words (s, valid, NULL);
  return g_string_free (s, FALSE);
}

gchar **
gst_region_text_lines (const gchar * text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text ? text : "", -1);
  GPtrArray *lines = g_ptr_array_new ();

  for (const gchar * p = valid; p;) {
    const gchar *end = strchr (p, '\n');
    g_autoptr (GString) line = g_string_new (NULL);

    append_words (line, p, end);
    if (line->len > 0)
      g_ptr_array_add (lines, g_strdup (line->str));
    p = end ? end + 1 : NULL;
  }
  g_ptr_array_add (lines, NULL);
  return (gchar **) g_ptr_array_free (lines, FALSE);
}

/* `length` and the white space there, if something follows that. */
static gsize
with_space (const gchar * text, gsize length)
{
  const gchar *p = text + length;

  while (*p && g_unichar_isspace (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  return *p && p > text + length ? (gsize) (p - text) : 0;
}

gsize
gst_region_text_bullet (const gchar * text)
{
  static const gchar *const bullets[] = { "-", "*", "•", "‣", "⁃", "∙", "·", "◦", "●", "○", "▪", "▫", "■", "□",
    "◆", "◇", "▶", "►", "▸", "➢", "–", "—", "\xef\x82\xb7" /* U+F0B7, that of the font Symbol */ };

  for (guint i = 0; i < G_N_ELEMENTS (bullets); i++)
    if (g_str_has_prefix (text, bullets[i]))
      return with_space (text, strlen (bullets[i]));
  return 0;
}

gsize
gst_region_text_number (const gchar * text)
{
  const gsize open = text[0] == '(';
  const gsize digits = strspn (text + open, "0123456789");
  const gchar after = text[open + digits];

  if (digits == 0 || digits > 9 || !(after == ')' || (after == '.' && !open)))
    return 0;
  return with_space (text, open + digits + 1);
}
