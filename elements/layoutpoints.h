/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixels of a layout's frame and points of its page. Pure.
 *
 * Points are of the page as seen, their origin the top left of its crop box: by the page meta's scale, else taking the
 * page to fill its frame. Frames that were scaled after the detector saw them are told by the layout's origin.
 */
#pragma once

#include "gst/gstdoclayoutmeta.h"
#include "gst/gstdocpagemeta.h"
#include "gst/gstdoctextmeta.h"

G_BEGIN_DECLS

/* Whether the page's size is known. */
gboolean gst_layout_has_size (const GstDocPage * page);

/* A point of the layout's frame in points of the page. FALSE (nothing set) where the page's size is not known; `page`
 * may be NULL. */
gboolean gst_layout_to_points (const GstDocPage * page, const GstDocLayout * layout,
    gdouble x, gdouble y, gdouble * x_pt, gdouble * y_pt);

/* The other way round. */
gboolean gst_layout_to_pixels (const GstDocPage * page, const GstDocLayout * layout,
    gdouble x_pt, gdouble y_pt, gdouble * x, gdouble * y);

/* The words of a text meta, as an array of GstDocTextSpan whose strings are those of `spans` and whose boxes are in pixels
 * of the layout's frame, and finite. NULL where the page's size is not known. (transfer full) */
GArray *gst_layout_place_words (const GstDocPage * page, const GstDocLayout * layout, GVariant * spans);

G_END_DECLS
