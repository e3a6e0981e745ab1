/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nn_decode_picodet() on the outputs that test_picodet.py sends on standard input:
 *
 *   int32 × 7    frame width, frame height, input width, input height, labels, bins, levels
 *   float × 2    threshold, IoU threshold
 *   floats       scores [cells, labels] of each level, then boxes [cells, 4, bins] of each
 *
 * The answer is a count (int32) and so many nn_region. With an argument N each case runs N times,
 * and the median in milliseconds goes to standard error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/decode/decode.h"
#include "nn-clock.h"

#define LEVELS_MAX 5

typedef struct request {
  int32_t frame_width, frame_height, width, height, labels, bins, levels;
  float threshold, iou_threshold;
} request;

static bool
read_tensor (nn_tensor *tensor, int64_t cells, int64_t values)
{
  size_t n = (size_t) (cells * values);
  float *data = malloc (n * sizeof *data);
  *tensor = nn_tensor_make (NN_F32, 3, (int64_t[]) { 1, cells, values }, NN_LAYOUT_ROW_MAJOR, data);
  return data && fread (data, sizeof *data, n, stdin) == n;
}

static bool
read_outputs (const request *r, nn_tensor *tensors)
{
  bool ok = true;
  for (int i = 0; i < 2 * r->levels && ok; i++) {
    int stride = 8 << (i % r->levels);
    int cells = ((r->width + stride - 1) / stride) * ((r->height + stride - 1) / stride);
    ok = read_tensor (&tensors[i], cells, i < r->levels ? r->labels : 4 * r->bins);
  }
  return ok;
}

static bool
decode (const request *r, const nn_tensor *tensors, int repeats)
{
  const nn_tensor *outputs[2 * LEVELS_MAX];
  nn_detections result = { 0 };
  nn_error err;
  nn_status status = NN_OK;
  double *ms = calloc ((size_t) repeats, sizeof *ms);
  for (int i = 0; i < 2 * r->levels; i++)
    outputs[i] = &tensors[i];
  nn_decode_input input = {
    .outputs = outputs,
    .n_outputs = 2 * r->levels,
    .input_width = r->width,
    .input_height = r->height,
    .frame_width = r->frame_width,
    .frame_height = r->frame_height,
    .placement = { .scale_x = (float) r->width / (float) r->frame_width,
                   .scale_y = (float) r->height / (float) r->frame_height },
    .n_labels = r->labels,
    .threshold = r->threshold,
    .iou_threshold = r->iou_threshold,
  };
  for (int i = 0; i < repeats && ms && !status; i++) {
    double start = nn_now_ms ();
    status = nn_decode_picodet (&input, &result, &err);
    ms[i] = nn_now_ms () - start;
  }
  bool ok = ms && !status;
  if (status)
    fprintf (stderr, "%s\n", err.message);
  if (ok) {
    int32_t n = result.n;
    if (repeats > 1)
      fprintf (stderr, "%.3f\n", nn_median (ms, repeats));
    fwrite (&n, sizeof n, 1, stdout);
    fwrite (result.regions, sizeof *result.regions, (size_t) n, stdout);
    fflush (stdout);
  }
  nn_detections_clear (&result);
  free (ms);
  return ok;
}

int
main (int argc, char **argv)
{
  request r;
  bool ok = true;
  while (ok && fread (&r, sizeof r, 1, stdin) == 1) {
    nn_tensor tensors[2 * LEVELS_MAX] = { 0 };
    ok = r.levels >= 1 && r.levels <= LEVELS_MAX && read_outputs (&r, tensors)
         && decode (&r, tensors, argc > 1 ? atoi (argv[1]) : 1);
    for (int i = 0; i < 2 * LEVELS_MAX; i++)
      free (tensors[i].data);
  }
  return ok ? 0 : 1;
}
