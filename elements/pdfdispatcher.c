/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfrendererprivate.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC (gst_pdf_dispatcher_debug);
#define GST_CAT_DEFAULT gst_pdf_dispatcher_debug

/* Poppler and cairo keep some of what each page needed. The numbers are far above what plain
 * documents come to: 3,000 pages of mixed files made 164 MB. */
#define MAX_PAGES_OF_A_WORKER 2000
#define MAX_MEMORY_OF_A_WORKER (G_GUINT64_CONSTANT (512) << 20)
/* Reading a process's size costs about 20 µs. */
#define PAGES_BETWEEN_SIZE_CHECKS 16
/* New workers that fail one after the other before the document counts as one that cannot be opened. */
#define MAX_FAILED_STARTS 3
#define MAX_WAITING_BYTES (G_GUINT64_CONSTANT (512) << 20)

void
gst_pdf_dispatcher_wake (GstPdfRenderer * self)
{
  guint64 one = 1;

  while (write (self->wake_fd, &one, sizeof one) < 0 && errno == EINTR);
}

static gboolean
is_next (GstPdfRenderer * self, const GstPdfJob * job)
{
  return job == gst_pdf_renderer_job (self, self->next_taken);
}

/* `error` is transferred. */
static void
give_up (GstPdfRenderer * self, GError * error)
{
  if (self->error)
    g_error_free (error);
  else
    self->error = error;
  g_cond_broadcast (&self->changed);
}

static void
note_first_size (GstPdfRenderer * self, const GstPdfPage * page)
{
  if (self->first_sized)
    return;
  self->first_sized = TRUE;
  self->first_width = page->width_pt;
  self->first_height = page->height_pt;
  g_cond_broadcast (&self->changed);
}

/* What was to be drawn into it will not be. */
static void
drop_frame (GstPdfRenderer * self, GstPdfSlot * slot)
{
  if (slot->frame)
    self->waiting_bytes -= gst_buffer_get_size (slot->frame);
  gst_clear_buffer (&slot->frame);
}

/* The page of the slot is done: well, or failed for `reason` (transfer full). */
static void
finish_job (GstPdfRenderer * self, GstPdfSlot * slot, gchar * reason)
{
  GstPdfJob *job = slot->job;
  GstPdfPage *page = job->page;

  job->done = g_get_monotonic_time ();
  page->render_ms = (job->done - slot->began) / 1000.0;
  page->reason = reason;
  if (reason) {
    GST_INFO ("page %u failed: %s", page->number, reason);
    drop_frame (self, slot);
  }
  page->frame = g_steal_pointer (&slot->frame);
  slot->job = NULL;
  slot->pages_done++;
  slot->state = SLOT_IDLE;
  if (is_next (self, job)) {
    note_first_size (self, page);
    g_cond_broadcast (&self->changed);
  }
}

/* Ends the worker of the slot; the page, if any, stays. Returns how it ended. (transfer full) */
static gchar *
drop_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  gchar *end = gst_pdf_worker_free (g_steal_pointer (&slot->worker));

  drop_frame (self, slot);
  slot->state = SLOT_EMPTY;
  slot->pages_done = 0;
  return end;
}

/* A worker that did not even open the document. Later ones open what an earlier one has opened, so
 * that is no fault of the page that waits for it. */
static void
lose_start (GstPdfRenderer * self, GstPdfSlot * slot, gboolean timed_out)
{
  gchar *end = drop_worker (self, slot);

  self->failed_starts++;
  GST_INFO ("a new worker was lost: %s%s", timed_out ? "time ran out, " : "",
      end);
  if (timed_out && !self->opened)
    give_up (self, g_error_new (GST_PDF_ERROR, GST_PDF_ERROR_TIME,
            "opening it took longer than page-timeout, %" G_GINT64_FORMAT
            " ms", self->timeout / 1000));
  else if (self->failed_starts >= MAX_FAILED_STARTS)
    give_up (self, g_error_new (GST_PDF_ERROR, self->opened
            ? GST_PDF_ERROR_WORKER : GST_PDF_ERROR_DAMAGED,
            "%u render workers one after the other could not open it; "
            "the last ended with %s", self->failed_starts, end));
  g_free (end);
}

/* A worker was lost: killed by us because time ran out, or `what` it did. */
static void
lose_worker (GstPdfRenderer * self, GstPdfSlot * slot, gboolean timed_out,
    const gchar * what)
{
  gchar *end;

  self->stats.lost++;
  if (slot->state == SLOT_OPENING) {
    lose_start (self, slot, timed_out);
    return;
  }
  end = drop_worker (self, slot);
  GST_INFO ("a worker was lost at page %u: %s, %s",
      slot->job ? slot->job->page->number : 0, what, end);
  if (slot->job && timed_out)
    finish_job (self, slot, g_strdup_printf ("rendering took longer than "
            "page-timeout, %" G_GINT64_FORMAT " ms", self->timeout / 1000));
  else if (slot->job && ++slot->job->attempts >= 2)
    finish_job (self, slot, g_strdup_printf ("the render worker %s twice, "
            "then ended with %s; it may need more than worker-memory-limit",
            what, end));
  slot->state = SLOT_EMPTY;
  g_free (end);
}

static void
renew_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  guint64 limit = MIN (MAX_MEMORY_OF_A_WORKER, self->memory_limit / 2);

  if (slot->pages_done < MAX_PAGES_OF_A_WORKER
      && (slot->pages_done % PAGES_BETWEEN_SIZE_CHECKS != 0
          || gst_pdf_worker_get_memory (slot->worker) < limit))
    return;
  GST_INFO ("renewing a worker after %u pages", slot->pages_done);
  g_free (drop_worker (self, slot));
  self->stats.renewed++;
}

static gboolean
awaits_reply (const GstPdfSlot * slot)
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

    if (other->worker && (!slot->job || awaits_reply (other)))
      return TRUE;
  }
  return FALSE;
}

/* FALSE if there is to be another try. */
static gboolean
start_worker (GstPdfRenderer * self, GstPdfSlot * slot)
{
  GError *error = NULL;

  slot->worker = gst_pdf_worker_new (self->memory_limit, &error);
  if (!slot->worker) {
    gboolean later = can_wait (self, slot);

    if (later)
      GST_WARNING ("fewer workers than asked for: %s", error->message);
    else
      give_up (self, g_error_new_literal (GST_PDF_ERROR, GST_PDF_ERROR_WORKER,
              error->message));
    g_error_free (error);
    return !later;
  }
  self->stats.started++;
  slot->state = SLOT_OPENING;
  slot->deadline = g_get_monotonic_time () + self->timeout;
  if (!gst_pdf_worker_open (slot->worker, self->document_fd, self->password))
    lose_worker (self, slot, FALSE, "died");
  return TRUE;
}

static void
ask_size (GstPdfRenderer * self, GstPdfSlot * slot)
{
  slot->guessed = FALSE;
  slot->began = g_get_monotonic_time ();
  slot->deadline = slot->began + self->timeout;
  slot->state = SLOT_SIZING;
  if (!gst_pdf_worker_ask_size (slot->worker, slot->job->page->number - 1))
    lose_worker (self, slot, FALSE, "died");
}

/* Most pages are of the size of those before them: asking for it costs the worker a wait a page, so it is asked to draw,
 * if the size is right. */
static void
begin_page (GstPdfRenderer * self, GstPdfSlot * slot)
{
  if (!self->scaled || self->last_width == 0) {
    ask_size (self, slot);
    return;
  }
  slot->job->page->width_pt = self->last_width;
  slot->job->page->height_pt = self->last_height;
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
  if (!gst_pdf_geometry_for_page (&self->scaling, page->width_pt,
          page->height_pt, &page->geometry, &reason)) {
    if (slot->guessed) {
      g_free (reason);
      ask_size (self, slot);
      return TRUE;
    }
    finish_job (self, slot, reason);
    return TRUE;
  }
  size = gst_pdf_geometry_size (&page->geometry);
  if (self->waiting_bytes + size > MAX_WAITING_BYTES
      && !is_next (self, slot->job))
    return FALSE;
  slot->frame = gst_pdf_worker_acquire_frame (slot->worker, &page->geometry);
  if (!slot->frame) {
    /* Frames come back when pages before this one have been used. */
    if (!is_next (self, slot->job))
      return FALSE;
    finish_job (self, slot, g_strdup ("there is no memory, or no file "
            "descriptor (ulimit -n), for its frame"));
    return TRUE;
  }
  self->waiting_bytes += size;
  slot->began = g_get_monotonic_time () - slot->spent;
  slot->deadline = slot->began + self->timeout;
  slot->state = SLOT_RENDERING;
  if (!gst_pdf_worker_render (slot->worker, page->number - 1, &page->geometry,
          slot->frame, slot->guessed ? page->width_pt : 0,
          slot->guessed ? page->height_pt : 0))
    lose_worker (self, slot, FALSE, "died");
  return TRUE;
}

static void
handle_opened (GstPdfRenderer * self, GstPdfSlot * slot,
    const struct pdf_render_reply *reply)
{
  gboolean encrypted = reply->status == PDF_RENDER_ENCRYPTED;

  if (self->opened && (reply->status != PDF_RENDER_OK
          || reply->n_pages != self->n_pages)) {
    lose_worker (self, slot, FALSE, "opened it differently");
    return;
  }
  if (reply->status == PDF_RENDER_NO_MEMORY) {
    lose_worker (self, slot, FALSE, "ran out of memory");
    return;
  }
  slot->state = SLOT_IDLE;
  self->failed_starts = 0;
  if (reply->status != PDF_RENDER_OK) {
    give_up (self, g_error_new_literal (GST_PDF_ERROR, encrypted
            ? GST_PDF_ERROR_ENCRYPTED : GST_PDF_ERROR_DAMAGED, reply->reason));
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
  drop_frame (self, slot);
  slot->job->page->geometry = (GstPdfGeometry) { 0 };
  slot->job->page->width_pt = reply->width;
  slot->job->page->height_pt = reply->height;
  slot->guessed = FALSE;
  slot->spent = g_get_monotonic_time () - slot->began;
  slot->state = SLOT_PARKED;
  if (isfinite (reply->width) && isfinite (reply->height)) {
    self->last_width = reply->width;
    self->last_height = reply->height;
  }
  if (is_next (self, slot->job))
    note_first_size (self, slot->job->page);
}

static void
handle_reply (GstPdfRenderer * self, GstPdfSlot * slot,
    const struct pdf_render_reply *reply)
{
  if (slot->state == SLOT_OPENING) {
    handle_opened (self, slot, reply);
  } else if (reply->status == PDF_RENDER_NO_MEMORY) {
    lose_worker (self, slot, FALSE, "ran out of memory");
  } else if (reply->status == PDF_RENDER_OTHER_SIZE && !slot->guessed) {
    lose_worker (self, slot, FALSE, "broke its protocol");
  } else if (reply->status == PDF_RENDER_OTHER_SIZE) {
    handle_size (self, slot, reply);
  } else if (reply->status != PDF_RENDER_OK) {
    finish_job (self, slot, g_strdup (*reply->reason ? reply->reason
            : "the render worker gave no reason"));
  } else if (slot->state == SLOT_SIZING) {
    handle_size (self, slot, reply);
  } else {
    finish_job (self, slot, NULL);
    renew_worker (self, slot);
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
        lose_worker (self, slot, FALSE, "died or broke its protocol");
        return;
      case GST_PDF_REPLY_NONE:
        break;
    }
  }
  if (awaits_reply (slot) && g_get_monotonic_time () >= slot->deadline)
    lose_worker (self, slot, TRUE, "took too long");
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
      return start_worker (self, slot);
    case SLOT_IDLE:
      if (self->range && !slot->job && self->next_job >= self->count) {
        /* Its memory is of more use to those who look at the pages. */
        g_free (drop_worker (self, slot));
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
    if (awaits_reply (slot))
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
      g_free (drop_worker (self, &self->slots[i]));
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}
