/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mapped frame of GStreamer's as the engine takes it. */
#pragma once

#include <gst/video/video.h>

#include "kernels/nn.h"

G_BEGIN_DECLS

/* `input` points into the frame. FALSE with `error` set (GST_STREAM_ERROR) where its rows overlap, or its format is none of
 * the element's. */
gboolean gst_layout_frame_describe (const GstVideoFrame * frame, nn_frame * input, GError ** error);

G_END_DECLS
