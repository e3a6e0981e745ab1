/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What drawing costs layoutoverlay: milliseconds of CPU time a frame with 24 regions in two columns, medians. */
#include <stdio.h>

#include "elements/layoutcompose.h"
#include "elements/layoutdraw.h"
#include "nn-clock.h"

#define ROUNDS 15

static const GstVideoFormat formats[] = {
  GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_GRAY8
};

typedef struct
{
  const GstLayoutPicture *picture;
  GstVideoFrame *frame;         /* NULL: composed only */
  const GstDocLayout *layout;
  const GstLayoutStyle *style;
} Job;

static gdouble
cpu_ms (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static GstDocLayout *
make_layout (gint width, gint height)
{
  static const gchar *const labels[] = { "text", "title", "table", "figure" };
  GstDocLayout *layout = gst_doc_layout_new (width, height);

  for (guint i = 0; i < 24; i++) {
    const gdouble x = width * (i % 2 ? 0.52 : 0.09), y = height * (0.04 + 0.075 * (i / 2));
    const GstDocRegion region = {
      .label = labels[i % 4],.score = 0.9,.order = i,
      .x0 = x,.y0 = y,.x1 = x + width * 0.39,.y1 = y + height * 0.055,
    };

    g_array_append_val (layout->regions, region);
  }
  return layout;
}

static GstLayoutPicture *
make_picture (const Job * job)
{
  GstLayoutPicture *picture = gst_layout_picture_new (job->layout->width, job->layout->height);

  gst_layout_draw (picture, job->layout, job->style);
  return picture;
}

/* One frame: what is drawn is found anew, as for each page. */
static void
run (const Job * job)
{
  g_autoptr (GstLayoutPicture) picture = make_picture (job);
  const gchar *reason;

  if (job->frame)
    gst_layout_compose_onto (picture, job->frame, &reason);
  else
    gst_video_overlay_composition_unref (gst_layout_compose (picture, &reason));
}

static void
print_time (const Job * job)
{
  gdouble ms[ROUNDS];

  run (job);
  for (guint i = 0; i < ROUNDS; i++) {
    gdouble start = cpu_ms ();

    run (job);
    ms[i] = cpu_ms () - start;
  }
  printf (" %.2f |", nn_median (ms, ROUNDS));
}

static void
print_row (const gchar * what, gint width, gint height, const GstLayoutStyle * style)
{
  g_autoptr (GstDocLayout) layout = make_layout (width, height);
  Job job = {.layout = layout,.style = style };

  printf ("| %d × %d, %s |", width, height, what);
  print_time (&job);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoFrame frame;
    GstVideoInfo info;
    GstBuffer *buffer;

    gst_video_info_set_format (&info, formats[i], width, height);
    buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffer, 0, 0xff, info.size);
    gst_video_frame_map (&frame, &info, buffer, GST_MAP_READWRITE);
    job.frame = &frame;
    print_time (&job);
    gst_video_frame_unmap (&frame);
    gst_buffer_unref (buffer);
  }
  printf ("\n");
}

int
main (int argc, char **argv)
{
  static gchar font[] = "Sans Bold";
  const GstLayoutStyle plain = {.font = font,.labels = TRUE,.scores = TRUE,.dash_below = 0.5 };
  GstLayoutStyle all = plain;

  all.order = all.path = all.legend = TRUE;
  all.fill_alpha = 0.15;
  gst_init (&argc, &argv);
  printf ("| ms a frame | composition |");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    printf (" %s |", gst_video_format_to_string (formats[i]));
  printf ("\n");
  print_row ("by default", 827, 1170, &plain);
  print_row ("everything", 827, 1170, &all);
  print_row ("by default", 3840, 2160, &plain);
  print_row ("everything", 3840, 2160, &all);
  return 0;
}
