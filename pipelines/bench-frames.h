/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source of frames that are there already, for pipelines without a renderer. */
#pragma once

#include <gst/base/gstpushsrc.h>

/* What it does with a frame: */
typedef enum {
  BENCH_FRAMES_HAND_OVER, /* gives out a new buffer around the same memory and the same metas */
  BENCH_FRAMES_COPY       /* copies the pixels into a buffer of the pool that downstream proposes, as a
                           * decoder or a camera writes into it; all frames must have the same caps */
} bench_frames_way;

/* An element, named "frames", that gives out `count` frames: `samples` (of GstSample, at least one; a
 * reference is taken) over and over, a second of the timeline each. (transfer floating) */
GstElement *bench_frames_new (GPtrArray *samples, guint count, bench_frames_way way);

/* Runs `pipeline`, whose one sink is named "sink", to its end, sets it to NULL, and keeps the frames that came to
 * the sink, without those of pages that failed: at most `most`, and no more of them once they have 512 MiB. `pages`
 * is set to the pages that their document has. Returns GstSamples, at least one; NULL with `error` set where an
 * element failed or no page is well. (transfer full) */
GPtrArray *bench_frames_collect (GstElement *pipeline, guint most, guint *pages, GError **error);
