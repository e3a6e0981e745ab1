/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Breuel's topological sort of boxes (layoutcut.h), which takes any: interlocked, overlapping, one in another. */
#pragma once

#include "layoutcut.h"

G_BEGIN_DECLS

/* Sorts `n` boxes. What is above, by its middle, goes first where two share more than `tolerance` pixels of width, or a
 * quarter of the narrower one. Then what is left of another goes first, unless that contradicts what was decided before,
 * and so where a third one between them spans both; of such pairs those first that are beside each other most. Work is n²
 * to n³ / 64, memory n² / 8 bytes and, for a moment, 16 bytes a pair. */
void gst_layout_topology_sort (GstLayoutCutBox * boxes, guint n, gdouble tolerance);

G_END_DECLS
