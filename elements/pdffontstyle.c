/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdffontstyle.h"

#include <string.h>

#define BOLD PDF_FONT_BOLD
#define ITALIC PDF_FONT_ITALIC

typedef struct {
  const gchar *name;
  guint style;
} Style;

/* The words and, from Adobe's Technical Note 5088 "Font Naming Issues", their abbreviations; what bold and italic are
 * called where they are not these words. "Medi" is the bold of URW's Nimbus fonts, "Medium" is no bold. */
static const Style parts[] = {
  {"Bd", BOLD}, {"Black", BOLD}, {"Blk", BOLD}, {"Demi", BOLD}, {"Dm", BOLD}, {"Heavy", BOLD}, {"Hv", BOLD},
  {"Medi", BOLD},
  {"Ic", ITALIC}, {"Inclined", ITALIC}, {"It", ITALIC}, {"Ital", ITALIC}, {"Ks", ITALIC}, {"Kursiv", ITALIC},
  {"Obl", ITALIC}, {"Sl", ITALIC}, {"Slant", ITALIC}, {"Slanted", ITALIC},
};

/* Computer Modern (Knuth, "Computer Modern Typefaces", 1986; AMS for the bold mathematics) and CM-Super, which has the
 * names of the EC fonts. The design size follows. */
static const Style tex[] = {
  {"CMB", BOLD}, {"CMBSY", BOLD}, {"CMBX", BOLD}, {"CMBXSL", BOLD | ITALIC}, {"CMBXTI", BOLD | ITALIC},
  {"CMITT", ITALIC}, {"CMMI", ITALIC}, {"CMMIB", BOLD | ITALIC}, {"CMSL", ITALIC}, {"CMSLTT", ITALIC},
  {"CMSSBX", BOLD}, {"CMSSI", ITALIC}, {"CMTI", ITALIC},
  {"SFBI", BOLD | ITALIC}, {"SFBL", BOLD | ITALIC}, {"SFBX", BOLD}, {"SFIT", ITALIC}, {"SFRB", BOLD},
  {"SFSI", ITALIC}, {"SFSL", ITALIC}, {"SFSO", BOLD | ITALIC}, {"SFST", ITALIC}, {"SFSX", BOLD}, {"SFTI", ITALIC},
};

static guint
find (const Style * styles, gsize n, const gchar * name, gsize length)
{
  for (gsize i = 0; i < n; i++)
    if (strlen (styles[i].name) == length
        && strncmp (styles[i].name, name, length) == 0)
      return styles[i].style;
  return 0;
}

static guint
style_of_parts (const gchar * text)
{
  guint style = 0;

  while (*text) {
    gsize length = 1;

    while (g_ascii_islower (text[length]))
      length++;
    style |= find (parts, G_N_ELEMENTS (parts), text, length);
    text += length;
  }
  return style;
}

static gboolean
contains (const gchar * name, const gchar * word)
{
  const gsize length = strlen (word);

  for (; *name; name++)
    if (g_ascii_strncasecmp (name, word, length) == 0)
      return TRUE;
  return FALSE;
}

static guint
style_of_tex (const gchar * name)
{
  const gchar *digits = "0123456789", *size = name + strcspn (name, digits);

  if (*size == '\0' || size[strspn (size, digits)] != '\0')
    return 0;
  return find (tex, G_N_ELEMENTS (tex), name, (gsize) (size - name));
}

guint
pdf_font_style (const gchar * name)
{
  const gchar *plus = strchr (name, '+');
  guint style;

  if (plus)
    name = plus + 1;
  style = style_of_parts (name + strcspn (name, "-,")) | style_of_tex (name);
  if (contains (name, "bold"))
    style |= BOLD;
  if (contains (name, "italic") || contains (name, "oblique"))
    style |= ITALIC;
  return style;
}
