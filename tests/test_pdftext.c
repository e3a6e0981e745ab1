/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words on their way from a render worker, beside GLib's own variants; bytes that are no words; how fonts look. */
#include "elements/pdffontstyle.h"
#include "elements/pdftext.h"

#include <math.h>
#include <string.h>

#include "gst/gstdoctextmeta.h"
#include "gst_harness.h"

/* Both ways of putting words together. */
typedef struct {
  PdfTextWriter writer;
  GVariantBuilder builder;
} Words;

static void
begin (Words * words)
{
  pdf_text_writer_init (&words->writer);
  g_variant_builder_init (&words->builder, G_VARIANT_TYPE (PDF_TEXT_TYPE));
}

static void
add (Words * words, const gchar * text, const gdouble numbers[5],
    const gchar * font, guint flags, guint line)
{
  pdf_text_writer_add (&words->writer, text, numbers[0], numbers[1], numbers[2],
      numbers[3], numbers[4], font, flags, line);
  g_variant_builder_add (&words->builder, "(sdddddsuu)", text, numbers[0],
      numbers[1], numbers[2], numbers[3], numbers[4], font, flags, line);
}

/* What has been written, which is to be what GLib makes of it to the last byte. (transfer full) */
static GByteArray *
end (Words * words)
{
  GByteArray *bytes = pdf_text_writer_end (&words->writer);
  GVariant *variant =
      g_variant_ref_sink (g_variant_builder_end (&words->builder));

  fail_unless (bytes->len == g_variant_get_size (variant),
      "%u bytes, not %" G_GSIZE_FORMAT, bytes->len,
      g_variant_get_size (variant));
  fail_unless (bytes->len == 0
      || memcmp (bytes->data, g_variant_get_data (variant), bytes->len) == 0);
  g_variant_unref (variant);
  return bytes;
}

static const gdouble NUMBERS[] = { -1.5, 2, 300.25, 2, 11 };

/* Words of every length about those at which offsets get wider, and as many words. */
GST_START_TEST (written_as_glib_does)
{
  const guint counts[] = { 0, 1, 2, 3, 4, 5, 800, 900, 1000, 1100 };
  gchar *text = g_strnfill (66000, 'x');
  Words words;
  GVariant *spans;

  for (guint length = 0; length <= 66000; length += length == 300 ? 65000 : 1) {
    begin (&words);
    add (&words, text + 66000 - length, NUMBERS, "", 0, 0);
    add (&words, "", NUMBERS, text + 66000 - length, 1, 0);
    g_byte_array_unref (end (&words));
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    GByteArray *bytes;

    begin (&words);
    for (guint n = 0; n < counts[i]; n++)
      add (&words, &"מילה"[n % 5 * 2], NUMBERS, "Font", n % 4, n / 3);
    bytes = end (&words);
    spans = pdf_text_read (bytes->data, bytes->len);
    fail_unless (spans != NULL, "%u words are not read", counts[i]);
    fail_unless_equals_int (gst_doc_text_n_spans (spans), counts[i]);
    g_variant_unref (spans);
    g_byte_array_unref (bytes);
  }
  g_free (text);
}

GST_END_TEST

/* The bytes may go and change once they have been read. */
GST_START_TEST (read_as_written)
{
  Words words;
  GByteArray *bytes;
  GVariant *spans;
  GstDocTextSpan span;

  begin (&words);
  add (&words, "Größe", NUMBERS, "Foo-BoldItalic", 3, 0);
  add (&words, "b", NUMBERS, "", 0, 1);
  bytes = end (&words);
  spans = pdf_text_read (bytes->data, bytes->len);
  memset (bytes->data, 0xff, bytes->len);
  g_byte_array_unref (bytes);
  fail_unless (g_variant_is_normal_form (spans));
  gst_doc_text_get_span (spans, 0, &span);
  fail_unless_equals_string (span.text, "Größe");
  fail_unless (span.x0 == -1.5 && span.y0 == 2 && span.x1 == 300.25
      && span.y1 == 2 && span.size == 11);
  fail_unless_equals_string (span.font, "Foo-BoldItalic");
  fail_unless (span.flags == 3 && span.line == 0);
  gst_doc_text_get_span (spans, 1, &span);
  fail_unless (span.flags == 0 && span.line == 1);
  g_variant_unref (spans);
}

GST_END_TEST

/* Values that no page has, each in the last of three words. */
static const struct
{
  gdouble numbers[5];
  guint line;
  gboolean sane;
} values[] = {
  {{0, 0, 0, 0, 0}, 1, TRUE},
  {{-1e300, -5, 1e300, 5, 1000}, 2, TRUE},
  {{NAN, 0, 1, 1, 9}, 1, FALSE},
  {{0, NAN, 1, 1, 9}, 1, FALSE},
  {{0, 0, INFINITY, 1, 9}, 1, FALSE},
  {{0, -INFINITY, 1, 1, 9}, 1, FALSE},
  {{0, 0, 1, NAN, 9}, 1, FALSE},
  {{0, 0, 1, 1, NAN}, 1, FALSE},
  {{0, 0, 1, 1, INFINITY}, 1, FALSE},
  {{0, 0, 1, 1, -0.5}, 1, FALSE},
  {{1, 0, 0.5, 1, 9}, 1, FALSE},
  {{0, 1, 1, 0.5, 9}, 1, FALSE},
  {{0, 0, 1, 1, 9}, 0, FALSE},
  {{0, 0, 1, 1, 9}, 3, FALSE},
  {{0, 0, 1, 1, 9}, G_MAXUINT32, FALSE},
};

GST_START_TEST (values_that_no_page_has)
{
  Words words;
  GByteArray *bytes;
  GVariant *spans;

  begin (&words);
  add (&words, "a", NUMBERS, "Font", 0, 0);
  add (&words, "bc", NUMBERS, "Font", 0, 1);
  add (&words, "def", values[__i__].numbers, "Font", 0, values[__i__].line);
  bytes = end (&words);
  spans = pdf_text_read (bytes->data, bytes->len);
  fail_unless ((spans != NULL) == values[__i__].sane);
  g_clear_pointer (&spans, g_variant_unref);
  g_byte_array_unref (bytes);
}

GST_END_TEST

GST_START_TEST (lines_begin_at_0)
{
  const guint lines[] = { 1, 2, G_MAXUINT32 - 1, G_MAXUINT32 };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    Words words;
    GByteArray *bytes;

    begin (&words);
    add (&words, "a", NUMBERS, "Font", 0, lines[i]);
    bytes = end (&words);
    fail_unless (pdf_text_read (bytes->data, bytes->len) == NULL);
    g_byte_array_unref (bytes);
  }
}

GST_END_TEST

/* A copy in memory of just that size, so that a sanitizer sees who reads behind it. */
static void
check_bytes (const guint8 * bytes, gsize size, guint * taken)
{
  guint8 *exact = g_memdup2 (bytes, size);
  GVariant *spans = pdf_text_read (exact, size);
  GstDocTextSpan span;

  g_free (exact);
  if (!spans)
    return;
  fail_unless (g_variant_is_normal_form (spans));
  for (guint i = 0; i < gst_doc_text_n_spans (spans); i++) {
    gst_doc_text_get_span (spans, i, &span);
    fail_unless (g_utf8_validate (span.text, -1, NULL)
        && g_utf8_validate (span.font, -1, NULL) && isfinite (span.x0)
        && isfinite (span.size) && span.x0 <= span.x1 && span.y0 <= span.y1);
  }
  g_variant_unref (spans);
  (*taken)++;
}

/* Every prefix, every byte changed to every value, and noise: what is taken for words is sane. */
GST_START_TEST (damage)
{
  GRand *random = g_rand_new_with_seed (1);
  guint taken = 0, before;
  Words words;
  GByteArray *bytes;

  begin (&words);
  for (guint i = 0; i < 4; i++)
    add (&words, "Wörter", NUMBERS, "Font", 0, i / 2);
  bytes = end (&words);
  for (gsize size = 1; size < bytes->len; size++)
    check_bytes (bytes->data, size, &taken);
  before = taken;
  for (guint i = 0; i < bytes->len; i++) {
    const guint8 byte = bytes->data[i];

    for (guint value = 0; value <= G_MAXUINT8; value++) {
      bytes->data[i] = (guint8) value;
      check_bytes (bytes->data, bytes->len, &taken);
    }
    bytes->data[i] = byte;
  }
  fail_unless (taken > before + bytes->len, "the change of a letter is refused");
  for (guint round = 0; round < 20000; round++) {
    guint8 noise[256];

    for (guint i = 0; i < sizeof noise; i++)
      noise[i] = (guint8) g_rand_int (random);
    check_bytes (noise, 1 + round % sizeof noise, &taken);
  }
  g_rand_free (random);
  g_byte_array_unref (bytes);
}

GST_END_TEST

GST_START_TEST (same_as_the_meta)
{
  fail_unless_equals_string (PDF_TEXT_TYPE, GST_DOC_TEXT_SPANS_TYPE);
  fail_unless_equals_int (PDF_FONT_BOLD, GST_DOC_TEXT_BOLD);
  fail_unless_equals_int (PDF_FONT_ITALIC, GST_DOC_TEXT_ITALIC);
}

GST_END_TEST

/* The 35 fonts of PostScript, and names met in documents. */
static const struct
{
  const gchar *names;           /* divided by blanks */
  guint style;
} fonts[] = {
  {"AvantGarde-Book Bookman-Light Courier Helvetica NewCenturySchlbk-Roman Palatino-Roman Symbol Times-Roman "
      "ZapfDingbats Helvetica-Narrow ArialMT TimesNewRomanPSMT Calibri NimbusRomNo9L-Regu LMRoman10-Regular "
      "MinionPro-Medium NVIDIASans-Medium Frutiger-Roman HelveticaNeue-Condensed KoPubBatangLight "
      "JansonTextLTStd-Roman-Identity-H NotoSansCJKkr-Light Tajawal-Medium AdobeCorpID-MyriadRg CMR10 CMTT9 CMSS10 "
      "CMSY10 CMCSC10 CMEX10 SFRM1000 SFTT1095 CIDFont+F1 Black Italia Slab-Regular Heavyweight Dm It BOOKBD - , + "
      "Foo- Foo-, CMBRIGHT CMB10X 10", 0},
  {"AvantGarde-Demi Bookman-Demi Courier-Bold Helvetica-Bold Helvetica-Narrow-Bold NewCenturySchlbk-Bold "
      "Palatino-Bold Times-Bold Arial-BoldMT TimesNewRomanPS-BoldMT Calibri,Bold Arial-Black ABCDEF+Foo-Bold "
      "NimbusRomNo9L-Medi LMRoman10-Bold BNazaninBold GmarketSansBold-KSCpc-EUC-H AdobeCorpID-MyriadBd "
      "HelveticaNeue-BoldCond HelveticaNeueLTPro-Bd Frutiger-BlackCn Frutiger-UltraBlack Gill-ExtHeavy "
      "LubalinGraphStd-Demi OpenSans-SemiBold arialbold CMBX10 CMB10 CMBX12 CMSSBX10 CMBSY10 SFBX0900 SFSX1000",
    PDF_FONT_BOLD},
  {"AvantGarde-BookOblique Bookman-LightItalic Courier-Oblique Helvetica-Oblique Helvetica-Narrow-Oblique "
      "NewCenturySchlbk-Italic Palatino-Italic Times-Italic ZapfChancery-MediumItalic Arial-ItalicMT Calibri,Italic "
      "NimbusRomNo9L-ReguItal LMRomanSlant10-Regular,Slanted AdobeCorpID-MyriadRgIt MinionPro-It Helvetica-Obl "
      "t1xtt-Slant_167 Foo-Kursiv Univers-LtIc LMMathItalic10-Regular CMTI10 CMSL10 CMSLTT10 CMITT10 CMMI10 CMSSI12 "
      "SFTI1000 SFSL1000", PDF_FONT_ITALIC},
  {"AvantGarde-DemiOblique Bookman-DemiItalic Courier-BoldOblique Helvetica-BoldOblique Times-BoldItalic "
      "Arial-BoldItalicMT Calibri,BoldItalic TimesNewRoman,BoldItalic NimbusRomNo9L-MediItal AdobeCorpID-MyriadBdIt "
      "Frutiger-BlackItalic Minion-HvIt CMBXTI10 CMBXSL10 CMMIB10 SFBI1000 ABCDEF+SFBL1000",
    PDF_FONT_BOLD | PDF_FONT_ITALIC},
};

GST_START_TEST (font_styles)
{
  gchar **names = g_strsplit (fonts[__i__].names, " ", -1);

  for (guint i = 0; names[i]; i++)
    fail_unless (pdf_font_style (names[i]) == fonts[__i__].style,
        "%s is %u", names[i], pdf_font_style (names[i]));
  fail_unless_equals_int (pdf_font_style (""), 0);
  g_strfreev (names);
}

GST_END_TEST

static Suite *
pdftext_suite (void)
{
  Suite *s = suite_create ("pdftext");
  TCase *tc = doc_tcase_new ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, written_as_glib_does);
  tcase_add_test (tc, read_as_written);
  tcase_add_loop_test (tc, values_that_no_page_has, 0, G_N_ELEMENTS (values));
  tcase_add_test (tc, lines_begin_at_0);
  tcase_add_test (tc, damage);
  tcase_add_test (tc, same_as_the_meta);
  tcase_add_loop_test (tc, font_styles, 0, G_N_ELEMENTS (fonts));
  return s;
}

GST_CHECK_MAIN (pdftext)
