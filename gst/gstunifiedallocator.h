/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified memory: frames in memfd memory that another process can fill, that every element maps as
 * plain memory, and that a GPU reads where it lies.
 *
 * The memfd is made and sealed (no shrinking, no growing, no more seals) before anyone else sees it,
 * so that no holder of the descriptor can make a reader fault. Memory is recognised by its type,
 * GST_UNIFIED_MEMORY_TYPE; caps stay plain video/x-raw.
 */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_UNIFIED_MEMORY_TYPE "GstUnifiedMemory"
#define GST_TYPE_UNIFIED_ALLOCATOR (gst_unified_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstUnifiedAllocator, gst_unified_allocator, GST, UNIFIED_ALLOCATOR, GstAllocator)

/* The one allocator of the process. (transfer full) */
GstAllocator *gst_unified_allocator_get (void);

gboolean gst_is_unified_memory (GstMemory * memory);

/* The memory's descriptor, for sending to another process; stays the memory's. It covers
 * `maxsize` bytes, rounded up to whole pages, from offset 0. -1 for other memory. */
gint gst_unified_memory_get_fd (GstMemory * memory);

/* A number that no other unified memory of this process has or had, so that a holder of
 * descriptors knows one that it has mapped already. 0 for other memory. */
guint64 gst_unified_memory_get_serial (GstMemory * memory);

/* A pool of video frames in unified memory, rows aligned to 16 bytes, with GstVideoMeta. (transfer full) */
#define GST_TYPE_UNIFIED_BUFFER_POOL (gst_unified_buffer_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstUnifiedBufferPool, gst_unified_buffer_pool, GST, UNIFIED_BUFFER_POOL, GstVideoBufferPool)
GstBufferPool *gst_unified_buffer_pool_new (void);

G_END_DECLS
