/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstjsonsinkprivate.h"

static void
take_output (GstJsonSink * self, GstLayoutOutput * output)
{
  GST_OBJECT_LOCK (self);
  self->output = output;
  GST_OBJECT_UNLOCK (self);
}

static void
drop_output (GstJsonSink * self)
{
  GstLayoutOutput *output = self->output;

  take_output (self, NULL);
  if (output)
    gst_layout_output_free (output);
}

static void
post_error (GstJsonSink * self, const GError * error, GstResourceError code)
{
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
    code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
      g_strdup (error->message), NULL, __FILE__, GST_FUNCTION, __LINE__);
  self->failed = TRUE;
}

/* Drops the file at hand, frees `error`, and posts it: where there are more files, as a warning,
 * and the stream goes on with the next one. */
static GstFlowReturn
fail (GstJsonSink * self, GError * error)
{
  g_autoptr (GError) owned = error;

  gst_layout_output_discard (self->output);
  if (gst_layout_output_is_pattern (self->output)) {
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE, ("%s", owned->message), (NULL));
    self->n_failed_files++;
    self->skipping = TRUE;
    return GST_FLOW_OK;
  }
  post_error (self, owned, GST_RESOURCE_ERROR_WRITE);
  drop_output (self);
  return GST_FLOW_ERROR;
}

gboolean
gst_json_sink_open (GstJsonSink * self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *location = NULL, *images_location = NULL;
  GstLayoutOutputSettings settings;
  GstLayoutOutput *output;

  self->totals = (GstJsonTotals) { 0 };
  self->skipping = FALSE;
  self->n_files = self->n_failed_files = 0;
  self->written = 0;
  GST_OBJECT_LOCK (self);
  settings = self->settings;
  settings.location = location = g_strdup (settings.location);
  settings.images_location = images_location = g_strdup (settings.images_location);
  GST_OBJECT_UNLOCK (self);

  if (location == NULL || location[0] == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("No location to write to: give location=FILE, or - for standard output."), (NULL));
    self->failed = TRUE;
    return FALSE;
  }
  output = gst_layout_output_new (&settings, &error);
  if (output == NULL) {
    post_error (self, error, GST_RESOURCE_ERROR_OPEN_WRITE);
    return FALSE;
  }
  if (gst_layout_output_was_unfinished (output))
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("The last line of '%s' was not finished; it is kept, and closed with a line break.",
            gst_layout_output_file_name (output)), (NULL));
  take_output (self, output);
  return TRUE;
}

/* Waits for a slow reader, and meanwhile can be paused. */
static GstFlowReturn
settle (GstJsonSink * self, GstFlowReturn ret, GError ** error)
{
  while (ret == GST_FLOW_FLUSHING) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
    ret = gst_layout_output_drain (self->output, error);
  }
  return ret;
}

static void
post_file (GstJsonSink * self, const gchar * name)
{
  GstElement *element = GST_ELEMENT (self);

  if (!g_str_equal (name, "-"))
    gst_element_post_message (element, gst_json_message_file (element, name));
}

/* Ends the file at hand, if there is one. */
static GstFlowReturn
end_file (GstJsonSink * self, gboolean interrupted)
{
  const gboolean has_pages = gst_layout_output_has_pages (self->output);
  g_autofree gchar *name = g_strdup (gst_layout_output_file_name (self->output));
  GError *error = NULL;
  GstFlowReturn ret = gst_layout_output_finish (self->output, &error);

  if (!interrupted)
    ret = settle (self, ret, &error);
  if (ret == GST_FLOW_ERROR)
    return fail (self, error);
  if (ret != GST_FLOW_OK && !interrupted)
    return ret;
  if (!gst_layout_output_commit (self->output, &error))
    return fail (self, error);
  if (has_pages)
    post_file (self, name);
  return GST_FLOW_OK;
}

static GstFlowReturn
next_file (GstJsonSink * self, const GstLayoutJsonPage * in)
{
  GError *error = NULL;
  GstFlowReturn ret = end_file (self, FALSE);

  if (ret != GST_FLOW_OK)
    return ret;
  self->skipping = FALSE;
  self->n_files++;
  if (!gst_layout_output_begin (self->output, in, &error))
    return fail (self, error);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_json_sink_write (GstJsonSink * self, const GstLayoutJsonPage * in, const GArray * regions)
{
  const gboolean flush = gst_json_sink_get_flag (self, &self->flush);
  GError *error = NULL;
  GstFlowReturn ret = GST_FLOW_OK;

  if (gst_layout_output_is_elsewhere (self->output, in))
    ret = next_file (self, in);
  if (ret != GST_FLOW_OK || self->skipping)
    return ret;
  ret = gst_layout_output_page (self->output, in, regions, flush, &error);
  ret = settle (self, ret, &error);
  if (ret == GST_FLOW_ERROR)
    return fail (self, error);
  self->written++;
  return ret;
}

gboolean
gst_json_sink_close (GstJsonSink * self, gboolean interrupted)
{
  GstFlowReturn ret;

  if (self->output == NULL)
    return !self->failed;
  ret = end_file (self, interrupted);
  if (ret == GST_FLOW_OK && self->n_failed_files > 0) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("%u of %u files could not be written; "
            "the others are complete.", self->n_failed_files, self->n_files), (NULL));
    self->failed = TRUE;
    ret = GST_FLOW_ERROR;
  }
  if (ret == GST_FLOW_OK || self->failed)
    drop_output (self);
  return ret == GST_FLOW_OK;
}
