/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs an ONNX model through the engine, for tests: inputs from raw files (row-major, of the file's types, in the
 * order of the model's inputs; random numbers in 0 … 1 where none are given), outputs as raw files
 * DIR/0.raw, DIR/1.raw …; the operators that ran, and a line "output INDEX TYPE DIM DIM …" each on standard output.
 *
 * With --stdin many models run in one process: lines "MODEL DIR [INPUT.raw …]" (no blanks in names) on standard input.
 * Everything, errors too, goes to standard output then, and a line "end STATUS" closes each model. After a failure
 * of the device the process ends.
 *
 * Exit status: 0; 1 with a line that says why; 2 for wrong arguments; 77 where the device cannot be used at all.
 */
#include "kernels/cpu/cpu.h"
#include "kernels/cpu/loop.h"
#include "kernels/nn.h"
#include "nn-clock.h"
#include "nn-device.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_WORDS 64    /* of a line of --stdin */
#define DEVICE_FAILED 3 /* what that says behind "end" */

typedef struct settings {
  const char *model, *out;
  char **inputs;
  int n_inputs, threads, repeat, batch, sessions;
  nn_device_kind device;
  nn_precision precision;
  bool from_stdin;
} settings;

/* One session on a thread of its own. */
typedef struct worker {
  const settings *set;
  nn_plan *plan;
  nn_session *session;
  int n_inputs;
  double *ms;        /* `repeat` times */
  double *device_ms; /* and what of them the device itself took; 0: it does not tell */
  double start_ms, end_ms; /* of all of these */
  long allocations;    /* in the first run */
  int process_threads; /* after the last run, this one and main() included */
  nn_status status;
  nn_error err;
} worker;

/* After that, nothing on the device can be relied on in this process. */
static bool device_failed;

static void
tell (const nn_error *err)
{
  fprintf (stderr, "nn-run: %s\n", err->message);
  device_failed = device_failed || err->status == NN_ERR_DEVICE;
}

static void
usage (FILE *to)
{
  fprintf (to, "usage: nn-run [--device cpu|cuda] [--precision auto|fp32|tf32|bf16|fp16]\n"
               "              [--choice best|direct|lesser|portable] [--threads N] [--repeat N]\n"
               "              [--batch N] [--sessions N] [--out DIR] MODEL [INPUT.raw …]\n"
               "       nn-run [OPTION …] --stdin\n"
               "  --sessions N  N sessions of one plan, each on a thread; all must give the same bytes\n"
               "  --repeat N    runs N times more and prints the times\n"
               "  --stdin       models from lines: MODEL DIR [INPUT.raw …]\n");
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
    { "sessions", required_argument, NULL, 's' }, { "out", required_argument, NULL, 'o' },
    { "device", required_argument, NULL, 'd' }, { "precision", required_argument, NULL, 'p' },
    { "stdin", no_argument, NULL, 'i' }, { 0 },
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
    else if (option == 'i')
      set->from_stdin = true;
    else if (!(option == 'c' && parse_choice (optarg)) && !(option == 'd' && nn_parse_device (optarg, &set->device)) &&
             !(option == 'p' && nn_parse_precision (optarg, &set->precision)))
      return false;
  }
  if (set->threads < 1 || set->batch < 0 || set->sessions < 1 || set->repeat < 0)
    return false;
  if (set->from_stdin || optind >= argc)
    return set->from_stdin && optind >= argc;
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

/* Input `i` in the file's type, row-major; freed by the caller. */
static bool
make_input (const settings *set, int i, nn_tensor *from)
{
  *from = row_major (from, calloc (1, nn_tensor_bytes (from) + 1));
  if (from->data == NULL)
    return false;
  if (i < set->n_inputs)
    return read_file (set->inputs[i], from->data, nn_tensor_bytes (from));
  fill_random (from);
  return true;
}

static bool
set_inputs (const settings *set, nn_session *session, const nn_model *model)
{
  bool good = true;
  for (int i = 0; i < nn_model_n_inputs (model) && good; i++) {
    nn_tensor *to = nn_session_input (session, i), from = *to;
    from.dtype = nn_model_input (model, i).dtype;
    good = make_input (set, i, &from);
    if (good && to->dtype != from.dtype)
      nn_round_to_half (&from, to->dtype);
    if (good)
      nn_copy (to, &from);
    free (from.data);
  }
  return good;
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

#if defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
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
  w->start_ms = nn_now_ms ();
  for (int i = 0; i < w->set->repeat && w->status == NN_OK; i++) {
    double start = nn_now_ms ();
    w->status = nn_session_run (w->session, &w->err);
    w->ms[i] = nn_now_ms () - start;
    w->device_ms[i] = nn_session_device_seconds (w->session) * 1e3;
  }
  w->end_ms = nn_now_ms ();
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

static void
print_times (const settings *set, worker *w)
{
  double median = nn_median (w->ms, set->repeat); /* which sorts */
  printf ("median %.3f ms, min %.3f, max %.3f of %d runs\n", median, w->ms[0], w->ms[set->repeat - 1], set->repeat);
  double device = nn_median (w->device_ms, set->repeat);
  if (device > 0)
    printf ("device %.3f ms, min %.3f, max %.3f\n", device, w->device_ms[0], w->device_ms[set->repeat - 1]);
}

/* How many milliseconds a run took, all sessions' together. */
static void
print_rate (const settings *set, const worker *workers)
{
  double start = workers[0].start_ms, end = workers[0].end_ms;
  for (int i = 1; i < set->sessions; i++) {
    start = workers[i].start_ms < start ? workers[i].start_ms : start;
    end = workers[i].end_ms > end ? workers[i].end_ms : end;
  }
  printf ("together %.3f ms a run\n", (end - start) / ((double) set->repeat * set->sessions));
}

static bool
start (const settings *set, nn_model *model, nn_plan *plan, worker *w)
{
  nn_error err;
  w->set = set;
  w->plan = plan;
  w->ms = calloc ((size_t) set->repeat + 1, 2 * sizeof (double));
  w->device_ms = w->ms + set->repeat;
  w->session = nn_session_new (plan, &err);
  if (w->session == NULL)
    tell (&err);
  if (w->ms == NULL || w->session == NULL)
    return false;
  return set_inputs (set, w->session, model);
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
      tell (&workers[i].err);
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
  if (set->repeat > 0)
    print_rate (set, workers);
  printf ("process threads %d\n", workers[0].process_threads);
  printf ("allocations %ld\n", workers[0].allocations);
  return true;
}

static void
print_plan (const nn_plan *plan, double load_ms, double plan_ms)
{
  printf ("load %.3f s, plan %.3f s\n", load_ms / 1e3, plan_ms / 1e3);
  printf ("nodes %d of %d, arena %zu bytes\n", nn_plan_nodes_after (plan), nn_plan_nodes_before (plan),
          nn_plan_arena_bytes (plan));
  printf ("run:");
  for (int i = 0; i < nn_plan_nodes_after (plan); i++)
    printf (" %s", nn_plan_node (plan, i).op);
  printf ("\n");
}

static bool
run_plan (const settings *set, nn_model *model, nn_plan *plan)
{
  worker *workers = calloc ((size_t) set->sessions, sizeof *workers);
  bool good = workers != NULL;
  for (int i = 0; i < set->sessions && good; i++)
    good = start (set, model, plan, &workers[i]);
  good = good && run_all (set, workers) && report (set, model, workers);
  for (int i = 0; i < set->sessions && workers != NULL; i++) {
    nn_session_free (workers[i].session);
    free (workers[i].ms);
  }
  free (workers);
  return good;
}

/* The exit status. */
static int
run_model (const settings *set)
{
  nn_error err;
  double start_ms = nn_now_ms ();
  nn_model *model = nn_model_open (set->model, &err);
  double loaded_ms = nn_now_ms ();
  nn_plan_options options = { .threads = set->threads, .device = set->device, .precision = set->precision };
  options.batch = model ? batch_of (set, model) : 1;
  nn_plan *plan = model ? nn_plan_new (model, &options, &err) : NULL;
  bool good = plan != NULL;
  if (!good)
    tell (&err);
  else
    print_plan (plan, loaded_ms - start_ms, nn_now_ms () - loaded_ms);
  good = good && run_plan (set, model, plan);
  nn_plan_unref (plan);
  nn_model_unref (model);
  return good ? 0 : 1;
}

static int
run_lines (settings set)
{
  char *line = NULL, *words[MAX_WORDS];
  size_t size = 0;
  setvbuf (stdout, NULL, _IOLBF, 0);
  if (dup2 (STDOUT_FILENO, STDERR_FILENO) < 0)
    return 1;
  while (!device_failed && getline (&line, &size, stdin) > 0) {
    int n = 0;
    for (char *rest, *word = strtok_r (line, " \n", &rest); word != NULL && n < MAX_WORDS;
         word = strtok_r (NULL, " \n", &rest))
      words[n++] = word;
    if (n < 2)
      break;
    set.model = words[0];
    set.out = words[1];
    set.inputs = words + 2;
    set.n_inputs = n - 2;
    int status = run_model (&set);
    printf ("end %d\n", device_failed ? DEVICE_FAILED : status);
  }
  free (line);
  return 0;
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
  if (nn_device_check (set.device, 0, &err) != NN_OK) {
    fprintf (stderr, "nn-run: %s\n", err.message);
    return NN_SKIPPED;
  }
  return set.from_stdin ? run_lines (set) : run_model (&set);
}
