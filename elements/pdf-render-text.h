/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a page as poppler finds them; part of the render worker. */
#pragma once

#include <poppler.h>

/* The words of a page as pdftext.h has them. Cheap for a page that has been drawn, as poppler has laid its text out
 * then; for any other it takes about as long as drawing it. NULL with `reason` (static) where poppler's answers make
 * no sense. (transfer full) */
GByteArray *pdf_render_text_new (PopplerPage *page, const char **reason);
