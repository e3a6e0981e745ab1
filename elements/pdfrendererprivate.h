/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the renderer share: pdfrenderer.c hands pages out, pdfdispatcher.c has them made, pdfslot.c sees to
 * each worker's beginning and end. */
#pragma once

#include "pdfrenderer.h"
#include "pdfworker.h"

G_BEGIN_DECLS

#define GST_PDF_MAX_WORKERS 256

typedef enum {
  SLOT_EMPTY,
  SLOT_OPENING,
  SLOT_IDLE,
  SLOT_SIZING,
  SLOT_PARKED,                  /* the size is known; the scaling or room for the frame is awaited */
  SLOT_RENDERING
} GstPdfSlotState;

typedef struct _GstPdfJob GstPdfJob;

/* A place for a worker, which keeps its page while the worker is being replaced. */
typedef struct {
  GstPdfSlotState state;
  GstPdfWorker *worker;
  guint pages_done;
  gint64 deadline;              /* µs, monotonic: when the awaited reply must be there */
  gint64 began;                 /* µs, monotonic: of the work on the page, parked time left out */
  gint64 spent;                 /* µs: on the page before it was parked */
  gboolean guessed;             /* the page's size is that of another, which the worker is to confirm */
  GstPdfJob *job;
  GstBuffer *frame;
} GstPdfSlot;

struct _GstPdfJob {
  GstPdfPage *page;             /* NULL: this place of the ring is free */
  guint attempts;
  gint64 done;                  /* when, µs; 0: not yet */
};

struct _GstPdfRenderer {
  gint document_fd;
  gchar *password;
  guint max_workers;
  gint64 timeout;               /* µs */
  guint64 memory_limit;
  gboolean text;

  GThread *thread;
  gint wake_fd;

  GMutex lock;                  /* of all below */
  GCond changed;                /* something that take() and the like wait for */
  gboolean quit, flushing;
  gboolean opened, scaled, first_sized;
  GError *error;                /* nothing more will come */
  guint n_pages;                /* of the document */
  struct pdf_render_size first_size;
  struct pdf_render_size last_size;     /* that a worker told; width 0: none yet */
  GstPdfScaling scaling;
  GstDocPageRange *range;
  guint count;                  /* pages to give, in all */
  guint next_job, next_taken;   /* positions in the range */
  GstPdfJob *ring;              /* of the positions next_taken … */
  guint ring_size;
  guint64 waiting_bytes;        /* of frames that are being or have been rendered */
  GstPdfSlot *slots;
  guint n_slots;                /* in use */
  guint failed_starts;
  GstPdfRendererStats stats;
};

/* The ring's place for a position of the range. */
static inline GstPdfJob *
gst_pdf_renderer_job (GstPdfRenderer * self, guint position)
{
  return &self->ring[position % self->ring_size];
}

/* Whether take() waits for this page. */
static inline gboolean
gst_pdf_renderer_is_next (GstPdfRenderer * self, const GstPdfJob * job)
{
  return job == gst_pdf_renderer_job (self, self->next_taken);
}

/* Nothing more will come. `error` is transferred. */
void gst_pdf_renderer_give_up (GstPdfRenderer * self, GError * error);
/* The size of `page`, the first one, is known. */
void gst_pdf_renderer_note_first_size (GstPdfRenderer * self, const GstPdfPage * page);

/* In pdfslot.c, with the lock. */

/* Starts a worker, which begins to open the document. FALSE if there is to be another try. */
gboolean gst_pdf_slot_start_worker (GstPdfRenderer * self, GstPdfSlot * slot);
gboolean gst_pdf_slot_awaits_reply (const GstPdfSlot * slot);
/* The page is done: well, or failed for `reason` (transfer full). */
void gst_pdf_slot_finish (GstPdfRenderer * self, GstPdfSlot * slot, gchar * reason);
/* What was to be drawn into the slot's frame will not be. */
void gst_pdf_slot_drop_frame (GstPdfRenderer * self, GstPdfSlot * slot);
/* Ends the worker where it is too old or too large. */
void gst_pdf_slot_renew_worker (GstPdfRenderer * self, GstPdfSlot * slot);
/* Ends the worker; the page, if any, stays. Returns how it ended. (transfer full) */
gchar *gst_pdf_slot_drop_worker (GstPdfRenderer * self, GstPdfSlot * slot);
/* A worker was lost: killed by us because time ran out, or `what` it did. Its page is tried again or has failed. */
void gst_pdf_slot_lose_worker (GstPdfRenderer * self, GstPdfSlot * slot, gboolean timed_out, const gchar * what);

/* The thread that talks to the workers, until `quit`. */
gpointer gst_pdf_dispatcher_run (gpointer renderer);

/* Makes it look at the renderer again. */
void gst_pdf_dispatcher_wake (GstPdfRenderer * self);

G_END_DECLS
