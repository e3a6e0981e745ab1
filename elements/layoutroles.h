/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the labels of the known models mean in documents: one table for all formats that have kinds of their own
 * (docs/formats.md shows it). Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  GST_LAYOUT_KIND_TEXT,
  GST_LAYOUT_KIND_TITLE,       /* of the document */
  GST_LAYOUT_KIND_HEADING,
  GST_LAYOUT_KIND_ANY_HEADING, /* the document's title where it is the first one, else as above */
  GST_LAYOUT_KIND_LIST_ITEM,
  GST_LAYOUT_KIND_CAPTION,
  GST_LAYOUT_KIND_CODE,
  GST_LAYOUT_KIND_FORMULA,
  GST_LAYOUT_KIND_PICTURE,
  GST_LAYOUT_KIND_TABLE,
  GST_LAYOUT_KIND_FORM,
  GST_LAYOUT_KIND_KEY_VALUE,
} GstLayoutKind;

typedef struct {
  GstLayoutKind kind;
  const gchar *docling;   /* docling-core's DocItemLabel */
  const gchar *page;      /* element of PAGE */
  const gchar *page_type; /* its type; NULL: it has none */
  gboolean furniture;     /* repeated on pages, no part of what they say */
} GstLayoutRole;

/* The role of a label; case and the separators space, '-' and '_' make no difference. One that is not known is text. */
const GstLayoutRole *gst_layout_role (const gchar * label);

G_END_DECLS
