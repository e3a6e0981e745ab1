/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of pages: pixels, GstVideoMeta and nothing else. The format is BGRx. */
#pragma once

#include <gst/video/video.h>

#include "pdfgeometry.h"

G_BEGIN_DECLS

/* A white frame. NULL if there is no memory. (transfer full) */
GstBuffer *gst_pdf_frame_new_white (const GstPdfGeometry * geometry);

/* Adds the GstVideoMeta to `frame` (transfer full), or, where the next element does not look at it
 * (`with_meta` FALSE) and rows do not touch each other yet, returns a copy with rows that touch each other.
 * `copied` is set to the bytes of that copy, else to 0. NULL if there is no memory. (transfer full) */
GstBuffer *gst_pdf_frame_finish (GstBuffer * frame, const GstPdfGeometry * geometry, gboolean with_meta,
    gsize * copied);

G_END_DECLS
