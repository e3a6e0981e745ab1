/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_LAYOUT_OVERLAY (gst_layout_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstLayoutOverlay, gst_layout_overlay, GST, LAYOUT_OVERLAY, GstElement)
GST_ELEMENT_REGISTER_DECLARE (layoutoverlay)

G_END_DECLS
