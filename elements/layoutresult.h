/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine found on a page, as the layout that goes onto its buffer: with reading order and text. */
#pragma once

#include "gst/gstdoclayoutmeta.h"
#include "layoutmodel.h"

G_BEGIN_DECLS

typedef enum {
  GST_LAYOUT_DIRECTION_AUTO,
  GST_LAYOUT_DIRECTION_LTR,
  GST_LAYOUT_DIRECTION_RTL,
} GstLayoutDirection;

/* How a page is read. */
typedef struct {
  GstLayoutDirection direction;
  gboolean snap, join_hyphens;
} GstLayoutReading;

/* The layout of `buffer`, a page that the detector saw as `frame`. Where the buffer has a text meta and its page meta
 * the page's size, regions have their text; otherwise texts are NULL. `ms`: the engine's time. (transfer full) */
GstDocLayout *gst_layout_result_new (const nn_detector * detector, const GstLayoutModel * model, const nn_frame * frame,
    const nn_detections * found, gdouble ms, GstBuffer * buffer, const GstLayoutReading * reading);

G_END_DECLS
