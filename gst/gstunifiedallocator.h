/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified memory: frames in memfd memory that another process can fill, that every element maps as
 * plain memory, and that a GPU reads where it lies.
 *
 * The memfd is made and sealed (no shrinking, no growing, no more seals) before anyone else sees it,
 * so that no holder of the descriptor can make a reader fault. Memory is recognised by its type,
 * GST_UNIFIED_MEMORY_TYPE; caps stay plain video/x-raw.
 */
#pragma once

#include "gstdocprelude.h"

#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_UNIFIED_MEMORY_TYPE "GstUnifiedMemory"
#define GST_TYPE_UNIFIED_ALLOCATOR (gst_unified_allocator_get_type ())
GST_DOC_API
G_DECLARE_FINAL_TYPE (GstUnifiedAllocator, gst_unified_allocator, GST, UNIFIED_ALLOCATOR, GstAllocator)

/* The one allocator of the process. Allocation gives NULL, and an error in the log that names the
 * limit, where descriptors or memory run out. Any alignment is honoured. (transfer full) */
GST_DOC_API
GstAllocator *gst_unified_allocator_get (void);

GST_DOC_API
gboolean gst_is_unified_memory (GstMemory * memory);

/* The memory's descriptor, for sending to another process; stays the memory's. It covers
 * `maxsize` bytes, and more up to whole pages or a size class; the memory's bytes begin `offset` bytes into it
 * (gst_memory_get_sizes()). Parts made by gst_memory_share() have their parent's. -1 for other
 * memory. */
GST_DOC_API
gint gst_unified_memory_get_fd (GstMemory * memory);

/* A number that no other unified memory of this process has or had, so that a holder of
 * descriptors knows one that it has mapped already; parts have their parent's. 0 for other memory. */
GST_DOC_API
guint64 gst_unified_memory_get_serial (GstMemory * memory);

/* What a kind of device needs to read memory where it lies; lives as long as the process. `attach` is called once for
 * each memory, for all of its mapping (`size` bytes from `data` on, whole pages); `detach` before it is unmapped. From
 * any thread. `device` is the caller's number. */
typedef struct {
  gboolean (*attach) (gpointer data, gsize size, gint device);
  void (*detach) (gpointer data, gint device);
} GstUnifiedDevice;

/* Attaches the memory, or the one that it is a part of, where no device has it yet; one that failed is not tried again.
 * FALSE where it failed, and for other memory. Attaching takes long (about 1 ms for 8 MB), so that memory whose
 * descriptor nobody asked for is kept when it is freed, attached, up to 256 MiB in all, for the next allocation of its
 * size class (an eighth of a power of two): frames of changing sizes. */
GST_DOC_API
gboolean gst_unified_memory_attach (GstMemory * memory, const GstUnifiedDevice * device, gint index);

/* Frees what is kept. */
GST_DOC_API
void gst_unified_allocator_trim (GstUnifiedAllocator * allocator);

/* A pool of video frames in unified memory. Where its configuration has the option
 * GST_BUFFER_POOL_OPTION_VIDEO_META, buffers have a GstVideoMeta and rows are aligned to 16 bytes at
 * least; without it rows lie as GstVideoInfo says for the caps, since such a user would not look. */
#define GST_TYPE_UNIFIED_BUFFER_POOL (gst_unified_buffer_pool_get_type ())
GST_DOC_API
G_DECLARE_FINAL_TYPE (GstUnifiedBufferPool, gst_unified_buffer_pool, GST, UNIFIED_BUFFER_POOL, GstVideoBufferPool)
/* `allocator`: whose memory it is instead; NULL: unified memory. (transfer full) */
GST_DOC_API
GstBufferPool *gst_unified_buffer_pool_new (GstAllocator * allocator);

G_END_DECLS
