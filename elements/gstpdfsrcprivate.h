/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pdfsrc's own state, which its parts share. */
#pragma once

#include <gst/video/video.h>

#include "gstpdfsrc.h"
#include "pdfrenderer.h"

G_BEGIN_DECLS

typedef enum {
  GST_PDF_SRC_PAGE_SIZE_NATIVE,
  GST_PDF_SRC_PAGE_SIZE_FIT
} GstPdfSrcPageSizeMode;

struct _GstPdfSrc {
  GstPushSrc parent;

  /* Properties, under the object lock. */
  gchar *location, *pages, *password;
  gdouble dpi;
  GstPdfSrcPageSizeMode page_size_mode;
  gint fps_n, fps_d;
  guint render_workers, page_timeout;
  guint64 worker_memory_limit;
  gint max_errors;
  gboolean text;

  /* From start() to stop(). */
  GstPdfRenderer *renderer;
  GstDocPageRange *range;       /* until the renderer has it */
  gchar *file, *uri;            /* as opened */
  gchar *wanted;                /* pages and frame rate, as they were set then */
  gint rate_n, rate_d;
  gboolean looks_like_pdf;

  /* Of the streaming thread; counts also under the object lock, for queries and properties. */
  gboolean begun;
  guint n_pages;                /* of the document */
  guint count, position;        /* pages of the stream, and those of them that are out */
  guint n_errors, n_text_errors;
  guint64 bytes_copied;         /* of frames rendered before it was known that their rows are to be packed */
  GstPdfScaling scaling;
  GstPdfGeometry last;          /* of the page before */
  GstVideoInfo info;            /* of the caps that are set */
  gboolean reconfigure, video_meta;
};

/* In gstpdfsrcopen.c, which says what is wrong with a document. Each posts an error message on failure. */

/* Reads the properties that can be wrong without any document. */
gboolean gst_pdf_src_check_settings (GstPdfSrc * self);
/* A descriptor of self->file, or -1. */
gint gst_pdf_src_open_file (GstPdfSrc * self);
/* Settles how many pages of `n_pages` there are to be; FALSE if none. */
gboolean gst_pdf_src_choose_pages (GstPdfSrc * self, guint n_pages);
/* Posts an error of the renderer (GST_PDF_ERROR); nothing for FLUSHING. */
void gst_pdf_src_post_error (GstPdfSrc * self, const GError * error);

/* In gstpdfsrccaps.c, for the streaming thread. Both FALSE with `error`, or without it when stopping. */

/* Tells the renderer how large pages are to be. */
gboolean gst_pdf_src_choose_scaling (GstPdfSrc * self, GError ** error);
/* Caps for a frame of this geometry, that of page `page`, sent on where they are new. */
gboolean gst_pdf_src_ensure_caps (GstPdfSrc * self, const GstPdfGeometry * geometry, guint page,
    GError ** error);

/* In gstpdfsrcproperties.c: adds the properties to the class, and gives a new element their defaults. */
void gst_pdf_src_install_properties (GstPdfSrcClass * klass);
void gst_pdf_src_set_defaults (GstPdfSrc * self);

G_END_DECLS
