/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfpipeline.h"

#include <gst/check/check.h>
#include <gst/video/video.h>

static void
on_handoff (GstElement * sink, GstBuffer * buffer, GstPad * pad, PdfRun * run)
{
  g_ptr_array_add (run->buffers, gst_buffer_ref (buffer));
  g_ptr_array_add (run->caps, gst_pad_get_current_caps (pad));
}

static void
wait_for_end (PdfRun * run)
{
  GstBus *bus = gst_element_get_bus (run->pipeline);
  GstMessage *message;
  GError *error;

  while (!run->eos && !run->error) {
    message = gst_bus_timed_pop_filtered (bus, 50 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    fail_unless (message != NULL, "the pipeline hangs");
    run->eos = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
      run->n_warnings++;
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      gst_message_parse_error (message, &run->error, NULL);
    gst_message_unref (message);
  }
  run->n_errors = run->error != NULL;
  while ((message = gst_bus_timed_pop_filtered (bus, 20 * GST_MSECOND,
              GST_MESSAGE_ERROR))) {
    gst_message_parse_error (message, &error, NULL);
    GST_INFO ("another message: %s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    run->n_errors++;
  }
  gst_object_unref (bus);
}

PdfRun *
pdf_run (const gchar * format, ...)
{
  PdfRun *run = g_new0 (PdfRun, 1);
  GError *error = NULL;
  gchar *options, *line;
  GstElement *sink;
  va_list args;

  va_start (args, format);
  options = g_strdup_vprintf (format, args);
  va_end (args);
  line = g_strdup_printf ("pdfsrc name=src %s ! fakesink name=sink "
      "signal-handoffs=true", options);
  run->pipeline = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  run->buffers = g_ptr_array_new_with_free_func ((GDestroyNotify)
      gst_buffer_unref);
  run->caps = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_caps_unref);
  sink = gst_bin_get_by_name (GST_BIN (run->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), run);
  gst_object_unref (sink);
  gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  wait_for_end (run);
  g_free (line);
  g_free (options);
  return run;
}

void
pdf_run_free (PdfRun * run)
{
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
  gst_object_unref (run->pipeline);
  g_ptr_array_unref (run->buffers);
  g_ptr_array_unref (run->caps);
  g_clear_error (&run->error);
  g_free (run);
}

GstDocPage
pdf_run_page (PdfRun * run, guint index)
{
  GstDocPage page;

  fail_unless (index < run->buffers->len);
  fail_unless (gst_doc_page_meta_get (g_ptr_array_index (run->buffers, index),
          &page));
  return page;
}

guint8
pdf_run_grey (PdfRun * run, guint index)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  const guint8 *pixel;
  guint8 grey;

  fail_unless (gst_video_info_from_caps (&info, g_ptr_array_index (run->caps,
              index)));
  fail_unless (gst_video_frame_map (&frame, &info,
          g_ptr_array_index (run->buffers, index), GST_MAP_READ));
  pixel = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
      + info.height / 2 * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0)
      + info.width / 2 * 4;
  grey = pixel[0];
  fail_unless (pixel[1] == grey && pixel[2] == grey,
      "pixel %u %u %u in frame %u", pixel[0], pixel[1], pixel[2], index);
  gst_video_frame_unmap (&frame);
  return grey;
}

gchar *
pdf_run_pages (PdfRun * run)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < run->buffers->len; i++) {
    GstDocPage page = pdf_run_page (run, i);

    g_string_append_printf (text, "%s%u%s", i ? " " : "", page.page,
        page.error ? "!" : "");
  }
  return g_string_free (text, FALSE);
}
