/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs an ONNX model through the engine, for tests: inputs from raw files (row-major, in the order
 * of the model's inputs; random numbers in 0 … 1 where none are given), outputs as raw files
 * DIR/0.raw, DIR/1.raw …; the operators that ran, and a line "output INDEX TYPE DIM DIM …" each on standard output.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/loop.h"
#include "kernels/nn.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct settings {
  const char *model, *out;
  char **inputs;
  int n_inputs, threads, repeat, batch, sessions;
} settings;

/* One session on a thread of its own. */
typedef struct worker {
  const settings *set;
  nn_plan *plan;
  nn_session *session;
  int n_inputs;
  double *ms; /* `repeat` times */
  long allocations;    /* in the first run */
  int process_threads; /* after the last run, this one and main() included */
  nn_status status;
  nn_error err;
} worker;

static void
usage (FILE *to)
{
  fprintf (to, "usage: nn-run [--choice best|direct|lesser|portable] [--threads N] [--repeat N]\n"
               "              [--batch N] [--sessions N] [--out DIR] MODEL [INPUT.raw …]\n"
               "  --sessions N  N sessions of one plan, each on a thread; all must give the same bytes\n"
               "  --repeat N    runs N times more and prints the times\n");
}

static bool
parse_choice (const char *text)
{
  static const char *const names[] = { "best", "direct", "lesser", "portable" };
  for (int i = 0; i < 4; i++)
    if (strcmp (text, names[i]) == 0) {
      nn_cpu_choose ((nn_cpu_choice) i);
      return true;
    }
  return false;
}

static bool
parse (int argc, char **argv, settings *set)
{
  static const struct option options[] = {
    { "choice", required_argument, NULL, 'c' }, { "threads", required_argument, NULL, 't' },
    { "repeat", required_argument, NULL, 'r' }, { "batch", required_argument, NULL, 'b' },
    { "sessions", required_argument, NULL, 's' }, { "out", required_argument, NULL, 'o' }, { 0 },
  };
  int option;
  *set = (settings) { .threads = 1, .sessions = 1 };
  while ((option = getopt_long (argc, argv, "", options, NULL)) != -1) {
    if (option == 't')
      set->threads = atoi (optarg);
    else if (option == 'r')
      set->repeat = atoi (optarg);
    else if (option == 'b')
      set->batch = atoi (optarg);
    else if (option == 's')
      set->sessions = atoi (optarg);
    else if (option == 'o')
      set->out = optarg;
    else if (option != 'c' || !parse_choice (optarg))
      return false;
  }
  if (optind >= argc || set->threads < 1 || set->batch < 0 || set->sessions < 1 || set->repeat < 0)
    return false;
  set->model = argv[optind];
  set->inputs = argv + optind + 1;
  set->n_inputs = argc - optind - 1;
  return true;
}

static nn_tensor
row_major (const nn_tensor *tensor, void *data)
{
  return nn_tensor_make (tensor->dtype, tensor->rank, tensor->dim, NN_LAYOUT_ROW_MAJOR, data);
}

static bool
read_file (const char *path, void *to, size_t bytes)
{
  FILE *file = fopen (path, "rb");
  bool whole = file != NULL && fread (to, 1, bytes, file) == bytes && fgetc (file) == EOF;
  if (file != NULL)
    fclose (file);
  if (!whole)
    fprintf (stderr, "nn-run: %s has not %zu bytes or cannot be read\n", path, bytes);
  return whole;
}

static void
fill_random (const nn_tensor *tensor)
{
  uint32_t state = 1;
  if (tensor->dtype != NN_F32)
    memset (tensor->data, 0, nn_tensor_bytes (tensor));
  for (int64_t i = 0; i < nn_tensor_count (tensor) && tensor->dtype == NN_F32; i++) {
    state = state * 1664525u + 1013904223u;
    ((float *) tensor->data)[i] = (float) (state >> 8) / (float) (1 << 24);
  }
}

static bool
set_inputs (const settings *set, nn_session *session, int n)
{
  for (int i = 0; i < n; i++) {
    nn_tensor *to = nn_session_input (session, i);
    nn_tensor from = row_major (to, calloc (1, nn_tensor_bytes (to) + 1));
    bool good = from.data != NULL;
    if (good && i < set->n_inputs)
      good = read_file (set->inputs[i], from.data, nn_tensor_bytes (&from));
    else if (good)
      fill_random (&from);
    if (good)
      nn_copy (to, &from);
    free (from.data);
    if (!good)
      return false;
  }
  return true;
}

static double
now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int
count_threads (void)
{
  int n = 0;
  DIR *tasks = opendir ("/proc/self/task");
  for (const struct dirent *entry; tasks != NULL && (entry = readdir (tasks)) != NULL;)
    n += entry->d_name[0] != '.';
  if (tasks != NULL)
    closedir (tasks);
  return n;
}

/* What the process asks the C library for is counted: a run must ask for nothing. */
static atomic_long allocations;

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__
extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t size);
extern void *__libc_memalign (size_t align, size_t size);

void *
malloc (size_t size)
{
  allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  allocations++;
  return __libc_realloc (memory, size);
}

void *
aligned_alloc (size_t align, size_t size)
{
  allocations++;
  return __libc_memalign (align, size);
}
#endif

static void *
work (void *data)
{
  worker *w = data;
  long before = allocations;
  w->status = nn_session_run (w->session, &w->err);
  w->allocations = allocations - before;
  for (int i = 0; i < w->set->repeat && w->status == NN_OK; i++) {
    double start = now_ms ();
    w->status = nn_session_run (w->session, &w->err);
    w->ms[i] = now_ms () - start;
  }
  w->process_threads = count_threads ();
  return NULL;
}

static bool
write_output (const settings *set, int index, const nn_tensor *from)
{
  char path[4096];
  nn_tensor to = row_major (from, calloc (1, nn_tensor_bytes (from) + 1));
  if (to.data == NULL)
    return false;
  nn_copy (&to, from);
  printf ("output %d %s", index, nn_dtype_name (to.dtype));
  for (int i = 0; i < to.rank; i++)
    printf (" %" PRId64, to.dim[i]);
  printf ("\n");
  snprintf (path, sizeof path, "%s/%d.raw", set->out, index);
  FILE *file = fopen (path, "wb");
  bool good = file != NULL && fwrite (to.data, 1, nn_tensor_bytes (&to), file) == nn_tensor_bytes (&to);
  if (file != NULL)
    good = fclose (file) == 0 && good;
  free (to.data);
  if (!good)
    fprintf (stderr, "nn-run: cannot write %s\n", path);
  return good;
}

static bool
same_outputs (const nn_session *a, const nn_session *b, int n)
{
  for (int i = 0; i < n; i++) {
    const nn_tensor *x = nn_session_output (a, i), *y = nn_session_output (b, i);
    if (memcmp (x->data, y->data, nn_tensor_bytes (x)) != 0) {
      fprintf (stderr, "nn-run: output %d differs between two sessions\n", i);
      return false;
    }
  }
  return true;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
print_times (const settings *set, worker *w)
{
  qsort (w->ms, (size_t) set->repeat, sizeof (double), compare_doubles);
  printf ("median %.3f ms, min %.3f, max %.3f of %d runs\n", w->ms[set->repeat / 2], w->ms[0],
          w->ms[set->repeat - 1], set->repeat);
}

static bool
start (const settings *set, nn_model *model, nn_plan *plan, worker *w)
{
  nn_error err;
  w->set = set;
  w->plan = plan;
  w->ms = calloc ((size_t) set->repeat + 1, sizeof (double));
  w->session = nn_session_new (plan, &err);
  if (w->ms == NULL || w->session == NULL) {
    fprintf (stderr, "nn-run: %s\n", w->session ? "out of memory" : err.message);
    return false;
  }
  return set_inputs (set, w->session, nn_model_n_inputs (model));
}

static bool
run_all (const settings *set, worker *workers)
{
  pthread_t *threads = calloc ((size_t) set->sessions, sizeof *threads);
  int n = 0;
  while (threads != NULL && n < set->sessions && pthread_create (&threads[n], NULL, work, &workers[n]) == 0)
    n++;
  bool good = n == set->sessions;
  for (int i = 0; i < n; i++) {
    pthread_join (threads[i], NULL);
    if (workers[i].status != NN_OK)
      fprintf (stderr, "nn-run: %s\n", workers[i].err.message);
    good = good && workers[i].status == NN_OK;
  }
  free (threads);
  return good;
}

/* As told, else the model's own, else 1. */
static int
batch_of (const settings *set, const nn_model *model)
{
  if (set->batch > 0 || nn_model_n_inputs (model) == 0)
    return set->batch > 0 ? set->batch : 1;
  nn_value_info input = nn_model_input (model, 0);
  return input.rank > 0 && input.dim[0] > 0 ? (int) input.dim[0] : 1;
}

static bool
report (const settings *set, nn_model *model, worker *workers)
{
  int n = nn_model_n_outputs (model);
  for (int i = 1; i < set->sessions; i++)
    if (!same_outputs (workers[0].session, workers[i].session, n))
      return false;
  for (int i = 0; i < n && set->out; i++)
    if (!write_output (set, i, nn_session_output (workers[0].session, i)))
      return false;
  for (int i = 0; i < set->sessions && set->repeat > 0; i++)
    print_times (set, &workers[i]);
  printf ("process threads %d\n", workers[0].process_threads);
  printf ("allocations %ld\n", workers[0].allocations);
  return true;
}

int
main (int argc, char **argv)
{
  settings set;
  nn_error err;
  if (!parse (argc, argv, &set)) {
    usage (stderr);
    return 2;
  }
  double start_ms = now_ms ();
  nn_model *model = nn_model_open (set.model, &err);
  double loaded_ms = now_ms ();
  nn_plan_options options = { .threads = set.threads };
  options.batch = model ? batch_of (&set, model) : 1;
  nn_plan *plan = model ? nn_plan_new (model, &options, &err) : NULL;
  if (plan == NULL) {
    fprintf (stderr, "nn-run: %s\n", err.message);
    nn_model_unref (model);
    return 1;
  }
  printf ("load %.3f s, plan %.3f s\n", (loaded_ms - start_ms) / 1e3, (now_ms () - loaded_ms) / 1e3);
  printf ("nodes %d of %d, arena %zu bytes\n", nn_plan_nodes_after (plan), nn_plan_nodes_before (plan),
          nn_plan_arena_bytes (plan));
  printf ("run:");
  for (int i = 0; i < nn_plan_nodes_after (plan); i++)
    printf (" %s", nn_plan_node (plan, i).op);
  printf ("\n");
  worker *workers = calloc ((size_t) set.sessions, sizeof *workers);
  bool good = workers != NULL;
  for (int i = 0; i < set.sessions && good; i++)
    good = start (&set, model, plan, &workers[i]);
  good = good && run_all (&set, workers) && report (&set, model, workers);
  for (int i = 0; i < set.sessions && workers != NULL; i++) {
    nn_session_free (workers[i].session);
    free (workers[i].ms);
  }
  free (workers);
  nn_plan_unref (plan);
  nn_model_unref (model);
  return good ? 0 : 1;
}
