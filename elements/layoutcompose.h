/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Brings a picture to a frame: as a composition that the sink lays over it, or into its pixels. */
#pragma once

#include <gst/video/video.h>

#include "layoutpicture.h"

G_BEGIN_DECLS

/* Formats that gst_layout_compose_onto() is tried with. */
#define GST_LAYOUT_COMPOSE_FORMATS "{ BGRx, BGRA, RGBx, RGBA, xRGB, ARGB, xBGR, ABGR, RGB, BGR, GRAY8, NV12, NV21, I420, " \
  "YV12, YUY2, UYVY, Y42B, Y444, NV16, P010_10LE, I420_10LE, AYUV }"

/* A rectangle for each piece of a picture that has some. NULL with *reason set where cairo cannot draw one of them.
 * (transfer full) */
GstVideoOverlayComposition *gst_layout_compose (const GstLayoutPicture * picture, const gchar ** reason);

/* Draws into a frame that is mapped for reading and writing. FALSE with *reason set where that cannot be done. */
gboolean gst_layout_compose_onto (const GstLayoutPicture * picture, GstVideoFrame * frame, const gchar ** reason);

G_END_DECLS
