/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which picture or table a caption belongs to. Pure. */
#pragma once

#include "gst/gstdoclayoutmeta.h"

G_BEGIN_DECLS

/* For each of `regions` (of GstDocRegion) the index of the region that it is the caption of, or -1: the nearest picture
 * or table, as its label has it, by the distance between the boxes; of several at one distance the first. One further
 * away than a tenth of `height`, that of the frame in pixels, is none of its. (transfer full) */
gint *gst_layout_captions (const GArray * regions, guint height);

G_END_DECLS
