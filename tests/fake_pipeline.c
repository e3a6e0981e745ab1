/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_pipeline.h"

#include <gst/check/check.h>

GstElement *
fake_pipeline_new (const gchar * format, ...)
{
  g_autofree gchar *line = NULL;
  GError *error = NULL;
  GstElement *pipeline;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  pipeline = gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS,
      &error);
  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  return pipeline;
}

void
fake_pipeline_free (GstElement * pipeline)
{
  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (pipeline);
}

void
fake_pipeline_probe (GstElement * pipeline, const gchar * element,
    const gchar * pad, GstPadProbeCallback probe, gpointer data)
{
  GstElement *e = gst_bin_get_by_name (GST_BIN (pipeline), element);
  GstPad *p = gst_element_get_static_pad (e, pad);

  gst_pad_add_probe (p, GST_PAD_PROBE_TYPE_BUFFER, probe, data, NULL);
  gst_object_unref (p);
  gst_object_unref (e);
}

void
fake_pipeline_wait (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 50 * GST_SECOND,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL, "the pipeline hangs");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  gst_message_unref (message);
  gst_object_unref (bus);
}

void
fake_pipeline_play (GstElement * pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fake_pipeline_wait (pipeline);
}
