/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_engine.h"

#include "fakecuda/fake_cuda.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

FakeEngine fake_engine;

/* Detectors are made and freed in several threads, and two elements may work at once. */
static GMutex lock;
static GCond changed;
static gboolean held;
static int n_asked;

struct nn_model {
  char label[16];
};

struct nn_detector {
  bool gpu;
  nn_precision precision;
  char label[16];
  const nn_frame *frames[2]; /* of the batches in flight, the first started first */
  int n[2], n_flight;
  size_t staged[2], last_staged;
  gint64 ready[2], idle; /* when the batch will be done, and all of them; µs */
};

static nn_status
fake_fail (nn_error *err, nn_status status, const char *message)
{
  err->status = status;
  g_strlcpy (err->message, message, sizeof err->message);
  return status;
}

nn_model *
nn_model_open (const char *path, nn_error *err)
{
  g_autofree char *text = NULL;
  nn_model *model;
  if (!g_file_get_contents (path, &text, NULL, NULL) || strstr (text, "bad")) {
    fake_fail (err, NN_ERR_FORMAT, "not a model");
    return NULL;
  }
  model = calloc (1, sizeof *model);
  g_strlcpy (model->label, text, sizeof model->label);
  return model;
}

void
nn_model_unref (nn_model *model)
{
  free (model);
}

nn_status
nn_device_check (nn_device_kind device, int index, nn_error *err)
{
  fake_engine.n_checks++;
  fake_engine.checked_index = index;
  if (fake_engine.check.status)
    *err = fake_engine.check;
  return fake_engine.check.status;
}

nn_memory_path
nn_memory_path_of (nn_device_kind device, int index)
{
  return device == NN_DEVICE_CUDA ? fake_engine.path : NN_MEMORY_CPU;
}

const char *
nn_memory_path_name (nn_memory_path path)
{
  static const char *const names[] = { "cpu", "direct", "registered", "staged" };
  return names[path];
}

/* ---- memory that the GPU reads ---- */

#define MAX_RANGES 256

static struct { uint8_t *begin; size_t size; } ranges[MAX_RANGES]; /* size 0: unused */
static GMutex ranges_lock;

static void
add_range (void *begin, size_t size)
{
  int i = 0;
  g_mutex_lock (&ranges_lock);
  while (ranges[i].size)
    i++;
  ranges[i].begin = begin;
  ranges[i].size = size;
  g_mutex_unlock (&ranges_lock);
}

static void
remove_range (const void *begin)
{
  int i = 0;
  g_mutex_lock (&ranges_lock);
  while (ranges[i].begin != begin || !ranges[i].size)
    i++;
  ranges[i].size = 0;
  g_mutex_unlock (&ranges_lock);
}

static bool
reads (const uint8_t *data, size_t size)
{
  bool found = fake_engine.path == NN_MEMORY_DIRECT;
  g_mutex_lock (&ranges_lock);
  for (int i = 0; i < MAX_RANGES; i++)
    found |= ranges[i].size && data >= ranges[i].begin && data + size <= ranges[i].begin + ranges[i].size;
  g_mutex_unlock (&ranges_lock);
  return found;
}

nn_status
nn_memory_register (int cuda_device, void *memory, size_t bytes, nn_error *err)
{
  if (fake_engine.no_registering)
    return fake_fail (err, NN_ERR_DEVICE, "no memory is registered");
  add_range (memory, bytes);
  g_atomic_int_inc (&fake_engine.n_registered);
  return NN_OK;
}

void
nn_memory_unregister (int cuda_device, void *memory)
{
  remove_range (memory);
  g_atomic_int_inc (&fake_engine.n_unregistered);
}

nn_status
nn_memory_alloc (int cuda_device, nn_memory_kind kind, size_t bytes, void **memory, nn_error *err)
{
  if (fake_engine.no_managed && kind == NN_MEMORY_MANAGED)
    return fake_fail (err, NN_ERR_UNSUPPORTED, "no managed memory");
  g_atomic_int_inc (&fake_engine.n_allocated[kind]);
  *memory = aligned_alloc (256, (bytes + 255) / 256 * 256);
  add_range (*memory, bytes);
  return NN_OK;
}

void
nn_memory_free (int cuda_device, nn_memory_kind kind, void *memory)
{
  g_atomic_int_inc (&fake_engine.n_freed[kind]);
  remove_range (memory);
  free (memory);
}

const char *
nn_precision_name (nn_precision precision)
{
  static const char *const names[] = { "auto", "fp32", "tf32", "bf16", "fp16" };
  return names[precision];
}

nn_detector *
nn_detector_new (nn_model *model, const nn_detector_options *options, nn_error *err)
{
  nn_detector *d;
  g_mutex_lock (&lock);
  n_asked++;
  g_cond_broadcast (&changed);
  while (held)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  if (options->device == NN_DEVICE_CUDA && fake_engine.no_detector.status) {
    *err = fake_engine.no_detector;
    return NULL;
  }
  if (options->device == NN_DEVICE_CUDA && fake_engine.most_pages && options->batch > fake_engine.most_pages) {
    fake_fail (err, NN_ERR_MEMORY, "no memory for so many pages");
    return NULL;
  }
  g_mutex_lock (&lock);
  fake_engine.n_detectors++;
  fake_engine.n_alive++;
  fake_engine.most_alive = MAX (fake_engine.most_alive, fake_engine.n_alive);
  fake_engine.options = *options;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  d = calloc (1, sizeof *d);
  g_strlcpy (d->label, model->label, sizeof d->label);
  d->gpu = options->device == NN_DEVICE_CUDA;
  d->precision = options->precision ? options->precision : d->gpu ? NN_PRECISION_FP16 : NN_PRECISION_FP32;
  return d;
}

void
nn_detector_free (nn_detector *detector)
{
  if (detector == NULL)
    return;
  if (fake_engine.on_free)
    fake_engine.on_free ();
  free (detector);
  g_mutex_lock (&lock);
  fake_engine.n_alive--;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

/* ---- the test's hand on it ---- */

void
fake_hold (bool hold)
{
  g_mutex_lock (&lock);
  held = hold;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

void
fake_wait_asked (int n)
{
  g_mutex_lock (&lock);
  while (n_asked < n)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

void
fake_wait_alive (int n)
{
  g_mutex_lock (&lock);
  while (fake_engine.n_alive != n)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

void
fake_reset (void)
{
  fake_engine = (FakeEngine) { 0 };
  n_asked = 0;
  fake_hold (false);
}

/* ---- what it is ---- */

const char *
nn_detector_family (const nn_detector *detector)
{
  return "fake";
}

int
nn_detector_n_labels (const nn_detector *detector)
{
  return 1;
}

const char *
nn_detector_label (const nn_detector *detector, int class_id)
{
  return detector->label;
}

const char *
nn_detector_device_name (const nn_detector *detector)
{
  return detector->gpu ? "cuda:0 Fake" : "cpu";
}

nn_precision
nn_detector_precision (const nn_detector *detector)
{
  return detector->precision;
}

const nn_plan *
nn_detector_plan (const nn_detector *detector)
{
  return NULL;
}

int
nn_plan_nodes_before (const nn_plan *plan)
{
  return 2;
}

int
nn_plan_nodes_after (const nn_plan *plan)
{
  return 1;
}

double
nn_detector_device_seconds (const nn_detector *detector)
{
  return detector->gpu ? fake_engine.ms / 1000.0 : 0;
}

size_t
nn_detector_staged_bytes (const nn_detector *detector)
{
  return detector->last_staged;
}

int
nn_detector_pages_a_run (const nn_detector *detector)
{
  return 1;
}

size_t
nn_detector_memory_bytes (const nn_detector *detector)
{
  return 1000;
}

/* ---- running ---- */

int
nn_detector_in_flight (const nn_detector *detector)
{
  return fake_engine.capacity ? fake_engine.capacity : detector->gpu ? 2 : 1;
}

static gint64
time_now (void)
{
  return fake_engine.now ? fake_engine.now () : g_get_monotonic_time ();
}

static void
wait_until (gint64 time)
{
  gint64 left;
  if (fake_engine.wait_until) {
    fake_engine.wait_until (time);
    return;
  }
  left = time - g_get_monotonic_time ();
  if (left > 0)
    g_usleep ((gulong) left);
}

void
nn_detector_drop (nn_detector *d)
{
  g_mutex_lock (&lock);
  fake_engine.n_dropped += d->n_flight;
  g_mutex_unlock (&lock);
  d->n_flight = 0;
}

nn_status
nn_detector_start (nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
                   nn_error *err)
{
  if (g_atomic_int_add (&fake_engine.n_started, 1) + 1 == fake_engine.fail_start) {
    nn_detector_drop (d);
    return fake_fail (err, fake_engine.failure, "the start failed");
  }
  g_assert (d->n_flight < nn_detector_in_flight (d));
  for (int i = 0; i < n && fake_engine.see; i++)
    fake_engine.see (&frames[i]);
  d->frames[d->n_flight] = frames;
  d->n[d->n_flight] = n;
  d->staged[d->n_flight] = 0;
  for (int i = 0; i < n; i++) {
    size_t size = (size_t) frames[i].stride * (size_t) frames[i].height;
    if (d->gpu && !reads (frames[i].data, size))
      d->staged[d->n_flight] += size;
    fake_engine.data = frames[i].data;
  }
  d->idle = d->ready[d->n_flight] = MAX (d->idle, time_now ()) + fake_engine.ms * 1000;
  g_mutex_lock (&lock);
  fake_engine.n_behind += d->n_flight;
  d->n_flight++;
  fake_engine.most_in_flight = MAX (fake_engine.most_in_flight, d->n_flight);
  g_mutex_unlock (&lock);
  return NN_OK;
}

/* In the GPU's memory, or in the host's. */
static int
first_byte (const nn_detector *d, const nn_frame *frame)
{
  uintptr_t bit = d->gpu ? FAKE_CUDA_BIT : 0;
  return *(const uint8_t *) ((uintptr_t) frame->data & ~bit);
}

nn_status
nn_detector_finish (nn_detector *d, nn_detections *results, nn_error *err)
{
  int n_finished;
  g_assert (d->n_flight > 0);
  wait_until (d->ready[0]);
  g_mutex_lock (&lock);
  n_finished = ++fake_engine.n_finished;
  g_mutex_unlock (&lock);
  if (n_finished == fake_engine.fail_finish) {
    nn_detector_drop (d);
    return fake_fail (err, fake_engine.failure, "the finish failed");
  }
  for (int i = 0; i < d->n[0]; i++) {
    const nn_region one = { 1, 2, 3, 4, first_byte (d, &d->frames[0][i]) / 255.0f, 0, -1 };

    results[i].n = fake_engine.regions ? fake_engine.n_regions : 1;
    results[i].regions = realloc (results[i].regions, (size_t) results[i].n * sizeof one);
    memcpy (results[i].regions, fake_engine.regions ? fake_engine.regions : &one, (size_t) results[i].n * sizeof one);
  }
  d->n_flight--;
  d->last_staged = d->staged[0];
  d->staged[0] = d->staged[1];
  d->frames[0] = d->frames[1];
  d->n[0] = d->n[1];
  d->ready[0] = d->ready[1];
  return NN_OK;
}

nn_status
nn_detector_infer (nn_detector *d, const nn_frame *frames, int n, const nn_detector_settings *settings,
                   nn_detections *results, nn_error *err)
{
  g_assert (d->n_flight == 0);
  fake_engine.n_inferred += n;
  return fake_engine.no_pages ? fake_fail (err, fake_engine.no_pages, "no pages") : NN_OK;
}

void
nn_detections_clear (nn_detections *detections)
{
  free (detections->regions);
  *detections = (nn_detections) { 0 };
}
