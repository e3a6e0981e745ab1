/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has cudalayoutdetect go from one model to the next while pages flow, and prints a line a page: its number, the model's
 * name, and its regions.
 *
 * usage: swap-models [--seek] [--device cpu|cuda] MODEL.onnx …
 *
 * Each model has 10 pages at least. All pages are the same picture. With --seek the stream is sent back to its start
 * while a model is loaded. The device is the CPU unless said. Exit status 1, with the reason, where the element
 * complains.
 */
#include "gst/gstdoclayoutmeta.h"

#include <gst/gst.h>

#define PAGES_EACH 10

static GMutex lock;
static GCond changed;
static gchar *model;            /* of the last page */
static guint n_pages;           /* of that model, one after the other */

static void
print_page (GstElement * sink, GstBuffer * buffer, GstPad * pad, gpointer data)
{
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);

  if (layout == NULL) {
    g_print ("a page without a layout\n");
    return;
  }
  g_print ("%u %s", (guint) gst_util_uint64_scale_round (GST_BUFFER_PTS
          (buffer), 25, GST_SECOND), layout->model);
  for (guint i = 0; i < layout->regions->len; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    g_print (" %s:%.9g:%.9g:%.9g:%.9g:%.9g", r->label, r->score, r->x0, r->y0,
        r->x1, r->y1);
  }
  g_print ("\n");
  g_mutex_lock (&lock);
  n_pages = g_strcmp0 (model, layout->model) == 0 ? n_pages + 1 : 1;
  g_free (model);
  model = g_strdup (layout->model);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  gst_doc_layout_free (layout);
}

static void
wait_for_pages (const gchar * path)
{
  g_autofree gchar *name = g_path_get_basename (path);

  g_mutex_lock (&lock);
  while (g_strcmp0 (model, name) != 0 || n_pages < PAGES_EACH)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

/* The application is not to wait for pages that never come. */
static GstBusSyncReply
on_message (GstBus * bus, GstMessage * message, gpointer data)
{
  GError *error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  if (error) {
    g_printerr ("%s\n", error->message);
    exit (1);
  }
  return GST_BUS_PASS;
}

static GstElement *
make_pipeline (const gchar * device)
{
  g_autofree gchar *line =
      g_strdup_printf
      ("videotestsrc pattern=circular ! video/x-raw,"
      "format=GRAY8,width=320,height=240,framerate=25/1 ! cudalayoutdetect "
      "name=detect device=%s batch-size=2 ! fakesink name=sink "
      "signal-handoffs=true", device);

  return gst_parse_launch (line, NULL);
}

int
main (int argc, char **argv)
{
  gboolean seek = FALSE;
  g_autofree gchar *device = g_strdup ("cpu");
  g_auto (GStrv) models = NULL;
  GOptionEntry entries[] = {
    {"seek", 0, 0, G_OPTION_ARG_NONE, &seek, NULL, NULL},
    {"device", 0, 0, G_OPTION_ARG_STRING, &device, NULL, NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &models, NULL, NULL},
    {NULL}
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline, *detect, *sink;
  GstBus *bus;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || models == NULL) {
    g_printerr ("%s\n", error ? error->message : "no model is named");
    return 2;
  }
  gst_init (NULL, NULL);
  gst_doc_layout_meta_register ();
  pipeline = make_pipeline (device);
  detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  bus = gst_element_get_bus (pipeline);
  gst_bus_set_sync_handler (bus, on_message, NULL, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (print_page), NULL);
  for (int i = 0; models[i] != NULL; i++) {
    g_object_set (detect, "model-file", models[i], NULL);
    if (i == 0)
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
    else if (seek)
      gst_element_seek_simple (pipeline, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, 0);
    wait_for_pages (models[i]);
  }
  gst_element_send_event (pipeline, gst_event_new_eos ());
  gst_message_unref (gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
          GST_MESSAGE_EOS));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (detect);
  gst_object_unref (pipeline);
  g_free (model);
  return 0;
}
