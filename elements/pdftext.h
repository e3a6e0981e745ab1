/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a page on their way from a render worker: written there, checked here.
 *
 * They travel as GLib's serialised form of a variant of type GST_DOC_TEXT_SPANS_TYPE (gst/gstdoctextmeta.h, which
 * says what is in it), so that they need not be put together again to be passed on. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PDF_TEXT_TYPE "a(sdddddsuu)"

/* Writes that form word by word, in a thirtieth of the time that a GVariantBuilder takes. */
typedef struct {
  GByteArray *bytes;
  GArray *ends;                 /* of gsize: where each word ends */
} PdfTextWriter;

void pdf_text_writer_init (PdfTextWriter * writer);

/* One more word; the arguments are the fields of a span. `text` and `font` are to be valid UTF-8. */
void pdf_text_writer_add (PdfTextWriter * writer, const gchar * text, gdouble x0, gdouble y0, gdouble x1, gdouble y1,
    gdouble size, const gchar * font, guint32 flags, guint32 line);

/* What has been written; the writer is as before pdf_text_writer_init(). (transfer full) */
GByteArray *pdf_text_writer_end (PdfTextWriter * writer);

/* A variant with a copy of `size` bytes that nobody need be trusted for, and that may change while they are read. NULL
 * if they are not in normal form, a number is not finite, a box ends before it begins, a size is below 0, or lines are
 * not counted from 0 on without gaps. (transfer full) */
GVariant *pdf_text_read (const guint8 * bytes, gsize size);

G_END_DECLS
