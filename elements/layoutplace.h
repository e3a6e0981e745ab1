/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where tags and the legend go: where they hide least. */
#pragma once

#include "layoutpicture.h"

G_BEGIN_DECLS

/* What is on the frame. */
typedef struct {
  gint width, height;   /* pixels of the frame */
  const GArray *boxes;  /* of GstLayoutRect: regions with their outlines */
  const GArray *tags;   /* of GstLayoutRect: those placed so far, which are four times as bad to hide */
} GstLayoutPlaces;

/* Sets x and y of `tag`, whose size is set, for the region `box`: above it, beside, below or inside, moved into the
 * frame. Of equal places the first. */
void gst_layout_place_tag (const GstLayoutPlaces * places, const GstLayoutRect * box, GstLayoutRect * tag);

/* The same for what belongs to no region: into a corner of the frame, `margin` pixels from its edges, at the bottom right
 * if it hides nothing there; or to the left or right between two corners, where all of them would hide more. */
void gst_layout_place_at_side (const GstLayoutPlaces * places, gint margin, GstLayoutRect * rect);

G_END_DECLS
