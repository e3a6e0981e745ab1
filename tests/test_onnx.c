/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loader: what a file may not do to it. Models are made with protobuf-c's packer and then
 * damaged; every refusal is one message that names the file and the cause. */
#include "nn-check.h"
#include "small_onnx.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------- tests */

static void
test_good (void)
{
  nn_error err = { 0 };
  size_t size;
  small *s = small_new ();
  s->dim[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
  s->dim[0].dim_param = "N";
  uint8_t *data = small_pack (s, &size);
  nn_model *model = nn_model_open (small_write ("good.onnx", data, size), &err);
  CHECK (model != NULL, "%s", err.message);
  if (model == NULL)
    return;
  nn_value_info in = nn_model_input (model, 0), out = nn_model_output (model, 0);
  CHECK (nn_model_n_inputs (model) == 1 && strcmp (in.name, "x") == 0 && in.rank == 4, "%s", in.name);
  CHECK (in.dim[0] == -1 && in.dim[1] == 2 && in.dtype == NN_F32, "dimension %d", (int) in.dim[0]);
  CHECK (nn_model_n_outputs (model) == 1 && strcmp (out.name, "y") == 0, "%s", out.name);
  CHECK (strcmp (nn_model_metadata (model, "character"), "text\ntitle") == 0, "metadata");
  CHECK (nn_model_metadata (model, "no such") == NULL, "metadata");
  for (int batch = 1; batch <= 3; batch++) {
    nn_plan *plan = nn_plan_new (model, &(nn_plan_options) { .batch = batch, .threads = 1 }, &err);
    nn_session *session = plan != NULL ? nn_session_new (plan, &err) : NULL;
    CHECK (session != NULL, "%s", err.message);
    if (session == NULL)
      continue;
    nn_tensor *x = nn_session_input (session, 0);
    CHECK (x->dim[0] == batch, "batch %d", (int) x->dim[0]);
    float *xs = x->data;
    for (int64_t i = 0; i < nn_tensor_count (x); i++)
      xs[i] = 1;
    CHECK (nn_session_run (session, &err) == NN_OK, "%s", err.message);
    const nn_tensor *y = nn_session_output (session, 0);
    CHECK (y->dim[0] == batch && y->dim[1] == 3, "output");
    CHECK (nn_tensor_is_dense (y, NN_LAYOUT_ROW_MAJOR), "the output is not row-major");
    const float expected[3] = { 0, 0, 4 }; /* relu of -2.5 - 1.5, -0.5 + 0.5, 1.5 + 2.5 */
    for (int64_t i = 0; i < nn_tensor_count (y); i++)
      CHECK (((float *) y->data)[i] == expected[i / 16 % 3], "element %d: %f", (int) i,
             ((float *) y->data)[i]);
    nn_session_free (session);
    nn_plan_unref (plan);
  }
  const nn_plan_options none = { .batch = 0, .threads = 1 }, cuda = { NN_DEVICE_CUDA, .batch = 1, .threads = 1 };
  CHECK (nn_plan_new (model, &none, &err) == NULL && err.status == NN_ERR_ARGUMENT, "batch 0");
  CHECK (nn_plan_new (model, &cuda, &err) == NULL
         && (err.status == NN_ERR_DEVICE || err.status == NN_ERR_UNSUPPORTED /* the build */), "cuda");
  nn_model_unref (model);
  free (data);
  free (s);
}

static void
refuses_file (const char *path, nn_status status, const char *cause)
{
  nn_error err;
  bool ok = small_loads (path, &err);
  CHECK (!ok && err.status == status && strstr (err.message, cause) != NULL &&
             strstr (err.message, path) != NULL,
         "expected '%s' for %s, got status %d: %s", cause, path, err.status, err.message);
}

static void
test_files (void)
{
  static const char text[] = "This is no network, but a text of some length.\n";
  static const char pdf[] = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< >>\nendobj\n";
  static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1";
  static const char zeros[64] = { 0 };
  refuses_file (small_path ("none.onnx"), NN_ERR_IO, "No such file");
  refuses_file (small_path (""), NN_ERR_IO, "is a folder");
  refuses_file ("/dev/null", NN_ERR_IO, "not a regular file");
  if (mkfifo (small_path ("pipe"), 0600) == 0)
    refuses_file (small_path ("pipe"), NN_ERR_IO, "not a regular file");
  refuses_file (small_write ("empty.onnx", "", 0), NN_ERR_FORMAT, "empty");
  refuses_file (small_write ("text.onnx", text, sizeof text - 1), NN_ERR_FORMAT, "not an ONNX");
  refuses_file (small_write ("a.pdf", pdf, sizeof pdf - 1), NN_ERR_FORMAT, "not an ONNX");
  refuses_file (small_write ("a.png", png, sizeof png - 1), NN_ERR_FORMAT, "not an ONNX");
  refuses_file (small_write ("zeros.onnx", zeros, sizeof zeros), NN_ERR_FORMAT, "not an ONNX");
  refuses_file (small_write ("ir.onnx", "\x08\x08", 2), NN_ERR_FORMAT, "no graph");
}

/* Every prefix of a model whose parts come in the order of `data`, of which the first `complete`
 * bytes are one already. */
static void
check_prefixes (const uint8_t *data, size_t size, size_t complete)
{
  nn_error err;
  for (size_t n = 1; n < size; n++) {
    bool ok = small_loads (small_write ("cut.onnx", data, n), &err);
    CHECK (!ok || n >= complete, "%zu of %zu bytes load", n, size);
    CHECK (ok || (err.status == NN_ERR_FORMAT || err.status == NN_ERR_UNSUPPORTED), "%zu bytes: status %d", n,
           err.status);
    CHECK (ok || strstr (err.message, "cut.onnx") != NULL, "%zu bytes: no path in '%s'", n, err.message);
  }
  CHECK (small_loads (small_write ("cut.onnx", data, size), &err), "the whole does not load: %s", err.message);
}

/* protobuf-c packs the operator set behind the graph, so that no prefix is a model; with the graph
 * in front of metadata it is one, from the graph's end on, between two fields. */
static void
test_truncated (void)
{
  size_t size, size_before, size_graph;
  small *s = small_new ();
  s->model.n_metadata_props = 0;
  uint8_t *data = small_pack (s, &size);
  check_prefixes (data, size, size);
  s->model.graph = NULL;
  uint8_t *before = small_pack (s, &size_before);
  s->model.graph = &s->graph;
  s->model.n_opset_import = 0;
  s->model.has_ir_version = 0;
  uint8_t *graph = small_pack (s, &size_graph);
  s->model.graph = NULL;
  s->model.n_metadata_props = 1;
  size_t size_after;
  uint8_t *after = small_pack (s, &size_after), *all = malloc (size_before + size_graph + size_after);
  memcpy (all, before, size_before);
  memcpy (all + size_before, graph, size_graph);
  memcpy (all + size_before + size_graph, after, size_after);
  check_prefixes (all, size_before + size_graph + size_after, size_before + size_graph);
  nn_error err;
  CHECK (small_loads (small_write ("cut.onnx", all, size_before + size_graph), &err), "%s", err.message);
  free (data);
  free (before);
  free (graph);
  free (after);
  free (all);
  free (s);
}

/* Every byte in turn becomes several others: whatever happens, nothing crashes and a refusal
 * says why. */
static void
test_damaged (void)
{
  static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12 };
  nn_error err;
  size_t size;
  int n_loaded = 0;
  small *s = small_new ();
  uint8_t *data = small_pack (s, &size);
  for (size_t at = 0; at < size; at++)
    for (size_t k = 0; k < sizeof values; k++) {
      uint8_t kept = data[at];
      data[at] = values[k];
      bool ok = small_loads (small_write ("damaged.onnx", data, size), &err);
      CHECK (ok || (err.status != NN_OK && err.message[0] != '\0'), "byte %zu: no message", at);
      n_loaded += ok;
      data[at] = kept;
    }
  printf ("%zu damaged files, %d of them still load\n", size * sizeof values, n_loaded);
  free (data);
  free (s);
}

static size_t
put_length (uint8_t *to, size_t length)
{
  size_t n = 0;
  for (; length >= 0x80; length >>= 7)
    to[n++] = (uint8_t) (length | 0x80);
  to[n++] = (uint8_t) length;
  return n;
}

/* Model.graph = Graph.node = Node.attribute = Attribute.g = Graph.node … */
static void
test_nested (void)
{
  enum { LEVELS = 3000 };
  static const uint8_t fields[3] = { 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2 };
  static uint8_t from_end[LEVELS * 3 * 8];
  size_t have = 0;
  for (int level = 3 * LEVELS - 1; level >= 0; level--) {
    uint8_t head[12] = { fields[level % 3] };
    size_t n = 1 + put_length (head + 1, have);
    memcpy (from_end + sizeof from_end - have - n, head, n);
    have += n;
  }
  uint8_t *data = malloc (have + 16);
  data[0] = 7 << 3 | 2;
  size_t n = 1 + put_length (data + 1, have);
  memcpy (data + n, from_end + sizeof from_end - have, have);
  printf ("%d nested graphs in %zu bytes\n", LEVELS, n + have);
  refuses_file (small_write ("nested.onnx", data, n + have), NN_ERR_LIMIT, "nested");
  free (data);
}

/* A graph of empty nodes: two bytes each in the file, a hundred in memory. */
static void
test_many_messages (void)
{
  size_t nodes = NN_ONNX_MAX_MESSAGES + 1, size = 16 + 2 * nodes;
  uint8_t *data = calloc (1, size);
  data[0] = 7 << 3 | 2;
  size_t n = 1 + put_length (data + 1, 2 * nodes);
  for (size_t i = 0; i < nodes; i++)
    data[n + 2 * i] = 1 << 3 | 2;
  refuses_file (small_write ("many.onnx", data, n + 2 * nodes), NN_ERR_LIMIT, "more than");
  data[0] = 7 << 3 | 2;
  nodes = NN_ONNX_MAX_NODES + 1;
  n = 1 + put_length (data + 1, 2 * nodes);
  for (size_t i = 0; i < nodes; i++) {
    data[n + 2 * i] = 1 << 3 | 2;
    data[n + 2 * i + 1] = 0;
  }
  memcpy (data + n + 2 * nodes, "\x42\x02\x10\x0d", 4); /* opset 13 */
  refuses_file (small_write ("many.onnx", data, n + 2 * nodes + 4), NN_ERR_LIMIT, "nodes");
  free (data);
}

/* A graph in pieces is one graph, but each piece copies the lists of those before. */
static void
test_many_parts (void)
{
  enum { PARTS = 40000 };
  static const uint8_t part[] = { 7 << 3 | 2, 2, 1 << 3 | 2, 0 };
  uint8_t *data = malloc (PARTS * sizeof part);
  for (size_t i = 0; i < PARTS; i++)
    memcpy (data + i * sizeof part, part, sizeof part);
  refuses_file (small_write ("parts.onnx", data, PARTS * sizeof part), NN_ERR_LIMIT,
                "parts that are there again ('graph')");
  free (data);
}

static void
test_tensors (void)
{
  const int64_t huge = (int64_t) 1 << 32;
  uint8_t bytes[23] = { 0 };
  REFUSES (NN_ERR_FORMAT, "'w'", s->w_dims[0] = huge, s->w_dims[1] = huge);
  REFUSES (NN_ERR_FORMAT, "'w'", s->w_dims[0] = INT64_MAX, s->w_dims[1] = 3);
  REFUSES (NN_ERR_FORMAT, "negative", s->w_dims[0] = -3, s->w_dims[1] = -2);
  REFUSES (NN_ERR_FORMAT, "6 elements where its dimensions make 8", s->w_dims[0] = 4);
  REFUSES (NN_ERR_FORMAT, "6 elements where its dimensions make 4", s->w_dims[0] = 2);
  REFUSES (NN_ERR_FORMAT, "0 elements where its dimensions make 6", s->w.n_float_data = 0);
  REFUSES (NN_ERR_FORMAT, "no whole number", s->w.has_raw_data = 1, s->w.raw_data.len = 23,
           s->w.raw_data.data = bytes);
  REFUSES (NN_ERR_FORMAT, "5 elements", s->w.has_raw_data = 1, s->w.raw_data.len = 20,
           s->w.raw_data.data = bytes);
  REFUSES (NN_ERR_UNSUPPORTED, "element type 8", s->w.data_type = 8);
  REFUSES (NN_ERR_UNSUPPORTED, "element type 99", s->w.data_type = 99);
  REFUSES (NN_ERR_UNSUPPORTED, "element type -1", s->w.data_type = -1);
  REFUSES (NN_ERR_FORMAT, "another file", s->w.has_data_location = 1,
           s->w.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL);
  REFUSES (NN_ERR_FORMAT, "has no name", s->w.name = "");
}

static void
test_structure (void)
{
  REFUSES (NN_ERR_UNSUPPORTED, "operator set 6", s->opset.version = 6);
  REFUSES (NN_ERR_UNSUPPORTED, "operator set 99", s->opset.version = 99);
  REFUSES (NN_ERR_UNSUPPORTED, "operator set 0", s->opset.domain = "com.example");
  REFUSES (NN_ERR_FORMAT, "'nowhere', which nothing provides", s->conv_in[0] = "nowhere");
  REFUSES (NN_ERR_FORMAT, "out of order or form a cycle", s->conv_in[0] = "y");
  REFUSES (NN_ERR_FORMAT, "out of order or form a cycle", s->conv_in[0] = "c");
  REFUSES (NN_ERR_FORMAT, "out of order", s->nodes[0] = &s->relu, s->nodes[1] = &s->conv);
  REFUSES (NN_ERR_FORMAT, "two values are named 'c'", s->relu_out[0] = "c");
  REFUSES (NN_ERR_FORMAT, "two values are named 'w'", s->conv_out[0] = "w");
  REFUSES (NN_ERR_FORMAT, "two values are named 'x'", s->conv_out[0] = "x");
  REFUSES (NN_ERR_FORMAT, "'first' (Conv): it has no outputs", s->conv.n_output = 0);
  REFUSES (NN_ERR_FORMAT, "it has no operator", s->conv.op_type = NULL);
  REFUSES (NN_ERR_FORMAT, "'nothing', which nothing provides", s->y.name = "nothing");
  REFUSES (NN_ERR_FORMAT, "no outputs", s->graph.n_output = 0);
  REFUSES (NN_ERR_UNSUPPORTED, "node 'first' (NoSuchOp): NoSuchOp (1)", s->conv.op_type = "NoSuchOp");
  REFUSES (NN_ERR_UNSUPPORTED, "node 'first' (Zoom): Blur (1), Zoom (1)", s->conv.op_type = "Zoom",
           s->relu.op_type = "Blur");
  REFUSES (NN_ERR_UNSUPPORTED, "com.example.Conv (1)", s->conv.domain = "com.example");
  REFUSES (NN_ERR_FORMAT, "'first' (Conv): 1 operands", s->conv.n_input = 1);
  REFUSES (NN_ERR_FORMAT, "operand 1 is left out", s->conv_in[1] = "");
  REFUSES (NN_ERR_FORMAT, "(Concat): operand 1 is left out", s->conv.op_type = "Concat", s->conv_in[1] = "");
  REFUSES (NN_ERR_FORMAT, "kernel size 2", s->kernel[0] = 2);
  REFUSES (NN_ERR_FORMAT, "has not 2 integers", s->attr.n_ints = 1);
  REFUSES (NN_ERR_UNSUPPORTED, "has no shape", s->tensor_type.shape = NULL);
  REFUSES (NN_ERR_UNSUPPORTED, "dimension 2 of input 'x' is open",
           s->dim[2].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET);
  REFUSES (NN_ERR_LIMIT, "too large", s->dim[2].dim_value = INT64_MAX);
  REFUSES (NN_ERR_LIMIT, "exceeds the limit", s->dim[2].dim_value = (int64_t) 1 << 33);
  REFUSES (NN_ERR_ARGUMENT, "takes 5 pages", s->dim[0].dim_value = 5);
  REFUSES (NN_ERR_FORMAT, "UTF-8", s->conv.name = "\xff\xfe");
  REFUSES (NN_ERR_FORMAT, "has not 2 integers", s->attr.n_ints = 0, s->attr.ints = NULL);
  Onnx__GraphProto body = ONNX__GRAPH_PROTO__INIT;
  REFUSES (NN_ERR_UNSUPPORTED, "subgraphs are not supported",
           s->attr.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH, s->attr.g = &body);
  REFUSES (NN_ERR_UNSUPPORTED, "(If)", s->conv.op_type = "If");
}

int
main (void)
{
  if (!small_folder ())
    return 1;
  test_good ();
  test_files ();
  test_truncated ();
  test_damaged ();
  test_nested ();
  test_many_messages ();
  test_many_parts ();
  test_tensors ();
  test_structure ();
  return nn_check_report ("ONNX files");
}
