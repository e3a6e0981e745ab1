/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-jsonsink
 * @title: jsonsink
 *
 * Writes what the page and layout metas of each buffer say: as a line of JSON, one object a page
 * (docs/json.md), or in another #GstJsonSink:format (docs/formats.md). It looks at no pixels, so it
 * takes frames in any memory.
 *
 * A regular file appears under its name at the end of the stream, or when the pipeline is stopped
 * before it, and then holds the pages that were done; until then, and if writing fails, it is as it
 * was. With #GstJsonSink:append lines are put behind those of a file that exists. Anything else
 * that the location names (a device, a pipe) is written in place, as far as the format allows page
 * by page. A location with `%s` (the document's name), `%d` (its number) or `%p` (the page's) is a
 * file for each document or page. A stream without a single page writes nothing, and says so in a
 * warning.
 *
 * At the end it posts an element message `jsonsink-summary` with the fields `pages`, `failed` and
 * `regions` (guint64), and for each file that is complete `jsonsink-file` with its `location`
 * (string); with #GstJsonSink:post-messages also one `jsonsink-page` a page, with
 * `page`, `pages` (guint, 0: unknown), `status`, `error` (string, the latter may be NULL),
 * `regions` (guint), `labels` (a #GstStructure with a guint count a label) and `line` (string).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink location=a.jsonl
 * gst-launch-1.0 -q pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink format=docling location=%s.json
 * ]|
 * The second one prints the lines.
 *
 * Since: 0.1
 */
#include "gstjsonsinkprivate.h"

#include <gst/video/video.h>

#include "gst/gstdoctextmeta.h"

GST_DEBUG_CATEGORY_STATIC (json_sink_debug);
#define GST_CAT_DEFAULT json_sink_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));

G_DEFINE_TYPE (GstJsonSink, gst_json_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (jsonsink, "jsonsink", GST_RANK_NONE,
    GST_TYPE_JSON_SINK,
    GST_DEBUG_CATEGORY_INIT (json_sink_debug, "jsonsink", 0, "layout of pages"))

static void
post_summary (GstJsonSink * self)
{
  GstElement *element = GST_ELEMENT (self);

  gst_element_post_message (element, gst_json_message_summary (element, &self->totals));
}

static gboolean
start (GstJsonSink * self)
{
  self->failed = self->warned = FALSE;
  self->new_stream = TRUE;
  self->number = 0;
  self->width = self->height = 0;
  g_clear_pointer (&self->document, g_free);
  return gst_json_sink_open (self);
}

static void
stop (GstJsonSink * self)
{
  gboolean interrupted = self->output != NULL && self->totals.pages > 0;

  if (self->output)
    gst_layout_output_set_flushing (self->output, TRUE);
  if (gst_json_sink_close (self, TRUE) && interrupted)
    post_summary (self);
}

/* GstBaseSink's start() would add an error of its own to the one that says what is wrong. */
static GstStateChangeReturn
gst_json_sink_change_state (GstElement * element, GstStateChange change)
{
  GstJsonSink *self = GST_JSON_SINK (element);
  GstStateChangeReturn ret;

  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  ret = GST_ELEMENT_CLASS (gst_json_sink_parent_class)->change_state (element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY
      || (change == GST_STATE_CHANGE_READY_TO_PAUSED && ret == GST_STATE_CHANGE_FAILURE))
    stop (self);
  return ret;
}

static gboolean
gst_json_sink_unlock (GstBaseSink * base)
{
  GstJsonSink *self = GST_JSON_SINK (base);

  GST_OBJECT_LOCK (self);
  if (self->output)
    gst_layout_output_set_flushing (self->output, TRUE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_json_sink_unlock_stop (GstBaseSink * base)
{
  GstJsonSink *self = GST_JSON_SINK (base);

  GST_OBJECT_LOCK (self);
  if (self->output)
    gst_layout_output_set_flushing (self->output, FALSE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_json_sink_set_caps (GstBaseSink * base, GstCaps * caps)
{
  GstJsonSink *self = GST_JSON_SINK (base);
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  return gst_structure_get_int (s, "width", &self->width)
      && gst_structure_get_int (s, "height", &self->height);
}

static gboolean
gst_json_sink_propose_allocation (GstBaseSink * base, GstQuery * query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

static gboolean
gst_json_sink_event (GstBaseSink * base, GstEvent * event)
{
  GstJsonSink *self = GST_JSON_SINK (base);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      self->new_stream = TRUE;
      break;
    case GST_EVENT_EOS:
      if (self->output != NULL && self->totals.pages == 0)
        GST_ELEMENT_WARNING (self, STREAM, FAILED,
            ("No page arrived; nothing was written."), (NULL));
      else if (self->output != NULL && self->written == 0 && self->n_failed_files == 0)
        GST_ELEMENT_WARNING (self, STREAM, FAILED,
            ("No page has regions; nothing was written."), (NULL));
      if (!gst_json_sink_close (self, FALSE)) {
        gst_event_unref (event);
        return FALSE;
      }
      post_summary (self);
      break;
    default:
      break;
  }
  return GST_BASE_SINK_CLASS (gst_json_sink_parent_class)->event (base, event);
}

/* What is live (a camera, a network stream) has an address too, but is no document. */
static gchar *
query_document (GstJsonSink * self)
{
  GstPad *pad = GST_BASE_SINK_PAD (self);
  g_autoptr (GstQuery) latency = gst_query_new_latency ();
  g_autoptr (GstQuery) uri = gst_query_new_uri ();
  gboolean live = FALSE;
  gchar *document = NULL;

  if (gst_pad_peer_query (pad, latency))
    gst_query_parse_latency (latency, &live, NULL, NULL);
  if (!live && gst_pad_peer_query (pad, uri))
    gst_query_parse_uri (uri, &document);
  return document;
}

/* Pages without a number are counted, from 1 in each document. */
static void
begin_stream (GstJsonSink * self)
{
  gchar *document = query_document (self);

  if (g_strcmp0 (document, self->document) != 0)
    self->number = 0;
  g_free (self->document);
  self->document = document;
  self->new_stream = FALSE;
}

static void
warn_once (GstJsonSink * self)
{
  if (self->warned)
    return;
  self->warned = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("No element before this one looks for regions, so the lines have none; "
          "put cudalayoutdetect before jsonsink."), (NULL));
}

static GstFlowReturn
write_page (GstJsonSink * self, GstLayoutJsonPage * in)
{
  GstElement *element = GST_ELEMENT (self);
  const gboolean post = gst_json_sink_get_flag (self, &self->post_messages);
  g_autoptr (GArray) regions =
      gst_layout_json_regions (in->page->error ? NULL : in->layout);
  g_autofree gchar *line = post ? gst_layout_json_line (in, regions) : NULL;
  GstFlowReturn ret = GST_FLOW_OK;

  in->line = line;
  if (regions->len > 0 || in->page->error
      || gst_json_sink_get_flag (self, &self->empty_pages))
    ret = gst_json_sink_write (self, in, regions);
  if (ret != GST_FLOW_OK)
    return ret;
  self->totals.pages++;
  self->totals.failed += in->page->error != NULL;
  self->totals.regions += regions->len;
  if (post)
    gst_element_post_message (element, gst_json_message_page (element, in, regions, line));
  return ret;
}

static GstFlowReturn
gst_json_sink_render (GstBaseSink * base, GstBuffer * buffer)
{
  GstJsonSink *self = GST_JSON_SINK (base);
  g_autoptr (GstDocLayout) layout = gst_doc_layout_meta_get (buffer);
  g_autoptr (GVariant) spans = gst_doc_text_meta_get (buffer);
  GstDocPage page;
  GstLayoutJsonPage in = {.page = &page,.layout = layout,.spans = spans };

  gst_doc_page_meta_get (buffer, &page);
  if (self->failed)
    return GST_FLOW_ERROR;
  if (self->output == NULL && !gst_json_sink_open (self))       /* played again after its end */
    return GST_FLOW_ERROR;
  if (self->new_stream)
    begin_stream (self);
  if (layout == NULL && page.error == NULL)
    warn_once (self);

  in.document = self->document;
  in.number = page.page ? page.page : ++self->number;
  in.width = self->width;
  in.height = self->height;
  in.pts = GST_BUFFER_PTS (buffer);
  return write_page (self, &in);
}

static void
gst_json_sink_finalize (GObject * object)
{
  GstJsonSink *self = GST_JSON_SINK (object);

  gst_json_sink_free_properties (self);
  g_free (self->document);
  G_OBJECT_CLASS (gst_json_sink_parent_class)->finalize (object);
}

static void
gst_json_sink_init (GstJsonSink * self)
{
  gst_json_sink_init_properties (self);
  /* A document is not to run at the pace of its timeline, nor a frame to stay out of its pool. */
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
}

static void
gst_json_sink_class_init (GstJsonSinkClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (klass);

  object_class->finalize = gst_json_sink_finalize;
  gst_json_sink_install_properties (object_class);

  element_class->change_state = gst_json_sink_change_state;
  base_class->unlock = gst_json_sink_unlock;
  base_class->unlock_stop = gst_json_sink_unlock_stop;
  base_class->set_caps = gst_json_sink_set_caps;
  base_class->propose_allocation = gst_json_sink_propose_allocation;
  base_class->event = gst_json_sink_event;
  base_class->render = gst_json_sink_render;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Layout sink",
      "Sink/File/Metadata",
      "Writes the layout of document pages as JSON Lines, COCO, DoclingDocument, Markdown, ALTO or PAGE XML",
      "The gst-doclayout authors");
}
