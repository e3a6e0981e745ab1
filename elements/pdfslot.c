/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfrendererprivate.h"

GST_DEBUG_CATEGORY_EXTERN (gst_pdf_dispatcher_debug);
#define GST_CAT_DEFAULT gst_pdf_dispatcher_debug

/* Poppler and cairo keep some of what each page needed. The numbers are far above what plain
 * documents come to: 3,000 pages of mixed files made 164 MB. */
#define MAX_PAGES_OF_A_WORKER 2000
#define MAX_MEMORY_OF_A_WORKER (G_GUINT64_CONSTANT (512) << 20)
/* Reading a process's size costs about 20 µs. */
#define PAGES_BETWEEN_SIZE_CHECKS 16
/* New workers that fail one after the other before the document counts as one that cannot be opened. */
#define MAX_FAILED_STARTS 3

void
gst_pdf_slot_drop_frame (GstPdfRenderer * self, GstPdfSlot * slot)
{
  if (slot->frame)
    self->waiting_bytes -= gst_buffer_get_size (slot->frame);
  gst_clear_buffer (&slot->frame);
}

void
gst_pdf_slot_finish (GstPdfRenderer * self, GstPdfSlot * slot, gchar * reason)
{
  GstPdfJob *job = slot->job;
  GstPdfPage *page = job->page;

  job->done = g_get_monotonic_time ();
  page->render_ms = (job->done - slot->began) / 1000.0;
  page->reason = reason;
  if (reason) {
    GST_INFO ("page %u failed: %s", page->number, reason);
    gst_pdf_slot_drop_frame (self, slot);
  }
  page->frame = g_steal_pointer (&slot->frame);
  slot->job = NULL;
  slot->pages_done++;
  slot->state = SLOT_IDLE;
  if (gst_pdf_renderer_is_next (self, job)) {
    gst_pdf_renderer_note_first_size (self, page);
    g_cond_broadcast (&self->changed);
  }
}

gchar *
gst_pdf_slot_drop_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  gchar *end = gst_pdf_worker_free (g_steal_pointer (&slot->worker));

  gst_pdf_slot_drop_frame (self, slot);
  slot->state = SLOT_EMPTY;
  slot->pages_done = 0;
  return end;
}

/* A worker that did not even open the document. Later ones open what an earlier one has opened, so
 * that is no fault of the page that waits for it. */
static void
lose_start (GstPdfRenderer * self, GstPdfSlot * slot, gboolean timed_out)
{
  gchar *end = gst_pdf_slot_drop_worker (self, slot);

  self->failed_starts++;
  GST_INFO ("a new worker was lost: %s%s", timed_out ? "time ran out, " : "",
      end);
  if (timed_out && !self->opened)
    gst_pdf_renderer_give_up (self, g_error_new (GST_PDF_ERROR,
            GST_PDF_ERROR_TIME, "opening it took longer than page-timeout, %"
            G_GINT64_FORMAT " ms", self->timeout / 1000));
  else if (self->failed_starts >= MAX_FAILED_STARTS)
    gst_pdf_renderer_give_up (self, g_error_new (GST_PDF_ERROR, self->opened
            ? GST_PDF_ERROR_WORKER : GST_PDF_ERROR_DAMAGED,
            "%u render workers one after the other could not open it; "
            "the last ended with %s", self->failed_starts, end));
  g_free (end);
}

void
gst_pdf_slot_lose_worker (GstPdfRenderer * self, GstPdfSlot * slot,
    gboolean timed_out, const gchar * what)
{
  gchar *end;

  self->stats.lost++;
  if (slot->state == SLOT_OPENING) {
    lose_start (self, slot, timed_out);
    return;
  }
  end = gst_pdf_slot_drop_worker (self, slot);
  GST_INFO ("a worker was lost at page %u: %s, %s",
      slot->job ? slot->job->page->number : 0, what, end);
  if (slot->job && timed_out)
    gst_pdf_slot_finish (self, slot, g_strdup_printf ("rendering took longer "
            "than page-timeout, %" G_GINT64_FORMAT " ms", self->timeout / 1000));
  else if (slot->job && ++slot->job->attempts >= 2)
    gst_pdf_slot_finish (self, slot, g_strdup_printf ("the render worker %s "
            "twice, then ended with %s; it may need more than "
            "worker-memory-limit", what, end));
  slot->state = SLOT_EMPTY;
  g_free (end);
}

void
gst_pdf_slot_renew_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  guint64 limit = MIN (MAX_MEMORY_OF_A_WORKER, self->memory_limit / 2);

  if (slot->pages_done < MAX_PAGES_OF_A_WORKER
      && (slot->pages_done % PAGES_BETWEEN_SIZE_CHECKS != 0
          || gst_pdf_worker_get_memory (slot->worker) < limit))
    return;
  GST_INFO ("renewing a worker after %u pages", slot->pages_done);
  g_free (gst_pdf_slot_drop_worker (self, slot));
  self->stats.renewed++;
}

gboolean
gst_pdf_slot_awaits_reply (const GstPdfSlot * slot)
{
  return slot->state == SLOT_OPENING || slot->state == SLOT_SIZING
      || slot->state == SLOT_RENDERING;
}

/* Whether the others go on without a worker in this slot, so that a later try is early enough. */
static gboolean
can_wait (GstPdfRenderer * self, const GstPdfSlot * slot)
{
  for (guint i = 0; i < self->n_slots; i++) {
    const GstPdfSlot *other = &self->slots[i];

    if (other->worker && (!slot->job || gst_pdf_slot_awaits_reply (other)))
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_pdf_slot_start_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  GError *error = NULL;

  slot->worker = gst_pdf_worker_new (self->memory_limit, self->text, &error);
  if (!slot->worker) {
    gboolean later = can_wait (self, slot);

    if (later)
      GST_WARNING ("fewer workers than asked for: %s", error->message);
    else
      gst_pdf_renderer_give_up (self, g_error_new_literal (GST_PDF_ERROR,
              GST_PDF_ERROR_WORKER, error->message));
    g_error_free (error);
    return !later;
  }
  self->stats.started++;
  slot->state = SLOT_OPENING;
  slot->deadline = g_get_monotonic_time () + self->timeout;
  if (!gst_pdf_worker_open (slot->worker, self->document_fd, self->password))
    gst_pdf_slot_lose_worker (self, slot, FALSE, "died");
  return TRUE;
}

