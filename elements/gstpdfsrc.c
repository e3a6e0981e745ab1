/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-pdfsrc
 * @title: pdfsrc
 *
 * Pages of a PDF document as video frames, one page a frame, as they look on white paper, with
 * annotations and form fields. An image file (PNG, JPEG, JPEG 2000, and TIFF, which may have several pages) is a document
 * too: its pages keep their pixels, whatever the dpi, lie the way up that the file says, and have a size in points where it
 * tells a resolution. Each buffer has a page meta (#GstDocPage) that says which page it is, and with
 * #GstPdfSrc:text a text meta (gst/gstdoctextmeta.h) with the words of the page and where they stand.
 *
 * Pages are rendered by several processes at once, which only this element starts. A document that
 * crashes or hangs one of them costs one page: its buffer is white, is flagged as gap and corrupted,
 * and its page meta says why; a warning message is posted, with the fields page and reason.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 pdfsrc location=document.pdf pages=1-3 ! videoconvert ! pngenc ! multifilesink location=page-%03d.png
 * ]|
 * The first three pages as PNG files.
 */
#include "gstpdfsrcprivate.h"

#include <math.h>

#include "gst/gstdocpagemeta.h"
#include "gst/gstdoctextmeta.h"
#include "pdfframe.h"
#include "pdfrenderprotocol.h"

GST_DEBUG_CATEGORY_STATIC (gst_pdf_src_debug);
#define GST_CAT_DEFAULT gst_pdf_src_debug

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("video/x-raw, format = (string) BGRx, "
        "width = (int) [ 1, " G_STRINGIFY (PDF_RENDER_MAX_SIDE) " ], "
        "height = (int) [ 1, " G_STRINGIFY (PDF_RENDER_MAX_SIDE) " ], "
        "framerate = " GST_VIDEO_FPS_RANGE));

#define gst_pdf_src_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstPdfSrc, gst_pdf_src, GST_TYPE_PUSH_SRC,
    GST_DEBUG_CATEGORY_INIT (gst_pdf_src_debug, "pdfsrc", 0, "PDF source"))
GST_ELEMENT_REGISTER_DEFINE (pdfsrc, "pdfsrc", GST_RANK_NONE, GST_TYPE_PDF_SRC)

static void
reset (GstPdfSrc * self)
{
  g_clear_pointer (&self->range, gst_doc_page_range_free);
  g_clear_pointer (&self->file, g_free);
  g_clear_pointer (&self->wanted, g_free);
  g_clear_pointer (&self->uri, g_free);
  self->begun = FALSE;
  self->n_pages = self->count = self->position = 0;
  self->n_errors = self->n_text_errors = 0;
  self->bytes_copied = 0;
  self->last = (GstPdfGeometry) {
  0};
  gst_video_info_init (&self->info);
  self->reconfigure = TRUE;
}

/* Errors are posted here, but told by change_state(): GstBaseSrc would post a second message if this
 * failed. */
static gboolean
gst_pdf_src_start (GstBaseSrc * src)
{
  GstPdfSrc *self = GST_PDF_SRC (src);
  GstPdfRendererSettings settings;

  GST_OBJECT_LOCK (self);
  reset (self);
  self->file = g_strdup (self->location);
  self->wanted = g_strdup (self->pages);
  self->rate_n = self->fps_n;
  self->rate_d = self->fps_d;
  self->scaling = (GstPdfScaling) {
  .dpi = self->dpi};
  settings = (GstPdfRendererSettings) {
    .password = g_strdup (self->password),
    .max_workers = self->render_workers,
    .page_timeout = self->page_timeout,
    .memory_limit = self->worker_memory_limit,
    .text = self->text
  };
  GST_OBJECT_UNLOCK (self);

  if (gst_pdf_src_check_settings (self)
      && (settings.document_fd = gst_pdf_src_open_file (self)) >= 0) {
    GST_OBJECT_LOCK (self);
    self->uri = gst_filename_to_uri (self->file, NULL);
    self->renderer = gst_pdf_renderer_new (&settings);
    GST_OBJECT_UNLOCK (self);
  }
  g_free ((gchar *) settings.password);
  return TRUE;
}

static gboolean
gst_pdf_src_stop (GstBaseSrc * src)
{
  GstPdfSrc *self = GST_PDF_SRC (src);
  GstPdfRenderer *renderer;

  GST_OBJECT_LOCK (self);
  renderer = g_steal_pointer (&self->renderer);
  reset (self);
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&renderer, gst_pdf_renderer_free);
  return TRUE;
}

static void
set_flushing (GstPdfSrc * self, gboolean flushing)
{
  if (self->renderer)
    gst_pdf_renderer_set_flushing (self->renderer, flushing);
}

static gboolean
gst_pdf_src_unlock (GstBaseSrc * src)
{
  set_flushing (GST_PDF_SRC (src), TRUE);
  return TRUE;
}

static gboolean
gst_pdf_src_unlock_stop (GstBaseSrc * src)
{
  set_flushing (GST_PDF_SRC (src), FALSE);
  return TRUE;
}

static GstClockTime
time_of (GstPdfSrc * self, guint position)
{
  return gst_util_uint64_scale (position, GST_SECOND * (guint64) self->rate_d,
      (guint64) self->rate_n);
}

/* The first thing that the streaming thread does: it waits for the document. */
static gboolean
begin (GstPdfSrc * self, GError ** error)
{
  guint n_pages;

  if (!gst_pdf_renderer_open (self->renderer, &n_pages, error))
    return FALSE;
  if (!gst_pdf_src_choose_pages (self, n_pages))
    return FALSE;
  gst_pdf_renderer_start (self->renderer, g_steal_pointer (&self->range),
      self->count);
  GST_OBJECT_LOCK (self);
  GST_BASE_SRC (self)->segment.duration = time_of (self, self->count);
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_duration_changed (GST_OBJECT (self)));
  g_object_notify (G_OBJECT (self), "n-pages");
  return TRUE;
}

/* Posts what ended the stream. GstBaseSrc would add a second message to GST_FLOW_ERROR and send EOS,
 * on which a sink takes what it has for complete. */
static GstFlowReturn
fail (GstPdfSrc * self, GError * error)
{
  if (error && error->domain == GST_CORE_ERROR)
    GST_ELEMENT_ERROR (self, CORE, NEGOTIATION, ("%s.", error->message),
        (NULL));
  else if (error)
    gst_pdf_src_post_error (self, error);
  g_clear_error (&error);
  return GST_FLOW_FLUSHING;
}

/* The frame of a page that has failed: its own size where known, else that of the page before, else A4. */
static void
choose_error_size (GstPdfSrc * self, GstPdfGeometry * geometry)
{
  if (geometry->width)
    return;
  if (self->last.width && !self->scaling.fit_width)
    *geometry = self->last;
  else
    gst_pdf_geometry_for_a4 (&self->scaling, geometry);
  geometry->scale = 0;          /* the page does not lie in it */
}

static void
add_page_meta (GstPdfSrc * self, GstBuffer * buffer, const GstPdfPage * page)
{
  GstDocPage meta = GST_DOC_PAGE_INIT;

  meta.document = self->uri;
  meta.page = page->number;
  meta.pages = self->n_pages;
  meta.width = page->geometry.width;
  meta.height = page->geometry.height;
  if (isfinite (page->size.width) && page->size.width > 0
      && isfinite (page->size.height) && page->size.height > 0
      && !page->size.in_pixels) {
    meta.width_pt = page->size.width;
    meta.height_pt = page->size.height;
    meta.scale = page->geometry.scale;
    meta.x = page->geometry.x;
    meta.y = page->geometry.y;
  }
  meta.error = page->reason;
  meta.render_ms = page->render_ms;
  meta.wait_ms = page->wait_ms;
  gst_doc_page_meta_add (buffer, &meta);
}

static void
set_timing (GstPdfSrc * self, GstBuffer * buffer)
{
  GST_BUFFER_PTS (buffer) = time_of (self, self->position);
  GST_BUFFER_DURATION (buffer) =
      time_of (self, self->position + 1) - GST_BUFFER_PTS (buffer);
  GST_BUFFER_OFFSET (buffer) = self->position;
  GST_BUFFER_OFFSET_END (buffer) = self->position + 1;
}

/* Counts and reports a page that has failed. FALSE, after an error message, if it is one too many. */
static gboolean
report_failed_page (GstPdfSrc * self, const GstPdfPage * page)
{
  gint max_errors;

  GST_OBJECT_LOCK (self);
  max_errors = self->max_errors;
  self->n_errors++;
  GST_OBJECT_UNLOCK (self);
  if (max_errors >= 0 && self->n_errors > (guint) max_errors) {
    GST_ELEMENT_ERROR_WITH_DETAILS (self, STREAM, DECODE,
        ("Page %u of \"%s\" cannot be rendered: %s. That is more than "
            "max-errors, %d.", page->number, self->file, page->reason,
            max_errors), (NULL), ("page", G_TYPE_UINT, page->number, "reason",
            G_TYPE_STRING, page->reason, NULL));
    return FALSE;
  }
  GST_ELEMENT_WARNING_WITH_DETAILS (self, STREAM, DECODE,
      ("Page %u of \"%s\" cannot be rendered: %s.", page->number, self->file,
          page->reason), (NULL), ("page", G_TYPE_UINT, page->number, "reason",
          G_TYPE_STRING, page->reason, NULL));
  return TRUE;
}

/* Counts a page whose words cannot be had, and says so of the first, as it is often the same with all. */
static void
report_failed_text (GstPdfSrc * self, const GstPdfPage * page)
{
  GST_INFO_OBJECT (self, "no text of page %u: %s", page->number,
      page->text_reason);
  GST_OBJECT_LOCK (self);
  self->n_text_errors++;
  GST_OBJECT_UNLOCK (self);
  if (self->n_text_errors > 1)
    return;
  /* No field "page": that page is well. */
  GST_ELEMENT_WARNING (self, STREAM, DECODE,
      ("The text of page %u of \"%s\" cannot be had: %s. Of other pages this is "
          "counted only, as failed-texts in stats.", page->number, self->file,
          page->text_reason), (NULL));
}

/* Makes the page's buffer. NULL if there is no memory. */
static GstBuffer *
make_buffer (GstPdfSrc * self, GstPdfPage * page)
{
  GstBuffer *buffer = g_steal_pointer (&page->frame);
  gsize copied = 0;

  if (!buffer)
    buffer = gst_pdf_frame_new_white (&page->geometry);
  if (buffer)
    buffer = gst_pdf_frame_finish (buffer, &page->geometry, self->video_meta,
        &copied);
  if (!buffer)
    return NULL;
  GST_OBJECT_LOCK (self);
  self->bytes_copied += copied;
  GST_OBJECT_UNLOCK (self);
  if (page->reason) {
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
  }
  set_timing (self, buffer);
  add_page_meta (self, buffer, page);
  if (page->text)
    gst_doc_text_meta_add (buffer, page->text);
  return buffer;
}

static GstFlowReturn
gst_pdf_src_create (GstPushSrc * src, GstBuffer ** buffer)
{
  GstPdfSrc *self = GST_PDF_SRC (src);
  g_autoptr (GstPdfPage) page = NULL;
  GError *error = NULL;

  if (!self->renderer)
    return fail (self, NULL);
  if (!self->begun && !begin (self, &error))
    return fail (self, error);
  self->begun = TRUE;
  if (self->position >= self->count)
    return GST_FLOW_EOS;
  if (self->reconfigure && !gst_pdf_src_choose_scaling (self, &error))
    return fail (self, error);
  page = gst_pdf_renderer_take (self->renderer, &error);
  if (!page)
    return fail (self, error);
  if (page->reason && !report_failed_page (self, page))
    return fail (self, NULL);
  if (page->text_reason)
    report_failed_text (self, page);
  if (page->reason)
    choose_error_size (self, &page->geometry);
  if (!gst_pdf_src_ensure_caps (self, &page->geometry, page->number, &error))
    return fail (self, error);
  *buffer = make_buffer (self, page);
  if (!*buffer) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("There is no memory, or no file descriptor (ulimit -n), for page %u "
            "of \"%s\".", page->number, self->file), (NULL));
    return fail (self, NULL);
  }
  self->last = page->geometry;
  GST_OBJECT_LOCK (self);
  self->position++;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

/* The caps depend on the page, so they are set where its buffer is made. */
static gboolean
gst_pdf_src_negotiate (GstBaseSrc * src)
{
  GST_PDF_SRC (src)->reconfigure = TRUE;
  return TRUE;
}

/* Answers in pages and in time; `n` of either is a number of pages. */
static gboolean
convert (GstPdfSrc * self, GstFormat format, guint n, gint64 * value)
{
  if (format != GST_FORMAT_DEFAULT && format != GST_FORMAT_TIME)
    return FALSE;
  *value = format == GST_FORMAT_TIME ? (gint64) time_of (self, n) : n;
  return TRUE;
}

static gboolean
gst_pdf_src_query (GstBaseSrc * src, GstQuery * query)
{
  GstPdfSrc *self = GST_PDF_SRC (src);
  guint count, position;
  gboolean ok = FALSE;
  GstFormat format;
  gint64 value;
  gchar *uri;

  GST_OBJECT_LOCK (self);
  count = self->count;
  position = self->position;
  uri = g_strdup (self->uri);
  GST_OBJECT_UNLOCK (self);
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_DURATION:
      gst_query_parse_duration (query, &format, NULL);
      if ((ok = count > 0 && convert (self, format, count, &value)))
        gst_query_set_duration (query, format, value);
      break;
    case GST_QUERY_POSITION:
      gst_query_parse_position (query, &format, NULL);
      if ((ok = count > 0 && convert (self, format, position, &value)))
        gst_query_set_position (query, format, value);
      break;
    case GST_QUERY_URI:
      if ((ok = uri != NULL))
        gst_query_set_uri (query, uri);
      break;
    default:
      ok = GST_BASE_SRC_CLASS (parent_class)->query (src, query);
  }
  g_free (uri);
  return ok;
}

/* A document that start() could not open fails the change of state; who waits for its end would
 * wait for ever otherwise. */
static GstStateChangeReturn
gst_pdf_src_change_state (GstElement * element, GstStateChange change)
{
  GstElementClass *parent = GST_ELEMENT_CLASS (parent_class);
  GstStateChangeReturn result = parent->change_state (element, change);

  if (change != GST_STATE_CHANGE_READY_TO_PAUSED
      || result == GST_STATE_CHANGE_FAILURE || GST_PDF_SRC (element)->renderer)
    return result;
  parent->change_state (element, GST_STATE_CHANGE_PAUSED_TO_READY);
  return GST_STATE_CHANGE_FAILURE;
}

static void
gst_pdf_src_finalize (GObject * object)
{
  GstPdfSrc *self = GST_PDF_SRC (object);

  reset (self);
  g_free (self->location);
  g_free (self->pages);
  g_free (self->password);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_pdf_src_class_init (GstPdfSrcClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_pdf_src_finalize;
  gst_pdf_src_install_properties (klass);

  element_class->change_state = gst_pdf_src_change_state;
  src_class->start = gst_pdf_src_start;
  src_class->stop = gst_pdf_src_stop;
  src_class->unlock = gst_pdf_src_unlock;
  src_class->unlock_stop = gst_pdf_src_unlock_stop;
  src_class->negotiate = gst_pdf_src_negotiate;
  src_class->query = gst_pdf_src_query;
  GST_PUSH_SRC_CLASS (klass)->create = gst_pdf_src_create;

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "PDF source",
      "Source/File/Video",
      "Pages of a PDF document or of an image file",
      "The gst-doclayout authors");
}

static void
gst_pdf_src_init (GstPdfSrc * self)
{
  gst_pdf_src_set_defaults (self);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
