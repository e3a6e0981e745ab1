/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dense heads whose candidates the device finds, against the decoders: random outputs of one page and of many, a few
 * candidates, none, and too many of them, whose pages' outputs have to come back as they are.
 *
 *   candidates [ROUNDS [SEED]]   exit status 1 where regions differ by more than an ulp, 77 without a device
 */
#include "calls.h"
#include "kernels/decode/candidates-cuda.h"
#include "kernels/model/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 9
#define MAX_OUTPUTS (2 * NN_LEVELS_MAX)

typedef struct outputs { /* of a batch */
  nn_tensor here[MAX_OUTPUTS], there[MAX_OUTPUTS], back[MAX_OUTPUTS];
  int n, pages;
} outputs;

typedef struct tally {
  long pages, whole, regions, differ;
} tally;

static uint64_t state;

static double
draw (void)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double) (state >> 11) * 0x1p-53;
}

static int
draw_int (int from, int to)
{
  return from + (int) (draw () * (to - from + 1));
}

/* ---- outputs ---- */

static float *
add_output (outputs *o, int64_t rows, int64_t columns)
{
  int64_t dim[3] = { o->pages, rows, columns };
  nn_tensor t = nn_tensor_make (NN_F32, 3, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  size_t bytes = nn_tensor_bytes (&t);
  o->here[o->n] = o->there[o->n] = o->back[o->n] = t;
  o->here[o->n].data = malloc (bytes);
  CUDA (cudaMalloc (&o->there[o->n].data, bytes));
  CUDA (cudaMallocHost (&o->back[o->n].data, bytes));
  memset (o->back[o->n].data, 0xff, bytes);
  return o->here[o->n++].data;
}

static void
upload (const outputs *o)
{
  for (int i = 0; i < o->n; i++)
    CUDA (cudaMemcpy (o->there[i].data, o->here[i].data, nn_tensor_bytes (&o->here[i]), cudaMemcpyDefault));
}

static void
clear (outputs *o)
{
  for (int i = 0; i < o->n; i++) {
    free (o->here[i].data);
    CUDA (cudaFree (o->there[i].data));
    CUDA (cudaFreeHost (o->back[i].data));
  }
}

/* Mostly below 0.1; `share` of them anything from there on, and of those some that are not numbers. */
static float
draw_score (double share)
{
  static const float odd[] = { NAN, INFINITY, -INFINITY, 0.5f, -0.0f };
  if (draw () >= share)
    return (float) (0.1 * draw ());
  return draw () < 0.02 ? odd[draw_int (0, 4)] : (float) (0.1 + 0.9 * draw ());
}

static void
make_picodet (outputs *o, nn_decode_input *input, double share)
{
  const int levels = draw_int (1, NN_LEVELS_MAX), bins = draw_int (2, 17);
  int64_t cells[NN_LEVELS_MAX];
  for (int l = 0; l < levels; l++) {
    int stride = 8 << l;
    cells[l] = (int64_t) ((input->input_width + stride - 1) / stride) * ((input->input_height + stride - 1) / stride);
    float *scores = add_output (o, cells[l], input->n_labels);
    for (int64_t i = 0; i < o->pages * cells[l] * input->n_labels; i++)
      scores[i] = draw_score (share);
  }
  for (int l = 0; l < levels; l++) {
    float *boxes = add_output (o, cells[l], 4 * bins);
    for (int64_t i = 0; i < o->pages * cells[l] * 4 * bins; i++)
      boxes[i] = draw () < 1e-4 ? NAN : (float) (20 * draw () - 10);
  }
}

static void
make_yolov8 (outputs *o, nn_decode_input *input, double share)
{
  int64_t anchors = draw_int (1, 9000), rows = 4 + input->n_labels;
  float *head = add_output (o, rows, anchors);
  input->roles.scores = 0;
  for (int64_t i = 0; i < o->pages * rows * anchors; i++) {
    bool box = i / anchors % rows < 4;
    head[i] = box ? (float) (draw () < 1e-4 ? INFINITY : 300 * draw ()) : draw_score (share);
  }
}

/* ---- both ways ---- */

/* The same place in the order of floats, or the next. */
static bool
near (float a, float b)
{
  return a == b || nextafterf (a, b) == b;
}

static bool
same (const nn_detections *a, const nn_detections *b)
{
  bool is_same = a->n == b->n;
  for (int i = 0; i < a->n && is_same; i++) {
    const nn_region *p = &a->regions[i], *q = &b->regions[i];
    is_same = near (p->x0, q->x0) && near (p->y0, q->y0) && near (p->x1, q->x1) && near (p->y1, q->y1)
              && p->score == q->score && p->class_id == q->class_id && p->order == q->order;
  }
  return is_same;
}

static nn_detections
decode (const nn_family *family, const nn_tensor *tensors, const outputs *o, int page, nn_decode_input input)
{
  nn_tensor views[MAX_OUTPUTS];
  const nn_tensor *pointers[MAX_OUTPUTS];
  nn_detections result = { 0 };
  nn_error err;
  for (int i = 0; i < o->n; i++) {
    views[i] = nn_tensor_part (&tensors[i], 0, page, 1);
    pointers[i] = &views[i];
  }
  input.outputs = pointers;
  check_status (family->decode (&input, &result, &err), &err);
  return result;
}

/* What the device has found of a page, beside the decoder; `n` < 0: the outputs that came back. */
static void
check_page (const nn_family *family, const outputs *o, int page, const nn_candidate *candidates, int n,
            const nn_decode_input *input, tally *t)
{
  nn_error err;
  nn_detections wanted = decode (family, o->here, o, page, *input), got = { 0 };
  if (n < 0)
    got = decode (family, o->back, o, page, *input);
  else
    check_status (family->dense->finish (input, candidates, n, &got, &err), &err);
  t->pages++;
  t->whole += n < 0;
  t->regions += wanted.n;
  if (!same (&wanted, &got)) {
    t->differ++;
    printf ("%s: page %d of %d, threshold %g: %d regions of %d candidates, not %d\n", family->name, page, o->pages,
            (double) input->threshold, got.n, n, wanted.n);
  }
  nn_detections_clear (&wanted);
  nn_detections_clear (&got);
}

/* Twice, as a session would: the second run finds the counts as the first left them. */
static void
check_batch (const nn_family *family, const outputs *o, nn_decode_input *input, cudaStream_t stream, tally *t)
{
  static const float thresholds[] = { 0.05f, 0.3f, 0.5f, 0.999f };
  const nn_tensor *there[MAX_OUTPUTS];
  nn_candidates_job job = { .n_outputs = o->n };
  nn_error err;
  for (int i = 0; i < o->n; i++) {
    there[i] = &o->there[i];
    job.outputs[i] = (nn_output_copy) { o->back[i].data, o->there[i].data,
                                        (int64_t) nn_tensor_bytes (&o->there[i]) / o->pages };
  }
  input->outputs = there;
  input->n_outputs = o->n;
  check_status (family->dense->head (input, &job.head, &err), &err);
  size_t pages = (size_t) o->pages;
  float *threshold;
  CUDA (cudaMalloc ((void **) &job.counts, pages * sizeof *job.counts));
  CUDA (cudaMalloc ((void **) &threshold, sizeof *threshold));
  CUDA (cudaMallocHost ((void **) &job.found, pages * sizeof *job.found));
  CUDA (cudaMallocHost ((void **) &job.candidates, pages * NN_CANDIDATES_MOST * sizeof *job.candidates));
  CUDA (cudaMemset (job.counts, 0, pages * sizeof *job.counts));
  job.threshold = threshold;
  for (int run = 0; run < 2; run++) {
    input->threshold = thresholds[draw_int (0, 3)];
    CUDA (cudaMemcpy (threshold, &input->threshold, sizeof *threshold, cudaMemcpyDefault));
    nn_cuda_launch_candidates (&job, stream);
    CUDA (cudaGetLastError ());
    CUDA (cudaStreamSynchronize (stream));
    for (int i = 0; i < o->pages; i++)
      check_page (family, o, i, job.candidates + (size_t) i * NN_CANDIDATES_MOST, job.found[i], input, t);
  }
  CUDA (cudaFree (job.counts));
  CUDA (cudaFree (threshold));
  CUDA (cudaFreeHost (job.found));
  CUDA (cudaFreeHost (job.candidates));
}

static void
check_random (const nn_family *family, cudaStream_t stream, tally *t)
{
  outputs o = { .pages = draw_int (0, 3) == 0 ? draw_int (2, MAX_PAGES) : 1 };
  nn_decode_input input = { .input_width = draw_int (1, 800),
                            .input_height = draw_int (1, 800),
                            .frame_width = draw_int (1, 3000),
                            .frame_height = draw_int (1, 3000),
                            .n_labels = draw_int (1, 12),
                            .iou_threshold = 0.5f };
  double share = draw_int (0, 5) == 0 ? 0.3 : 0.002;
  input.placement = (nn_page_placement) { .scale_x = (float) (0.2 + draw ()), .scale_y = (float) (0.2 + draw ()),
                                          .offset_x = (float) draw_int (0, 50), .offset_y = (float) draw_int (0, 50) };
  if (family->dense == &nn_dense_picodet)
    make_picodet (&o, &input, share);
  else
    make_yolov8 (&o, &input, share);
  upload (&o);
  check_batch (family, &o, &input, stream, t);
  clear (&o);
}

int
main (int argc, char **argv)
{
  const nn_family *const families[] = { &nn_family_picodet, &nn_family_yolov8 };
  int n_devices = 0, rounds = argc > 1 ? atoi (argv[1]) : 60;
  bool ok = true;
  if (cudaGetDeviceCount (&n_devices) != cudaSuccess || n_devices == 0) {
    printf ("skipped: no CUDA device\n");
    return 77;
  }
  state = argc > 2 ? (uint64_t) atoi (argv[2]) : 1;
  cudaStream_t stream;
  CUDA (cudaStreamCreate (&stream));
  for (int f = 0; f < 2; f++) {
    tally t = { 0 };
    for (int i = 0; i < rounds; i++)
      check_random (families[f], stream, &t);
    printf ("%s: %ld pages, %ld of them with too many candidates, %ld regions, %ld pages differ\n", families[f]->name,
            t.pages, t.whole, t.regions, t.differ);
    ok = ok && t.differ == 0 && t.whole > 0 && t.whole < t.pages;
  }
  CUDA (cudaStreamDestroy (stream));
  return !ok;
}
