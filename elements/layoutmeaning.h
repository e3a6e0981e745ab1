/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a label says of a region's place on the page: one table for reading order and text. Pure. */
#pragma once

#include "layoutcut.h"

G_BEGIN_DECLS

/* In the order in which they are read. */
typedef enum {
  GST_LAYOUT_PART_HEADER,
  GST_LAYOUT_PART_BODY,
  GST_LAYOUT_PART_ASIDE,
  GST_LAYOUT_PART_FOOTNOTE,
  GST_LAYOUT_PART_FOOTER,
  GST_LAYOUT_PART_NOWHERE, /* of no label */
  GST_LAYOUT_N_PARTS,
  GST_LAYOUT_PART_MARGIN,  /* header or footer, by where it stands */
} GstLayoutPart;

/* What is not running text. */
enum {
  GST_LAYOUT_IS_PICTURE = 1 << 0,
  GST_LAYOUT_IS_TABLE = 1 << 1,
  GST_LAYOUT_IS_LISTING = 1 << 2,
  GST_LAYOUT_IS_ANY = GST_LAYOUT_IS_PICTURE | GST_LAYOUT_IS_TABLE | GST_LAYOUT_IS_LISTING, /* that has a caption */
  GST_LAYOUT_IS_FORMULA = 1 << 3,
  GST_LAYOUT_IS_FORM = 1 << 4,
};

typedef struct {
  GstLayoutPart part;
  GstLayoutCutKind kind;
  guint is;         /* one of these, or 0 */
  guint belongs_to; /* a caption, or a note: any of these */
  gboolean holds;   /* others may lie in it */
} GstLayoutMeaning;

/* Case and the separators space, '-' and '_' make no difference. A label that is not known, or NULL, is text. */
const GstLayoutMeaning *gst_layout_meaning (const gchar * label);

G_END_DECLS
