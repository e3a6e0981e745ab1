/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstunifiedallocator.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC (gst_unified_allocator_debug);
#define GST_CAT_DEFAULT gst_unified_allocator_debug

typedef struct
{
  GstMemory parent;
  gint fd;                      /* -1 in a part: its parent's counts */
  guint8 *data;                 /* where the descriptor's offset 0 is mapped */
  gsize mapped;                 /* bytes, whole pages; 0 in a part */
  guint64 serial;
} GstUnifiedMemory;

struct _GstUnifiedAllocator
{
  GstAllocator parent;
  guint64 last_serial;          /* under the object lock */
};

/* *INDENT-OFF* */
G_DEFINE_TYPE_WITH_CODE (GstUnifiedAllocator, gst_unified_allocator,
    GST_TYPE_ALLOCATOR,
    GST_DEBUG_CATEGORY_INIT (gst_unified_allocator_debug, "unifiedallocator",
        0, "memfd memory"))
/* *INDENT-ON* */

static const GstUnifiedMemory *whole (GstMemory * memory)
{
  return (const GstUnifiedMemory *) (memory->parent ? memory->parent : memory);
}

/* Logs why `call` failed, with the limit that was hit where errno tells. */
static void
log_failure (GstUnifiedAllocator * self, const gchar * call, gsize size)
{
  gint reason = errno;
  struct rlimit limit;

  if (reason == EMFILE && getrlimit (RLIMIT_NOFILE, &limit) == 0)
    GST_ERROR_OBJECT (self, "%s for %" G_GSIZE_FORMAT " bytes: all of this "
        "process's %" G_GUINT64_FORMAT " file descriptors are in use; raise "
        "the limit (ulimit -n)", call, size, (guint64) limit.rlim_cur);
  else if (reason == ENFILE)
    GST_ERROR_OBJECT (self, "%s for %" G_GSIZE_FORMAT " bytes: the system's "
        "file descriptors are used up (fs.file-max)", call, size);
  else if (reason == ENOMEM)
    GST_ERROR_OBJECT (self, "%s for %" G_GSIZE_FORMAT " bytes: out of memory, "
        "address space (ulimit -v) or mappings (vm.max_map_count)", call, size);
  else
    GST_ERROR_OBJECT (self, "%s for %" G_GSIZE_FORMAT " bytes: %s", call, size,
        g_strerror (reason));
}

/* A memfd of `size` bytes that can be neither shrunk nor grown; -1 on failure. */
static gint
make_sealed_fd (GstUnifiedAllocator * self, gsize size)
{
  gint fd =
      memfd_create ("gst-unified-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0) {
    log_failure (self, "memfd_create", size);
    return -1;
  }
  if (ftruncate (fd, (off_t) size) < 0) {
    log_failure (self, "ftruncate", size);
  } else if (fcntl (fd, F_ADD_SEALS,
          F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
    log_failure (self, "sealing a memfd", size);
  } else {
    return fd;
  }
  close (fd);
  return -1;
}

/* Maps all of `fd` at a multiple of `align` + 1. mmap() aligns to pages only, so for more a larger
 * range is reserved first and its ends are given back. */
static guint8 *
map_aligned (gint fd, gsize size, gsize align, gsize page)
{
  const gsize spare = align < page ? 0 : align + 1 - page;
  guint8 *range, *data;
  gsize before;

  range = mmap (NULL, size + spare, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
      -1, 0);
  if (range == MAP_FAILED)
    return NULL;
  before = -(guintptr) range & align;
  data = mmap (range + before, size, PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_FIXED, fd, 0);
  if (data == MAP_FAILED) {
    munmap (range, size + spare);
    return NULL;
  }
  if (before > 0)
    munmap (range, before);
  if (spare > before)
    munmap (data + size, spare - before);
  return data;
}

static GstMemory *
gst_unified_allocator_alloc (GstAllocator * allocator, gsize size,
    GstAllocationParams * params)
{
  GstUnifiedAllocator *self = GST_UNIFIED_ALLOCATOR (allocator);
  const gsize page = (gsize) sysconf (_SC_PAGESIZE);
  gsize align = params->align | gst_memory_alignment;
  gsize maxsize, mapped;
  GstUnifiedMemory *memory;
  guint8 *data;
  gint fd;

  if (!g_size_checked_add (&maxsize, size, params->prefix)
      || !g_size_checked_add (&maxsize, maxsize, params->padding)
      || maxsize > (gsize) G_MAXSSIZE - page - align) {
    GST_ERROR_OBJECT (self, "%" G_GSIZE_FORMAT " bytes with prefix and padding "
        "are more than can be addressed", size);
    return NULL;
  }
  mapped = (MAX (maxsize, 1) + page - 1) / page * page;

  fd = make_sealed_fd (self, mapped);
  if (fd < 0)
    return NULL;
  data = map_aligned (fd, mapped, align, page);
  if (data == NULL) {
    log_failure (self, "mmap", mapped);
    close (fd);
    return NULL;
  }

  /* A new memfd reads as zeros, so prefix and padding are zero where that is asked for. */
  memory = g_new0 (GstUnifiedMemory, 1);
  gst_memory_init (GST_MEMORY_CAST (memory), params->flags, allocator, NULL,
      maxsize, align, params->prefix, size);
  memory->fd = fd;
  memory->data = data;
  memory->mapped = mapped;
  GST_OBJECT_LOCK (self);
  memory->serial = ++self->last_serial;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "memory %" G_GUINT64_FORMAT ": %" G_GSIZE_FORMAT
      " bytes, descriptor %d", memory->serial, mapped, fd);
  return GST_MEMORY_CAST (memory);
}

static void
gst_unified_allocator_free (GstAllocator * allocator, GstMemory * mem)
{
  GstUnifiedMemory *memory = (GstUnifiedMemory *) mem;

  if (memory->fd >= 0) {
    munmap (memory->data, memory->mapped);
    close (memory->fd);
  }
  g_free (memory);
}

static gpointer
gst_unified_memory_map (GstMemory * mem, gsize maxsize, GstMapFlags flags)
{
  return ((GstUnifiedMemory *) mem)->data;
}

static void
gst_unified_memory_unmap (GstMemory * mem)
{
}

static GstMemory *
gst_unified_memory_share (GstMemory * mem, gssize offset, gssize size)
{
  GstMemory *parent = mem->parent ? mem->parent : mem;
  GstUnifiedMemory *part = g_new0 (GstUnifiedMemory, 1);

  if (size == -1)
    size = mem->size - offset;
  gst_memory_init (GST_MEMORY_CAST (part),
      GST_MINI_OBJECT_FLAGS (parent) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
      mem->allocator, parent, mem->maxsize, mem->align, mem->offset + offset,
      size);
  part->fd = -1;
  part->data = ((GstUnifiedMemory *) mem)->data;
  return GST_MEMORY_CAST (part);
}

static void
gst_unified_allocator_class_init (GstUnifiedAllocatorClass * klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  allocator_class->alloc = gst_unified_allocator_alloc;
  allocator_class->free = gst_unified_allocator_free;
}

static void
gst_unified_allocator_init (GstUnifiedAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = GST_UNIFIED_MEMORY_TYPE;
  allocator->mem_map = gst_unified_memory_map;
  allocator->mem_unmap = gst_unified_memory_unmap;
  allocator->mem_share = gst_unified_memory_share;
}

GstAllocator *
gst_unified_allocator_get (void)
{
  static gsize the_one = 0;

  if (g_once_init_enter (&the_one)) {
    GstAllocator *allocator = g_object_new (GST_TYPE_UNIFIED_ALLOCATOR, NULL);

    gst_object_ref_sink (allocator);
    GST_OBJECT_FLAG_SET (allocator, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    g_once_init_leave (&the_one, (gsize) allocator);
  }
  return gst_object_ref (GSIZE_TO_POINTER (the_one));
}

gboolean
gst_is_unified_memory (GstMemory * memory)
{
  return gst_memory_is_type (memory, GST_UNIFIED_MEMORY_TYPE);
}

gint
gst_unified_memory_get_fd (GstMemory * memory)
{
  return gst_is_unified_memory (memory) ? whole (memory)->fd : -1;
}

guint64
gst_unified_memory_get_serial (GstMemory * memory)
{
  return gst_is_unified_memory (memory) ? whole (memory)->serial : 0;
}
