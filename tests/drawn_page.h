/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages drawn by the test: blocks of what looks like lines of text, so that what the detector is to
 * find, and where, is known without another detector. */
#pragma once

#include <gst/video/video.h>

typedef struct {
  gint x0, y0, x1, y1;
} DrawnBlock;

/* A page of `caps` (any of cudalayoutdetect's formats): white with the block on it, `padding` bytes
 * behind each row (then with a GstVideoMeta), its number as PTS in seconds. */
GstBuffer *drawn_page_new (const gchar *caps, const DrawnBlock *block, guint padding, guint number);

/* Where page `number` of a test has its block on 848×1100 pixels: another place each. */
DrawnBlock drawn_block (guint number);
