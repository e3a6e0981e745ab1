/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words that the end of a line parts. Pure.
 *
 * Where the line's last word ends in a hyphen (U+002D, U+2010) behind a letter or digit, and the next line begins with
 * one, the two are one word. The hyphen goes where it parts syllables, as far as can be told: two or more letters and
 * nothing else before it, a lower-case letter behind it, and the word is not on the page with its hyphen in the middle
 * of a line. Else it stays: "state-of-the-art", "Anglo-American", "1990-2000", "e-mail". A soft hyphen (U+00AD) goes
 * always. In front of "and", "und" and the like nothing is joined: "pre- and post-war".
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _GstLayoutHyphens GstLayoutHyphens;

/* Of a page's words, an array of GstDocTextSpan. */
GstLayoutHyphens *gst_layout_hyphens_new (const GArray * words);
void gst_layout_hyphens_free (GstLayoutHyphens * hyphens); /* NULL is fine */

/* If `next`, which begins the next line, is the rest of the last word of `text`: takes off that one's hyphen if it is
 * to go, and TRUE. Else FALSE, and nothing is changed. */
gboolean gst_layout_hyphens_join (const GstLayoutHyphens * hyphens, GString * text, const gchar * next);

G_END_DECLS
