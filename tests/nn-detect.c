/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The detector on raw frames, for tests of the engine without GStreamer.
 *
 * usage: nn-detect MODEL [batch=1] [threshold=-1] [iou=-1] [max=100] [filter=0] [duplicates=keep]
 *                        [labels=FILE] [repeat=1]
 *
 * Standard input holds frames: int32 × 4 (format, width, height, stride), then height × stride
 * bytes. Each becomes one line of standard output: {"regions":[{"label", "score", "bbox"}…]} with
 * numbers in nine digits, which tell floats apart. `repeat` runs each batch so often and writes
 * the last; the median milliseconds of a batch go to standard error. An error goes there too, and
 * the exit status is 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/nn.h"
#include "nn-clock.h"

#define BATCH_MAX 64
#define REPEAT_MAX 1000

typedef struct options {
  int batch, repeat;
  const char *labels;
  nn_detector_settings settings;
} options;

static bool
parse_option (options *o, const char *text)
{
  const char *value = strchr (text, '=');
  if (!value++)
    return false;
  size_t n = (size_t) (value - text);
  if (!strncmp (text, "batch=", n))
    o->batch = atoi (value);
  else if (!strncmp (text, "threshold=", n))
    o->settings.threshold = strtof (value, NULL);
  else if (!strncmp (text, "iou=", n))
    o->settings.iou_threshold = strtof (value, NULL);
  else if (!strncmp (text, "max=", n))
    o->settings.max_detections = atoi (value);
  else if (!strncmp (text, "filter=", n))
    o->settings.resize_filter = (nn_resize_filter) atoi (value);
  else if (!strncmp (text, "duplicates=", n))
    o->settings.keep_duplicates = !strcmp (value, "keep");
  else if (!strncmp (text, "labels=", n))
    o->labels = value;
  else if (!strncmp (text, "repeat=", n))
    o->repeat = atoi (value);
  else
    return false;
  return o->batch >= 1 && o->batch <= BATCH_MAX && o->repeat >= 1 && o->repeat <= REPEAT_MAX;
}

static bool
read_frame (nn_frame *frame)
{
  int32_t head[4];
  if (fread (head, sizeof head, 1, stdin) != 1)
    return false;
  size_t size = (size_t) head[2] * (size_t) head[3];
  uint8_t *data = malloc (size);
  if (!data || fread (data, 1, size, stdin) != size) {
    free (data);
    return false;
  }
  *frame = (nn_frame) { data, head[1], head[2], head[3], (nn_pixel_format) head[0] };
  return true;
}

static void
print_regions (const nn_detector *detector, const nn_detections *d)
{
  printf ("{\"regions\":[");
  for (int i = 0; i < d->n; i++) {
    const nn_region *r = &d->regions[i];
    printf ("%s{\"label\":\"%s\",\"score\":%.9g,\"bbox\":[%.9g,%.9g,%.9g,%.9g]}", i ? "," : "",
            nn_detector_label (detector, r->class_id), (double) r->score, (double) r->x0, (double) r->y0,
            (double) r->x1, (double) r->y1);
  }
  puts ("]}");
  fflush (stdout);
}

static nn_status
run_batch (nn_detector *detector, const options *o, const nn_frame *frames, int n, nn_detections *results,
           nn_error *err)
{
  double ms[REPEAT_MAX];
  for (int i = 0; i < o->repeat; i++) {
    double start = nn_now_ms ();
    nn_status status = nn_detector_infer (detector, frames, n, &o->settings, results, err);
    if (status)
      return status;
    ms[i] = nn_now_ms () - start;
  }
  if (o->repeat > 1)
    fprintf (stderr, "%.3f\n", nn_median (ms, o->repeat));
  for (int i = 0; i < n; i++)
    print_regions (detector, &results[i]);
  return NN_OK;
}

static nn_status
run_all (nn_detector *detector, const options *o, nn_error *err)
{
  nn_frame frames[BATCH_MAX];
  nn_detections results[BATCH_MAX] = { 0 };
  nn_status status = NN_OK;
  for (bool more = true; more && !status;) {
    int n = 0;
    while (n < o->batch && (more = read_frame (&frames[n])))
      n++;
    if (n > 0)
      status = run_batch (detector, o, frames, n, results, err);
    for (int i = 0; i < n; i++)
      free ((void *) frames[i].data);
  }
  for (int i = 0; i < BATCH_MAX; i++)
    nn_detections_clear (&results[i]);
  return status;
}

int
main (int argc, char **argv)
{
  options o = { .batch = 1, .repeat = 1 };
  o.settings = (nn_detector_settings) { .threshold = -1, .iou_threshold = -1 };
  o.settings.max_detections = 100;
  o.settings.keep_duplicates = true;
  for (int i = 2; i < argc; i++)
    if (!parse_option (&o, argv[i]))
      argc = 0;
  if (argc < 2) {
    fprintf (stderr, "usage: nn-detect MODEL [batch=N] [threshold=X] … < frames\n");
    return 2;
  }
  nn_error err;
  nn_model *model = nn_model_open (argv[1], &err);
  nn_detector *detector = model ? nn_detector_new (model, NN_DEVICE_CPU, o.batch, o.labels, &err) : NULL;
  nn_model_unref (model);
  bool ok = detector && run_all (detector, &o, &err) == NN_OK;
  if (!ok)
    fprintf (stderr, "%s\n", err.message);
  nn_detector_free (detector);
  return ok ? 0 : 1;
}
