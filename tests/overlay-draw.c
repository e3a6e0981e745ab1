/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes to standard output, as rows of BGRx, what elements make of a white frame with regions.
 *
 *   overlay-draw WIDTH HEIGHT ELEMENTS LABEL,SCORE,ORDER,X0,Y0,X1,Y1...
 */
#include <stdlib.h>

#include "gst/gstdoclayoutmeta.h"

static GstDocLayout *
make_layout (gchar ** argv)
{
  GstDocLayout *layout = gst_doc_layout_new (atoi (argv[1]), atoi (argv[2]));

  for (guint i = 0; argv[4 + i]; i++) {
    g_auto (GStrv) parts = g_strsplit (argv[4 + i], ",", 7);
    const GstDocRegion region = {
      .id = i,.label = g_intern_string (parts[0]),.score = g_ascii_strtod (parts[1], NULL),.order = atoi (parts[2]),
      .x0 = g_ascii_strtod (parts[3], NULL),.y0 = g_ascii_strtod (parts[4], NULL),
      .x1 = g_ascii_strtod (parts[5], NULL),.y1 = g_ascii_strtod (parts[6], NULL),
    };

    g_array_append_val (layout->regions, region);
  }
  return layout;
}

static GstPadProbeReturn
add_layout (GstPad * pad, GstPadProbeInfo * info, gpointer layout)
{
  GstBuffer *frame = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));

  gst_doc_layout_meta_add (frame, layout);
  GST_PAD_PROBE_INFO_DATA (info) = frame;
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  g_autofree gchar *launch = g_strdup_printf ("videotestsrc pattern=white num-buffers=1 ! "
      "video/x-raw,format=BGRx,width=%s,height=%s ! identity name=in ! %s ! fdsink fd=1", argv[1], argv[2], argv[3]);
  g_autoptr (GstDocLayout) layout = make_layout (argv);
  g_autoptr (GstElement) pipeline = NULL, in = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstPad) pad = NULL;

  gst_init (&argc, &argv);
  pipeline = gst_parse_launch (launch, NULL);
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  pad = gst_element_get_static_pad (in, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, add_layout, layout, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS;
}
