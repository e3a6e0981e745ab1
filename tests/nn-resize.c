/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs nn_page_fill() on the cases that test_page.py sends on standard input, until it ends:
 *
 *   int32 × 11   format, width, height, stride, input width, input height, filter, bgr,
 *                letterbox, pad, channels-last
 *   float × 6    mean[3], std[3]
 *   bytes        height × stride - (stride - width × bytes a pixel): no byte after the last pixel,
 *                so that valgrind or ASan see a read beyond it
 *
 * and answers each with the status (int32), the placement (4 floats) and the input tensor as
 * [3, H, W] floats. A frame larger than 2^31 bytes is not expected. With an argument N, each
 * case runs N times and the median time in milliseconds goes to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/page/page.h"
#include "nn-clock.h"

typedef struct request {
  int32_t format, width, height, stride, input_width, input_height, filter, bgr, letterbox, pad, channels_last;
  float mean[3], std[3];
} request;

static void
answer (nn_status status, const nn_page_placement *placement, const nn_tensor *input)
{
  int32_t code = (int32_t) status;
  fwrite (&code, sizeof code, 1, stdout);
  fwrite (placement, sizeof *placement, 1, stdout);
  const float *data = input->data;
  for (int64_t c = 0; c < input->dim[1]; c++)
    for (int64_t y = 0; y < input->dim[2]; y++)
      for (int64_t x = 0; x < input->dim[3]; x++)
        fwrite (data + c * input->stride[1] + y * input->stride[2] + x * input->stride[3], sizeof *data, 1,
                stdout);
  fflush (stdout);
}

static bool
run_case (nn_page *page, const request *r, int repeats)
{
  static const int bytes[] = { 4, 4, 3, 3, 1 };
  size_t size = (size_t) r->stride * (size_t) (r->height - 1) + (size_t) r->width * (size_t) bytes[r->format];
  uint8_t *pixels = malloc (size);
  int64_t dim[4] = { 1, 3, r->input_height, r->input_width };
  nn_layout layout = r->channels_last ? NN_LAYOUT_CHANNELS_LAST : NN_LAYOUT_ROW_MAJOR;
  float *values = malloc ((size_t) (3 * r->input_height * r->input_width) * sizeof *values);
  nn_tensor input = nn_tensor_make (NN_F32, 4, dim, layout, values);
  double *ms = malloc ((size_t) repeats * sizeof *ms);
  bool ok = pixels && input.data && ms && fread (pixels, 1, size, stdin) == size;
  if (ok) {
    nn_frame frame = { pixels, r->width, r->height, r->stride, (nn_pixel_format) r->format };
    nn_page_spec spec = { .bgr = r->bgr, .filter = (nn_resize_filter) r->filter, .letterbox = r->letterbox,
                          .pad = (uint8_t) r->pad };
    memcpy (spec.mean, r->mean, sizeof spec.mean);
    memcpy (spec.std, r->std, sizeof spec.std);
    nn_page_placement placement = { 0 };
    nn_error err;
    nn_status status = NN_OK;
    for (int i = 0; i < repeats; i++) {
      double start = nn_now_ms ();
      status = nn_page_fill (page, &frame, &spec, &input, &placement, &err);
      ms[i] = nn_now_ms () - start;
    }
    if (repeats > 1)
      fprintf (stderr, "%.3f\n", nn_median (ms, repeats));
    answer (status, &placement, &input);
  }
  free (pixels);
  free (input.data);
  free (ms);
  return ok;
}

int
main (int argc, char **argv)
{
  nn_error err;
  nn_page *page = nn_page_new (&err);
  request r;
  bool ok = page;
  while (ok && fread (&r, sizeof r, 1, stdin) == 1)
    ok = run_case (page, &r, argc > 1 ? atoi (argv[1]) : 1);
  nn_page_free (page);
  return ok ? 0 : 1;
}
