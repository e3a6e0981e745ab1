/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstunifiedallocator.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC (gst_unified_allocator_debug);
#define GST_CAT_DEFAULT gst_unified_allocator_debug

#define MAX_KEPT_BYTES ((gsize) 256 << 20)

/* A descriptor and where it is mapped, which may outlive its memory. */
typedef struct
{
  gint fd;
  guint8 *data;                 /* where the descriptor's offset 0 is mapped */
  gsize size;                   /* bytes, whole pages */
  gint handed_out;              /* atomic: someone asked for the descriptor, and may have it mapped */
  const GstUnifiedDevice *device;       /* that has it, or failed to; NULL: none was told */
  gint device_index;
  gboolean attached;
} Mapping;

typedef struct
{
  GstMemory parent;
  Mapping mapping;              /* a part's has nothing but `data`: its parent's counts */
  guint64 serial;
} GstUnifiedMemory;

struct _GstUnifiedAllocator
{
  GstAllocator parent;
  /* Under the object lock. */
  guint64 last_serial;
  GQueue kept;                  /* of Mapping, attached and used by no memory; the oldest first */
  gsize kept_bytes;
};

static GMutex attaching;        /* guards the mappings' devices */

/* *INDENT-OFF* */
G_DEFINE_TYPE_WITH_CODE (GstUnifiedAllocator, gst_unified_allocator,
    GST_TYPE_ALLOCATOR,
    GST_DEBUG_CATEGORY_INIT (gst_unified_allocator_debug, "unifiedallocator",
        0, "memfd memory"))
/* *INDENT-ON* */

static GstUnifiedMemory *whole (GstMemory * memory)
{
  return (GstUnifiedMemory *) (memory->parent ? memory->parent : memory);
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

static gboolean
make_mapping (GstUnifiedAllocator * self, gsize size, gsize align,
    gsize page, Mapping * mapping)
{
  *mapping = (Mapping) {
  .fd = make_sealed_fd (self, size),.size = size};
  if (mapping->fd < 0)
    return FALSE;
  mapping->data = map_aligned (mapping->fd, size, align, page);
  if (mapping->data == NULL) {
    log_failure (self, "mmap", size);
    close (mapping->fd);
    return FALSE;
  }
  return TRUE;
}

static void
drop_mapping (const Mapping * mapping)
{
  if (mapping->attached)
    mapping->device->detach (mapping->data, mapping->device_index);
  munmap (mapping->data, mapping->size);
  close (mapping->fd);
}

/* ------------------------------------------------------------------ mappings that are kept */

/* Whole pages, or an eighth of the power of two below. */
static gsize
size_class (gsize size, gsize page)
{
  gsize step = page;

  while (step * 16 <= size)
    step *= 2;
  return (size + step - 1) / step * step;
}

static gboolean
take_kept (GstUnifiedAllocator * self, gsize size, gsize align,
    Mapping * mapping)
{
  gboolean found = FALSE;

  GST_OBJECT_LOCK (self);
  for (GList * l = self->kept.tail; l && !found; l = l->prev) {
    Mapping *kept = l->data;

    if (kept->size != size || ((guintptr) kept->data & align) != 0)
      continue;
    *mapping = *kept;
    g_free (kept);
    g_queue_delete_link (&self->kept, l);
    self->kept_bytes -= size;
    found = TRUE;
    break;
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

/* Drops the oldest until there are `most` bytes. */
static void
trim (GstUnifiedAllocator * self, gsize most)
{
  Mapping *oldest;

  do {
    GST_OBJECT_LOCK (self);
    oldest = self->kept_bytes > most ? g_queue_pop_head (&self->kept) : NULL;
    if (oldest)
      self->kept_bytes -= oldest->size;
    GST_OBJECT_UNLOCK (self);
    if (oldest)
      drop_mapping (oldest);
    g_free (oldest);
  } while (oldest);
}

static void
keep (GstUnifiedAllocator * self, const Mapping * mapping)
{
  GST_OBJECT_LOCK (self);
  g_queue_push_tail (&self->kept, g_memdup2 (mapping, sizeof *mapping));
  self->kept_bytes += mapping->size;
  GST_OBJECT_UNLOCK (self);
  trim (self, MAX_KEPT_BYTES);
}

void
gst_unified_allocator_trim (GstUnifiedAllocator * self)
{
  g_return_if_fail (GST_IS_UNIFIED_ALLOCATOR (self));
  trim (self, 0);
}

/* ------------------------------------------------------------------ memory */

/* A new memfd reads as zeros; one that was kept does not. */
static void
clear_ends (guint8 * data, gsize maxsize, gsize size,
    const GstAllocationParams * params)
{
  if (params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED)
    memset (data, 0, params->prefix);
  if (params->flags & GST_MEMORY_FLAG_ZERO_PADDED)
    memset (data + params->prefix + size, 0, maxsize - params->prefix - size);
}

static GstMemory *
gst_unified_allocator_alloc (GstAllocator * allocator, gsize size,
    GstAllocationParams * params)
{
  GstUnifiedAllocator *self = GST_UNIFIED_ALLOCATOR (allocator);
  const gsize page = (gsize) sysconf (_SC_PAGESIZE);
  gsize align = params->align | gst_memory_alignment;
  GstUnifiedMemory *memory;
  Mapping mapping;
  gsize maxsize;

  if (!g_size_checked_add (&maxsize, size, params->prefix)
      || !g_size_checked_add (&maxsize, maxsize, params->padding)
      || maxsize > (gsize) G_MAXSSIZE / 2 - page - align) {
    GST_ERROR_OBJECT (self, "%" G_GSIZE_FORMAT " bytes with prefix and padding "
        "are more than can be addressed", size);
    return NULL;
  }
  if (take_kept (self, size_class (MAX (maxsize, 1), page), align, &mapping))
    clear_ends (mapping.data, maxsize, size, params);
  else if (!make_mapping (self, size_class (MAX (maxsize, 1), page), align,
          page, &mapping))
    return NULL;

  memory = g_new0 (GstUnifiedMemory, 1);
  gst_memory_init (GST_MEMORY_CAST (memory), params->flags, allocator, NULL,
      maxsize, align, params->prefix, size);
  memory->mapping = mapping;
  GST_OBJECT_LOCK (self);
  memory->serial = ++self->last_serial;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "memory %" G_GUINT64_FORMAT ": %" G_GSIZE_FORMAT
      " bytes, descriptor %d", memory->serial, mapping.size, mapping.fd);
  return GST_MEMORY_CAST (memory);
}

static void
gst_unified_allocator_free (GstAllocator * allocator, GstMemory * mem)
{
  const Mapping *mapping = &((GstUnifiedMemory *) mem)->mapping;

  if (mapping->fd >= 0) {
    if (mapping->attached && !mapping->handed_out
        && mapping->size <= MAX_KEPT_BYTES)
      keep (GST_UNIFIED_ALLOCATOR (allocator), mapping);
    else
      drop_mapping (mapping);
  }
  g_free (mem);
}

static gpointer
gst_unified_memory_map (GstMemory * mem, gsize maxsize, GstMapFlags flags)
{
  return ((GstUnifiedMemory *) mem)->mapping.data;
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
  part->mapping = (Mapping) {
  .fd = -1,.data = ((GstUnifiedMemory *) mem)->mapping.data};
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
  if (!gst_is_unified_memory (memory))
    return -1;
  g_atomic_int_set (&whole (memory)->mapping.handed_out, TRUE);
  return whole (memory)->mapping.fd;
}

guint64
gst_unified_memory_get_serial (GstMemory * memory)
{
  return gst_is_unified_memory (memory) ? whole (memory)->serial : 0;
}

gboolean
gst_unified_memory_attach (GstMemory * memory, const GstUnifiedDevice * device,
    gint index)
{
  Mapping *mapping;
  gboolean attached;

  if (!gst_is_unified_memory (memory))
    return FALSE;
  mapping = &whole (memory)->mapping;
  g_mutex_lock (&attaching);
  if (mapping->device == NULL) {
    mapping->device = device;
    mapping->device_index = index;
    mapping->attached = device->attach (mapping->data, mapping->size, index);
  }
  attached = mapping->attached;
  g_mutex_unlock (&attaching);
  return attached;
}
