/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PDF documents for tests, written at test time. */
#pragma once

#include <glib.h>

typedef struct {
  gdouble width, height;        /* points, of the media box */
  gdouble crop[4];              /* crop box: left, bottom, right, top; none where all are 0 */
  gint rotate;                  /* degrees clockwise */
  const gchar *content;         /* operators; NULL: all of the page in pdf_grey (number). Fonts: F is Helvetica, B its
                                   bold oblique */
} PdfPageSpec;

/* The grey, 0 … 255, that page `number`, from 1, is filled with: another for each of 200 pages. */
guint8 pdf_grey (guint number);

/* Writes a document and returns its name in a folder of this process's own, which
 * pdf_remove_files() removes with all that is in it. (transfer full) */
gchar *pdf_write (const gchar * name, const PdfPageSpec * pages, guint n_pages);

/* The same with `n_pages` plain pages of 72 × 108 points. */
gchar *pdf_write_plain (const gchar * name, guint n_pages);

/* A file of any bytes in that folder. (transfer full) */
gchar *pdf_write_bytes (const gchar * name, const gchar * bytes, gsize size);

void pdf_remove_files (void);
