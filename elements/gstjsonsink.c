/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-jsonsink
 * @title: jsonsink
 *
 * Writes what the page and layout metas of each buffer say as a line of JSON, one object a page
 * (docs/json.md). It looks at no pixels, so it takes frames in any memory.
 *
 * A regular file appears under its name at the end of the stream, or when the pipeline is stopped
 * before it, and then holds the pages that were done; until then, and if writing fails, it is as it
 * was. With #GstJsonSink:append the lines are put behind those of a file that exists. Anything else
 * that the location names (a device, a pipe) is written in place, line by line. A stream without a
 * single page writes nothing, and says so in a warning.
 *
 * At the end it posts an element message `jsonsink-summary` with the fields `pages`, `failed` and
 * `regions` (guint64); with #GstJsonSink:post-messages also one `jsonsink-page` a page, with
 * `page`, `pages` (guint, 0: unknown), `status`, `error` (string, the latter may be NULL),
 * `regions` (guint), `labels` (a #GstStructure with a guint count a label) and `line` (string).
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink location=a.jsonl
 * gst-launch-1.0 -q pdfsrc location=a.pdf ! cudalayoutdetect ! jsonsink
 * ]|
 * The second one prints the lines.
 *
 * Since: 0.1
 */
#include "gstjsonsink.h"

#include <gst/video/video.h>

#include "jsonmessages.h"
#include "outputfile.h"

GST_DEBUG_CATEGORY_STATIC (json_sink_debug);
#define GST_CAT_DEFAULT json_sink_debug

#define DEFAULT_LOCATION "-"

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_APPEND,
  PROP_FLUSH,
  PROP_POST_MESSAGES,
};

struct _GstJsonSink
{
  GstBaseSink parent;

  gchar *location;              /* properties: under the object lock */
  gboolean append, flush, post_messages;

  GstOutputFile *file;            /* under the object lock, for unlock() */
  gboolean failed;              /* an error was posted */
  gboolean warned;              /* that nothing looked for regions */
  gboolean new_stream;          /* ask for the document again */
  gchar *document;              /* URI, where the page metas have none */
  guint number;                 /* of the last page without a page meta */
  gint width, height;
  GstJsonTotals totals;         /* of this run */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));

G_DEFINE_TYPE (GstJsonSink, gst_json_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (jsonsink, "jsonsink", GST_RANK_NONE,
    GST_TYPE_JSON_SINK,
    GST_DEBUG_CATEGORY_INIT (json_sink_debug, "jsonsink", 0, "JSON Lines"))

static gboolean
get_flag (GstJsonSink * self, const gboolean * flag)
{
  gboolean value;

  GST_OBJECT_LOCK (self);
  value = *flag;
  GST_OBJECT_UNLOCK (self);
  return value;
}

static void
take_file (GstJsonSink * self, GstOutputFile * file)
{
  GST_OBJECT_LOCK (self);
  self->file = file;
  GST_OBJECT_UNLOCK (self);
}

/* Posts `error`, frees it, and drops what was written. */
static void
fail (GstJsonSink * self, GError * error)
{
  GstOutputFile *file = self->file;

  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%s", error->message), (NULL));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("%s", error->message), (NULL));
  g_error_free (error);
  self->failed = TRUE;
  take_file (self, NULL);
  gst_output_file_free (file);
}

static gboolean
open_file (GstJsonSink * self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *location = NULL;
  GstOutputFile *file;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);

  if (location == NULL || location[0] == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("No location to write to: give location=FILE, or - for standard output."), (NULL));
    return FALSE;
  }
  file = gst_output_file_open (location, get_flag (self, &self->append), &error);
  if (file == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error->message), (NULL));
    return FALSE;
  }
  if (gst_output_file_was_unfinished (file))
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("The last line of '%s' was not finished; it is kept, and closed with a line break.",
            location), (NULL));
  take_file (self, file);
  return TRUE;
}

/* Ends a file, if one is open. Without a single line a file stays as it was: a source that fails
 * sends the end of the stream too. */
static gboolean
close_file (GstJsonSink * self)
{
  GstOutputFile *file = self->file;
  GError *error = NULL;

  if (file == NULL)
    return !self->failed;
  if (self->totals.pages > 0 && !gst_output_file_commit (file, &error)) {
    fail (self, error);
    return FALSE;
  }
  take_file (self, NULL);
  gst_output_file_free (file);
  return TRUE;
}

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
  self->totals = (GstJsonTotals) { 0 };
  return open_file (self);
}

static void
stop (GstJsonSink * self)
{
  gboolean interrupted = self->file != NULL && self->totals.pages > 0;

  if (self->file)
    gst_output_file_set_flushing (self->file, TRUE);
  if (close_file (self) && interrupted)
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
  if (self->file)
    gst_output_file_set_flushing (self->file, TRUE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_json_sink_unlock_stop (GstBaseSink * base)
{
  GstJsonSink *self = GST_JSON_SINK (base);

  GST_OBJECT_LOCK (self);
  if (self->file)
    gst_output_file_set_flushing (self->file, FALSE);
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
      if (self->file != NULL && self->totals.pages == 0)
        GST_ELEMENT_WARNING (self, STREAM, FAILED,
            ("No page arrived; nothing was written."), (NULL));
      if (!close_file (self)) {
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

/* Waits for a slow reader, and meanwhile can be paused. */
static GstFlowReturn
write_text (GstJsonSink * self, const gchar * text)
{
  const gboolean flush = get_flag (self, &self->flush);
  GError *error = NULL;
  GstFlowReturn ret = gst_output_file_write (self->file, text, flush, &error);

  while (ret == GST_FLOW_FLUSHING) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
    ret = gst_output_file_write (self->file, NULL, flush, &error);
  }
  if (ret == GST_FLOW_ERROR)
    fail (self, error);
  return ret;
}

static GstFlowReturn
write_page (GstJsonSink * self, const GstLayoutJsonPage * in)
{
  g_autoptr (GArray) regions =
      gst_layout_json_regions (in->page->error ? NULL : in->layout);
  g_autofree gchar *line = gst_layout_json_line (in, regions);
  g_autofree gchar *text = g_strconcat (line, "\n", NULL);
  GstFlowReturn ret = write_text (self, text);

  if (ret != GST_FLOW_OK)
    return ret;
  self->totals.pages++;
  self->totals.failed += in->page->error != NULL;
  self->totals.regions += regions->len;
  if (get_flag (self, &self->post_messages))
    gst_element_post_message (GST_ELEMENT (self),
        gst_json_message_page (GST_ELEMENT (self), in, regions, line));
  return ret;
}

static GstFlowReturn
gst_json_sink_render (GstBaseSink * base, GstBuffer * buffer)
{
  GstJsonSink *self = GST_JSON_SINK (base);
  g_autoptr (GstDocLayout) layout = gst_doc_layout_meta_get (buffer);
  GstDocPage page;
  GstLayoutJsonPage in = {.page = &page,.layout = layout };

  gst_doc_page_meta_get (buffer, &page);
  if (self->failed)
    return GST_FLOW_ERROR;
  if (self->file == NULL) {     /* played again after its end */
    self->totals = (GstJsonTotals) { 0 };
    if (!open_file (self)) {
      self->failed = TRUE;
      return GST_FLOW_ERROR;
    }
  }
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

static gboolean *
find_flag (GstJsonSink * self, guint id)
{
  switch (id) {
    case PROP_APPEND:
      return &self->append;
    case PROP_FLUSH:
      return &self->flush;
    case PROP_POST_MESSAGES:
      return &self->post_messages;
    default:
      return NULL;
  }
}

static void
gst_json_sink_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * pspec)
{
  GstJsonSink *self = GST_JSON_SINK (object);
  gboolean *flag = find_flag (self, id);

  GST_OBJECT_LOCK (self);
  if (flag) {
    *flag = g_value_get_boolean (value);
  } else if (id == PROP_LOCATION) {
    g_free (self->location);
    self->location = g_value_dup_string (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_json_sink_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstJsonSink *self = GST_JSON_SINK (object);
  const gboolean *flag = find_flag (self, id);

  GST_OBJECT_LOCK (self);
  if (flag)
    g_value_set_boolean (value, *flag);
  else if (id == PROP_LOCATION)
    g_value_set_string (value, self->location);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_json_sink_finalize (GObject * object)
{
  GstJsonSink *self = GST_JSON_SINK (object);

  g_free (self->location);
  g_free (self->document);
  G_OBJECT_CLASS (gst_json_sink_parent_class)->finalize (object);
}

static void
gst_json_sink_init (GstJsonSink * self)
{
  self->location = g_strdup (DEFAULT_LOCATION);
  /* A document is not to run at the pace of its timeline, nor a frame to stay out of its pool. */
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
}

static void
install_properties (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File to write to, or - for standard output; a device or a pipe is written in place",
          DEFAULT_LOCATION, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_APPEND,
      g_param_spec_boolean ("append", "Append",
          "Put the lines behind those of a file that exists instead of replacing it",
          FALSE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_FLUSH,
      g_param_spec_boolean ("flush", "Flush",
          "Write each line at once instead of 64 KiB at a time (devices and pipes always are)",
          FALSE, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (klass, PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
          "Post an element message jsonsink-page for each page, with its line",
          FALSE, flags | GST_PARAM_MUTABLE_PLAYING));
}

static void
gst_json_sink_class_init (GstJsonSinkClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *base_class = GST_BASE_SINK_CLASS (klass);

  object_class->set_property = gst_json_sink_set_property;
  object_class->get_property = gst_json_sink_get_property;
  object_class->finalize = gst_json_sink_finalize;
  install_properties (object_class);

  element_class->change_state = gst_json_sink_change_state;
  base_class->unlock = gst_json_sink_unlock;
  base_class->unlock_stop = gst_json_sink_unlock_stop;
  base_class->set_caps = gst_json_sink_set_caps;
  base_class->propose_allocation = gst_json_sink_propose_allocation;
  base_class->event = gst_json_sink_event;
  base_class->render = gst_json_sink_render;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "JSON Lines sink",
      "Sink/File/Metadata",
      "Writes the layout of each document page as a line of JSON",
      "The gst-doclayout authors");
}
