/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of the engine, for tests of what cudalayoutdetect makes of it: a GPU that is there or not, takes the time
 * that is asked of it, and fails when it is told to. Unless a test says otherwise it finds one region on each page, whose
 * score is the page's first byte / 255, and whose label is what the model's file holds; "bad" in it is not a model.
 */
#pragma once

#include "kernels/nn.h"

typedef struct FakeEngine {
  /* What it does: set by the test. */
  nn_error check;       /* what nn_device_check() says of the GPU; status NN_OK: it is there */
  nn_error no_detector; /* what making a detector on the GPU ends in */
  int most_pages;       /* of a batch that the GPU has memory for; 0: any */
  int ms;               /* that it works on a batch, one batch after the other */
  int64_t (*now) (void); /* the time in µs, and what waits for it; NULL: the machine's */
  void (*wait_until) (int64_t time);
  int capacity;          /* batches in flight; 0: two on a GPU, one on the CPU */
  int fail_start, fail_finish; /* the batch, from 1, whose start or finish fails; 0: none */
  nn_status failure;    /* with this */
  nn_memory_path path;  /* of the GPU */
  bool no_registering, no_managed; /* both fail */
  void (*see) (const nn_frame *page); /* called for each page of a batch that is started; NULL: nothing */
  const nn_region *regions; /* what it finds on each page, best first; NULL: the one region */
  int n_regions;
  nn_status no_pages;   /* what nn_detector_infer() ends in */
  void (*on_free) (void); /* called when a detector is freed; NULL: nothing is */

  /* What it saw. */
  int checked_index; /* of the last nn_device_check() */
  int n_checks, n_detectors, n_alive, most_alive, n_finished, n_dropped;
  int n_inferred; /* pages of nn_detector_infer() */
  int n_started; /* atomic: tests wait for it */
  int most_in_flight;
  int n_behind; /* batches that were started while another was in flight */
  int n_registered, n_unregistered; /* ranges of memory: only there the GPU reads, unless its path is direct */
  int n_allocated[2], n_freed[2];   /* by nn_memory_kind */
  const uint8_t *data; /* of the frame that was started last */
  nn_detector_options options; /* of the last detector; its strings are gone */
} FakeEngine;

extern FakeEngine fake_engine;

/* From now on detectors are made when they are no longer held; false at first. */
void fake_hold (bool hold);
/* Waits until `n` detectors have been asked for in this test; until `n` are alive. */
void fake_wait_asked (int n);
void fake_wait_alive (int n);
/* As new, and holds nothing. */
void fake_reset (void);
