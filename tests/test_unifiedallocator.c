/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified memory and its pool: what another process may and may not do with a descriptor. */
#include "gst/gstunifiedallocator.h"
#include "gst_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static GstMemory *
allocate (gsize size, gsize align, gsize prefix, gsize padding)
{
  GstAllocator *allocator = gst_unified_allocator_get ();
  GstAllocationParams params;
  GstMemory *memory;

  gst_allocation_params_init (&params);
  params.align = align;
  params.prefix = prefix;
  params.padding = padding;
  memory = gst_allocator_alloc (allocator, size, &params);
  gst_object_unref (allocator);
  return memory;
}

GST_START_TEST (size_cannot_change)
{
  GstMemory *memory = allocate (10000, 0, 0, 0);
  gint fd = gst_unified_memory_get_fd (memory);
  struct stat st;

  fail_unless (fstat (fd, &st) == 0);
  fail_unless_equals_int (st.st_size % sysconf (_SC_PAGESIZE), 0);
  fail_unless (st.st_size >= 10000
      && st.st_size < 10000 + sysconf (_SC_PAGESIZE));
  fail_unless (ftruncate (fd, 0) == -1 && errno == EPERM);
  fail_unless (ftruncate (fd, 1 << 20) == -1 && errno == EPERM);
  fail_unless (fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EPERM);
  fail_unless (fcntl (fd, F_GETFD) & FD_CLOEXEC);
  gst_memory_unref (memory);
  fail_unless (fcntl (fd, F_GETFD) == -1 && errno == EBADF,
      "the descriptor outlives its memory");
}

GST_END_TEST

GST_START_TEST (another_process_writes)
{
  GstMemory *memory = allocate (100000, 0, 0, 0);
  gint fd = gst_unified_memory_get_fd (memory), status;
  GstMapInfo map;
  pid_t child;

  /* a page that was touched here stays shared too */
  fail_unless (gst_memory_map (memory, &map, GST_MAP_WRITE));
  memset (map.data, 1, map.size);
  gst_memory_unmap (memory, &map);
  child = fork ();
  if (child == 0) {
    guint8 *data = mmap (NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
        0);

    memset (data, 0x5a, 100000);
    _exit (0);
  }
  fail_unless (waitpid (child, &status, 0) == child && status == 0);
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, 100000);
  fail_unless (map.data[0] == 0x5a && map.data[99999] == 0x5a);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
}

GST_END_TEST

GST_START_TEST (alignment_and_prefix)
{
  const gsize aligns[] = { 0, 15, 63, 4095, 65535, (2 << 20) - 1 };

  for (guint i = 0; i < G_N_ELEMENTS (aligns); i++) {
    GstMemory *memory = allocate (5000, aligns[i], 128, 64);
    gsize offset, maxsize;
    GstMapInfo map;

    fail_unless (memory != NULL);
    fail_unless_equals_int (gst_memory_get_sizes (memory, &offset, &maxsize),
        5000);
    fail_unless_equals_int (offset, 128);
    fail_unless_equals_int (maxsize, 5000 + 128 + 64);
    fail_unless (gst_memory_map (memory, &map, GST_MAP_READWRITE));
    fail_unless (((guintptr) (map.data - 128) & aligns[i]) == 0,
        "not aligned to %" G_GSIZE_FORMAT, aligns[i] + 1);
    memset (map.data - 128, 1, 128 + 5000 + 64);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
}

GST_END_TEST

/* Bytes of address space. */
static guint64
address_space (void)
{
  g_autofree gchar *statm = NULL;

  fail_unless (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  return g_ascii_strtoull (statm, NULL, 10) * sysconf (_SC_PAGESIZE);
}

GST_START_TEST (nothing_stays_mapped)
{
  GstMemory *memories[100];
  guint64 before, after;

  gst_memory_unref (allocate (5000, (1 << 20) - 1, 0, 0));
  before = address_space ();
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    memories[i] = allocate (5000, i % 4 ? (1 << 20) - 1 : 0, 0, 0);
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    gst_memory_unref (memories[i]);
  after = address_space ();
  fail_unless (after < before + (10 << 20), "%" G_GUINT64_FORMAT " bytes more",
      after - before);
}

GST_END_TEST

GST_START_TEST (parts)
{
  GstMemory *memory = allocate (1000, 0, 24, 0);
  GstMemory *part = gst_memory_share (memory, 100, 50);
  GstMemory *part_of_part = gst_memory_share (part, 10, -1);
  GstMapInfo map;

  fail_unless (gst_is_unified_memory (part));
  fail_unless_equals_int (gst_unified_memory_get_fd (part_of_part),
      gst_unified_memory_get_fd (memory));
  fail_unless_equals_uint64 (gst_unified_memory_get_serial (part_of_part),
      gst_unified_memory_get_serial (memory));
  /* a shared memory is not writable through the first holder any more */
  fail_unless (gst_memory_map (part_of_part, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, 40);
  map.data[0] = 77;
  gst_memory_unmap (part_of_part, &map);
  gst_memory_unref (part_of_part);
  gst_memory_unref (part);

  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  fail_unless_equals_int (map.data[110], 77);
  gst_memory_unmap (memory, &map);

  /* a part keeps its parent alive */
  part = gst_memory_share (memory, 110, 1);
  gst_memory_unref (memory);
  fail_unless (gst_memory_map (part, &map, GST_MAP_READ));
  fail_unless_equals_int (map.data[0], 77);
  gst_memory_unmap (part, &map);
  gst_memory_unref (part);
}

GST_END_TEST

GST_START_TEST (identity)
{
  GstMemory *a = allocate (10, 0, 0, 0), *b = allocate (10, 0, 0, 0);
  GstMemory *other = gst_allocator_alloc (NULL, 10, NULL), *copy;
  guint64 serial = gst_unified_memory_get_serial (b);

  fail_unless (gst_is_unified_memory (a) && !gst_is_unified_memory (other));
  fail_unless (gst_unified_memory_get_serial (a) != 0 && serial != 0);
  fail_if (gst_unified_memory_get_serial (a) == serial);
  fail_unless_equals_int (gst_unified_memory_get_fd (other), -1);
  fail_unless_equals_uint64 (gst_unified_memory_get_serial (other), 0);
  gst_memory_unref (b);
  b = allocate (10, 0, 0, 0);
  fail_unless (gst_unified_memory_get_serial (b) > serial);
  copy = gst_memory_copy (a, 0, -1);
  fail_if (gst_unified_memory_get_serial (copy) ==
      gst_unified_memory_get_serial (a));
  gst_memory_unref (copy);
  gst_memory_unref (a);
  gst_memory_unref (b);
  gst_memory_unref (other);
}

GST_END_TEST

static void
keep_error (GstDebugCategory * category, GstDebugLevel level,
    const gchar * file, const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer user_data)
{
  GString *text = user_data;

  if (level == GST_LEVEL_ERROR)
    g_string_append (text, gst_debug_message_get (message));
}

GST_START_TEST (limits)
{
  struct rlimit before, few;
  GString *errors = g_string_new (NULL);

  gst_debug_set_active (TRUE);
  gst_debug_set_default_threshold (GST_LEVEL_ERROR);
  /* Past a macro that compares pointers in a way clang warns of. */
  (gst_debug_add_log_function) (keep_error, errors, NULL);
  fail_unless (allocate (G_MAXSIZE - 10, 0, 20, 0) == NULL);
  fail_unless (allocate (G_MAXSSIZE, 0, 0, 0) == NULL);
  /* 2⁴⁶ bytes: a sparse file may be that large, an address space of 47 bits may not hold it */
  fail_unless (allocate ((gsize) 1 << 60, 0, 0, 0) == NULL);
  fail_unless (strstr (errors->str, "more than can be addressed") != NULL);

  g_string_set_size (errors, 0);
  fail_unless (getrlimit (RLIMIT_NOFILE, &before) == 0);
  few = (struct rlimit) { 3, before.rlim_max };
  fail_unless (setrlimit (RLIMIT_NOFILE, &few) == 0);
  fail_unless (allocate (10, 0, 0, 0) == NULL);
  fail_unless (setrlimit (RLIMIT_NOFILE, &before) == 0);
  fail_unless (strstr (errors->str, "3 file descriptors") != NULL
      && strstr (errors->str, "ulimit -n") != NULL, "%s", errors->str);
  (gst_debug_remove_log_function) (keep_error);
  g_string_free (errors, TRUE);
}

GST_END_TEST

static GstBufferPool *
make_pool (const gchar * caps_string, gboolean video_meta)
{
  GstBufferPool *pool = gst_unified_buffer_pool_new (NULL);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstCaps *caps = gst_caps_from_string (caps_string);
  GstVideoInfo info;

  fail_unless (gst_video_info_from_caps (&info, caps));
  gst_buffer_pool_config_set_params (config, caps, GST_VIDEO_INFO_SIZE (&info),
      2, 0);
  if (video_meta)
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_META);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  gst_caps_unref (caps);
  return pool;
}

GST_START_TEST (pool_with_video_meta)
{
  static const gchar *const caps[] = {
    "video/x-raw,format=BGRx,width=827,height=1170",
    "video/x-raw,format=RGB,width=5,height=3",
    "video/x-raw,format=GRAY8,width=1,height=1",
    "video/x-raw,format=I420,width=321,height=241",
  };
  GstBufferPool *pool = make_pool (caps[__i__], TRUE);
  GstBuffer *buffer = NULL;
  GstVideoMeta *meta;

  fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer,
          NULL) == GST_FLOW_OK);
  fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
  fail_unless (gst_is_unified_memory (gst_buffer_peek_memory (buffer, 0)));
  meta = gst_buffer_get_video_meta (buffer);
  fail_unless (meta != NULL);
  for (guint i = 0; i < meta->n_planes; i++) {
    fail_unless_equals_int (meta->stride[i] % 16, 0);
    fail_unless_equals_int (meta->offset[i] % 16, 0);
  }
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

GST_END_TEST

GST_START_TEST (pool_without_video_meta)
{
  GstBufferPool *pool =
      make_pool ("video/x-raw,format=BGRx,width=827,height=10", FALSE);
  GstBuffer *buffer = NULL;

  fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer,
          NULL) == GST_FLOW_OK);
  fail_unless (gst_is_unified_memory (gst_buffer_peek_memory (buffer, 0)));
  fail_unless_equals_int (gst_buffer_get_size (buffer), 827 * 4 * 10);
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

GST_END_TEST

/* A device that notes what it has. */
static GHashTable *attached;    /* data → size */
static guint n_attached, n_detached;
static gboolean refusing;

static gboolean
note_attach (gpointer data, gsize size, gint device)
{
  fail_unless_equals_int (device, 3);
  if (refusing)
    return FALSE;
  fail_unless (g_hash_table_insert (attached, data, GSIZE_TO_POINTER (size)),
      "attached twice");
  n_attached++;
  return TRUE;
}

static void
note_detach (gpointer data, gint device)
{
  gsize size = GPOINTER_TO_SIZE (g_hash_table_lookup (attached, data));

  fail_unless_equals_int (device, 3);
  fail_unless (g_hash_table_remove (attached, data), "was not attached");
  fail_unless (msync (data, size, MS_ASYNC) == 0, "was unmapped before");
  n_detached++;
}

static const GstUnifiedDevice device = { note_attach, note_detach };

static void
begin_device (void)
{
  attached = g_hash_table_new (NULL, NULL);
  n_attached = n_detached = 0;
  refusing = FALSE;
}

static void
trim (void)
{
  GstAllocator *allocator = gst_unified_allocator_get ();

  gst_unified_allocator_trim (GST_UNIFIED_ALLOCATOR (allocator));
  gst_object_unref (allocator);
}

static void
end_device (void)
{
  trim ();
  fail_unless_equals_int (g_hash_table_size (attached), 0);
  fail_unless_equals_int (n_detached, n_attached);
  g_hash_table_unref (attached);
}

static gpointer
data_of (GstMemory * memory)
{
  GstMapInfo map;

  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  gst_memory_unmap (memory, &map);
  return map.data;
}

GST_START_TEST (attached_once)
{
  GstMemory *memory = allocate (100000, 0, 0, 0), *part, *other;

  begin_device ();
  part = gst_memory_share (memory, 5000, 1000);
  fail_unless (gst_unified_memory_attach (part, &device, 3));
  fail_unless (gst_unified_memory_attach (memory, &device, 3));
  fail_unless_equals_int (n_attached, 1);
  fail_unless (g_hash_table_contains (attached, data_of (memory)),
      "only a part of it");
  gst_memory_unref (memory);
  fail_unless_equals_int (n_detached, 0);
  gst_memory_unref (part);

  other = gst_allocator_alloc (NULL, 100, NULL);
  fail_if (gst_unified_memory_attach (other, &device, 3));
  gst_memory_unref (other);

  refusing = TRUE;
  memory = allocate (300000, 0, 0, 0);
  fail_if (gst_unified_memory_attach (memory, &device, 3));
  refusing = FALSE;
  fail_if (gst_unified_memory_attach (memory, &device, 3), "tried again");
  gst_memory_unref (memory);
  end_device ();
}

GST_END_TEST

GST_START_TEST (attached_memory_is_kept)
{
  GstAllocationParams params;
  GstAllocator *allocator = gst_unified_allocator_get ();
  GstMemory *memory = allocate (1000000, 0, 0, 0);
  gpointer data = data_of (memory);
  GstMapInfo map;

  begin_device ();
  fail_unless (gst_unified_memory_attach (memory, &device, 3));
  fail_unless (gst_memory_map (memory, &map, GST_MAP_WRITE));
  memset (map.data, 0xab, map.size);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);

  /* Of its size class, with ends that are to be zero. */
  gst_allocation_params_init (&params);
  params.flags = GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED;
  params.prefix = 64;
  params.padding = 32;
  memory = gst_allocator_alloc (allocator, 990000, &params);
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  fail_unless (map.data == (guint8 *) data + 64, "not the one that was kept");
  for (gint i = 1; i <= 64; i++)
    fail_unless (map.data[-i] == 0);
  for (gsize i = 0; i < 32; i++)
    fail_unless (map.data[990000 + i] == 0);
  gst_memory_unmap (memory, &map);
  fail_unless (gst_unified_memory_attach (memory, &device, 3));
  fail_unless_equals_int (n_attached, 1);
  fail_unless_equals_int (n_detached, 0);

  /* Whose descriptor is elsewhere belongs to that one for good. */
  fail_unless (gst_unified_memory_get_fd (memory) >= 0);
  gst_memory_unref (memory);
  fail_unless_equals_int (n_detached, 1);
  gst_object_unref (allocator);
  end_device ();
}

GST_END_TEST

GST_START_TEST (kept_memory_is_limited)
{
  GstMemory *memories[40];

  begin_device ();
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++) {
    memories[i] = allocate (10 << 20, i % 2 ? 0 : (2 << 20) - 1, 0, 0);
    fail_unless (gst_unified_memory_attach (memories[i], &device, 3));
  }
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    gst_memory_unref (memories[i]);
  fail_unless_equals_int (n_attached, 40);
  fail_unless_equals_int (n_detached, 40 - 25);
  end_device ();
}

GST_END_TEST

static Suite *
unifiedallocator_suite (void)
{
  Suite *s = suite_create ("unifiedallocator");
  TCase *tc = doc_tcase_new ("memory");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, size_cannot_change);
  tcase_add_test (tc, another_process_writes);
  tcase_add_test (tc, alignment_and_prefix);
  tcase_add_test (tc, nothing_stays_mapped);
  tcase_add_test (tc, parts);
  tcase_add_test (tc, identity);
  tcase_add_test (tc, limits);
  tcase_add_test (tc, attached_once);
  tcase_add_test (tc, attached_memory_is_kept);
  tcase_add_test (tc, kept_memory_is_limited);
  tcase_add_loop_test (tc, pool_with_video_meta, 0, 4);
  tcase_add_test (tc, pool_without_video_meta);
  return s;
}

GST_CHECK_MAIN (unifiedallocator)
