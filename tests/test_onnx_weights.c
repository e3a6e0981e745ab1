/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Large weights: read from the file when a graph is made, in memory once, released when read. */
#include "kernels/graph/weights.h"
#include "nn-check.h"
#include "small_onnx.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* AddressSanitizer's memory is not ours to bound. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer)
#define MEASURES false
#else
#define MEASURES true
#endif

/* The small model with `n` filters, their weights random in raw_data or in float_data. */
static small *
filters (int64_t n, bool raw, float *weights)
{
  small *s = small_new ();
  unsigned state = 3;
  for (int64_t i = 0; i < 2 * n; i++) {
    state = state * 1664525u + 1013904223u;
    weights[i] = (float)(int)(state >> 16) / 65536 - 0.5f;
  }
  s->w_dims[0] = n;
  s->w.has_raw_data = raw;
  s->w.raw_data = (ProtobufCBinaryData){ (size_t)n * 8, (uint8_t *)weights };
  s->w.n_float_data = raw ? 0 : (size_t)n * 2;
  s->w.float_data = weights;
  s->ys[0]->type = NULL;
  return s;
}

static const char *
write_model (const small *s, const char *name)
{
  size_t size;
  uint8_t *data = small_pack (s, &size);
  const char *path = small_write (name, data, size);
  free (data);
  return path;
}

static void
check_values (const char *path, int64_t n, const float *weights)
{
  nn_error err = { 0 };
  nn_model *model = nn_model_open (path, &err);
  nn_plan *plan = model != NULL ? nn_plan_new (model, &(nn_plan_options) { .batch = 1, .threads = 1 }, &err) : NULL;
  nn_session *session = plan != NULL ? nn_session_new (plan, &err) : NULL;
  CHECK (session != NULL, "%s", err.message);
  if (session != NULL) {
    float *x = nn_session_input (session, 0)->data;
    for (int i = 0; i < 32; i++)
      x[i] = 1;
    CHECK (nn_session_run (session, &err) == NN_OK, "%s", err.message);
    const float *y = nn_session_output (session, 0)->data;
    int64_t wrong = 0;
    for (int64_t c = 0; c < n; c++) {
      float sum = weights[2 * c] + weights[2 * c + 1];
      wrong += y[16 * c] != (sum > 0 ? sum : 0);
    }
    CHECK (wrong == 0, "%d of %d channels are wrong", (int)wrong, (int)n);
  }
  nn_session_free (session);
  nn_plan_unref (plan);
  nn_model_unref (model);
}

/* From one filter to beyond the size from which weights stay in the file. */
static void
test_values (void)
{
  const int64_t limit = (int64_t)NN_ONNX_LARGE_BYTES / 8;
  const int64_t sizes[] = { 1, limit - 1, limit, limit + 1, 5 * limit };
  float *weights = malloc ((size_t)(5 * limit) * 8);
  for (int i = 0; i < 5; i++)
    for (int raw = 0; raw < 2; raw++) {
      small *s = filters (sizes[i], raw, weights);
      check_values (write_model (s, "filters.onnx"), sizes[i], weights);
      free (s);
    }
  free (weights);
}

/* protobuf-c packs what it does not know as it stands, so that a test can add any field. */
static void
add_field (ProtobufCMessage *message, ProtobufCMessageUnknownField *field, uint32_t tag, uint8_t *data,
           size_t length)
{
  uint8_t *with_length = malloc (length + 8);
  size_t n = 0;
  for (size_t left = length; n == 0 || left > 0; left >>= 7)
    with_length[n++] = (uint8_t)(left | (left >= 0x80 ? 0x80 : 0));
  memcpy (with_length + n, data, length);
  *field
      = (ProtobufCMessageUnknownField){ tag, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, n + length, with_length };
  message->unknown_fields = field;
  message->n_unknown_fields = 1;
}

static void
test_refusals (void)
{
  const int64_t n = (int64_t)NN_ONNX_LARGE_BYTES / 8;
  float *weights = malloc ((size_t)n * 8);
  ProtobufCMessageUnknownField field;
  uint8_t place[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 24 };
  small *s = filters (n, true, weights);
  s->w_dims[0] = n + 1;
  small_refuses (s, NN_ERR_FORMAT, "'w': 65536 bytes where its dimensions make 65544");
  s = filters (n, true, weights);
  s->w_dims[0] = n - 1;
  small_refuses (s, NN_ERR_FORMAT, "'w': 65536 bytes where its dimensions make 65528");
  s = small_new ();
  s->w.has_raw_data = 1;
  s->w.raw_data = (ProtobufCBinaryData){ 24, (uint8_t *)s->w_data };
  add_field (&s->w.base, &field, 9, (uint8_t *)weights, (size_t)n * 8);
  small_refuses (s, NN_ERR_FORMAT, "there twice");
  free (field.data);
  s = small_new ();
  s->w.n_float_data = 0;
  add_field (&s->w.base, &field, NN_ONNX_PLACE_FIELD, place, sizeof place);
  small_refuses (s, NN_ERR_FORMAT, "0 elements where its dimensions make 6");
  free (field.data);
  free (weights);
}

/* ---------------------------------------------------------------- memory */

typedef void (*work) (const char *path);

static void
do_nothing (const char *path)
{
}

static void
do_open (const char *path)
{
  nn_error err;
  if (nn_model_open (path, &err) == NULL)
    _exit (2);
}

static void
do_build (const char *path)
{
  nn_error err;
  nn_onnx onnx;
  if (nn_onnx_open (&onnx, path, false, &err) != NN_OK || nn_onnx_build (&onnx, &err) == NULL)
    _exit (2);
}

/* In a process of its own; the peak of its memory. */
static size_t
peak_bytes (work run, const char *path)
{
  struct rusage usage;
  int status;
  pid_t child = fork ();
  if (child == 0) {
    run (path);
    _exit (0);
  }
  CHECK (wait4 (child, &status, 0, &usage) == child && status == 0, "the child failed: %d", status);
  return (size_t)usage.ru_maxrss << 10;
}

static void
check_peak (const char *what, work run, const char *path, size_t limit)
{
  size_t base = peak_bytes (do_nothing, path), peak = peak_bytes (run, path);
  size_t more = peak > base ? peak - base : 0;
  printf ("%s takes %.1f MiB\n", what, (double)more / MIB);
  CHECK (more <= limit, "%s: %zu KiB, at most %zu", what, more >> 10, limit >> 10);
}

/* What onnx.h promises: nothing for weights when opening, their size once in a graph. */
static void
test_memory (void)
{
  const size_t size = 24 * MIB;
  float *weights = calloc (size, 1);
  small *s = filters ((int64_t)size / 8, true, weights);
  write_model (s, "large.onnx");
  s->w.has_raw_data = 0;
  s->w_dims[0] = 3;
  s->w.n_float_data = 6;
  char *text = malloc (size + 1);
  memset (text, 'd', size);
  text[size] = '\0';
  s->model.doc_string = text;
  write_model (s, "documented.onnx");
  free (text);
  free (weights);
  free (s);
  if (!MEASURES)
    return;
  check_peak ("opening 24 MiB of weights", do_open, small_path ("large.onnx"), 2 * MIB);
  check_peak ("building 24 MiB of weights", do_build, small_path ("large.onnx"), size + 2 * MIB);
  check_peak ("opening 24 MiB of documentation", do_open, small_path ("documented.onnx"), 2 * MIB);
}

/* ---------------------------------------------------------------- release */

static nn_value *
add_weights (nn_graph *graph, const char *name, void *data, int64_t n)
{
  nn_tensor tensor = nn_tensor_make (NN_F32, 1, &n, NN_LAYOUT_ROW_MAJOR, data);
  return nn_graph_add_constant (graph, name, &tensor);
}

/* Two readers of w, one of which reads it twice; v lies in the same memory; o is an output. */
static void
test_release (void)
{
  const int64_t n = (int64_t)(NN_WEIGHTS_MIN_BYTES / sizeof (float));
  nn_error err;
  nn_graph *graph = nn_graph_new (&err);
  float *data = nn_graph_alloc_weights (graph, (size_t)n * 4);
  float *output = nn_graph_alloc_weights (graph, (size_t)n * 4);
  nn_value *w = add_weights (graph, "w", data, n), *v = add_weights (graph, "v", data + 16, n - 16);
  nn_value *o = add_weights (graph, "o", output, n);
  w->n_uses = 3;
  v->n_uses = 1;
  o->n_uses = 2;
  CHECK (nn_weights_bytes (graph->weights) == 2 * NN_WEIGHTS_MIN_BYTES, "two mappings");
  nn_graph_release_unread (graph);
  nn_graph_release_operand (graph, w);
  nn_graph_release_operand (graph, w);
  CHECK (w->constant->data == data, "released while it is read");
  nn_graph_release_operand (graph, w);
  CHECK (w->constant->data == NULL && w->constant->dim[0] == n, "not released");
  CHECK (nn_weights_bytes (graph->weights) == 2 * NN_WEIGHTS_MIN_BYTES, "v still lies there");
  data[20] = 1;
  nn_graph_release_operand (graph, v);
  CHECK (nn_weights_bytes (graph->weights) == NN_WEIGHTS_MIN_BYTES, "not unmapped");
  nn_graph_release_operand (graph, o);
  CHECK (o->constant->data == output, "an output was released");
  o->n_uses = o->n_packed = 0;
  nn_graph_release_unread (graph);
  CHECK (o->constant->data == NULL && nn_weights_bytes (graph->weights) == 0, "unread, but kept");
  nn_graph_release_unread (graph);
  nn_graph_free (graph);
}

/* Memory is found by address whatever the order of allocations and releases. */
static void
test_mappings (void)
{
  enum { N = 300 };
  nn_weights *weights = nn_weights_new ();
  char *data[N];
  size_t bytes = 0;
  for (int i = 0; i < N; i++) {
    size_t size = (size_t)(1 + i * 7 % 13) * 4096 + (size_t)i;
    data[i] = nn_weights_alloc (weights, size);
    memset (data[i], i, size);
    nn_weights_hold (weights, data[i] + size - 1);
    bytes += size;
  }
  CHECK (nn_weights_bytes (weights) == bytes, "%zu bytes", nn_weights_bytes (weights));
  nn_weights_drop (weights, &bytes);
  nn_weights_drop (weights, NULL);
  CHECK (nn_weights_bytes (weights) == bytes, "memory of others was counted");
  for (int i = 0; i < N; i++) {
    int k = i * 7 % N;
    CHECK (data[k][0] == (char)k && data[k][k] == (char)k, "mapping %d was lost", k);
    nn_weights_drop (weights, data[k] + k);
  }
  CHECK (nn_weights_bytes (weights) == 0, "%zu bytes left", nn_weights_bytes (weights));
  nn_weights_free (weights);
}

int
main (void)
{
  if (!small_folder ())
    return 1;
  test_memory ();
  test_values ();
  test_refusals ();
  test_release ();
  test_mappings ();
  return nn_check_report ("memory of weights");
}
