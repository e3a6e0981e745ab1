/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types of cudalayoutdetect's properties that are choices. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define GST_TYPE_LAYOUT_DEVICE (gst_layout_device_get_type ())
GType gst_layout_device_get_type (void);

#define GST_TYPE_LAYOUT_PRECISION (gst_layout_precision_get_type ())
GType gst_layout_precision_get_type (void);

#define GST_TYPE_LAYOUT_MEMORY (gst_layout_memory_get_type ())
GType gst_layout_memory_get_type (void);

#define GST_TYPE_LAYOUT_RESIZE_FILTER (gst_layout_resize_filter_get_type ())
GType gst_layout_resize_filter_get_type (void);

#define GST_TYPE_LAYOUT_DUPLICATES (gst_layout_duplicates_get_type ())
GType gst_layout_duplicates_get_type (void);

#define GST_TYPE_LAYOUT_DIRECTION (gst_layout_direction_get_type ())
GType gst_layout_direction_get_type (void);

#define GST_TYPE_LAYOUT_CHANNEL_ORDER (gst_layout_channel_order_get_type ())
GType gst_layout_channel_order_get_type (void);

#define GST_TYPE_LAYOUT_LETTERBOX (gst_layout_letterbox_get_type ())
GType gst_layout_letterbox_get_type (void);

G_END_DECLS
