/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect: finds the regions of document pages. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CUDA_LAYOUT_DETECT (gst_cuda_layout_detect_get_type ())
G_DECLARE_FINAL_TYPE (GstCudaLayoutDetect, gst_cuda_layout_detect, GST, CUDA_LAYOUT_DETECT, GstElement)

GST_ELEMENT_REGISTER_DECLARE (cudalayoutdetect)

G_END_DECLS
