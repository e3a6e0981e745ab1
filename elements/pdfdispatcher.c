/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfrendererprivate.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

GST_DEBUG_CATEGORY (gst_pdf_dispatcher_debug);
#define GST_CAT_DEFAULT gst_pdf_dispatcher_debug

#define MAX_WAITING_BYTES (G_GUINT64_CONSTANT (512) << 20)

void
gst_pdf_dispatcher_wake (GstPdfRenderer * self)
{
  guint64 one = 1;

  while (write (self->wake_fd, &one, sizeof one) < 0 && errno == EINTR);
}

static void
ask_size (GstPdfRenderer * self, GstPdfSlot * slot)
{
  slot->guessed = FALSE;
  slot->began = g_get_monotonic_time ();
  slot->deadline = slot->began + self->timeout;
  slot->state = SLOT_SIZING;
  if (!gst_pdf_worker_ask_size (slot->worker, slot->job->page->number - 1))
    gst_pdf_slot_lose_worker (self, slot, FALSE, "died");
}

/* Most pages are of the size of those before them: asking for it costs the worker a wait a page, so it is asked to draw,
 * if the size is right. */
static void
begin_page (GstPdfRenderer * self, GstPdfSlot * slot)
{
  if (!self->scaled || self->last_size.width == 0) {
    ask_size (self, slot);
    return;
  }
  slot->job->page->size = self->last_size;
  slot->guessed = TRUE;
  slot->spent = 0;
  slot->state = SLOT_PARKED;
}

/* Whether there is a page to begin with, and the look-ahead allows it. */
static gboolean
has_job (GstPdfRenderer * self)
{
  return self->range && self->next_job < self->count
      && self->next_job - self->next_taken < self->ring_size;
}

/* Gives the slot the next page of the range. */
static gboolean
take_job (GstPdfRenderer * self, GstPdfSlot * slot)
{
  GstPdfJob *job;

  if (!has_job (self))
    return FALSE;
  job = gst_pdf_renderer_job (self, self->next_job);
  *job = (GstPdfJob) {
  .page = g_new0 (GstPdfPage, 1)};
  job->page->number = gst_doc_page_range_get (self->range, self->next_job);
  self->next_job++;
  slot->job = job;
  return TRUE;
}

/* A parked page, whose size is known, is rendered as soon as there is a scaling and room. FALSE if it
 * stays parked. */
static gboolean
try_render (GstPdfRenderer * self, GstPdfSlot * slot)
{
  GstPdfPage *page = slot->job->page;
  gchar *reason = NULL;
  gsize size;

  if (!self->scaled)
    return FALSE;
  if (!gst_pdf_geometry_for_page (&self->scaling, &page->size,
          &page->geometry, &reason)) {
    if (slot->guessed) {
      g_free (reason);
      ask_size (self, slot);
      return TRUE;
    }
    gst_pdf_slot_finish (self, slot, reason);
    return TRUE;
  }
  size = gst_pdf_geometry_size (&page->geometry);
  if (self->waiting_bytes + size > MAX_WAITING_BYTES
      && !gst_pdf_renderer_is_next (self, slot->job))
    return FALSE;
  slot->frame = gst_pdf_worker_acquire_frame (slot->worker, &page->geometry);
  if (!slot->frame) {
    /* Frames come back when pages before this one have been used. */
    if (!gst_pdf_renderer_is_next (self, slot->job))
      return FALSE;
    gst_pdf_slot_finish (self, slot, g_strdup ("there is no memory, or no file "
            "descriptor (ulimit -n), for its frame"));
    return TRUE;
  }
  self->waiting_bytes += size;
  slot->began = g_get_monotonic_time () - slot->spent;
  slot->deadline = slot->began + self->timeout;
  slot->state = SLOT_RENDERING;
  if (!gst_pdf_worker_render (slot->worker, page->number - 1, &page->geometry,
          slot->frame, slot->guessed ? &page->size : NULL))
    gst_pdf_slot_lose_worker (self, slot, FALSE, "died");
  return TRUE;
}

static void
handle_opened (GstPdfRenderer * self, GstPdfSlot * slot,
    const struct pdf_render_reply *reply)
{
  gboolean encrypted = reply->status == PDF_RENDER_ENCRYPTED;

  if (self->opened && (reply->status != PDF_RENDER_OK
          || reply->n_pages != self->n_pages)) {
    gst_pdf_slot_lose_worker (self, slot, FALSE, "opened it differently");
    return;
  }
  if (reply->status == PDF_RENDER_NO_MEMORY) {
    gst_pdf_slot_lose_worker (self, slot, FALSE, "ran out of memory");
    return;
  }
  slot->state = SLOT_IDLE;
  self->failed_starts = 0;
  if (reply->status != PDF_RENDER_OK) {
    gst_pdf_renderer_give_up (self, g_error_new_literal (GST_PDF_ERROR,
            encrypted ? GST_PDF_ERROR_ENCRYPTED : GST_PDF_ERROR_DAMAGED,
            reply->reason));
    return;
  }
  self->n_pages = reply->n_pages;
  self->opened = TRUE;
  g_cond_broadcast (&self->changed);
}

/* The page's size, which was asked for or guessed wrongly. */
static void
handle_size (GstPdfRenderer * self, GstPdfSlot * slot,
    const struct pdf_render_reply *reply)
{
  gst_pdf_slot_drop_frame (self, slot);
  slot->job->page->geometry = (GstPdfGeometry) { 0 };
  slot->job->page->size = reply->size;
  slot->guessed = FALSE;
  slot->spent = g_get_monotonic_time () - slot->began;
  slot->state = SLOT_PARKED;
  if (isfinite (reply->size.width) && isfinite (reply->size.height))
    self->last_size = reply->size;
  if (gst_pdf_renderer_is_next (self, slot->job))
    gst_pdf_renderer_note_first_size (self, slot->job->page);
}

/* The page has been drawn. FALSE if its words break the protocol. */
static gboolean
take_text (GstPdfSlot * slot, const struct pdf_render_reply *reply)
{
  GstPdfPage *page = slot->job->page;

  if (*reply->reason)
    page->text_reason = g_strdup (reply->reason);
  else
    page->text = gst_pdf_worker_read_text (slot->worker, reply);
  return page->text || page->text_reason;
}

static void
handle_reply (GstPdfRenderer * self, GstPdfSlot * slot,
    const struct pdf_render_reply *reply)
{
  if (slot->state == SLOT_OPENING) {
    handle_opened (self, slot, reply);
  } else if (reply->status == PDF_RENDER_NO_MEMORY) {
    gst_pdf_slot_lose_worker (self, slot, FALSE, "ran out of memory");
  } else if (reply->status == PDF_RENDER_OTHER_SIZE && !slot->guessed) {
    gst_pdf_slot_lose_worker (self, slot, FALSE, "broke its protocol");
  } else if (reply->status == PDF_RENDER_OTHER_SIZE) {
    handle_size (self, slot, reply);
  } else if (reply->status != PDF_RENDER_OK) {
    gst_pdf_slot_finish (self, slot, g_strdup (*reply->reason ? reply->reason
            : "the render worker gave no reason"));
  } else if (slot->state == SLOT_SIZING) {
    handle_size (self, slot, reply);
  } else if (self->text && !take_text (slot, reply)) {
    gst_pdf_slot_lose_worker (self, slot, FALSE, "broke its protocol");
  } else {
    gst_pdf_slot_finish (self, slot, NULL);
    gst_pdf_slot_renew_worker (self, slot);
  }
}

static void
check_slot (GstPdfRenderer * self, GstPdfSlot * slot, gboolean readable)
{
  struct pdf_render_reply reply;

  if (readable && slot->worker) {
    switch (gst_pdf_worker_receive (slot->worker, &reply)) {
      case GST_PDF_REPLY_OK:
        handle_reply (self, slot, &reply);
        return;
      case GST_PDF_REPLY_BROKEN:
        gst_pdf_slot_lose_worker (self, slot, FALSE,
            "died or broke its protocol");
        return;
      case GST_PDF_REPLY_NONE:
        break;
    }
  }
  if (gst_pdf_slot_awaits_reply (slot)
      && g_get_monotonic_time () >= slot->deadline)
    gst_pdf_slot_lose_worker (self, slot, TRUE, "took too long");
}

/* One step that needs no reply. FALSE if there is none. */
static gboolean
advance_slot (GstPdfRenderer * self, GstPdfSlot * slot)
{
  switch (slot->state) {
    case SLOT_EMPTY:
      /* One that is lost when nothing is left to do is not needed any more. */
      if (self->opened && !slot->job && !has_job (self))
        return FALSE;
      return gst_pdf_slot_start_worker (self, slot);
    case SLOT_IDLE:
      if (self->range && !slot->job && self->next_job >= self->count) {
        /* Its memory is of more use to those who look at the pages. */
        g_free (gst_pdf_slot_drop_worker (self, slot));
        return FALSE;
      }
      if (!slot->job && !take_job (self, slot))
        return FALSE;
      begin_page (self, slot);
      return TRUE;
    case SLOT_PARKED:
      return try_render (self, slot);
    default:
      return FALSE;
  }
}

/* In the order of the slots, so that the worker which opened the document has the first page before
 * the others are started. */
static void
advance (GstPdfRenderer * self)
{
  for (guint i = 0; i < self->n_slots; i++)
    while (!self->error && advance_slot (self, &self->slots[i]));
}

/* Waits for replies, the next deadline, or wake(). */
static void
wait_and_handle (GstPdfRenderer * self)
{
  struct pollfd fds[GST_PDF_MAX_WORKERS + 1];
  guint n = self->n_slots;
  gint64 now = g_get_monotonic_time (), until = G_MAXINT64;
  guint64 count;
  gint timeout = -1;

  for (guint i = 0; i < n; i++) {
    GstPdfSlot *slot = &self->slots[i];

    fds[i] = (struct pollfd) { -1, POLLIN, 0 };
    if (slot->worker)
      fds[i].fd = gst_pdf_worker_get_socket (slot->worker);
    if (gst_pdf_slot_awaits_reply (slot))
      until = MIN (until, slot->deadline);
  }
  fds[n] = (struct pollfd) { self->wake_fd, POLLIN, 0 };
  if (until != G_MAXINT64)
    timeout = (gint) CLAMP ((until - now + 999) / 1000, 0, G_MAXINT);
  g_mutex_unlock (&self->lock);
  if (poll (fds, n + 1, timeout) < 0)
    memset (fds, 0, sizeof fds);
  if (fds[n].revents && read (self->wake_fd, &count, sizeof count) < 0)
    GST_DEBUG ("woken for nothing");
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < n && !self->quit; i++)
    check_slot (self, &self->slots[i], fds[i].revents != 0);
}

gpointer
gst_pdf_dispatcher_run (gpointer renderer)
{
  GstPdfRenderer *self = renderer;

  GST_DEBUG_CATEGORY_INIT (gst_pdf_dispatcher_debug, "pdfdispatcher", 0,
      "Which worker renders which PDF page");
  g_mutex_lock (&self->lock);
  while (!self->quit) {
    advance (self);
    wait_and_handle (self);
  }
  for (guint i = 0; i < self->n_slots; i++) {
    if (self->slots[i].worker)
      g_free (gst_pdf_slot_drop_worker (self, &self->slots[i]));
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}
