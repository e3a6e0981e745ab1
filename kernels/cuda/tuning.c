/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file: a header line that names device and libraries, then a line "key<tab>choice" each. One that is not
 * exactly so, or is not of this device and these versions, is as good as none. */
#include "tuning.h"

#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 8 << 20, TIMES = 5, MAX_RUNS = 16 };

/* What the runs of one measurement take together: long enough for the clock, short enough for a quick start. */
static const float measured_ms = 0.1f;

/* So much behind twice the best time a single run tells enough: neither the host nor another process, which takes its
 * turns on the GPU, makes the difference. */
static const float hopeless_ms = 5.0f;

typedef struct entry {
  char *key, *choice; /* one allocation */
} entry;

struct nn_tuning {
  pthread_mutex_t mutex;
  char header[512], path[PATH_MAX];
  entry *entries;
  size_t n, room;
  bool changed; /* since it was read */
};

/* ---- where it is ---- */

static void
name_header (nn_tuning *tuning, const nn_cuda *cuda)
{
  struct cudaDeviceProp device;
  int driver = 0;
  if (cudaGetDeviceProperties (&device, cuda->index) != cudaSuccess)
    snprintf (device.name, sizeof device.name, "unknown");
  cudaDriverGetVersion (&driver);
  cudaGetLastError ();
  for (char *c = device.name; *c != '\0'; c++)
    if ((unsigned char) *c < ' ')
      *c = ' ';
  snprintf (tuning->header, sizeof tuning->header,
            "gst-doclayout tuning 1, %s, %d.%d, %d multiprocessors, driver %d, cuDNN %zu, cuBLASLt %zu", device.name,
            cuda->architecture / 10, cuda->architecture % 10, cuda->n_multiprocessors, driver, cudnnGetVersion (),
            cublasLtGetVersion ());
}

/* The file's name is the header's hash (FNV-1a). An empty path: there is no place for it. */
static void
name_path (nn_tuning *tuning)
{
  const char *cache = getenv ("XDG_CACHE_HOME"), *home = getenv ("HOME");
  bool given = cache != NULL && cache[0] == '/'; /* the specification ignores relative ones */
  uint64_t hash = 0xcbf29ce484222325u;
  if (!given && (home == NULL || home[0] != '/'))
    return;
  for (const char *c = tuning->header; *c != '\0'; c++)
    hash = (hash ^ (unsigned char) *c) * 0x100000001b3u;
  int n = snprintf (tuning->path, sizeof tuning->path, "%s%s/gst-doclayout/tuning-%016llx.txt", given ? cache : home,
                    given ? "" : "/.cache", (unsigned long long) hash);
  if (n < 0 || (size_t) n >= sizeof tuning->path)
    tuning->path[0] = '\0';
}

static void
make_folders (const char *path)
{
  char folder[PATH_MAX];
  snprintf (folder, sizeof folder, "%s", path);
  for (char *slash = strchr (folder + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/')) {
    *slash = '\0';
    mkdir (folder, 0700); /* that it is there already is the usual case */
    *slash = '/';
  }
}

/* ---- what it holds ---- */

static entry *
find (const nn_tuning *tuning, const char *key)
{
  for (size_t i = 0; i < tuning->n; i++)
    if (strcmp (tuning->entries[i].key, key) == 0)
      return &tuning->entries[i];
  return NULL;
}

/* Without memory the choice is not kept. */
static void
put (nn_tuning *tuning, const char *key, const char *choice)
{
  size_t key_size = strlen (key) + 1, choice_size = strlen (choice) + 1;
  entry *old = find (tuning, key);
  if (old == NULL && tuning->n == tuning->room) {
    size_t room = tuning->room * 2 + 64;
    entry *more = realloc (tuning->entries, room * sizeof *more);
    if (more == NULL)
      return;
    tuning->entries = more;
    tuning->room = room;
  }
  char *text = malloc (key_size + choice_size);
  if (text == NULL)
    return;
  memcpy (text, key, key_size);
  memcpy (text + key_size, choice, choice_size);
  if (old != NULL)
    free (old->key);
  else
    old = &tuning->entries[tuning->n++];
  *old = (entry) { .key = text, .choice = text + key_size };
}

/* ---- reading ---- */

/* The whole file, terminated; NULL where there is none that could be ours. */
static char *
read_file (const char *path)
{
  struct stat info;
  int file = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return NULL;
  char *text = NULL;
  size_t got = 0, size = 0;
  if (fstat (file, &info) == 0 && S_ISREG (info.st_mode) && info.st_size > 0 && info.st_size <= MAX_FILE_BYTES) {
    size = (size_t) info.st_size;
    text = malloc (size + 1);
  }
  while (text != NULL && got < size) {
    ssize_t n = read (file, text + got, size - got);
    if (n <= 0 && !(n < 0 && errno == EINTR))
      break;
    got += n > 0 ? (size_t) n : 0;
  }
  close (file);
  if (text == NULL || got != size || text[size - 1] != '\n' || memchr (text, '\0', size) != NULL) {
    free (text);
    return NULL;
  }
  text[size] = '\0';
  return text;
}

/* Each line but the first has one tab, with something in front. */
static bool
is_sound (const char *text)
{
  for (const char *line = strchr (text, '\n') + 1; *line != '\0';) {
    size_t length = strcspn (line, "\n");
    const char *tab = memchr (line, '\t', length);
    if (tab == NULL || tab == line || memchr (tab + 1, '\t', (size_t) (line + length - tab - 1)) != NULL)
      return false;
    line += length + 1;
  }
  return true;
}

/* Adds what the file has and `tuning` has not. */
static void
take_in_file (nn_tuning *tuning)
{
  size_t length = strlen (tuning->header);
  char *text = tuning->path[0] != '\0' ? read_file (tuning->path) : NULL;
  if (text != NULL && strncmp (text, tuning->header, length) == 0 && text[length] == '\n' && is_sound (text)) {
    char *rest = NULL;
    for (char *line = strtok_r (text + length + 1, "\n", &rest); line != NULL; line = strtok_r (NULL, "\n", &rest)) {
      char *tab = strchr (line, '\t');
      *tab = '\0';
      if (find (tuning, line) == NULL)
        put (tuning, line, tab + 1);
    }
  }
  free (text);
}

/* ---- writing ---- */

static bool
write_lines (const nn_tuning *tuning, FILE *file)
{
  bool good = fprintf (file, "%s\n", tuning->header) > 0;
  for (size_t i = 0; i < tuning->n && good; i++)
    good = fprintf (file, "%s\t%s\n", tuning->entries[i].key, tuning->entries[i].choice) > 0;
  return good;
}

/* Silent where it fails: the next start times again. */
static void
write_file (const nn_tuning *tuning)
{
  char temporary[PATH_MAX + 8];
  make_folders (tuning->path);
  snprintf (temporary, sizeof temporary, "%s.XXXXXX", tuning->path);
  int descriptor = mkostemp (temporary, O_CLOEXEC);
  if (descriptor < 0)
    return;
  FILE *file = fdopen (descriptor, "w");
  if (file == NULL)
    close (descriptor);
  bool good = file != NULL && write_lines (tuning, file);
  if (file != NULL && fclose (file) != 0)
    good = false;
  if (!good || rename (temporary, tuning->path) != 0)
    unlink (temporary);
}

/* ---- what others call ---- */

nn_tuning *
nn_tuning_open (const nn_cuda *cuda)
{
  nn_tuning *tuning = calloc (1, sizeof *tuning);
  if (tuning == NULL)
    return NULL;
  pthread_mutex_init (&tuning->mutex, NULL);
  name_header (tuning, cuda);
  name_path (tuning);
  take_in_file (tuning);
  return tuning;
}

void
nn_tuning_close (nn_tuning *tuning)
{
  if (tuning == NULL)
    return;
  if (tuning->changed && tuning->path[0] != '\0') {
    take_in_file (tuning); /* what another process has found meanwhile */
    write_file (tuning);
  }
  for (size_t i = 0; i < tuning->n; i++)
    free (tuning->entries[i].key);
  free (tuning->entries);
  pthread_mutex_destroy (&tuning->mutex);
  free (tuning);
}

bool
nn_tuning_find (const nn_tuning *tuning, const char *key, char *choice, size_t size)
{
  if (tuning == NULL)
    return false;
  pthread_mutex_t *mutex = &((nn_tuning *) tuning)->mutex;
  pthread_mutex_lock (mutex);
  const entry *found = find (tuning, key);
  bool good = found != NULL && strlen (found->choice) < size;
  if (good)
    strcpy (choice, found->choice);
  pthread_mutex_unlock (mutex);
  return good;
}

void
nn_tuning_keep (nn_tuning *tuning, const char *key, const char *choice)
{
  if (tuning == NULL || key[0] == '\0' || strpbrk (key, "\t\n") != NULL || strpbrk (choice, "\t\n") != NULL)
    return;
  pthread_mutex_lock (&tuning->mutex);
  put (tuning, key, choice);
  tuning->changed = true;
  pthread_mutex_unlock (&tuning->mutex);
}

/* ---- timing ---- */

typedef struct stopwatch {
  cudaStream_t stream;
  cudaEvent_t begin, end;
} stopwatch;

static nn_status
read_stopwatch (const stopwatch *watch, float *ms, nn_error *err)
{
  nn_status status;
  if ((status = NN_CUDA (cudaEventRecord (watch->end, watch->stream), err)) != NN_OK
      || (status = NN_CUDA (cudaEventSynchronize (watch->end), err)) != NN_OK)
    return status;
  return NN_CUDA (cudaEventElapsedTime (ms, watch->begin, watch->end), err);
}

static nn_status
time_graph (const stopwatch *watch, cudaGraphExec_t exec, float *ms, nn_error *err)
{
  float times[TIMES];
  nn_status status;
  for (int i = 0; i < TIMES; i++) {
    float took;
    if ((status = NN_CUDA (cudaEventRecord (watch->begin, watch->stream), err)) != NN_OK
        || (status = NN_CUDA (cudaGraphLaunch (exec, watch->stream), err)) != NN_OK
        || (status = read_stopwatch (watch, &took, err)) != NN_OK)
      return status;
    int at = i;
    for (; at > 0 && times[at - 1] > took; at--)
      times[at] = times[at - 1];
    times[at] = took;
  }
  *ms = times[TIMES / 2];
  return NN_OK;
}

/* The first run may load code; the second tells how many make a measurement. These are one graph, as they will run: the
 * host's part of a launch does not count, and what cannot be recorded fails here. */
static nn_status
time_runs (const nn_cuda *cuda, const stopwatch *watch, nn_status (*run) (void *arg, nn_error *err), void *arg,
           float best_ms, float *ms, nn_error *err)
{
  nn_status status;
  float once;
  cudaGraphExec_t exec = NULL;
  if ((status = run (arg, err)) != NN_OK || (status = NN_CUDA (cudaStreamSynchronize (cuda->stream), err)) != NN_OK
      || (status = NN_CUDA (cudaEventRecord (watch->begin, cuda->stream), err)) != NN_OK
      || (status = run (arg, err)) != NN_OK || (status = read_stopwatch (watch, &once, err)) != NN_OK)
    return status;
  *ms = once;
  if (once > 2 * best_ms + hopeless_ms)
    return NN_OK;
  int runs = once * MAX_RUNS <= measured_ms ? MAX_RUNS : once >= measured_ms ? 1 : (int) (measured_ms / once) + 1;
  status = nn_cuda_record (cuda->stream, run, arg, runs, &exec, err);
  if (status == NN_OK)
    status = time_graph (watch, exec, ms, err);
  *ms /= (float) runs;
  if (exec != NULL)
    cudaGraphExecDestroy (exec);
  return status;
}

nn_status
nn_tuning_time (const nn_cuda *cuda, nn_status (*run) (void *arg, nn_error *err), void *arg, float best_ms,
                float *ms, nn_error *err)
{
  stopwatch watch = { .stream = cuda->stream };
  nn_status status = NN_CUDA (cudaEventCreate (&watch.begin), err);
  *ms = 0;
  if (status == NN_OK)
    status = NN_CUDA (cudaEventCreate (&watch.end), err);
  if (status == NN_OK)
    status = time_runs (cuda, &watch, run, arg, best_ms, ms, err);
  if (watch.begin != NULL)
    cudaEventDestroy (watch.begin);
  if (watch.end != NULL)
    cudaEventDestroy (watch.end);
  if (status != NN_OK)
    cudaGetLastError (); /* of what failed here, so that the next launch is not blamed */
  return status;
}
