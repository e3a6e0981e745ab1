/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asks for the same plan on the CPU gets the same one, for as long as somebody has it. */
#include "small_onnx.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PLANNERS = 4, ROUNDS = 300 };

/* With the batch left open. */
static nn_model *
open_small (const char *name)
{
  nn_error err = { 0 };
  small *s = small_new ();
  s->dim[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
  size_t size;
  uint8_t *data = small_pack (s, &size);
  nn_model *model = nn_model_open (small_write (name, data, size), &err);
  CHECK (model != NULL, "%s", err.message);
  free (data);
  free (s);
  return model;
}

static nn_plan *
plan_of (nn_model *model, int batch, int threads)
{
  nn_error err = { 0 };
  nn_plan *plan = nn_plan_new (model, &(nn_plan_options) { .batch = batch, .threads = threads }, &err);
  CHECK (plan != NULL, "%s", err.message);
  return plan;
}

/* On pages of ones; w is -2.5 … 2.5. */
static bool
runs (nn_plan *plan)
{
  static const float relu[] = { 0, 0, 4 };
  nn_error err = { 0 };
  nn_session *session = nn_session_new (plan, &err);
  bool good = session != NULL;
  if (good) {
    float *x = nn_session_input (session, 0)->data;
    for (int i = 0; i < 32; i++)
      x[i] = 1;
    good = nn_session_run (session, &err) == NN_OK;
    const float *y = nn_session_output (session, 0)->data;
    for (int i = 0; good && i < 48; i++)
      good = y[i] == relu[i / 16];
  }
  nn_session_free (session);
  return good;
}

static void
test_same (void)
{
  nn_error err = { 0 };
  nn_model *model = open_small ("same.onnx"), *other = open_small ("other.onnx");
  nn_plan *plan = plan_of (model, 1, 1), *again = plan_of (model, 1, 1);
  nn_plan *fp32 = nn_plan_new (
      model, &(nn_plan_options) { .batch = 1, .threads = 1, .precision = NN_PRECISION_FP32, .cuda_device = 3 }, &err);
  static const nn_plan_options others[] = { { .batch = 2, .threads = 1 },
                                            { .batch = 1, .threads = 2 },
                                            { .batch = 1, .threads = 1, .width = 8, .height = 4 },
                                            { .batch = 1, .threads = 1, .width = 8, .height = 8 },
                                            { .batch = 1, .threads = 1, .width = 4, .height = 8 } };
  enum { OTHERS = sizeof others / sizeof *others };
  nn_plan *different[OTHERS + 1] = { [OTHERS] = plan_of (other, 1, 1) };
  for (int i = 0; i < OTHERS; i++)
    different[i] = nn_plan_new (model, &others[i], &err);
  CHECK (again == plan, "another plan for the same options");
  CHECK (fp32 == plan, "another plan for what is the same on a CPU");
  for (int i = 0; i <= OTHERS; i++) {
    CHECK (different[i] != NULL && different[i] != plan, "case %d", i);
    for (int j = 0; j < i; j++)
      CHECK (different[i] != different[j], "cases %d and %d", i, j);
  }
  for (int i = 0; i <= OTHERS; i++)
    nn_plan_unref (different[i]);
  const nn_plan_options halves = { .batch = 1, .threads = 1, .precision = NN_PRECISION_FP16 };
  CHECK (nn_plan_new (model, &halves, &err) == NULL && err.status == NN_ERR_UNSUPPORTED, "halves on a CPU");
  nn_plan_unref (plan);
  nn_plan_unref (fp32);
  nn_model_unref (model);
  CHECK (runs (again), "the last one's plan does not run");
  nn_plan_unref (again);
  nn_model_unref (other);
}

/* The file is cut short meanwhile, so that a plan that is made anew fails. */
static void
test_end (void)
{
  nn_error err = { 0 };
  const nn_plan_options options = { .batch = 1, .threads = 1 };
  nn_model *model = open_small ("end.onnx");
  nn_plan *plan = plan_of (model, 1, 1);
  CHECK (truncate (small_path ("end.onnx"), 8) == 0, "truncate");
  nn_plan *again = nn_plan_new (model, &options, &err);
  CHECK (again == plan, "%s", err.message);
  nn_plan_unref (plan);
  nn_plan_unref (again);
  CHECK (nn_plan_new (model, &options, &err) == NULL && err.status == NN_ERR_IO, "the plan lives on");
  nn_model_unref (model);
}

typedef struct planners {
  nn_model *model;
  pthread_barrier_t barrier;
  nn_plan *plans[PLANNERS];
  atomic_int n, wrong;
} planners;

/* All ask at once, and have the same one. */
static void *
plan_together (void *data)
{
  planners *p = data;
  int me = atomic_fetch_add (&p->n, 1);
  for (int i = 0; i < ROUNDS; i++) {
    nn_error err = { 0 };
    const nn_plan_options options = { .batch = 1, .threads = 1 + i % 2 };
    pthread_barrier_wait (&p->barrier);
    p->plans[me] = nn_plan_new (p->model, &options, &err);
    pthread_barrier_wait (&p->barrier);
    p->wrong += p->plans[me] == NULL || p->plans[me] != p->plans[0] || (i % 16 == 0 && !runs (p->plans[me]));
    pthread_barrier_wait (&p->barrier);
    nn_plan_unref (p->plans[me]);
  }
  return NULL;
}

/* Each for itself, so that one asks while another gives the last reference back. */
static void *
plan_apart (void *data)
{
  planners *p = data;
  for (int i = 0; i < 10 * ROUNDS; i++) {
    nn_error err = { 0 };
    nn_plan *plan = nn_plan_new (p->model, &(nn_plan_options) { .batch = 1, .threads = 1 + i % 3 / 2 }, &err);
    p->wrong += plan == NULL || (i % 64 == 0 && !runs (plan));
    nn_plan_unref (plan);
  }
  return NULL;
}

static void
test_threads (void *(*plan) (void *))
{
  pthread_t threads[PLANNERS];
  planners p = { .model = open_small ("threads.onnx") };
  pthread_barrier_init (&p.barrier, NULL, PLANNERS);
  for (int i = 0; i < PLANNERS; i++)
    CHECK (pthread_create (&threads[i], NULL, plan, &p) == 0, "no thread");
  for (int i = 0; i < PLANNERS; i++)
    pthread_join (threads[i], NULL);
  CHECK (p.wrong == 0, "%d plans are wrong", p.wrong);
  pthread_barrier_destroy (&p.barrier);
  nn_model_unref (p.model);
}

int
main (void)
{
  if (!small_folder ())
    return 1;
  test_same ();
  test_end ();
  test_threads (plan_together);
  test_threads (plan_apart);
  return nn_check_report ("plans that are shared");
}
