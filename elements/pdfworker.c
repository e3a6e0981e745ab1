/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfworker.h"

#include "pdfframepool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gio/gio.h>

#include "gst/gstunifiedallocator.h"
#include "pdftext.h"

GST_DEBUG_CATEGORY_STATIC (gst_pdf_worker_debug);
#define GST_CAT_DEFAULT gst_pdf_worker_debug

/* Frames come in sizes of 2^n and the three quarter steps between, so that documents of mixed page
 * sizes use the same few memories again; at most a fifth of one is wasted. */
#define MAX_SIZE_CLASSES 128
/* Sizes of frames that are kept for use again, one of each class counted: a document whose pages are
 * all of other sizes must not make each of many workers keep gigabytes. */
#define MAX_POOLED_BYTES ((gsize) 128 << 20)
/* That a request has along. */
#define MAX_FDS 2

struct _GstPdfWorker
{
  pid_t pid;
  gint process;                 /* pidfd; -1 where the system has none */
  gint socket;
  struct pdf_render_request request;    /* the last one */
  gboolean waiting;             /* for its reply */
  GstBufferPool *pools[MAX_SIZE_CLASSES];
  gsize pooled;                 /* bytes of one frame of each pool */
  GstMemory *text;              /* for the words of a page; NULL: not wanted */
};

static const gchar *
worker_path (void)
{
  const gchar *path = g_getenv ("DOCLAYOUT_RENDER_WORKER");

  return path && *path ? path : GST_DOC_WORKER_DIR "/pdf-render-worker";
}

/* Standard input and output are closed to the worker, and standard error too unless someone debugs;
 * of all other descriptors it gets the socket. */
static gboolean
set_descriptors (posix_spawn_file_actions_t * actions, gint socket)
{
  gboolean verbose =
      gst_debug_category_get_threshold (GST_CAT_DEFAULT) >= GST_LEVEL_DEBUG;

  return posix_spawn_file_actions_adddup2 (actions, socket, PDF_RENDER_FD) == 0
      && posix_spawn_file_actions_addopen (actions, 0, "/dev/null", O_RDWR,
      0) == 0 && posix_spawn_file_actions_adddup2 (actions, 0, 1) == 0
      && (verbose || posix_spawn_file_actions_adddup2 (actions, 0, 2) == 0)
      && posix_spawn_file_actions_addclosefrom_np (actions,
      PDF_RENDER_FD + 1) == 0;
}

/* Signals as in a fresh process, and a process group of its own: Ctrl-C is for the application, which
 * may want the pages that are under way. */
static gboolean
set_attributes (posix_spawnattr_t * attributes)
{
  sigset_t none, all;

  sigemptyset (&none);
  sigfillset (&all);
  return posix_spawnattr_setsigmask (attributes, &none) == 0
      && posix_spawnattr_setsigdefault (attributes, &all) == 0
      && posix_spawnattr_setpgroup (attributes, 0) == 0
      && posix_spawnattr_setflags (attributes, POSIX_SPAWN_SETSIGMASK
      | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0;
}

static gint
spawn (const gchar * path, gint socket, pid_t * pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  gchar *argv[] = { (gchar *) path, NULL };
  gint result = ENOMEM;

  if (posix_spawn_file_actions_init (&actions) != 0)
    return result;
  if (posix_spawnattr_init (&attributes) == 0) {
    if (set_descriptors (&actions, socket) && set_attributes (&attributes))
      result = posix_spawn (pid, path, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy (&attributes);
  }
  posix_spawn_file_actions_destroy (&actions);
  return result;
}

/* All of it at once: a memfd takes memory only where it is written to. */
static gboolean
make_text_memory (GstPdfWorker * worker, GError ** error)
{
  GstAllocator *allocator = gst_unified_allocator_get ();

  worker->text = gst_allocator_alloc (allocator, PDF_RENDER_MAX_TEXT, NULL);
  gst_object_unref (allocator);
  if (!worker->text)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
        "there is no memory, or no file descriptor (ulimit -n), for the words "
        "of pages");
  return worker->text != NULL;
}

GstPdfWorker *
gst_pdf_worker_new (guint64 memory_limit, gboolean text, GError ** error)
{
  const gchar *path = worker_path ();
  /* Data, not address space: that would count libraries, frames and what malloc only reserves. */
  struct rlimit limit = { memory_limit, memory_limit };
  GstPdfWorker *worker;
  gint sockets[2], result;
  pid_t pid;

  GST_DEBUG_CATEGORY_INIT (gst_pdf_worker_debug, "pdfworker", 0,
      "Processes that render PDF pages");
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
        "no socket for a render worker: %s", g_strerror (errno));
    return NULL;
  }
  result = spawn (path, sockets[1], &pid);
  close (sockets[1]);
  if (result != 0) {
    g_set_error (error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED,
        "the render worker \"%s\" cannot be started: %s", path,
        g_strerror (result));
    close (sockets[0]);
    return NULL;
  }
  if (prlimit (pid, RLIMIT_DATA, &limit, NULL) != 0)
    GST_WARNING ("worker %d has no memory limit: %s", (gint) pid,
        g_strerror (errno));
  GST_DEBUG ("worker %d started", (gint) pid);
  worker = g_new0 (GstPdfWorker, 1);
  worker->pid = pid;
  worker->process = pidfd_open (pid, 0);
  worker->socket = sockets[0];
  if (text && !make_text_memory (worker, error))
    g_free (gst_pdf_worker_free (g_steal_pointer (&worker)));
  return worker;
}

static void
drop_pools (GstPdfWorker * worker)
{
  for (guint i = 0; i < MAX_SIZE_CLASSES; i++) {
    if (worker->pools[i])
      gst_buffer_pool_set_active (worker->pools[i], FALSE);
    gst_clear_object (&worker->pools[i]);
  }
  worker->pooled = 0;
}

/* An application may wait for any of its children, or for none (SIGCHLD ignored). Then our process's
 * number may be another's already, which the descriptor never is. */
static gchar *
end_process (GstPdfWorker * worker)
{
  siginfo_t info = { 0 };
  gint result;

  if (worker->process < 0)
    kill (worker->pid, SIGKILL);
  else
    pidfd_send_signal (worker->process, SIGKILL, NULL, 0);
  do
    result = worker->process < 0
        ? waitid (P_PID, (id_t) worker->pid, &info, WEXITED)
        : waitid (P_PIDFD, (id_t) worker->process, &info, WEXITED);
  while (result < 0 && errno == EINTR);
  if (worker->process >= 0)
    close (worker->process);
  if (result < 0)
    return g_strdup ("an exit status that the application took");
  if (info.si_code == CLD_EXITED)
    return g_strdup_printf ("exit status %d", info.si_status);
  return g_strdup_printf ("signal %d (%s)", info.si_status,
      g_strsignal (info.si_status));
}

gchar *
gst_pdf_worker_free (GstPdfWorker * worker)
{
  gchar *end;

  close (worker->socket);
  end = end_process (worker);
  GST_DEBUG ("worker %d ended: %s", (gint) worker->pid, end);
  drop_pools (worker);
  g_clear_pointer (&worker->text, gst_memory_unref);
  g_free (worker);
  return end;
}

gint
gst_pdf_worker_get_socket (const GstPdfWorker * worker)
{
  return worker->socket;
}

/* Sends worker->request, of which type, page and what else matters are set, with the first `n_fds` of `fds`. */
static gboolean
send_request (GstPdfWorker * worker, guint n_fds, const gint fds[MAX_FDS])
{
  struct iovec part = { &worker->request, sizeof worker->request };
  struct msghdr message = {.msg_iov = &part,.msg_iovlen = 1 };
  union
  {
    struct cmsghdr header;
    gchar bytes[CMSG_SPACE (MAX_FDS * sizeof (gint))];
  } control = { 0 };
  gssize n;

  if (n_fds > 0) {
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN (n_fds * sizeof *fds);
    memcpy (CMSG_DATA (&control.header), fds, n_fds * sizeof *fds);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE (n_fds * sizeof *fds);
  }
  do
    n = sendmsg (worker->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  worker->waiting = n == (gssize) sizeof worker->request;
  return worker->waiting;
}

static void
new_request (GstPdfWorker * worker, enum pdf_render_type type, guint page)
{
  worker->request = (struct pdf_render_request) {
    .version = PDF_RENDER_VERSION,.type = type,
    .id = worker->request.id + 1,.page = page
  };
}

gboolean
gst_pdf_worker_open (GstPdfWorker * worker, gint document_fd,
    const gchar * password)
{
  const gint fds[MAX_FDS] = { document_fd,
    worker->text ? gst_unified_memory_get_fd (worker->text) : -1
  };
  gboolean sent;

  new_request (worker, PDF_RENDER_OPEN, 0);
  if (password) {
    worker->request.has_password = 1;
    g_strlcpy (worker->request.password, password,
        sizeof worker->request.password);
  }
  if (worker->text)
    worker->request.text_size = PDF_RENDER_MAX_TEXT;
  sent = send_request (worker, worker->text ? 2 : 1, fds);
  memset (worker->request.password, 0, sizeof worker->request.password);
  return sent;
}

gboolean
gst_pdf_worker_ask_size (GstPdfWorker * worker, guint page)
{
  new_request (worker, PDF_RENDER_PAGE_SIZE, page);
  return send_request (worker, 0, NULL);
}

gboolean
gst_pdf_worker_render (GstPdfWorker * worker, guint page,
    const GstPdfGeometry * geometry, GstBuffer * frame,
    const struct pdf_render_size *expected)
{
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  const gint fds[MAX_FDS] = { gst_unified_memory_get_fd (memory), -1 };

  new_request (worker, PDF_RENDER_RENDER, page);
  worker->request.frame = gst_unified_memory_get_serial (memory);
  worker->request.frame_size = memory->maxsize;
  worker->request.width = geometry->width;
  worker->request.height = geometry->height;
  worker->request.stride = geometry->stride;
  worker->request.scale = geometry->scale;
  worker->request.x = geometry->x;
  worker->request.y = geometry->y;
  if (expected)
    worker->request.expected = *expected;
  return send_request (worker, 1, fds);
}

/* The class that holds `size` bytes, and its own size. */
static guint
size_class (gsize size, gsize * class_size)
{
  gsize base = 4096;
  guint index = 0;

  for (; base * 2 < size; base *= 2)
    index += 4;
  for (gsize quarter = 4; quarter <= 8; quarter++, index++) {
    *class_size = base / 4 * quarter;
    if (*class_size >= size)
      break;
  }
  return index;
}

static GstBuffer *
allocate_frame (gsize size)
{
  GstAllocator *allocator = gst_unified_allocator_get ();
  GstBuffer *frame = gst_buffer_new_allocate (allocator, size, NULL);

  gst_object_unref (allocator);
  return frame;
}

GstBuffer *
gst_pdf_worker_acquire_frame (GstPdfWorker * worker,
    const GstPdfGeometry * geometry)
{
  gsize size = gst_pdf_geometry_size (geometry), class_size;
  guint index = size_class (size, &class_size);
  GstBufferPool **pool = &worker->pools[index];
  GstBuffer *frame = NULL;

  g_return_val_if_fail (index < MAX_SIZE_CLASSES, NULL);
  if (class_size > MAX_POOLED_BYTES)
    return allocate_frame (size);
  if (!*pool) {
    if (worker->pooled + class_size > MAX_POOLED_BYTES)
      drop_pools (worker);
    *pool = gst_pdf_frame_pool_new (class_size);
    worker->pooled += class_size;
  }
  if (!*pool
      || gst_buffer_pool_acquire_buffer (*pool, &frame, NULL) != GST_FLOW_OK)
    return NULL;
  gst_buffer_set_size (frame, (gssize) size);
  return frame;
}

/* Whether a packet that claims to be the awaited reply is one. */
static gboolean
reply_is_valid (const GstPdfWorker * worker,
    const struct pdf_render_reply *reply)
{
  return worker->waiting && reply->version == PDF_RENDER_VERSION
      && reply->type == worker->request.type
      && reply->id == worker->request.id && reply->status < PDF_RENDER_N_STATUS
      && reply->n_pages <= PDF_RENDER_MAX_PAGES
      && reply->text_size <= (worker->text ? PDF_RENDER_MAX_TEXT : 0);
}

/* The reason goes into messages and metas, which take UTF-8 only. */
static void
make_text_valid (gchar * text, gsize size)
{
  text[size - 1] = '\0';
  if (g_utf8_validate (text, -1, NULL))
    return;
  for (; *text; text++) {
    if (!g_ascii_isprint (*text))
      *text = '?';
  }
}

GstPdfReplyState
gst_pdf_worker_receive (GstPdfWorker * worker, struct pdf_render_reply *reply)
{
  gssize n;

  /* There is no room for descriptors, so the kernel closes any that a worker would like us to have. */
  do
    n = recv (worker->socket, reply, sizeof *reply, MSG_DONTWAIT | MSG_TRUNC);
  while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return GST_PDF_REPLY_NONE;
  if (n != (gssize) sizeof *reply || !reply_is_valid (worker, reply))
    return GST_PDF_REPLY_BROKEN;
  worker->waiting = FALSE;
  make_text_valid (reply->reason, sizeof reply->reason);
  return GST_PDF_REPLY_OK;
}

GVariant *
gst_pdf_worker_read_text (GstPdfWorker * worker,
    const struct pdf_render_reply * reply)
{
  GstMapInfo map;
  GVariant *text;

  g_return_val_if_fail (worker->text != NULL, NULL);
  if (!gst_memory_map (worker->text, &map, GST_MAP_READ))
    return NULL;
  text = pdf_text_read (map.data, reply->text_size);
  gst_memory_unmap (worker->text, &map);
  return text;
}

guint64
gst_pdf_worker_get_memory (const GstPdfWorker * worker)
{
  gchar *path = g_strdup_printf ("/proc/%d/statm", (gint) worker->pid);
  gchar *text = NULL;
  guint64 resident = 0, shared = 0;

  /* In pages: all, resident, shared (frames and libraries), … */
  if (g_file_get_contents (path, &text, NULL, NULL)) {
    gchar **fields = g_strsplit (text, " ", 4);

    if (g_strv_length (fields) == 4) {
      resident = g_ascii_strtoull (fields[1], NULL, 10);
      shared = g_ascii_strtoull (fields[2], NULL, 10);
    }
    g_strfreev (fields);
  }
  g_free (text);
  g_free (path);
  return resident > shared
      ? (resident - shared) * (guint64) sysconf (_SC_PAGESIZE) : 0;
}
