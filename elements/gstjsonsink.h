/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_JSON_SINK (gst_json_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstJsonSink, gst_json_sink, GST, JSON_SINK, GstBaseSink)
GST_ELEMENT_REGISTER_DECLARE (jsonsink)

G_END_DECLS
