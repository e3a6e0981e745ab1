/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs pdfsrc to its end and keeps what comes out. */
#pragma once

#include <gst/gst.h>

#include "gst/gstdocpagemeta.h"

typedef struct {
  GPtrArray *buffers;           /* of GstBuffer */
  GPtrArray *caps;              /* of GstCaps, one a buffer */
  GError *error;                /* the first message; NULL: none */
  guint n_errors, n_warnings;   /* messages */
  gboolean eos;
  GstElement *pipeline;         /* still in the state it ended in, its pdfsrc is named "src" */
} PdfRun;

/* "pdfsrc name=src" with the properties that `format` makes, and then a sink; or before the sink,
 * after "!", more elements. */
PdfRun *pdf_run (const gchar * format, ...) G_GNUC_PRINTF (1, 2);

/* Also sets the pipeline to NULL. */
void pdf_run_free (PdfRun * run);

/* The page meta of the buffer at `index`; fails the test if there is none. */
GstDocPage pdf_run_page (PdfRun * run, guint index);

/* One of the four bytes of the pixel in the middle of the frame, which must be like the three others
 * but for the fourth. */
guint8 pdf_run_grey (PdfRun * run, guint index);

/* The numbers of the pages that came, separated by blanks, with "!" behind those that failed.
 * (transfer full) */
gchar *pdf_run_pages (PdfRun * run);
