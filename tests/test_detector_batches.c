/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches that are not full, as GPUs run them (kernels/detector-batches.c), on the CPU: runs with room left over at first,
 * and runs of their own once that has cost as much as making them. Whatever runs, pages get their own results. */
#include "kernels/detector.h"
#include "kernels/onnx/model.h"
#include "kernels/plan.h"
#include "nn-check.h"
#include "tiny_yolo.h"

enum { BATCH = 8, SIDE = 16, MAX_RUNS = 1000000 };

static const nn_detector_settings settings = { .threshold = 0, .iou_threshold = -1, .max_detections = 10 };
static nn_model *model;
static nn_detector *detector;
static uint8_t pixels[2][BATCH][SIDE * SIDE];
static nn_detections results[BATCH];

/* Whether there is a plan for so many pages. */
static bool
is_made (int pages)
{
  bool found = false;
  nn_plan_list *list = nn_model_plans (model);
  pthread_mutex_lock (&list->mutex);
  for (const nn_plan *plan = list->first; plan != NULL; plan = plan->next)
    found |= plan->options.batch == pages;
  pthread_mutex_unlock (&list->mutex);
  return found;
}

/* Pages of the greys first, first + 1 … */
static bool
start (int slot, int n, int first)
{
  nn_frame frames[BATCH];
  nn_error err = { 0 };
  for (int i = 0; i < n; i++) {
    memset (pixels[slot][i], first + i, SIDE * SIDE);
    frames[i] = (nn_frame) { pixels[slot][i], SIDE, SIDE, SIDE, NN_PIXEL_GRAY8 };
  }
  nn_status status = nn_detector_start (detector, frames, n, &settings, &err);
  return CHECK (status == NN_OK, "%s", err.message);
}

static bool
finish (int n, int first)
{
  nn_error err = { 0 };
  nn_status status = nn_detector_finish (detector, results, &err);
  bool good = CHECK (status == NN_OK, "%s", err.message);
  for (int i = 0; i < n && good; i++) {
    float wanted = (float) (first + i) / 255;
    good = results[i].n == 1 && fabsf (results[i].regions[0].score - wanted) < 1e-5f;
    CHECK (good, "page %d of %d: %d regions, score %g instead of %g", i, n, results[i].n,
           results[i].n > 0 ? (double) results[i].regions[0].score : 0.0, (double) wanted);
  }
  return good;
}

/* Batches of `n` pages, two in flight, until there is a plan of this size. */
static void
run_until (int n, int pages)
{
  int runs = 0;
  bool good = start (0, n, 10);
  for (; runs < MAX_RUNS && good && !is_made (pages); runs++)
    good = start ((runs + 1) % 2, n, 10 + runs % 50 + 1) && finish (n, 10 + (runs > 0 ? (runs - 1) % 50 + 1 : 0));
  CHECK (good && is_made (pages), "no plan for %d pages after %d batches of %d", pages, runs, n);
  nn_detector_drop (detector);
  printf ("%d batches of %d pages until there was a plan for %d\n", runs, n, pages);
}

/* Each number of pages, in the ways that there are now. */
static void
check_all (void)
{
  for (int n = 1; n <= BATCH; n++)
    CHECK (start (0, n, 60 + n) && finish (n, 60 + n));
}

int
main (void)
{
  nn_error err = { 0 };
  const nn_detector_options options = { .batch = BATCH, .threads = 1 };
  const char *path = tiny_yolo_write ();
  model = path != NULL ? nn_model_open (path, &err) : NULL;
  detector = model != NULL ? nn_detector_new_with (&nn_runner_batches, model, &options, &err) : NULL;
  if (!CHECK (detector != NULL, "%s", err.message))
    return nn_check_report ("batches that are not full");

  for (int n = 1; n <= BATCH; n *= 2) /* each size once, as at the end of a document */
    CHECK (start (0, n, 100 + n) && finish (n, 100 + n));
  CHECK (is_made (8) && !is_made (4) && !is_made (2) && !is_made (1), "a plan for a run that came once");

  run_until (5, 4); /* and 1 in a run with room, for which the 4's is taken */
  CHECK (!is_made (2));
  check_all ();
  run_until (3, 2);
  check_all ();
  run_until (3, 1);
  check_all ();

  for (int i = 0; i < BATCH; i++)
    nn_detections_clear (&results[i]);
  nn_detector_free (detector);
  nn_model_unref (model);
  return nn_check_report ("batches that are not full");
}
