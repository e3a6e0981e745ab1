/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A family's decoder on outputs that a test sends on standard input (tests/decoding.py), until it ends:
 *
 *   char × 32    the family's name
 *   int32 × 6    frame width, frame height, input width, input height, labels, outputs
 *   float × 6    threshold, IoU threshold, scale x, scale y, offset x, offset y
 *   int32 × 5    which output is scores, boxes, labels, order, count; -1: none
 *   int32 × 5    box format, normalised, score activation, background, nms
 *   outputs      each: int32 × 2 (type, rank), int32 × rank (dimensions), its elements
 *
 * The answer is the status (int32); after 0 a count (int32) and so many nn_region, else the message
 * as 512 bytes. With an argument N each case runs N times, and the median in milliseconds goes to
 * standard error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernels/model/family.h"
#include "nn-clock.h"

#define OUTPUTS_MAX 16
#define BYTES_MAX ((size_t) 1 << 28)

typedef struct request {
  char family[32];
  int32_t frame_width, frame_height, width, height, labels, n_outputs;
  float threshold, iou_threshold, scale_x, scale_y, offset_x, offset_y;
  int32_t scores, boxes, label, order, count;
  int32_t format, normalised, activation, background, nms;
} request;

static bool
read_tensor (nn_tensor *tensor)
{
  int32_t head[2], dims[NN_MAX_RANK];
  int64_t dim[NN_MAX_RANK];
  if (fread (head, sizeof head, 1, stdin) != 1 || head[1] < 0 || head[1] > NN_MAX_RANK
      || fread (dims, sizeof *dims, (size_t) head[1], stdin) != (size_t) head[1])
    return false;
  for (int i = 0; i < head[1]; i++)
    dim[i] = dims[i];
  *tensor = nn_tensor_make ((nn_dtype) head[0], head[1], dim, NN_LAYOUT_ROW_MAJOR, NULL);
  size_t bytes = nn_tensor_bytes (tensor);
  tensor->data = bytes <= BYTES_MAX ? malloc (bytes + 1) : NULL;
  return tensor->data && fread (tensor->data, 1, bytes, stdin) == bytes;
}

static nn_decode_input
input_of (const request *r, const nn_tensor *const *outputs)
{
  return (nn_decode_input) {
    .outputs = outputs,
    .n_outputs = r->n_outputs,
    .input_width = r->width,
    .input_height = r->height,
    .frame_width = r->frame_width,
    .frame_height = r->frame_height,
    .placement = { r->scale_x, r->scale_y, r->offset_x, r->offset_y },
    .roles = { r->scores, r->boxes, r->label, r->order, r->count },
    .coding = { (nn_box_format) r->format, r->normalised != 0, (nn_score_activation) r->activation,
                (nn_background) r->background, r->nms != 0 },
    .n_labels = r->labels,
    .threshold = r->threshold,
    .iou_threshold = r->iou_threshold,
  };
}

static void
answer (nn_status status, const nn_detections *result, const nn_error *err)
{
  int32_t code = (int32_t) status, n = result->n;
  fwrite (&code, sizeof code, 1, stdout);
  if (status) {
    fwrite (err->message, sizeof err->message, 1, stdout);
  } else {
    fwrite (&n, sizeof n, 1, stdout);
    if (n > 0)
      fwrite (result->regions, sizeof *result->regions, (size_t) n, stdout);
  }
  fflush (stdout);
}

static bool
decode (const request *r, const nn_tensor *tensors, int repeats)
{
  const nn_family *family = nn_family_named (r->family);
  const nn_tensor *outputs[OUTPUTS_MAX];
  nn_detections result = { 0 };
  nn_error err = { .message = "" };
  nn_status status = NN_OK;
  double *ms = calloc ((size_t) repeats, sizeof *ms);
  for (int i = 0; i < r->n_outputs; i++)
    outputs[i] = &tensors[i];
  nn_decode_input input = input_of (r, outputs);
  for (int i = 0; i < repeats && family && ms; i++) {
    double start = nn_now_ms ();
    status = family->decode (&input, &result, &err);
    ms[i] = nn_now_ms () - start;
  }
  bool ok = family && ms;
  if (ok && repeats > 1)
    fprintf (stderr, "%.3f\n", nn_median (ms, repeats));
  if (ok)
    answer (status, &result, &err);
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
    nn_tensor tensors[OUTPUTS_MAX] = { 0 };
    r.family[sizeof r.family - 1] = '\0';
    ok = r.n_outputs >= 1 && r.n_outputs <= OUTPUTS_MAX;
    for (int i = 0; i < r.n_outputs && ok; i++)
      ok = read_tensor (&tensors[i]);
    ok = ok && decode (&r, tensors, argc > 1 ? atoi (argv[1]) : 1);
    for (int i = 0; i < OUTPUTS_MAX; i++)
      free (tensors[i].data);
  }
  return ok ? 0 : 1;
}
