/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text meta: the words of a page's text layer and where they stand.
 *
 * A GstCustomMeta named "GstDocTextMeta" with one field:
 *   spans   variant "a(sdddddsuu)": a tuple for each word, words being what pdftotext -bbox calls so, in the order in which
 *           poppler reads the page:
 *     s     the word without white space, in the order in which it is read (right to left too); its characters are
 *           those that the document says, be they ligatures ("fi" or U+FB01), control characters or unknown (U+FFFD)
 *     dddd  x0, y0, x1, y1: its box in points of the page as seen (crop box, rotated), origin at the top left,
 *           y down; part of it may lie outside of the page
 *     d     size of its font in points, as it is on the page
 *     s     name of its font without the prefix of a subset, at most 127 bytes; "" where it has none. Of two fonts in
 *           a word it is that of most characters
 *     u     flags: GstDocTextFlags
 *     u     its line, counting from 0 in the page; the spans of a line follow each other
 * Boxes are of the page, not of the frame (GstDocPageMeta says how one lies in the other), so that no element has
 * to change them: the meta has no tags, and every element that copies a frame passes it on. The variant is shared
 * by all copies and never changes.
 * A page without text has the meta with no spans; a page whose text was not asked for, or could not be had, has none.
 * Python, with python3-gi alone or with gst-python (tests/test_metas.py):
 *   text = buffer.get_custom_meta("GstDocTextMeta").get_structure().get_value("spans")
 *   for word, x0, y0, x1, y1, size, font, flags, line in text.unpack():
 *       print(word, font, size)
 */
#pragma once

#include "gstdocprelude.h"

G_BEGIN_DECLS

#define GST_DOC_TEXT_META_NAME "GstDocTextMeta"
#define GST_DOC_TEXT_SPANS_TYPE "a(sdddddsuu)"

/* How a font looks, as far as its name tells ("Arial-BoldItalicMT", "Frutiger-BlackCn", "CMTI10"). Other bits may come. */
typedef enum {
  GST_DOC_TEXT_BOLD = 1 << 0,
  GST_DOC_TEXT_ITALIC = 1 << 1, /* or oblique */
} GstDocTextFlags;

typedef struct {
  const gchar *text;
  gdouble x0, y0, x1, y1, size;
  const gchar *font;
  guint flags, line;
} GstDocTextSpan;

/* Registers the meta; called by the plugin, by the functions below, and harmless when repeated. */
GST_DOC_API
void gst_doc_text_meta_register (void);

/* Adds the meta (replacing one that is there) with `spans`, of type GST_DOC_TEXT_SPANS_TYPE, of which it keeps a
 * reference; a floating one is taken. FALSE if `buffer` is not writable. */
GST_DOC_API
gboolean gst_doc_text_meta_add (GstBuffer * buffer, GVariant * spans);

/* What the meta has, or NULL where there is no meta or no variant of that type in it. (transfer full) */
GST_DOC_API
GVariant *gst_doc_text_meta_get (GstBuffer * buffer);

/* Words in `spans`, of type GST_DOC_TEXT_SPANS_TYPE. */
GST_DOC_API
guint gst_doc_text_n_spans (GVariant * spans);

/* Sets `span` to the word at `index`, below their number. Its strings live as long as `spans`. Takes the same time
 * for each; any number of threads may read the same variant. */
GST_DOC_API
void gst_doc_text_get_span (GVariant * spans, guint index, GstDocTextSpan * span);

G_END_DECLS
