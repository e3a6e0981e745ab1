/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outputfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFERED_BYTES (64 * 1024)
#define MAX_LINKS 40            /* as the kernel's own limit */
#define READER_POLL (20 * GST_MSECOND)

struct _GstOutputFile
{
  gchar *name;                  /* as the user wrote it */
  gchar *shown;                 /* the same, for messages */
  gchar *target;                /* what links lead to; regular files only */
  gchar *temporary;             /* NULL unless it is to take the target's place */
  gint fd;                      /* -1: a named pipe that nobody reads yet */
  gboolean in_place;
  gboolean append;
  gboolean unfinished;
  gboolean committed;
  gint64 start;                 /* length to cut an appended file back to */
  GString *pending;
  GstPoll *poll;
  GstPollFD poll_fd;
};

static void G_GNUC_PRINTF (4, 5)
set_error (GError ** error, const GstOutputFile * file, gint code,
    const gchar * format, ...)
{
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, G_FILE_ERROR,
      code == EDQUOT ? G_FILE_ERROR_NOSPC : g_file_error_from_errno (code),
      "%s %s: %s", what, file->shown, g_strerror (code));
}

/* The name at the end of a chain of links, which need not exist. */
static gchar *
follow_links (const gchar * location)
{
  gchar *path = g_strdup (location);

  for (guint i = 0; i < MAX_LINKS; i++) {
    g_autofree gchar *next = g_file_read_link (path, NULL);
    g_autofree gchar *folder = NULL;

    if (next == NULL)
      break;
    folder = g_path_get_dirname (path);
    g_free (path);
    path = g_path_is_absolute (next) ? g_steal_pointer (&next)
        : g_build_filename (folder, next, NULL);
  }
  return path;
}

/* The descriptor that a location stands for, or -1. */
static gint
named_descriptor (const gchar * location)
{
  guint64 n;

  if (g_str_equal (location, "-") || g_str_equal (location, "/dev/stdout"))
    return STDOUT_FILENO;
  if (g_str_equal (location, "/dev/stderr"))
    return STDERR_FILENO;
  if (g_str_has_prefix (location, "/dev/fd/")
      && g_ascii_string_to_unsigned (location + strlen ("/dev/fd/"), 10, 0,
          INT_MAX, &n, NULL))
    return (gint) n;
  return -1;
}

static void
watch (GstOutputFile * file)
{
  gst_poll_fd_init (&file->poll_fd);
  file->poll_fd.fd = file->fd;
  gst_poll_add_fd (file->poll, &file->poll_fd);
  gst_poll_fd_ctl_write (file->poll, &file->poll_fd, TRUE);
}

static gboolean
open_in_place (GstOutputFile * file, GError ** error)
{
  gint own = named_descriptor (file->name);

  file->in_place = TRUE;
  if (own >= 0)
    file->fd = fcntl (own, F_DUPFD_CLOEXEC, 0);
  else
    file->fd = open (file->name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file->fd >= 0) {
    if (own >= 0 && (fcntl (file->fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
      set_error (error, file, EBADF, "Could not write to");
      return FALSE;
    }
    watch (file);
    return TRUE;
  }
  if (errno == ENXIO && own < 0) {
    struct stat st;
    if (stat (file->name, &st) == 0 && S_ISFIFO (st.st_mode))
      return TRUE;
    errno = ENXIO;
  }
  set_error (error, file, errno, "Could not open for writing");
  return FALSE;
}

static gboolean
open_append (GstOutputFile * file, GError ** error)
{
  gchar last;

  file->append = TRUE;
  file->fd = open (file->target, O_RDWR | O_APPEND | O_CLOEXEC);
  if (file->fd < 0) {
    set_error (error, file, errno, "Could not open for appending");
    return FALSE;
  }
  if (flock (file->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
    close (file->fd);
    file->fd = -1;
    set_error (error, file, EBUSY, "Another writer is appending to");
    return FALSE;
  }
  file->start = lseek (file->fd, 0, SEEK_END);
  if (file->start > 0 && pread (file->fd, &last, 1, file->start - 1) == 1
      && last != '\n') {
    file->unfinished = TRUE;
    g_string_append_c (file->pending, '\n');
  }
  return TRUE;
}

/* A random name and O_EXCL, so that nobody can put a file or a link there first. */
static gboolean
open_temporary (GstOutputFile * file, const struct stat *old, GError ** error)
{
  g_autofree gchar *folder = g_path_get_dirname (file->target);

  file->temporary = g_build_filename (folder, ".doclayout-XXXXXX", NULL);
  file->fd = g_mkstemp_full (file->temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (file->fd < 0) {
    gint reason = errno;
    g_clear_pointer (&file->temporary, g_free);
    set_error (error, file, reason, "Could not make a file in the folder of");
    return FALSE;
  }
  if (old && fchmod (file->fd, old->st_mode & 0777) < 0) {
    set_error (error, file, errno, "Could not set the permissions of");
    return FALSE;
  }
  return TRUE;
}

static gboolean
open_regular (GstOutputFile * file, gboolean append, GError ** error)
{
  struct stat st;
  gboolean exists;

  file->target = follow_links (file->name);
  exists = stat (file->target, &st) == 0;
  if (!exists && errno != ENOENT) {
    set_error (error, file, errno, "Could not open for writing");
    return FALSE;
  }
  /* Taking its place needs no permission on the file itself; the user means that one. */
  if (exists && faccessat (AT_FDCWD, file->target, W_OK, AT_EACCESS) < 0) {
    set_error (error, file, errno, "Could not open for writing");
    return FALSE;
  }
  if (exists && append)
    return open_append (file, error);
  return open_temporary (file, exists ? &st : NULL, error);
}

GstOutputFile *
gst_output_file_open (const gchar * location, gboolean append, GError ** error)
{
  GstOutputFile *file = g_new0 (GstOutputFile, 1);
  struct stat st;
  gboolean exists, ok;

  file->name = g_strdup (location);
  file->shown = g_str_equal (location, "-") ? g_strdup ("standard output")
      : g_strdup_printf ("'%s'", location);
  file->fd = -1;
  file->pending = g_string_new (NULL);
  file->poll = gst_poll_new (TRUE);

  exists = stat (location, &st) == 0;
  if (named_descriptor (location) >= 0) {
    ok = open_in_place (file, error);
  } else if (exists && S_ISDIR (st.st_mode)) {
    set_error (error, file, EISDIR, "Could not open for writing");
    ok = FALSE;
  } else if (exists && !S_ISREG (st.st_mode)) {
    ok = open_in_place (file, error);
  } else {
    ok = open_regular (file, append, error);
  }
  if (!ok)
    g_clear_pointer (&file, gst_output_file_free);
  return file;
}

/* write(2) with SIGPIPE held back from this thread, whatever the process does about it. */
static gssize
write_without_signal (gint fd, const gchar * data, gsize size)
{
  const struct timespec now = { 0, 0 };
  sigset_t pipe_set, old, pending;
  gboolean was_pending;
  gssize n;
  gint reason;

  sigemptyset (&pipe_set);
  sigaddset (&pipe_set, SIGPIPE);
  sigpending (&pending);
  was_pending = sigismember (&pending, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &pipe_set, &old);
  n = write (fd, data, size);
  reason = errno;
  if (n < 0 && reason == EPIPE && !was_pending)
    while (sigtimedwait (&pipe_set, NULL, &now) < 0 && errno == EINTR);
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = reason;
  return n;
}

/* Waits until a write of PIPE_BUF bytes does not block. */
static gboolean
wait_for_reader (GstOutputFile * file)
{
  while (file->fd < 0) {
    file->fd = open (file->name, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd >= 0)
      watch (file);
    else if (errno != ENXIO)
      return FALSE;
    else if (gst_poll_wait (file->poll, READER_POLL) < 0 && errno == EBUSY)
      return FALSE;
  }
  while (gst_poll_wait (file->poll, GST_CLOCK_TIME_NONE) < 0) {
    if (errno != EINTR && errno != EAGAIN)
      return FALSE;
  }
  return TRUE;
}

static GstFlowReturn
drain (GstOutputFile * file, GError ** error)
{
  gsize done = 0;
  GstFlowReturn ret = GST_FLOW_OK;

  while (done < file->pending->len) {
    gsize size = file->pending->len - done;
    gssize n = -1;

    if (!file->in_place)
      n = write (file->fd, file->pending->str + done, size);
    else if (wait_for_reader (file))
      n = write_without_signal (file->fd, file->pending->str + done,
          MIN (size, PIPE_BUF));
    if (n >= 0) {
      done += n;
    } else if (file->in_place && errno == EBUSY) {
      ret = GST_FLOW_FLUSHING;
      break;
    } else if (errno != EINTR && errno != EAGAIN) {
      set_error (error, file, errno, "Could not write to");
      ret = GST_FLOW_ERROR;
      break;
    }
  }
  g_string_erase (file->pending, 0, done);
  return ret;
}

GstFlowReturn
gst_output_file_write (GstOutputFile * file, const gchar * text, gboolean flush,
    GError ** error)
{
  if (text)
    g_string_append (file->pending, text);
  if (!flush && !file->in_place && file->pending->len < BUFFERED_BYTES)
    return GST_FLOW_OK;
  return drain (file, error);
}

void
gst_output_file_set_flushing (GstOutputFile * file, gboolean flushing)
{
  gst_poll_set_flushing (file->poll, flushing);
}

/* So that the new name outlives a power cut. Not every file system can: no error then. */
static void
sync_folder (const gchar * path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  gint fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  if (fsync (fd) < 0)
    GST_DEBUG ("could not sync %s: %s", folder, g_strerror (errno));
  close (fd);
}

gboolean
gst_output_file_commit (GstOutputFile * file, GError ** error)
{
  GstFlowReturn ret = drain (file, error);

  if (file->in_place)
    return ret != GST_FLOW_ERROR;
  if (ret != GST_FLOW_OK)
    return FALSE;
  if (fsync (file->fd) < 0) {
    set_error (error, file, errno, "Could not write to");
    return FALSE;
  }
  file->committed = TRUE;
  if (file->temporary && g_rename (file->temporary, file->target) < 0) {
    set_error (error, file, errno, "What was written is complete in '%s', but could "
        "not take the name", file->temporary);
    return FALSE;
  }
  if (file->temporary)
    sync_folder (file->target);
  return TRUE;
}

gboolean
gst_output_file_is_in_place (GstOutputFile * file)
{
  return file->in_place;
}

gboolean
gst_output_file_was_unfinished (GstOutputFile * file)
{
  return file->unfinished;
}

void
gst_output_file_free (GstOutputFile * file)
{
  if (file->temporary && !file->committed)
    g_unlink (file->temporary);
  if (file->append && file->fd >= 0 && !file->committed
      && ftruncate (file->fd, file->start) < 0)
    GST_WARNING ("could not cut %s back: %s", file->shown, g_strerror (errno));
  if (file->fd >= 0)
    close (file->fd);
  gst_poll_free (file->poll);
  g_string_free (file->pending, TRUE);
  g_free (file->temporary);
  g_free (file->target);
  g_free (file->shown);
  g_free (file->name);
  g_free (file);
}
