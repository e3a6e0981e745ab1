/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading order of a page's regions, by their boxes and labels. Pure.
 *
 * Page headers first, footers last, in front of them the footnotes; a page number is one or the other by where it
 * stands. Between them the body, as layoutcut.h sorts it, from the left or, on a page that is written from right to
 * left, from the right. A region that lies in a picture, table or form follows it. The caption of a picture, table or
 * listing (and a note to it) follows that too, wherever it stands: it is the nearest one, above, below or beside it,
 * within a tenth of the page, with no other region between them. A strip of text up the page's edge, such as arXiv's
 * stamp, comes after the body.
 * Cost on one core of the machine of docs/performance.md: 6 µs for 20 regions, 0.2 ms for 200, 0.4 ms for 200 boxes that
 * all overlap; 12 ms for 1,000, above which neither captions nor what lies in another is looked for
 * (tests/test_layoutorder.c prints it).
 */
#pragma once

#include "gst/gstdoclayoutmeta.h"

G_BEGIN_DECLS

/* Sets `order` of every region of `layout`: 0 … n - 1, each once. The result does not depend on the order of the array,
 * but for regions that are alike. Regions whose box is not finite come last. `told`: the model's own order, one a
 * region (nn.h), which is taken as it is unless one of them is < 0; NULL: it has none. */
void gst_layout_order (GstDocLayout * layout, const gint * told, gboolean right_to_left);

G_END_DECLS
