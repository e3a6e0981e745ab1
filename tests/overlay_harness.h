/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of layoutoverlay share. */
#pragma once

#include "gst/gstdoclabels.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst_harness.h"

#define WIDTH 200
#define HEIGHT 100
#define CAPS "video/x-raw,format=BGRx,width=200,height=100,framerate=1/1"
#define PLAIN "layoutoverlay draw-labels=false draw-scores=false "

/* Text and a table, and pixel columns and rows of their boxes. */
#define TEXT {0, 0, "text", 0.9, 50, 30, 150, 70}
#define TABLE {1, 4, "table", 0.5, 10, 20, 30, 90}

void overlay_add_regions (GstBuffer * buffer, const GstDocRegion * regions, guint n);

/* Makes `buffer` page 7, which failed. */
void overlay_add_error (GstBuffer * buffer, const gchar * error);

/* What comes out where `in` is pushed through `launch`. */
GstBuffer *overlay_push (const gchar * launch, const gchar * caps, GstBuffer * in);

/* The same with a white frame of CAPS that has the regions. */
GstBuffer *overlay_draw (const gchar * launch, const GstDocRegion * regions, guint n);

/* 0xRRGGBB of a frame with rows without padding. */
guint32 overlay_pixel (GstBuffer * buffer, guint width, guint x, guint y);
gsize overlay_count_color (GstBuffer * buffer, guint width, guint height, guint32 color);

/* Whether the pixel is in the box x0, y0, x1, y1. */
gboolean overlay_inside (gint x, gint y, const gint * box);
