/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights in files beside the model: where they may lie, what is checked, and that a file that is
 * changed while the model is open makes an error, not a crash. */
#include "nn-check.h"
#include "small_onnx.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEIGHTS (6 * sizeof (float))

/* The small model with its weights in `location`. */
typedef struct external {
  small *s;
  Onnx__StringStringEntryProto entries[4], *list[4];
} external;

static void
add (external *e, char *key, char *value)
{
  size_t n = e->s->w.n_external_data;
  onnx__string_string_entry_proto__init (&e->entries[n]);
  e->entries[n].key = key;
  e->entries[n].value = value;
  e->list[n] = &e->entries[n];
  e->s->w.external_data = e->list;
  e->s->w.n_external_data++;
}

static external
external_new (char *location, char *offset, char *length)
{
  external e = { .s = small_new () };
  e.s->w.n_float_data = 0;
  e.s->w.has_data_location = 1;
  e.s->w.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  e.s->w.external_data = NULL;
  if (location != NULL)
    add (&e, "location", location);
  if (offset != NULL)
    add (&e, "offset", offset);
  if (length != NULL)
    add (&e, "length", length);
  return e;
}

/* entries live in `e`: the list is set again after the copy that returned it. */
static small *
fix (external *e)
{
  for (size_t i = 0; i < e->s->w.n_external_data; i++)
    e->list[i] = &e->entries[i];
  e->s->w.external_data = e->list;
  return e->s;
}

static void
refuses (char *location, char *offset, char *length, nn_status status, const char *cause)
{
  external e = external_new (location, offset, length);
  small_refuses (fix (&e), status, cause);
}

static nn_model *
open_external (char *location, char *offset, char *length, nn_error *err)
{
  external e = external_new (location, offset, length);
  size_t size;
  uint8_t *data = small_pack (fix (&e), &size);
  nn_model *model = nn_model_open (small_write ("external.onnx", data, size), err);
  free (data);
  free (e.s);
  return model;
}

/* Runs the model on ones; its channels must be relu of the sums of two weights each. */
static void
check_runs (nn_model *model, const float *weights)
{
  nn_error err = { 0 };
  nn_plan *plan = nn_plan_new (model, &(nn_plan_options) { .batch = 1, .threads = 1 }, &err);
  nn_session *session = plan != NULL ? nn_session_new (plan, &err) : NULL;
  CHECK (session != NULL, "%s", err.message);
  if (session != NULL) {
    float *x = nn_session_input (session, 0)->data;
    for (int i = 0; i < 32; i++)
      x[i] = 1;
    CHECK (nn_session_run (session, &err) == NN_OK, "%s", err.message);
    const float *y = nn_session_output (session, 0)->data;
    for (int c = 0; c < 3; c++) {
      float sum = weights[2 * c] + weights[2 * c + 1];
      CHECK (y[16 * c] == (sum > 0 ? sum : 0), "channel %d is %f", c, y[16 * c]);
    }
  }
  nn_session_free (session);
  nn_plan_unref (plan);
}

static void
check_good (char *location, char *offset, char *length, const float *weights)
{
  nn_error err = { 0 };
  nn_model *model = open_external (location, offset, length, &err);
  CHECK (model != NULL, "%s: %s", location, err.message);
  if (model != NULL) {
    struct stat st;
    CHECK (stat (small_path ("external.onnx"), &st) == 0, "stat");
    CHECK (nn_model_bytes (model) == (size_t)st.st_size + 32, "%zu bytes", nn_model_bytes (model));
    check_runs (model, weights);
  }
  nn_model_unref (model);
}

static const float floats[8] = { 100, 200, 1, 2, -3, -4, 5, 6 };

static void
test_good (void)
{
  small_write ("w.bin", floats, sizeof floats);
  mkdir (small_path ("below"), 0700);
  small_write ("below/w.bin", floats, sizeof floats);
  check_good ("w.bin", NULL, NULL, floats);
  check_good ("w.bin", "0", "24", floats);
  check_good ("w.bin", "8", "24", floats + 2);
  check_good ("w.bin", "8", NULL, floats + 2);
  check_good ("below/w.bin", "4", NULL, floats + 1);
  check_good ("below//w.bin", NULL, NULL, floats);
  check_good ("./below/./w.bin", NULL, NULL, floats);
  CHECK (chdir (small_path ("")) == 0, "chdir");
  nn_error err = { 0 };
  nn_model *model = nn_model_open ("external.onnx", &err);
  CHECK (model != NULL, "a path without a folder: %s", err.message);
  CHECK (chdir ("/") == 0, "chdir");
  if (model != NULL)
    check_runs (model, floats);
  nn_model_unref (model);
}

static void
test_descriptions (void)
{
  small_write ("w.bin", floats, sizeof floats);
  refuses (NULL, NULL, NULL, NN_ERR_FORMAT, "'w': its data lies in another file, but the model does not say");
  refuses ("", NULL, NULL, NN_ERR_FORMAT, "does not say in which");
  refuses ("w.bin", "-4", NULL, NN_ERR_FORMAT, "the offset of its external data, '-4', is not a number");
  refuses ("w.bin", "", NULL, NN_ERR_FORMAT, "is not a number");
  refuses ("w.bin", "18446744073709551616", NULL, NN_ERR_FORMAT, "is not a number");
  refuses ("w.bin", "0x8", NULL, NN_ERR_FORMAT, "is not a number");
  refuses ("w.bin", NULL, "23", NN_ERR_FORMAT, "23 bytes where its dimensions make 24");
  refuses ("w.bin", "9", NULL, NN_ERR_FORMAT, "24 bytes from 9 on, in a file of 32");
  refuses ("w.bin", "18446744073709551615", NULL, NN_ERR_FORMAT, "in a file of 32");
  refuses ("w.bin", "33", NULL, NN_ERR_FORMAT, "'w.bin'");
  external e = external_new ("w.bin", NULL, NULL);
  e.s->w.has_raw_data = 1;
  e.s->w.raw_data = (ProtobufCBinaryData){ WEIGHTS, (uint8_t *)(uintptr_t)floats };
  small_refuses (fix (&e), NN_ERR_FORMAT, "there twice");
  e = external_new ("w.bin", NULL, NULL);
  e.s->w_dims[0] = (int64_t)1 << 32;
  small_refuses (fix (&e), NN_ERR_FORMAT, "in a file of 32");
}

/* What may not be read is there, so that only the check is between it and us. */
static void
test_places (void)
{
  char outside[] = "/tmp/test_onnx_outside.XXXXXX";
  int fd = mkstemp (outside);
  CHECK (fd >= 0 && write (fd, floats, sizeof floats) == sizeof floats, "%s", outside);
  close (fd);
  char up[64];
  snprintf (up, sizeof up, "../%s", outside + 5);
  small_write ("w.bin", floats, sizeof floats);
  mkdir (small_path ("below"), 0700);
  refuses (outside, NULL, NULL, NN_ERR_FORMAT, "must lie in the model's folder");
  refuses (up, NULL, NULL, NN_ERR_FORMAT, "must lie in the model's folder");
  refuses ("below/../w.bin", NULL, NULL, NN_ERR_FORMAT, "must lie in the model's folder");
  refuses ("..", NULL, NULL, NN_ERR_FORMAT, "must lie in the model's folder");
  CHECK (symlink (outside, small_path ("link.bin")) == 0, "symlink");
  CHECK (symlink ("/tmp", small_path ("link")) == 0, "symlink");
  refuses ("link.bin", NULL, NULL, NN_ERR_IO, "symbolic link");
  snprintf (up, sizeof up, "link/%s", outside + 5);
  refuses (up, NULL, NULL, NN_ERR_IO, "symbolic link");
  refuses ("below", NULL, NULL, NN_ERR_IO, "folder");
  refuses ("w.bin/w.bin", NULL, NULL, NN_ERR_IO, "behind one");
  refuses ("none.bin", NULL, NULL, NN_ERR_IO, "external data 'none.bin': the file is missing");
  refuses ("below/none.bin", NULL, NULL, NN_ERR_IO, "must lie in the folder '/tmp/test_onnx");
  if (mkfifo (small_path ("pipe"), 0600) == 0)
    refuses ("pipe", NULL, NULL, NN_ERR_IO, "not a regular file");
  char name[400];
  memset (name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  refuses (name, NULL, NULL, NN_ERR_IO, "too long");
  unlink (outside);
}

static void
check_changed (const char *what, nn_model *model, const char *file)
{
  nn_error err = { 0 };
  nn_plan *plan = model != NULL ? nn_plan_new (model, &(nn_plan_options) { .batch = 1, .threads = 1 }, &err) : NULL;
  CHECK (plan == NULL && err.status == NN_ERR_IO && strstr (err.message, file) != NULL, "%s: %s", what,
         err.message);
  nn_plan_unref (plan);
  nn_model_unref (model);
}

static void
test_changes (void)
{
  nn_error err = { 0 };
  small_write ("w.bin", floats, sizeof floats);
  nn_model *model = open_external ("w.bin", NULL, NULL, &err);
  CHECK (truncate (small_path ("w.bin"), 8) == 0, "truncate");
  check_changed ("shorter data", model, "w.bin");
  small_write ("w.bin", floats, sizeof floats);
  model = open_external ("w.bin", NULL, NULL, &err);
  const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
  CHECK (utimensat (AT_FDCWD, small_path ("w.bin"), times, 0) == 0, "utimensat");
  check_changed ("data of another time", model, "w.bin");
  model = open_external ("w.bin", NULL, NULL, &err);
  unlink (small_path ("w.bin"));
  check_changed ("no data", model, "is missing");
  small_write ("w.bin", floats, sizeof floats);
  model = open_external ("w.bin", NULL, NULL, &err);
  CHECK (truncate (small_path ("external.onnx"), 8) == 0, "truncate");
  check_changed ("shorter model", model, "external.onnx");
  /* A new file in the old one's place is another model; the open one stays what it was. */
  model = open_external ("w.bin", NULL, NULL, &err);
  unlink (small_path ("external.onnx"));
  small_write ("external.onnx", "other", 5);
  if (model != NULL)
    check_runs (model, floats);
  nn_model_unref (model);
}

/* Many tensors on the same bytes of a small file would fill the memory. */
static void
test_sharing (void)
{
  enum { N = 8 };
  Onnx__TensorProto tensors[N], *list[N];
  char names[N][8];
  external e = external_new ("w.bin", NULL, NULL);
  small_write ("w.bin", floats, sizeof floats);
  fix (&e);
  for (int i = 0; i < N; i++) {
    tensors[i] = e.s->w;
    snprintf (names[i], sizeof names[i], i == 0 ? "w" : "w%d", i);
    tensors[i].name = names[i];
    list[i] = &tensors[i];
  }
  e.s->graph.n_initializer = N;
  e.s->graph.initializer = list;
  small_refuses (e.s, NN_ERR_LIMIT, "several times the size");
}

static atomic_int planners;

/* A model is shared by threads, each of which may plan it: with options of its own, so that each reads the files. */
static void *
plan_often (void *model)
{
  nn_error err = { 0 };
  const nn_plan_options options = { .batch = 1, .threads = 1 + atomic_fetch_add (&planners, 1) };
  for (int i = 0; i < 20; i++) {
    nn_plan *plan = nn_plan_new (model, &options, &err);
    if (plan == NULL)
      return strdup (err.message);
    nn_plan_unref (plan);
  }
  return NULL;
}

static void
test_threads (void)
{
  nn_error err = { 0 };
  pthread_t threads[4];
  small_write ("w.bin", floats, sizeof floats);
  nn_model *model = open_external ("w.bin", NULL, NULL, &err);
  CHECK (model != NULL, "%s", err.message);
  for (int i = 0; model != NULL && i < 4; i++)
    CHECK (pthread_create (&threads[i], NULL, plan_often, model) == 0, "no thread");
  for (int i = 0; model != NULL && i < 4; i++) {
    void *message;
    CHECK (pthread_join (threads[i], &message) == 0 && message == NULL, "%s", (char *)message);
    free (message);
  }
  nn_model_unref (model);
}

int
main (void)
{
  if (!small_folder ())
    return 1;
  test_good ();
  test_descriptions ();
  test_places ();
  test_changes ();
  test_sharing ();
  test_threads ();
  return nn_check_report ("data files");
}
