/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that whole lines are written to, and that others see only when it is complete.
 *
 * Which of these a location is, is decided when it is opened:
 *   a regular file, or none yet   lines go to a new file ".lines-XXXXXX" beside it, which takes
 *                    its place in gst_line_file_commit(); until then, and after
 *                    gst_line_file_free() without it, the location is as it was. A link is
 *                    followed. An existing file's permissions are kept, a new one's are 0666 less
 *                    the umask.
 *   a regular file, to append     lines go behind what is there, under a lock (flock) that keeps a
 *                    second writer out. A last line without a line break gets one. Without a
 *                    commit the file is cut back to what it was.
 *   anything else (device, pipe, socket) is written in place, line by line. "-" and /dev/stdout,
 *                    /dev/stderr, /dev/fd/N mean the descriptor that the process has already. A
 *                    named pipe without a reader is waited for at the first line.
 * A reader that goes away is an error, never a SIGPIPE.
 *
 * Errors are in G_FILE_ERROR, with a message for the user that names the location. One thread at a
 * time, but for gst_line_file_set_flushing().
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstLineFile GstLineFile;

/* NULL and `error` if it cannot be opened for writing. */
GstLineFile *gst_line_file_open (const gchar * location, gboolean append, GError ** error);

/* Adds a line break and writes: at once with `flush` or in place, else when 64 KiB have come
 * together. GST_FLOW_FLUSHING: interrupted; what is left is written by the next call, and by one
 * whose `line` is NULL. */
GstFlowReturn gst_line_file_write (GstLineFile * file, const gchar * line, gboolean flush,
    GError ** error);

/* TRUE ends a wait for a slow or missing reader, and every later one until FALSE. Any thread. */
void gst_line_file_set_flushing (GstLineFile * file, gboolean flushing);

/* Writes what is left, syncs it to the disk and gives it its name; after it only
 * gst_line_file_free(). If only the name cannot be given, the message says where the lines are. */
gboolean gst_line_file_commit (GstLineFile * file, GError ** error);

/* TRUE if appending found a last line without a line break. */
gboolean gst_line_file_was_unfinished (GstLineFile * file);

/* Closes; without a commit, what was written to a regular file is gone. */
void gst_line_file_free (GstLineFile * file);

G_END_DECLS
