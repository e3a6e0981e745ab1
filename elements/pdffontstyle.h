/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a font looks, by its name: poppler-glib tells neither weight nor slant. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The bits of GstDocTextFlags (gst/gstdoctextmeta.h). */
enum {
  PDF_FONT_BOLD = 1 << 0,
  PDF_FONT_ITALIC = 1 << 1
};

/* The style of the font with this PostScript name, whose prefix of a subset ("ABCDEF+") makes no difference:
 *   - "bold", and "italic" or "oblique", anywhere and in any case;
 *   - behind the first hyphen or comma, a part that is one of the words and abbreviations that fonts are named with,
 *     parts being what a capital letter begins: "Frutiger-BlackCn", "MinionPro-MediumIt", "NimbusRomNo9L-Medi";
 *   - the names of TeX's fonts that say it in their own way: "CMBX10", "SFTI1000".
 * 0 for all others, what the font really looks like aside. */
guint pdf_font_style (const gchar * name);

G_END_DECLS
