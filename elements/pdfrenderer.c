/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfrendererprivate.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A worker takes about as long to start and to open a document as it takes for this many plain
 * pages (30 to 40 ms against 6), so with fewer pages another one does not pay. */
#define PAGES_THAT_PAY_A_WORKER 4

GQuark
gst_pdf_error_quark (void)
{
  return g_quark_from_static_string ("gst-pdf-error-quark");
}

void
gst_pdf_page_free (GstPdfPage * page)
{
  gst_clear_buffer (&page->frame);
  g_free (page->reason);
  g_clear_pointer (&page->text, g_variant_unref);
  g_free (page->text_reason);
  g_free (page);
}

GstPdfRenderer *
gst_pdf_renderer_new (const GstPdfRendererSettings * settings)
{
  GstPdfRenderer *self = g_new0 (GstPdfRenderer, 1);
  guint workers = settings->max_workers;

  self->document_fd = settings->document_fd;
  self->password = g_strdup (settings->password);
  self->max_workers =
      MIN (workers ? workers : g_get_num_processors (), GST_PDF_MAX_WORKERS);
  self->timeout = (gint64) settings->page_timeout * 1000;
  self->memory_limit = settings->memory_limit;
  self->text = settings->text;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->slots = g_new0 (GstPdfSlot, self->max_workers);
  self->n_slots = 1;
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake_fd < 0)
    self->error = g_error_new (GST_PDF_ERROR, GST_PDF_ERROR_WORKER,
        "no event descriptor: %s", g_strerror (errno));
  else
    self->thread =
        g_thread_new ("pdf-dispatcher", gst_pdf_dispatcher_run, self);
  return self;
}

void
gst_pdf_renderer_free (GstPdfRenderer * self)
{
  if (self->thread) {
    g_mutex_lock (&self->lock);
    self->quit = TRUE;
    g_mutex_unlock (&self->lock);
    gst_pdf_dispatcher_wake (self);
    g_thread_join (self->thread);
    close (self->wake_fd);
  }
  for (guint i = 0; i < self->ring_size; i++)
    g_clear_pointer (&self->ring[i].page, gst_pdf_page_free);
  g_clear_pointer (&self->range, gst_doc_page_range_free);
  g_clear_error (&self->error);
  g_free (self->ring);
  g_free (self->slots);
  g_free (self->password);
  close (self->document_fd);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
gst_pdf_renderer_give_up (GstPdfRenderer * self, GError * error)
{
  if (self->error)
    g_error_free (error);
  else
    self->error = error;
  g_cond_broadcast (&self->changed);
}

void
gst_pdf_renderer_note_first_size (GstPdfRenderer * self,
    const GstPdfPage * page)
{
  if (self->first_sized)
    return;
  self->first_sized = TRUE;
  self->first_size = page->size;
  g_cond_broadcast (&self->changed);
}

/* Waits, with the lock, until `ready` or that will never be. */
static gboolean
wait_for (GstPdfRenderer * self, gboolean (*ready) (GstPdfRenderer *),
    GError ** error)
{
  while (!self->flushing && !self->error && !ready (self))
    g_cond_wait (&self->changed, &self->lock);
  if (self->flushing)
    g_set_error_literal (error, GST_PDF_ERROR, GST_PDF_ERROR_FLUSHING,
        "flushing");
  else if (!ready (self))
    g_propagate_error (error, g_error_copy (self->error));
  else
    return TRUE;
  return FALSE;
}

static gboolean
is_open (GstPdfRenderer * self)
{
  return self->opened;
}

gboolean
gst_pdf_renderer_open (GstPdfRenderer * self, guint * n_pages, GError ** error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = wait_for (self, is_open, error);
  *n_pages = self->n_pages;
  g_mutex_unlock (&self->lock);
  return ok;
}

void
gst_pdf_renderer_start (GstPdfRenderer * self, GstDocPageRange * range,
    guint count)
{
  guint worth =
      count / PAGES_THAT_PAY_A_WORKER + (count % PAGES_THAT_PAY_A_WORKER > 0);

  g_mutex_lock (&self->lock);
  self->range = range;
  self->count = count;
  self->n_slots = CLAMP (worth, 1, self->max_workers);
  self->ring_size = 2 * self->n_slots + 2;
  self->ring = g_new0 (GstPdfJob, self->ring_size);
  g_mutex_unlock (&self->lock);
  gst_pdf_dispatcher_wake (self);
}

static gboolean
is_first_sized (GstPdfRenderer * self)
{
  return self->first_sized;
}

gboolean
gst_pdf_renderer_first_size (GstPdfRenderer * self,
    struct pdf_render_size *size, GError ** error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = wait_for (self, is_first_sized, error);
  *size = self->first_size;
  g_mutex_unlock (&self->lock);
  return ok;
}

void
gst_pdf_renderer_set_scaling (GstPdfRenderer * self,
    const GstPdfScaling * scaling)
{
  g_mutex_lock (&self->lock);
  self->scaling = *scaling;
  self->scaled = TRUE;
  g_mutex_unlock (&self->lock);
  gst_pdf_dispatcher_wake (self);
}

static gboolean
is_next_done (GstPdfRenderer * self)
{
  return gst_pdf_renderer_job (self, self->next_taken)->done != 0;
}

GstPdfPage *
gst_pdf_renderer_take (GstPdfRenderer * self, GError ** error)
{
  GstPdfPage *page = NULL;

  g_mutex_lock (&self->lock);
  if (wait_for (self, is_next_done, error)) {
    GstPdfJob *job = gst_pdf_renderer_job (self, self->next_taken++);

    page = g_steal_pointer (&job->page);
    page->wait_ms = (g_get_monotonic_time () - job->done) / 1000.0;
    job->done = 0;
    if (page->frame)
      self->waiting_bytes -= gst_buffer_get_size (page->frame);
  }
  g_mutex_unlock (&self->lock);
  if (page)
    gst_pdf_dispatcher_wake (self);
  return page;
}

void
gst_pdf_renderer_set_flushing (GstPdfRenderer * self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
gst_pdf_renderer_get_stats (GstPdfRenderer * self, GstPdfRendererStats * stats)
{
  g_mutex_lock (&self->lock);
  *stats = self->stats;
  g_mutex_unlock (&self->lock);
}
