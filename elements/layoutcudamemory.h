/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in a GPU's own memory, as GStreamer's CUDA elements (nvcodec) hand them on: GstCudaMemory, of libgstcuda.
 * In a build without that library there is no such memory (layoutcudamemorynone.c). */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_LAYOUT_FRAME_CAPS \
    GST_VIDEO_CAPS_MAKE ("{ BGRx, BGRA, RGBx, RGBA, RGB, BGR, GRAY8 }")

/* What pad templates offer: GST_LAYOUT_FRAME_CAPS, and before them those with the feature memory:CUDAMemory. */
extern const gchar gst_layout_cuda_caps[];

/* The GstCudaContext of GPU `device`, as CUDA counts them: around the device's primary context, in which the engine
 * runs, so that it reads what was allocated there. One object a device, while somebody has it. NULL without a driver,
 * or such a device. (transfer full) */
GstObject *gst_layout_cuda_context_get (gint device);

/* Answers a neighbour that asks for a CUDA context to allocate in: with `context`, or where that is NULL with the one
 * of `device`, -1 for none. FALSE: the query is about something else, or there is none. */
gboolean gst_layout_cuda_answer (GstElement * element, GstQuery * query, GstObject * context, gint device);

/* Tells the bins around `element` of its context, for elements that come into the pipeline later. NULL is fine. */
void gst_layout_cuda_tell (GstElement * element, GstObject * context);

/* Whether frames of these caps lie in a GPU's memory. */
gboolean gst_layout_cuda_caps_have_feature (const GstCaps * caps);

/* A pool of such frames in `context`, not configured. NULL for the context NULL. (transfer full) */
GstBufferPool *gst_layout_cuda_pool_new (GstObject * context);

/* gst_video_frame_map() for reading, of a frame in any memory. One in `context` is mapped for the GPU, done by whoever
 * writes it: its planes are then addresses that only the GPU reads. Any other, and all where `context` is NULL, is
 * mapped for the CPU, for which what lies in another context is copied. *copied: those bytes, or 0. */
gboolean gst_layout_cuda_map (GstVideoFrame * frame, const GstVideoInfo * info, GstBuffer * buffer,
    GstObject * context, gsize * copied);

G_END_DECLS
