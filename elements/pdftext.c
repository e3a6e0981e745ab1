/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdftext.h"

#include <math.h>
#include <string.h>

/* Places in the serialised form are those of "GVariant Specification" (Allison Karlitskaya, 2020), section 2: what is
 * fixed in size is aligned to its size, a tuple or array ends with the ends of its members that are not, as numbers
 * of as few bytes as the length of the whole allows. */

void
pdf_text_writer_init (PdfTextWriter * writer)
{
  writer->bytes = g_byte_array_new ();
  writer->ends = g_array_new (FALSE, FALSE, sizeof (gsize));
}

static void
align (GByteArray * bytes, guint alignment)
{
  static const guint8 zeros[8] = { 0 };

  g_byte_array_append (bytes, zeros, -bytes->len & (alignment - 1));
}

static void
append (GByteArray * bytes, gconstpointer data, gsize size)
{
  g_byte_array_append (bytes, data, (guint) size);
}

/* Bytes of each of `n` offsets behind `size` bytes. */
static guint
offset_size (gsize size, gsize n)
{
  if (size + n <= G_MAXUINT8)
    return 1;
  if (size + 2 * n <= G_MAXUINT16)
    return 2;
  return size + 4 * n <= G_MAXUINT32 ? 4 : 8;
}

static void
append_offset (GByteArray * bytes, guint64 offset, guint size)
{
  offset = GUINT64_TO_LE (offset);
  append (bytes, &offset, size);
}

void
pdf_text_writer_add (PdfTextWriter * writer, const gchar * text, gdouble x0,
    gdouble y0, gdouble x1, gdouble y1, gdouble size, const gchar * font,
    guint32 flags, guint32 line)
{
  GByteArray *bytes = writer->bytes;
  const gdouble numbers[] = { x0, y0, x1, y1, size };
  gsize begin, text_end, font_end, end;
  guint width;

  align (bytes, 8);
  begin = bytes->len;
  append (bytes, text, strlen (text) + 1);
  text_end = bytes->len - begin;
  align (bytes, 8);
  append (bytes, numbers, sizeof numbers);
  append (bytes, font, strlen (font) + 1);
  font_end = bytes->len - begin;
  align (bytes, 4);
  append (bytes, &flags, sizeof flags);
  append (bytes, &line, sizeof line);
  width = offset_size (bytes->len - begin, 2);
  append_offset (bytes, font_end, width);
  append_offset (bytes, text_end, width);
  end = bytes->len;
  g_array_append_val (writer->ends, end);
}

GByteArray *
pdf_text_writer_end (PdfTextWriter * writer)
{
  guint width = offset_size (writer->bytes->len, writer->ends->len);

  for (guint i = 0; i < writer->ends->len; i++)
    append_offset (writer->bytes, g_array_index (writer->ends, gsize, i),
        width);
  g_array_unref (writer->ends);
  return writer->bytes;
}

/* Where a word of an array in normal form ends. */
static gsize
end_of_word (const guint8 * bytes, gsize size, gsize n, gsize index)
{
  const guint width = size <= G_MAXUINT8 ? 1 : size <= G_MAXUINT16 ? 2
      : size <= G_MAXUINT32 ? 4 : 8;
  guint64 end = 0;

  memcpy (&end, bytes + size - (n - index) * width, width);
  return GUINT64_FROM_LE (end);
}

/* `word` is in normal form: its strings end, and its numbers are where they belong. */
static gboolean
word_is_sane (const guint8 * word, guint64 * n_lines)
{
  gsize at = (strlen ((const gchar *) word) + 8) & ~(gsize) 7;
  gdouble box[4], size;
  guint32 line;

  memcpy (box, word + at, sizeof box);
  memcpy (&size, word + at + sizeof box, sizeof size);
  at += sizeof box + sizeof size;
  at = (at + strlen ((const gchar *) word + at) + 4) & ~(gsize) 3;
  memcpy (&line, word + at + sizeof (guint32), sizeof line);
  if (line != *n_lines && line + G_GUINT64_CONSTANT (1) != *n_lines)
    return FALSE;
  *n_lines = line + G_GUINT64_CONSTANT (1);
  for (guint i = 0; i < G_N_ELEMENTS (box); i++)
    if (!isfinite (box[i]))
      return FALSE;
  return box[0] <= box[2] && box[1] <= box[3] && isfinite (size) && size >= 0;
}

/* Of words in normal form; taking them apart by GVariant would take as long as checking that they are. */
static gboolean
words_are_sane (const guint8 * bytes, gsize size, gsize n)
{
  guint64 n_lines = 0;
  gsize at = 0;

  for (gsize i = 0; i < n; i++) {
    if (!word_is_sane (bytes + at, &n_lines))
      return FALSE;
    at = (end_of_word (bytes, size, n, i) + 7) & ~(gsize) 7;
  }
  return TRUE;
}

GVariant *
pdf_text_read (const guint8 * bytes, gsize size)
{
  GBytes *copy = g_bytes_new (bytes, size);
  GVariant *words = g_variant_ref_sink (g_variant_new_from_bytes
      (G_VARIANT_TYPE (PDF_TEXT_TYPE), copy, FALSE));

  g_bytes_unref (copy);
  if (!g_variant_is_normal_form (words)
      || !words_are_sane (g_variant_get_data (words), size,
          g_variant_n_children (words)))
    g_clear_pointer (&words, g_variant_unref);
  return words;
}
