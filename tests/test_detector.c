/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The detector's contract towards its caller: arguments, reuse of results, batches, shutdown; of both ways
 * to run batches. What it finds is compared with references in test_detector.py and parity.py.
 *
 * usage: test_detector MODEL; exit status 77 (skipped) where there is no such file
 */
#include <stdlib.h>
#include <unistd.h>

#include "kernels/detector.h"
#include "nn-check.h"

#define WIDTH 300
#define HEIGHT 420

static uint8_t *pixels[4];
/* Every score is above 0, so that there is something to compare on any page. */
static const nn_detector_settings all = { .threshold = 0, .iou_threshold = -1, .max_detections = 50,
                                          .keep_duplicates = true };

/* Lines of "words" in a block that starts lower from page to page. */
static nn_frame
page (int i)
{
  pixels[i] = pixels[i] ? pixels[i] : malloc (WIDTH * HEIGHT);
  memset (pixels[i], 255, WIDTH * HEIGHT);
  for (int y = 30 + 40 * i; y < HEIGHT - 30; y++)
    for (int x = 30; x < WIDTH - 30; x++)
      if (y % 12 < 6 && x % 23 < 19)
        pixels[i][y * WIDTH + x] = 0;
  return (nn_frame) { pixels[i], WIDTH, HEIGHT, WIDTH, NN_PIXEL_GRAY8 };
}

static const nn_runner *runner = &nn_runner_lanes;

static nn_detector *
detector_new (nn_model *model, int batch, int threads)
{
  nn_error err = { .message = "" };
  nn_detector_options options = { .batch = batch, .threads = threads };
  nn_detector *d = nn_detector_new_with (runner, model, &options, &err);
  if (!CHECK (d != NULL))
    printf ("  %s\n", err.message);
  return d;
}

static void
test_what_it_is (nn_model *model)
{
  nn_detector *d = detector_new (model, 1, 1), *two = detector_new (model, 2, 2);
  CHECK (!strcmp (nn_detector_family (d), "picodet"));
  CHECK (!strcmp (nn_detector_device_name (d), "cpu"));
  CHECK (nn_detector_n_labels (d) == 10);
  CHECK (!strcmp (nn_detector_label (d, 0), "text") && !strcmp (nn_detector_label (d, 9), "equation"));
  CHECK (nn_detector_label (d, 10) == NULL && nn_detector_label (d, -1) == NULL);
  CHECK (nn_detector_memory_bytes (d) > 7000000);
  CHECK (nn_detector_memory_bytes (two) > nn_detector_memory_bytes (d));
  CHECK (nn_detector_precision (d) == NN_PRECISION_FP32);
  CHECK (nn_detector_in_flight (two) == 1 && nn_detector_pages_a_run (two) == 1);
  nn_detector_free (two);
  nn_detector_free (d);
  nn_detector_free (NULL);
}

static void
test_arguments (nn_model *model)
{
  nn_error err;
  nn_detections results[3] = { 0 };
  nn_frame frames[3] = { page (0), page (1), page (2) };
  CHECK (nn_detector_new (model, &(nn_detector_options) { .batch = 0 }, &err) == NULL && err.status == NN_ERR_ARGUMENT);
  nn_detector *d = detector_new (model, 2, 0);
  CHECK (nn_detector_infer (d, frames, 0, &all, results, &err) == NN_ERR_ARGUMENT);
  CHECK (nn_detector_infer (d, frames, 3, &all, results, &err) == NN_ERR_ARGUMENT);
  CHECK_TEXT (err.message, "3 pages");
  nn_detector_settings none = all;
  none.max_detections = 0;
  CHECK (nn_detector_infer (d, frames, 1, &none, results, &err) == NN_ERR_ARGUMENT);
  frames[1].stride = WIDTH - 1;
  CHECK (nn_detector_infer (d, frames, 2, &all, results, &err) == NN_ERR_ARGUMENT);
  CHECK_TEXT (err.message, "page 2 of 2");
  frames[1].stride = WIDTH;
  CHECK (nn_detector_infer (d, frames, 2, &all, results, &err) == NN_OK); /* an error is not for ever */
  for (int i = 0; i < 3; i++)
    nn_detections_clear (&results[i]);
  nn_detector_free (d);
}

static bool
same (const nn_detections *a, const nn_detections *b)
{
  return a->n == b->n && !memcmp (a->regions, b->regions, (size_t) a->n * sizeof *a->regions);
}

/* A page's result is the same, bit by bit, alone and at any place of any batch, and on each of many
 * runs; a batch may be shorter than the last, and have more or fewer pages than there are threads. */
static void
test_batches (nn_model *model, int threads)
{
  nn_error err;
  nn_detections alone[4] = { 0 }, together[4] = { 0 };
  nn_frame frames[4] = { page (0), page (1), page (2), page (3) };
  nn_detector *one = detector_new (model, 1, 1), *four = detector_new (model, 4, threads);
  for (int i = 0; i < 4; i++)
    CHECK (nn_detector_infer (one, &frames[i], 1, &all, &alone[i], &err) == NN_OK && alone[i].n == 50);
  CHECK (!same (&alone[0], &alone[1])); /* else this compares nothing */
  static const int sizes[] = { 4, 2, 4, 1, 3, 4 };
  for (size_t round = 0; round < sizeof sizes / sizeof *sizes; round++) {
    CHECK (nn_detector_infer (four, frames, sizes[round], &all, together, &err) == NN_OK);
    for (int i = 0; i < sizes[round]; i++)
      CHECK (same (&alone[i], &together[i]));
  }
  nn_frame turned[4] = { frames[3], frames[1], frames[0], frames[2] };
  CHECK (nn_detector_infer (four, turned, 4, &all, together, &err) == NN_OK);
  CHECK (same (&alone[3], &together[0]) && same (&alone[0], &together[2]) && same (&alone[2], &together[3]));
  for (int i = 0; i < 4; i++) {
    nn_detections_clear (&alone[i]);
    nn_detections_clear (&together[i]);
  }
  nn_detector_free (four);
  nn_detector_free (one);
}

static void
test_results (nn_model *model)
{
  nn_error err;
  nn_detections result = { 0 };
  nn_frame frame = page (0);
  nn_detector *d = detector_new (model, 1, 0);
  CHECK (nn_detector_infer (d, &frame, 1, &all, &result, &err) == NN_OK && result.n == 50);
  for (int i = 0; i < result.n; i++) {
    const nn_region *r = &result.regions[i];
    CHECK (r->x0 >= 0 && r->x0 <= r->x1 && r->x1 <= WIDTH && r->y0 >= 0 && r->y0 <= r->y1 && r->y1 <= HEIGHT);
    CHECK (r->score > 0 && r->score <= 1 && r->class_id >= 0 && r->class_id < 10);
    CHECK (i == 0 || result.regions[i - 1].score >= r->score);
  }
  const nn_region *before = result.regions;
  float best = result.regions[0].score;
  CHECK (nn_detector_infer (d, &frame, 1, &all, &result, &err) == NN_OK);
  CHECK (result.regions == before && result.n == 50); /* reused, not appended to */
  nn_detector_settings few = all;
  few.max_detections = 3;
  CHECK (nn_detector_infer (d, &frame, 1, &few, &result, &err) == NN_OK && result.n == 3);
  CHECK (result.regions[0].score == best);
  few.threshold = best;
  CHECK (nn_detector_infer (d, &frame, 1, &few, &result, &err) == NN_OK && result.n == 0);
  nn_detections_clear (&result);
  nn_detector_free (d);
}

/* As many batches as may be in flight, each with pages of its own, come out in order. */
static void
test_in_flight (nn_model *model)
{
  nn_error err;
  nn_detections alone[4] = { 0 }, together[2] = { 0 };
  nn_detector *one = detector_new (model, 1, 1), *two = detector_new (model, 2, 1);
  int most = nn_detector_in_flight (two);
  for (int i = 0; i < 4; i++) {
    nn_frame frame = page (i);
    CHECK (nn_detector_infer (one, &frame, 1, &all, &alone[i], &err) == NN_OK);
  }
  CHECK (nn_detector_finish (two, together, &err) == NN_ERR_ARGUMENT);
  for (int i = 0; i < 6 + most; i++) { /* batch i has pages i % 4 and, every other time, (i + 1) % 4 */
    if (i >= most) {
      int j = i - most;
      CHECK (nn_detector_finish (two, together, &err) == NN_OK);
      CHECK (same (&alone[j % 4], &together[0]));
      CHECK (j % 2 == 0 || same (&alone[(j + 1) % 4], &together[1]));
    }
    nn_frame frames[2] = { page (i % 4), page ((i + 1) % 4) };
    nn_detector_settings settings = all;
    CHECK (nn_detector_start (two, frames, 1 + i % 2, &settings, &err) == NN_OK);
    settings.max_detections = 1; /* copied: this changes nothing */
  }
  nn_frame another = page (0), bad = { pixels[0], WIDTH, HEIGHT, WIDTH - 1, NN_PIXEL_GRAY8 };
  CHECK (nn_detector_start (two, &another, 1, &all, &err) == NN_ERR_ARGUMENT); /* one too many */
  CHECK (nn_detector_infer (two, &another, 1, &all, together, &err) == NN_ERR_ARGUMENT);
  CHECK (nn_detector_start (two, &bad, 1, &all, &err) == NN_ERR_ARGUMENT);
  for (int i = 0; i < most; i++) /* and what is in flight is still there */
    CHECK (nn_detector_finish (two, together, &err) == NN_OK && same (&alone[(6 + i) % 4], &together[0]));
  CHECK (nn_detector_finish (two, together, &err) == NN_ERR_ARGUMENT);
  CHECK (nn_detector_start (two, &another, 1, &all, &err) == NN_OK);
  nn_detector_free (two); /* with a batch in flight */
  nn_detector_free (one);
  for (int i = 0; i < 4; i++)
    nn_detections_clear (&alone[i]);
  for (int i = 0; i < 2; i++)
    nn_detections_clear (&together[i]);
}

/* Threads that never had a page must end as well. */
static void
test_shutdown (nn_model *model)
{
  for (int i = 0; i < 10; i++)
    nn_detector_free (detector_new (model, 3, 3));
}

static void
test_all (nn_model *model)
{
  test_arguments (model);
  test_results (model);
  test_in_flight (model);
}

int
main (int argc, char **argv)
{
  nn_error err;
  if (argc != 2 || access (argv[1], R_OK)) {
    printf ("skipped: no model %s (pipelines/detect.sh fetches it)\n", argc == 2 ? argv[1] : "given");
    return 77;
  }
  nn_model *model = nn_model_open (argv[1], &err);
  if (!CHECK (model != NULL)) {
    printf ("  %s\n", err.message);
    return 1;
  }
  test_what_it_is (model);
  static const int threads[] = { 1, 3, 4, 8 };
  for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
    test_batches (model, threads[i]);
  test_shutdown (model);
  test_all (model);
  runner = &nn_runner_batches;
  test_batches (model, 2);
  test_all (model);
  nn_model_unref (model);
  for (int i = 0; i < 4; i++)
    free (pixels[i]);
  return nn_check_report ("the detector's contract");
}
