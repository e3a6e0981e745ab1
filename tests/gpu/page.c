/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page kernel against nn_page_fill(): batches of frames of many sizes and formats, every filter, layout and type,
 * from the device's memory and from the host's. Two batches are under way at a time, as in a pipeline.
 *
 *   page [ROUNDS [SEED]]   100 rounds unless said, and times after so many; exit status 1 where a value is more than one
 *                          level off, 77 without a device
 */
#include "calls.h"
#include "kernels/page/page-cuda.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_ROUNDS 100
#define MAX_FRAMES 5
#define N_FILTERS 5
#define MAX_PIXELS (4 << 20) /* of a frame */

typedef struct batch {
  nn_frame frames[MAX_FRAMES]; /* as the device sees them */
  void *memory[MAX_FRAMES];
  uint8_t *pixels[MAX_FRAMES]; /* the same on the host */
  bool on_host[MAX_FRAMES];
  int n;
  nn_page_spec spec;
  nn_tensor input; /* device memory */
  nn_page_placement placements[MAX_FRAMES];
} batch;

typedef struct tally {
  long cases, values, off;
  int worst;
} tally;

static const char *const filter_names[N_FILTERS] = { "auto", "bilinear", "bilinear-antialias", "bicubic", "area" };
static const int pixel_bytes[] = { 4, 4, 3, 3, 1 };
static uint64_t state;

static unsigned
draw (unsigned n)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned) (state >> 33) % n;
}

/* Small ones more often than large ones, and sometimes one that is hard. */
static int
draw_side (int most)
{
  static const int hard[] = { 1, 2, 3, 127, 128, 129, 255, 257, 9000 };
  if (draw (5) == 0)
    return hard[draw (sizeof hard / sizeof hard[0])];
  return 1 + (int) exp (log (most) * draw (10000) / 10000.0);
}

static void
make_frame (batch *b, int i)
{
  nn_frame *frame = &b->frames[i];
  frame->width = draw_side (1700);
  frame->height = draw_side (1700);
  if (frame->height > MAX_PIXELS / frame->width)
    frame->height = MAX_PIXELS / frame->width;
  frame->format = (nn_pixel_format) draw (5);
  frame->stride = frame->width * pixel_bytes[frame->format] + (int) draw (2) * (int) draw (40);
  size_t bytes = (size_t) frame->stride * (size_t) (frame->height - 1)
                 + (size_t) frame->width * (size_t) pixel_bytes[frame->format];
  size_t offset = draw (2) * draw (64);
  b->pixels[i] = malloc (bytes);
  bool two_levels = draw (2); /* black on white with hard edges, as pages are; else noise */
  for (size_t k = 0; k < bytes; k++)
    b->pixels[i][k] = (uint8_t) (two_levels ? (draw (5) ? 255 : 0) : draw (256));
  b->on_host[i] = draw (3) == 0;
  CUDA (b->on_host[i] ? cudaMallocHost (&b->memory[i], bytes + offset) : cudaMalloc (&b->memory[i], bytes + offset));
  CUDA (cudaMemcpy ((char *) b->memory[i] + offset, b->pixels[i], bytes, cudaMemcpyDefault));
  frame->data = (const uint8_t *) b->memory[i] + offset;
}

static void
make_batch (batch *b)
{
  static const nn_dtype types[] = { NN_F32, NN_F16, NN_BF16 };
  *b = (batch) { .n = 1 + (int) draw (MAX_FRAMES) };
  b->spec = (nn_page_spec) { .bgr = draw (2), .filter = (nn_resize_filter) (1 + draw (4)), .letterbox = draw (3) == 0,
                             .pad = (uint8_t) draw (256) };
  for (int c = 0; c < 3; c++) {
    b->spec.mean[c] = (float) draw (1000) / 1000;
    b->spec.std[c] = 0.1f + (float) draw (1000) / 1000;
  }
  for (int i = 0; i < b->n; i++)
    make_frame (b, i);
  int64_t dim[4] = { b->n + (int) draw (2), 3, draw_side (700), 1 + draw (700) };
  b->input = nn_tensor_make (types[draw (3)], 4, dim, (nn_layout) draw (2), NULL);
  CUDA (cudaMalloc (&b->input.data, nn_tensor_bytes (&b->input)));
  CUDA (cudaMemset (b->input.data, 0xff, nn_tensor_bytes (&b->input)));
}

static void
clear_batch (batch *b)
{
  for (int i = 0; i < b->n; i++) {
    CUDA (b->on_host[i] ? cudaFreeHost (b->memory[i]) : cudaFree (b->memory[i]));
    free (b->pixels[i]);
  }
  CUDA (cudaFree (b->input.data));
}

static float
float_of (const void *data, int64_t i, nn_dtype dtype)
{
  if (dtype == NN_F32)
    return ((const float *) data)[i];
  uint32_t bits = ((const uint16_t *) data)[i], wide = bits << 16;
  if (dtype == NN_F16) {
    int exponent = (int) (bits >> 10 & 31), fraction = (int) (bits & 1023);
    float size = exponent ? ldexpf (1024 + (float) fraction, exponent - 25) : ldexpf ((float) fraction, -24);
    size = exponent == 31 ? NAN : size;
    return bits >> 15 ? -size : size;
  }
  float value;
  memcpy (&value, &wide, sizeof value);
  return value;
}

/* How many levels the page is off at worst. */
static int
compare_page (const batch *b, int page, const char *got, const nn_tensor *wanted, tally *t)
{
  const nn_tensor *input = &b->input;
  double stored = input->dtype == NN_F32 ? 0 : input->dtype == NN_F16 ? 0x1p-11 : 0x1p-8; /* rounding of the type */
  int worst = 0;
  for (int64_t c = 0; c < 3; c++)
    for (int64_t y = 0; y < input->dim[2]; y++)
      for (int64_t x = 0; x < input->dim[3]; x++) {
        int64_t at = page * input->stride[0] + c * input->stride[1] + y * input->stride[2] + x * input->stride[3];
        float a = float_of (got, at, input->dtype);
        float w = ((const float *) wanted->data)[(c * input->dim[2] + y) * input->dim[3] + x];
        double levels = fmax (0, fabs (a - w) - stored * fabs (w)) * b->spec.std[c] * 255;
        int off = isfinite (a) ? (int) rint (levels) : 999;
        t->off += off != 0;
        worst = off > worst ? off : worst;
      }
  t->values += nn_tensor_count (wanted);
  t->cases++;
  t->worst = worst > t->worst ? worst : t->worst;
  return worst;
}

static void
check_page (const batch *b, int i, const char *got, nn_page *reference, tally *t)
{
  nn_error err;
  int64_t dim[4] = { 1, 3, b->input.dim[2], b->input.dim[3] };
  nn_tensor wanted = nn_tensor_make (NN_F32, 4, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  wanted.data = malloc (nn_tensor_bytes (&wanted));
  nn_frame frame = b->frames[i];
  frame.data = b->pixels[i];
  nn_page_placement placement;
  check_status (nn_page_fill (reference, &frame, &b->spec, &wanted, &placement, &err), &err);
  int worst = compare_page (b, i, got, &wanted, t);
  if (memcmp (&placement, &b->placements[i], sizeof placement) != 0)
    t->worst = worst = 999;
  if (worst > 0) {
    char text[64];
    printf ("%s: page %d of %d, %d×%d of format %d, rows of %d bytes, to %s%s: %d levels off\n",
            filter_names[b->spec.filter], i, b->n, frame.width, frame.height, (int) frame.format, frame.stride,
            nn_tensor_describe (&b->input, text, sizeof text), b->spec.letterbox ? ", letterbox" : "", worst);
  }
  free (wanted.data);
}

static void
check_batch (const batch *b, nn_page *reference, tally *tallies)
{
  size_t bytes = nn_tensor_bytes (&b->input), page_bytes = bytes / (size_t) b->input.dim[0];
  char *got = malloc (bytes);
  CUDA (cudaMemcpy (got, b->input.data, bytes, cudaMemcpyDefault));
  for (int i = 0; i < b->n; i++)
    check_page (b, i, got, reference, &tallies[b->spec.filter]);
  for (size_t k = page_bytes * (size_t) b->n; k < bytes; k++) /* pages that nobody asked for */
    if ((uint8_t) got[k] != 0xff)
      tallies[b->spec.filter].worst = 999;
  free (got);
}

/* A page of A4 at 200 dpi, over and over. */
static void
time_pages (nn_page_cuda *page, cudaStream_t stream, bool on_host, nn_resize_filter filter)
{
  nn_error err;
  nn_frame frame = { NULL, 1653, 2339, 1653 * 4, NN_PIXEL_BGRX };
  nn_page_spec spec = { .filter = filter, .std = { 1, 1, 1 } };
  int64_t dim[4] = { 1, 3, 640, 640 };
  nn_tensor input = nn_tensor_make (NN_F16, 4, dim, NN_LAYOUT_CHANNELS_LAST, NULL);
  size_t bytes = (size_t) frame.stride * (size_t) frame.height;
  void *memory;
  nn_page_placement placement;
  cudaEvent_t start, end;
  float ms;
  CUDA (on_host ? cudaMallocHost (&memory, bytes) : cudaMalloc (&memory, bytes));
  CUDA (cudaMemset (memory, 200, bytes));
  CUDA (cudaMalloc (&input.data, nn_tensor_bytes (&input)));
  CUDA (cudaEventCreate (&start));
  CUDA (cudaEventCreate (&end));
  frame.data = memory;
  for (int i = 0; i < 110; i++) {
    if (i == 10)
      CUDA (cudaEventRecord (start, stream));
    check_status (nn_page_cuda_fill (page, &frame, 1, &spec, &input, &placement, stream, &err), &err);
  }
  CUDA (cudaEventRecord (end, stream));
  CUDA (cudaEventSynchronize (end));
  CUDA (cudaEventElapsedTime (&ms, start, end));
  printf ("%s from the %s's memory: %.1f us a page, %.0f GB/s\n", filter_names[filter], on_host ? "host" : "device",
          ms * 10, (double) bytes / 1e6 / (ms / 100));
  CUDA (on_host ? cudaFreeHost (memory) : cudaFree (memory));
  CUDA (cudaFree (input.data));
  CUDA (cudaEventDestroy (start));
  CUDA (cudaEventDestroy (end));
}

int
main (int argc, char **argv)
{
  int n_devices = 0, rounds = argc > 1 ? atoi (argv[1]) : ALL_ROUNDS, worst = 0;
  if (cudaGetDeviceCount (&n_devices) != cudaSuccess || n_devices == 0) {
    printf ("skipped: no CUDA device\n");
    return 77;
  }
  state = argc > 2 ? (uint64_t) atoi (argv[2]) : 1;
  nn_error err;
  nn_page *reference = nn_page_new (&err);
  nn_page_cuda *page = nn_page_cuda_new (&err);
  if (!reference || !page)
    check_status (err.status, &err);
  cudaStream_t stream;
  CUDA (cudaStreamCreate (&stream));
  tally tallies[N_FILTERS] = { 0 };
  for (int round = 0; round < rounds; round++) {
    batch batches[2];
    for (int i = 0; i < 2; i++)
      make_batch (&batches[i]);
    for (int i = 0; i < 2; i++)
      check_status (nn_page_cuda_fill (page, batches[i].frames, batches[i].n, &batches[i].spec, &batches[i].input,
                                       batches[i].placements, stream, &err), &err);
    CUDA (cudaStreamSynchronize (stream));
    for (int i = 0; i < 2; i++) {
      check_batch (&batches[i], reference, tallies);
      clear_batch (&batches[i]);
    }
  }
  for (int i = 1; i < N_FILTERS; i++) {
    const tally *t = &tallies[i];
    printf ("%s: %ld pages, %ld values, %ld off, at most %d levels\n", filter_names[i], t->cases, t->values, t->off,
            t->worst);
    worst = t->worst > worst ? t->worst : worst;
  }
  /* A sanitizer is given a few rounds, and would take minutes for times that tell nothing. */
  for (int i = 0; i < 4 && worst <= 1 && rounds >= ALL_ROUNDS; i++)
    time_pages (page, stream, i % 2, i < 2 ? NN_RESIZE_BILINEAR : NN_RESIZE_BILINEAR_ANTIALIAS);
  nn_page_cuda_free (page);
  nn_page_free (reference);
  CUDA (cudaStreamDestroy (stream));
  return worst > 1;
}
