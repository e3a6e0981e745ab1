/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Renders pages of one document with several worker processes and hands them out in order.
 *
 * A thread of its own talks to the workers. One thread calls the functions below, but for
 * gst_pdf_renderer_set_flushing() and gst_pdf_renderer_get_stats(), which any thread may call.
 *
 * Pages are rendered ahead of the one that is taken next: at most two a worker and two more, of
 * which at most 512 MiB are waiting (the next one aside). A worker that takes longer for a page than
 * the time limit, dies, or does not keep to the protocol is killed and replaced. The page of one
 * that ran out of time has failed; otherwise it is tried once more in the new worker.
 */
#pragma once

#include <gst/gst.h>

#include "pagerange.h"
#include "pdfgeometry.h"

G_BEGIN_DECLS

typedef struct _GstPdfRenderer GstPdfRenderer;

#define GST_PDF_ERROR (gst_pdf_error_quark ())
GQuark gst_pdf_error_quark (void);
typedef enum {
  GST_PDF_ERROR_FLUSHING,
  GST_PDF_ERROR_WORKER,         /* not one worker can be started, or each dies at once */
  GST_PDF_ERROR_DAMAGED,        /* the document cannot be opened; its workers may have died of it */
  GST_PDF_ERROR_ENCRYPTED,      /* the password is wrong or missing */
  GST_PDF_ERROR_TIME            /* opening took longer than the time limit */
} GstPdfError;

typedef struct {
  gint document_fd;             /* of a regular file, open for reading; the renderer closes it */
  const gchar *password;        /* UTF-8, or NULL */
  guint max_workers;            /* 0: one a core */
  guint page_timeout;           /* milliseconds, for opening, for a page */
  guint64 memory_limit;         /* bytes, of each worker */
  gboolean text;                /* pages come with their words */
} GstPdfRendererSettings;

typedef struct {
  guint number;                 /* from 1 */
  struct pdf_render_size size;  /* width 0 where unknown */
  GstPdfGeometry geometry;      /* of the frame, or what it would be; width 0 where unknown */
  GstBuffer *frame;             /* NULL: the page has failed */
  gchar *reason;                /* why it has failed, or NULL */
  GVariant *text;               /* its words (GST_DOC_TEXT_SPANS_TYPE); NULL: not wanted, or not to be had */
  gchar *text_reason;           /* why not, where they are wanted and the page is well, or NULL */
  gdouble render_ms, wait_ms;   /* to render it; from then until it was taken */
} GstPdfPage;

void gst_pdf_page_free (GstPdfPage * page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstPdfPage, gst_pdf_page_free)

typedef struct {
  guint started, lost, renewed; /* workers: all; killed or died; replaced because of age or size */
} GstPdfRendererStats;

/* Begins to open the document with one worker. (transfer full) */
GstPdfRenderer *gst_pdf_renderer_new (const GstPdfRendererSettings * settings);

/* Kills all workers; does not wait for what they do. */
void gst_pdf_renderer_free (GstPdfRenderer * self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstPdfRenderer, gst_pdf_renderer_free)

/* Waits until the document is open. FALSE with `error` (GST_PDF_ERROR). */
gboolean gst_pdf_renderer_open (GstPdfRenderer * self, guint * n_pages, GError ** error);

/* Begins with the first page of `range` (transfer full), which has been clipped to the document;
 * no page is rendered before the scaling is set. Called once, after opening. */
void gst_pdf_renderer_start (GstPdfRenderer * self, GstDocPageRange * range, guint count);

/* Waits until the size of the first page is known; 0 × 0 where it cannot be had. */
gboolean gst_pdf_renderer_first_size (GstPdfRenderer * self, struct pdf_render_size * size, GError ** error);

/* For the pages that are not being rendered yet. */
void gst_pdf_renderer_set_scaling (GstPdfRenderer * self, const GstPdfScaling * scaling);

/* Waits for the next page in order. NULL with `error` (GST_PDF_ERROR_FLUSHING or _WORKER). To be
 * called as often as there are pages, no more. (transfer full) */
GstPdfPage *gst_pdf_renderer_take (GstPdfRenderer * self, GError ** error);

/* While flushing, nothing waits: the functions above return FALSE or NULL at once. Rendering goes on. */
void gst_pdf_renderer_set_flushing (GstPdfRenderer * self, gboolean flushing);

void gst_pdf_renderer_get_stats (GstPdfRenderer * self, GstPdfRendererStats * stats);

G_END_DECLS
