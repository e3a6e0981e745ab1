/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that text is written to, and that others see only when it is complete.
 *
 * Which of these a location is, is decided when it is opened:
 *   a regular file, or none yet   text goes to a new file ".doclayout-XXXXXX" beside it, which takes
 *                    its place in gst_output_file_commit(); until then, and after
 *                    gst_output_file_free() without it, the location is as it was. A link is
 *                    followed. An existing file's permissions are kept, a new one's are 0666 less
 *                    the umask.
 *   a regular file, to append     text goes behind what is there, under a lock (flock) that keeps a
 *                    second writer out. A last line without a line break gets one. Without a
 *                    commit the file is cut back to what it was.
 *   anything else (device, pipe, socket) is written in place, at once. "-" and /dev/stdout,
 *                    /dev/stderr, /dev/fd/N mean the descriptor that the process has already. A
 *                    named pipe without a reader is waited for at the first text.
 * A reader that goes away is an error, never a SIGPIPE.
 *
 * Errors are in G_FILE_ERROR, with a message for the user that names the location. One thread at a
 * time, but for gst_output_file_set_flushing().
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstOutputFile GstOutputFile;

/* NULL and `error` if it cannot be opened for writing. */
GstOutputFile *gst_output_file_open (const gchar * location, gboolean append, GError ** error);

/* Writes: at once with `flush` or in place, else when 64 KiB have come together. GST_FLOW_FLUSHING:
 * interrupted; what is left is written by the next call, and by one whose `text` is NULL. */
GstFlowReturn gst_output_file_write (GstOutputFile * file, const gchar * text, gboolean flush,
    GError ** error);

/* TRUE ends a wait for a slow or missing reader, and every later one until FALSE. Any thread. */
void gst_output_file_set_flushing (GstOutputFile * file, gboolean flushing);

/* Writes what is left, syncs it to the disk and gives it its name; after it only
 * gst_output_file_free(). If only the name cannot be given, the message says where the text is. */
gboolean gst_output_file_commit (GstOutputFile * file, GError ** error);

/* TRUE for a device, a pipe, a socket or a descriptor. */
gboolean gst_output_file_is_in_place (GstOutputFile * file);

/* TRUE if appending found a last line without a line break. */
gboolean gst_output_file_was_unfinished (GstOutputFile * file);

/* Closes; without a commit, what was written to a regular file is gone. */
void gst_output_file_free (GstOutputFile * file);

G_END_DECLS
