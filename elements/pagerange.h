/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pages of a document: "1-5,9", "7-", "-3". */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GstDocPageRange GstDocPageRange;

/* Reads numbers and spans, separated by commas, blanks allowed around each; a span without its first
 * number begins at page 1, one without its last ends at the last page. NULL or an empty text means
 * all pages. The order is kept as written, and a page that is named twice comes twice. NULL with
 * `error` (G_OPTION_ERROR_BAD_VALUE) for anything else: page 0, a span that runs backwards,
 * other characters. (transfer full) */
GstDocPageRange *gst_doc_page_range_parse (const gchar * text, GError ** error);
void gst_doc_page_range_free (GstDocPageRange * range);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstDocPageRange, gst_doc_page_range_free)

/* Drops what lies beyond a document of `n_pages` pages; to be called before the two below.
 * Returns the number of pages that remain, at most G_MAXINT. */
guint gst_doc_page_range_clip (GstDocPageRange * range, guint n_pages);

/* The page, from 1, at position `index`, from 0, or 0 beyond the end. */
guint gst_doc_page_range_get (const GstDocPageRange * range, guint index);

G_END_DECLS
