/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a region in the forms that documents want it. Text is UTF-8, its lines end in '\n'; NULL is none.
 * Control characters count as white space. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Its words, what stands between white space, with single spaces. (transfer full) */
gchar *gst_region_text_flow (const gchar * text);

/* Its lines, each with single spaces between its words; empty ones are left out. (transfer full) */
gchar **gst_region_text_lines (const gchar * text);

/* Bytes that a list item's bullet (a dot, dash, square …) takes, and the white space behind it; 0: it has none, as
 * where nothing follows it or no white space does. */
gsize gst_region_text_bullet (const gchar * text);

/* Bytes that the number of a list item takes ("1.", "(12)", "3)"), as above. */
gsize gst_region_text_number (const gchar * text);

G_END_DECLS
