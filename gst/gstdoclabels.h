/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels' colours: one palette for everything that draws. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The colour of a label, 0xRRGGBB. Labels of one meaning in different models (figure, picture,
 * image) share a colour; a label that is not known gets one by its name, always the same. The
 * palette is told apart with red-green colour blindness (source: in the .c file). */
guint32 gst_doc_label_color (const gchar * label);

G_END_DECLS
