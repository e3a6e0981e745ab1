/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A detector's inside. detector.c has what does not depend on where the network runs; how the pages of a batch go
 * through it is a runner's: detector-lanes.c has a thread a page, for CPUs, detector-batches.c runs of many pages,
 * for GPUs. */
#pragma once

#include "model/setup.h"
#include "nn.h"

#define NN_MAX_IN_FLIGHT 2

/* A batch that was started: copies of what the caller gave, but for the pixels. */
typedef struct nn_job {
  nn_frame *frames;
  int n;
  nn_detector_settings settings;
} nn_job;

typedef struct nn_runner {
  int in_flight; /* most batches that are started and not finished, ≤ NN_MAX_IN_FLIGHT */

  /* Makes detector->state, tells detector->plan, and calls nn_detector_learn() once it has a session. */
  nn_status (*open) (nn_detector *detector, const nn_detector_options *options, nn_error *err);
  void (*close) (nn_detector *detector); /* after a failure of open() too */

  /* Of detector->jobs[slot]; finish() is called in the order of start(). */
  nn_status (*start) (nn_detector *detector, int slot, nn_error *err);
  nn_status (*finish) (nn_detector *detector, int slot, nn_detections *results, nn_error *err);
  void (*drop) (nn_detector *detector); /* waits for what is started, and forgets it */

  int (*pages_a_run) (const nn_detector *detector);
  size_t (*memory_bytes) (const nn_detector *detector);
} nn_runner;

extern const nn_runner nn_runner_lanes, nn_runner_batches;

struct nn_detector {
  nn_model *model;
  nn_setup setup;
  char **labels;
  uint8_t *label_kinds; /* as nn_label_kinds() fills them */
  int n_labels;
  int batch;
  nn_precision precision; /* never AUTO */

  const nn_runner *runner;
  void *state;   /* the runner's */
  nn_plan *plan; /* of a whole batch, or of one page where pages run on their own */

  nn_job jobs[NN_MAX_IN_FLIGHT];
  int first, n_started; /* jobs in flight: `first` and those after it, in turn */
  double device_seconds; /* of the last one that was finished; 0: not known */
  size_t staged_bytes;   /* of its pages, before a GPU could read them */
};

/* As nn_detector_new(), with a runner of the caller's choice: tests run nn_runner_batches on a CPU. */
nn_detector *nn_detector_new_with (const nn_runner *runner, nn_model *model, const nn_detector_options *options,
                                   nn_error *err);

/* ---- what runners share ---- */

/* Now that there is a session: whether its inputs are what the family takes them for, the labels, and whether the
 * family's decoder can read the outputs. `outputs`: of one page. */
nn_status nn_detector_learn (nn_detector *detector, nn_session *session, const nn_tensor *const *outputs,
                             nn_error *err);

/* How pages become input, as the settings want it. */
nn_page_spec nn_detector_page_spec (const nn_detector *detector, const nn_detector_settings *settings);

/* Tells networks that scale boxes themselves, for page `index` of the session's, what they ask for. */
void nn_detector_tell_sizes (const nn_detector *detector, nn_session *session, int index,
                             const nn_page_placement *placement);

/* A session whose runs leave to the host as little to decode as the device can. */
nn_session *nn_detector_session (const nn_detector *detector, nn_plan *plan, nn_error *err);

float nn_detector_threshold (const nn_detector *detector, const nn_detector_settings *settings);

/* What a run gave for one page. */
typedef struct nn_page_result {
  const nn_tensor *const *outputs;
  const nn_candidate *candidates; /* found by the device; NULL: `outputs` are to be decoded */
  int n_candidates;
} nn_page_result;

nn_status nn_detector_decode (const nn_detector *detector, const nn_page_result *page, const nn_frame *frame,
                              const nn_page_placement *placement, const nn_detector_settings *settings,
                              nn_detections *result, nn_error *err);
