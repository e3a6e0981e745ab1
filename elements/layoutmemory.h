/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How frames in any memory reach the network without a copy, and the memory that upstream is proposed for them. */
#pragma once

#include <gst/gst.h>

#include "layoutconfig.h"

G_BEGIN_DECLS

typedef struct {
  nn_memory_path path;
  gint device;          /* CUDA's number; unused on the CPU */
  GstLayoutMemory kind; /* never AUTO */
} GstLayoutFrameMemory;

/* For a device that nn_device_check() finds well. FALSE with `error` set where it does not have the memory that is
 * asked for; a CPU takes any. */
gboolean gst_layout_frame_memory_choose (GstLayoutFrameMemory * memory, const GstLayoutConfig * config,
    nn_device_kind device, GError ** error);

/* Makes the device able to read the frame where it lies, where it takes more than being there. */
void gst_layout_frame_memory_attach (const GstLayoutFrameMemory * memory, GstBuffer * frame);

/* Bytes that mapping the whole frame for the CPU copies: those of a frame in several pieces. */
gsize gst_layout_frame_memory_copies (GstBuffer * frame);

/* A pool, not configured. (transfer full) */
GstBufferPool *gst_layout_frame_memory_pool_new (const GstLayoutFrameMemory * memory);

G_END_DECLS
