/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The detector on raw frames, for tests of the engine without GStreamer.
 *
 * usage: nn-detect MODEL [batch=1] [threshold=-1] [iou=-1] [max=100] [filter=0] [duplicates=keep]
 *                        [labels=FILE] [repeat=1] [threads=0] [modelinfo=FILE] [family=NAME]
 *                        [width=0] [height=0] [order=0] [letterbox=0] [mean=X,X,X] [std=X,X,X]
 *                        [device=cpu] [precision=auto] [runner=batches] [flight=1]
 *
 * Standard input holds frames: int32 × 4 (format, width, height, stride), then height × stride
 * bytes. Each becomes one line of standard output: {"regions":[{"label", "score", "bbox", "order"}…]}
 * with numbers in nine digits, which tell floats apart. `repeat` runs each batch so often and writes
 * the last; the median milliseconds of a batch go to standard error. An error goes there too, and
 * the exit status is 1, or 77 where the device cannot be used at all. `runner=batches` runs them on a CPU
 * as on a GPU, and says on standard error how many pages the network took at once; `flight` batches are
 * started before the first one is finished.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/detector.h"
#include "nn-clock.h"
#include "nn-device.h"

#define BATCH_MAX 64
#define REPEAT_MAX 1000

typedef struct options {
  int repeat, flight;
  const char *runner;
  nn_detector_options detector;
  nn_detector_settings settings;
} options;

static bool
parse_setting (nn_detector_settings *settings, const char *name, const char *value)
{
  if (!strcmp (name, "threshold"))
    settings->threshold = strtof (value, NULL);
  else if (!strcmp (name, "iou"))
    settings->iou_threshold = strtof (value, NULL);
  else if (!strcmp (name, "max"))
    settings->max_detections = atoi (value);
  else if (!strcmp (name, "filter"))
    settings->resize_filter = (nn_resize_filter) atoi (value);
  else if (!strcmp (name, "duplicates"))
    settings->keep_duplicates = !strcmp (value, "keep");
  else
    return false;
  return true;
}

static bool
parse_option (options *o, const char *name, const char *value)
{
  const struct {
    const char *name;
    int *number;
    const char **text;
  } all[] = {
    { "batch", &o->detector.batch, NULL },
    { "threads", &o->detector.threads, NULL },
    { "width", &o->detector.input_width, NULL },
    { "height", &o->detector.input_height, NULL },
    { "order", (int *) &o->detector.channel_order, NULL },
    { "letterbox", (int *) &o->detector.letterbox, NULL },
    { "runner", NULL, &o->runner },
    { "repeat", &o->repeat, NULL },
    { "flight", &o->flight, NULL },
    { "labels", NULL, &o->detector.labels_file },
    { "modelinfo", NULL, &o->detector.modelinfo_file },
    { "family", NULL, &o->detector.family },
    { "mean", NULL, &o->detector.mean },
    { "std", NULL, &o->detector.std },
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!strcmp (all[i].name, name)) {
      if (all[i].text)
        *all[i].text = value;
      else
        *all[i].number = atoi (value);
      return true;
    }
  if (!strcmp (name, "device"))
    return nn_parse_device (value, &o->detector.device);
  if (!strcmp (name, "precision"))
    return nn_parse_precision (value, &o->detector.precision);
  return parse_setting (&o->settings, name, value);
}

/* "NAME=VALUE", which is cut in two. */
static bool
parse (options *o, char *text)
{
  char *value = strchr (text, '=');
  if (!value)
    return false;
  *value++ = '\0';
  return parse_option (o, text, value) && o->detector.batch <= BATCH_MAX && o->repeat >= 1
         && o->repeat <= REPEAT_MAX && o->flight >= 1 && o->flight <= NN_MAX_IN_FLIGHT;
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
print_text (const char *text)
{
  putchar ('"');
  for (; *text; text++)
    printf (*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
  putchar ('"');
}

static void
print_regions (const nn_detector *detector, const nn_detections *d)
{
  printf ("{\"regions\":[");
  for (int i = 0; i < d->n; i++) {
    const nn_region *r = &d->regions[i];
    printf ("%s{\"label\":", i ? "," : "");
    print_text (nn_detector_label (detector, r->class_id));
    printf (",\"score\":%.9g,\"bbox\":[%.9g,%.9g,%.9g,%.9g],\"order\":%d}", (double) r->score, (double) r->x0,
            (double) r->y0, (double) r->x1, (double) r->y1, r->order);
  }
  puts ("]}");
  fflush (stdout);
}

typedef struct batch {
  nn_frame frames[BATCH_MAX];
  int n;
} batch;

/* False at the end of the input; what came before it is in the batch. */
static bool
read_batch (batch *b, int most)
{
  for (b->n = 0; b->n < most; b->n++)
    if (!read_frame (&b->frames[b->n]))
      return false;
  return true;
}

static void
clear_batch (batch *b)
{
  for (int i = 0; i < b->n; i++)
    free ((void *) b->frames[i].data);
  b->n = 0;
}

/* All but the last of its runs, timed. */
static nn_status
repeat_batch (nn_detector *detector, const options *o, const batch *b, nn_detections *results, nn_error *err)
{
  double ms[REPEAT_MAX];
  for (int i = 0; i < o->repeat - 1; i++) {
    double start = nn_now_ms ();
    nn_status status = nn_detector_infer (detector, b->frames, b->n, &o->settings, results, err);
    if (status)
      return status;
    ms[i] = nn_now_ms () - start;
  }
  if (o->repeat > 1)
    fprintf (stderr, "%.3f\n", nn_median (ms, o->repeat - 1));
  return NN_OK;
}

static nn_status
finish_batch (nn_detector *detector, batch *b, nn_detections *results, nn_error *err)
{
  nn_status status = nn_detector_finish (detector, results, err);
  for (int i = 0; i < b->n && !status; i++)
    print_regions (detector, &results[i]);
  clear_batch (b);
  return status;
}

static nn_status
run_all (nn_detector *detector, const options *o, nn_error *err)
{
  static batch batches[NN_MAX_IN_FLIGHT];
  nn_detections results[BATCH_MAX] = { 0 };
  nn_status status = NN_OK;
  int started = 0, finished = 0;
  for (bool more = true; !status && (more || finished < started);) {
    batch *b = &batches[started % o->flight];
    if (more)
      more = read_batch (b, o->detector.batch);
    if (b->n > 0 && started - finished < o->flight) {
      status = repeat_batch (detector, o, b, results, err);
      status = status ? status : nn_detector_start (detector, b->frames, b->n, &o->settings, err);
      started++;
    }
    if (!status && started > finished && (!more || started - finished == o->flight))
      status = finish_batch (detector, &batches[finished++ % o->flight], results, err);
  }
  for (int i = 0; i < NN_MAX_IN_FLIGHT; i++)
    clear_batch (&batches[i]);
  for (int i = 0; i < BATCH_MAX; i++)
    nn_detections_clear (&results[i]);
  return status;
}

static nn_detector *
open_detector (nn_model *model, const options *o, nn_error *err)
{
  if (!o->runner)
    return nn_detector_new (model, &o->detector, err);
  nn_detector *detector = nn_detector_new_with (&nn_runner_batches, model, &o->detector, err);
  if (detector)
    fprintf (stderr, "pages a run: %d\n", nn_detector_pages_a_run (detector));
  return detector;
}

int
main (int argc, char **argv)
{
  options o = { .repeat = 1, .flight = 1, .detector = { .batch = 1 } };
  o.settings = (nn_detector_settings) { .threshold = -1, .iou_threshold = -1 };
  o.settings.max_detections = 100;
  o.settings.keep_duplicates = true;
  for (int i = 2; i < argc; i++)
    if (!parse (&o, argv[i]))
      argc = 0;
  if (argc < 2) {
    fprintf (stderr, "usage: nn-detect MODEL [batch=N] [threshold=X] … < frames\n");
    return 2;
  }
  nn_error err;
  if (nn_device_check (o.detector.device, 0, &err) != NN_OK) {
    fprintf (stderr, "%s\n", err.message);
    return NN_SKIPPED;
  }
  nn_model *model = nn_model_open (argv[1], &err);
  nn_detector *detector = model ? open_detector (model, &o, &err) : NULL;
  nn_model_unref (model);
  bool ok = detector && run_all (detector, &o, &err) == NN_OK;
  if (!ok)
    fprintf (stderr, "%s\n", err.message);
  nn_detector_free (detector);
  return ok ? 0 : 1;
}
