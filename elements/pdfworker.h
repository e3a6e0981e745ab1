/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One render worker: a process, the socket to it, and the frames that it alone draws into.
 *
 * None of these calls blocks, but for the moment that it takes to start or to kill a process.
 * Not thread-safe: one thread, which also made the worker, uses it. */
#pragma once

#include <gst/gst.h>

#include "pdfgeometry.h"
#include "pdfrenderprotocol.h"

G_BEGIN_DECLS

typedef struct _GstPdfWorker GstPdfWorker;

/* Starts the program named by the environment variable DOCLAYOUT_RENDER_WORKER, else the installed
 * one, with at most `memory_limit` bytes of data. The process is killed when the calling thread ends.
 * `text`: pages come with their words. NULL with `error` (G_SPAWN_ERROR, G_IO_ERROR) if it cannot be started.
 * (transfer full) */
GstPdfWorker *gst_pdf_worker_new (guint64 memory_limit, gboolean text, GError ** error);

/* Kills the process, waits for its end, and says how it ended: "exit status 1", "signal 9 (Killed)".
 * Frames that are still in use stay valid. (transfer full) */
gchar *gst_pdf_worker_free (GstPdfWorker * worker);

/* For poll(): readable when a reply is there or the process has ended. */
gint gst_pdf_worker_get_socket (const GstPdfWorker * worker);

/* A request; each must be answered before the next. FALSE if the worker has ended.
 * `document_fd` stays the caller's. `password` may be NULL. */
gboolean gst_pdf_worker_open (GstPdfWorker * worker, gint document_fd, const gchar * password);
gboolean gst_pdf_worker_ask_size (GstPdfWorker * worker, guint page);
/* `expected`: the page's size; where it has another, the reply says so and nothing is drawn. NULL: any. */
gboolean gst_pdf_worker_render (GstPdfWorker * worker, guint page, const GstPdfGeometry * geometry,
    GstBuffer * frame, const struct pdf_render_size * expected);

/* A buffer of the frame's size for gst_pdf_worker_render(); it returns to this worker when it is
 * released, unless it is over 128 MiB. NULL if there is no memory. (transfer full) */
GstBuffer *gst_pdf_worker_acquire_frame (GstPdfWorker * worker, const GstPdfGeometry * geometry);

typedef enum {
  GST_PDF_REPLY_NONE,           /* nothing there yet */
  GST_PDF_REPLY_OK,             /* `reply` is the answer to the last request, its reason valid UTF-8 */
  GST_PDF_REPLY_BROKEN          /* the worker has ended or broke the protocol; `reply` is not set */
} GstPdfReplyState;
GstPdfReplyState gst_pdf_worker_receive (GstPdfWorker * worker, struct pdf_render_reply *reply);

/* A copy of the words of the page that `reply` is about, one that was rendered well; only before the next request.
 * NULL if they are none, which breaks the protocol. (transfer full) */
GVariant *gst_pdf_worker_read_text (GstPdfWorker * worker, const struct pdf_render_reply *reply);

/* Bytes of memory of its own (frames not counted), 0 if unknown. */
guint64 gst_pdf_worker_get_memory (const GstPdfWorker * worker);

G_END_DECLS
