/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels: which are one, and their colours, one palette for everything that draws. */
#pragma once

#include "gstdocprelude.h"

G_BEGIN_DECLS

/* Whether two labels are one: case and the separators space, '-' and '_' make no difference, so that "List-item" is
 * "list_item". Either may be NULL, which is only NULL. */
GST_DOC_API
gboolean gst_doc_label_equal (const gchar * a, const gchar * b);

/* The colour of a label, 0xRRGGBB. Labels of one meaning in different models (figure, picture,
 * image) share a colour; case and the separators space, '-' and '_' make no difference. A label
 * that is not known gets a colour by its name, always the same. The palette is told apart with
 * red-green colour blindness (source: in the .c file). `label` may be NULL. */
GST_DOC_API
guint32 gst_doc_label_color (const gchar * label);

G_END_DECLS
