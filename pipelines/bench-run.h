/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one pipeline against the clock. */
#pragma once

#include <gst/gst.h>

typedef enum {
  BENCH_PAGES,         /* that left the pipeline while the clock ran */
  BENCH_SECONDS,
  BENCH_CPU_PROCESS,   /* seconds of CPU time of this process */
  BENCH_CPU_WORKERS,   /* and of its children */
  BENCH_CPU,           /* both */
  BENCH_COPIED_PDFSRC, /* bytes for those pages, as the elements' stats have it */
  BENCH_COPIED_DETECT,
  BENCH_STAGED,        /* bytes copied to the device */
  BENCH_BUSY,          /* seconds that the device worked */
  BENCH_MEMORY,        /* bytes, the most seen, of this process and its children */
  BENCH_DEVICE_MEMORY, /* bytes */
  BENCH_N_FIGURES
} bench_figure;

/* What one run gave; NAN is what is not known. */
typedef struct {
  double figures[BENCH_N_FIGURES];
  guint failed;            /* pages whose meta says that they failed */
  const char *memory_type; /* of the frames, as GStreamer names it */
  /* Where the network ran, how frames reached it, and the first warning; or NULL. Owned */
  char *device, *memory_path, *warning;
} bench_result;

/* Frees what is owned; no figure is known then. */
void bench_result_clear (bench_result *result);

/* Runs `pipeline` to its end and sets it to NULL. Its elements pdfsrc and cudalayoutdetect, either of
 * which it may lack, are named "src" and "detect", its one sink "sink". The clock starts with the
 * page number `warm_up` (≥ 1) at the sink, which is not counted, and stops when the stream ends there.
 * FALSE with `error` set: the first error that an element posted, or too few pages came; `result` is
 * empty then. */
gboolean bench_run (GstElement *pipeline, guint warm_up, bench_result *result, GError **error);
