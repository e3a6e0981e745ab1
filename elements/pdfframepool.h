/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of frames in unified memory that gives out the one that came back last: it is the one that caches still hold.
 * GstBufferPool's own queue has all frames take turns, of which there are as many as were ever needed at once; here
 * those that are not needed any more are freed. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_PDF_FRAME_POOL (gst_pdf_frame_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstPdfFramePool, gst_pdf_frame_pool, GST, PDF_FRAME_POOL, GstBufferPool)

/* Of frames of `size` bytes; active. NULL if it cannot be had. (transfer full) */
GstBufferPool *gst_pdf_frame_pool_new (gsize size);

G_END_DECLS
