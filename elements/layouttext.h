/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of a page's text layer given to its regions. Pure.
 *
 * A word is of the region that covers most of it, at least a fifth; of regions that cover as much, of the smallest, then
 * of the one with the better score: words in a text that lies in a figure are the text's, and what else is in the figure
 * is the figure's. Where a region takes words of a line, what no region takes of it goes with the nearest of these:
 * boxes often end before a line does. Words stay in the text layer's order, within a line with a space between two,
 * lines end in '\n' but for the last. Lines of no region are kept in `orphans`. No character is lost: those of the page
 * are those of its regions and its orphans.
 */
#pragma once

#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdoctextmeta.h"

G_BEGIN_DECLS

/* For each of `words`, as below, the index of the one of `regions`, of GstDocRegion, that it is of; -1: of none. (transfer
 * full) */
gint *gst_layout_text_owners (const GArray * regions, const GArray * words);

/* `words`: of GstDocTextSpan, in the text layer's order, their boxes in pixels of the layout's frame and finite. Sets
 * `text` of every region, `orphans` and the counts. `join_hyphens`: a word that is parted by a line's end becomes one
 * (layouthyphen.h), and its line ends behind it. `snap`: the boxes of texts become what their words take (layoutsnap.h).
 * Work is the number of words times that of regions. */
void gst_layout_text (GstDocLayout * layout, const GArray * words, gboolean join_hyphens, gboolean snap);

G_END_DECLS
