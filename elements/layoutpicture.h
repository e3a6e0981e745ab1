/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is drawn on a frame: pieces, each with the pixels that it may touch, one over the other in their order. A piece
 * looks the same on the frame itself and on a small picture of its own, which a sink lays over the frame.
 * Sizes are in pixels of the frame, origin at the top left; colours are 0xRRGGBB.
 */
#pragma once

#include <glib.h>
#include <pango/pangocairo.h>

G_BEGIN_DECLS

typedef struct {
  gint x, y, width, height;
} GstLayoutRect;

typedef struct _GstLayoutPicture GstLayoutPicture;

/* An empty one. What is added is cut at the frame's edges, and left out where nothing of it is inside. */
GstLayoutPicture *gst_layout_picture_new (gint width, gint height);
void gst_layout_picture_free (GstLayoutPicture * picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstLayoutPicture, gst_layout_picture_free)

/* A rectangle. `alpha`: 0, nothing is seen of it, … 1, nothing behind it. */
void gst_layout_picture_add_rect (GstLayoutPicture * picture, const GstLayoutRect * rect, guint32 color,
    gdouble alpha);

/* A line of dashes from end to end of `rect`, the first and last of which reach its ends: four times as long as the
 * line is wide, with about three times its width between them; shorter ones where the line is short. */
void gst_layout_picture_add_dashes (GstLayoutPicture * picture, const GstLayoutRect * rect, gboolean vertical,
    guint32 color);

/* `text` (kept) on an opaque rectangle, `margin` from its left edge and in the middle of its height; in black or white,
 * whichever can be read. */
void gst_layout_picture_add_text (GstLayoutPicture * picture, const GstLayoutRect * rect, gint margin,
    PangoLayout * text, guint32 color);

/* A line of that width with a white edge, from x0, y0 to x1, y1, where it has a head unless it is very short. */
void gst_layout_picture_add_arrow (GstLayoutPicture * picture, const gint * from_to, gint width, guint32 color);

gint gst_layout_picture_width (const GstLayoutPicture * picture);
gint gst_layout_picture_height (const GstLayoutPicture * picture);
guint gst_layout_picture_n_pieces (const GstLayoutPicture * picture);
/* The pixels that piece `index` may touch: inside of the frame, and not empty. */
GstLayoutRect gst_layout_picture_area (const GstLayoutPicture * picture, guint index);
/* Draws piece `index` where it lies in the frame. */
void gst_layout_picture_paint (const GstLayoutPicture * picture, guint index, cairo_t * cr);

G_END_DECLS
