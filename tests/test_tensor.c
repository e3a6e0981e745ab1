/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors' shapes and strides, copies between views, and the text of errors. */
#include "kernels/cpu/loop.h"
#include "kernels/status.h"
#include "kernels/tensor.h"

#include "nn-check.h"

static void
test_count (void)
{
  CHECK (nn_shape_count (0, NULL) == 1);
  CHECK (nn_shape_count (3, (int64_t[]) { 2, 3, 4 }) == 24);
  CHECK (nn_shape_count (2, (int64_t[]) { 5, -1 }) == -1);
  CHECK (nn_shape_count (2, (int64_t[]) { 0, -1 }) == -1);
  CHECK (nn_shape_count (3, (int64_t[]) { INT64_MAX, 0, INT64_MAX }) == 0);
  CHECK (nn_shape_count (2, (int64_t[]) { INT64_MAX, 2 }) == -1);
}

static void
test_strides (void)
{
  const int64_t dim[4] = { 2, 3, 4, 5 };
  nn_tensor rows = nn_tensor_make (NN_F32, 4, dim, NN_LAYOUT_ROW_MAJOR, NULL);
  nn_tensor last = nn_tensor_make (NN_I64, 4, dim, NN_LAYOUT_CHANNELS_LAST, NULL);
  CHECK (memcmp (rows.stride, ((int64_t[]) { 60, 20, 5, 1 }), 4 * sizeof (int64_t)) == 0);
  CHECK (memcmp (last.stride, ((int64_t[]) { 60, 1, 15, 3 }), 4 * sizeof (int64_t)) == 0);
  CHECK (nn_tensor_bytes (&rows) == 480 && nn_tensor_bytes (&last) == 960);
  CHECK (nn_tensor_is_dense (&rows, NN_LAYOUT_ROW_MAJOR));
  CHECK (!nn_tensor_is_dense (&rows, NN_LAYOUT_CHANNELS_LAST));
  CHECK (nn_tensor_is_dense (&last, NN_LAYOUT_CHANNELS_LAST));
  CHECK (!nn_tensor_is_dense (&last, NN_LAYOUT_ROW_MAJOR));
  nn_tensor flat = nn_tensor_make (NN_U8, 3, dim, NN_LAYOUT_CHANNELS_LAST, NULL);
  CHECK (nn_tensor_is_dense (&flat, NN_LAYOUT_ROW_MAJOR));
  nn_tensor thin = nn_tensor_make (NN_F32, 4, (int64_t[]) { 1, 7, 1, 1 }, NN_LAYOUT_ROW_MAJOR, NULL);
  CHECK (nn_tensor_is_dense (&thin, NN_LAYOUT_CHANNELS_LAST));
  thin.stride[0] = 99;
  CHECK (nn_tensor_is_dense (&thin, NN_LAYOUT_ROW_MAJOR));
}

static void
test_describe (void)
{
  char text[64];
  nn_tensor tensor = nn_tensor_make (NN_F32, 2, (int64_t[]) { 1, 608 }, NN_LAYOUT_ROW_MAJOR, NULL);
  CHECK (strcmp (nn_tensor_describe (&tensor, text, sizeof text), "float32[1,608]") == 0);
  CHECK (strcmp (nn_tensor_describe (&tensor, text, 11), "float32[1,") == 0);
  CHECK (strcmp (nn_tensor_describe (&tensor, text, 4), "flo") == 0);
  tensor = nn_tensor_make (NN_BOOL, 0, NULL, NN_LAYOUT_ROW_MAJOR, NULL);
  CHECK (strcmp (nn_tensor_describe (&tensor, text, sizeof text), "bool[]") == 0);
  CHECK (nn_dtype_size (NN_DTYPE_NONE) == 0 && nn_dtype_size (NN_F16) == 2);
}

/* The element at an index, by the strides alone: what nn_copy() is compared with. */
static size_t
place (const nn_tensor *tensor, const int64_t *index)
{
  int64_t at = 0;
  for (int d = 0; d < tensor->rank; d++)
    at += index[d] * tensor->stride[d];
  return (size_t) at * nn_dtype_size (tensor->dtype);
}

static bool
is_copied (const nn_tensor *to, const nn_tensor *from)
{
  int64_t index[NN_MAX_RANK] = { 0 };
  for (int64_t i = 0; i < nn_tensor_count (to); i++) {
    int64_t rest = i;
    for (int d = to->rank - 1; d >= 0; d--) {
      index[d] = rest % to->dim[d];
      rest /= to->dim[d];
    }
    if (memcmp ((char *) to->data + place (to, index), (char *) from->data + place (from, index),
                nn_dtype_size (to->dtype)) != 0)
      return false;
  }
  return true;
}

static void
test_copy (nn_dtype dtype)
{
  static const int64_t shapes[][4] = {
    { 2, 3, 4, 5 }, { 1, 1, 1, 1 }, { 1, 37, 19, 1 }, { 3, 1, 1, 41 }, { 2, 33, 1, 17 },
  };
  static uint8_t source[40000], target[40000];
  for (size_t i = 0; i < sizeof source; i++)
    source[i] = (uint8_t) (i * 151 + i / 251);
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (int way = 0; way < 4; way++) {
      nn_tensor from = nn_tensor_make (dtype, 4, shapes[s], (nn_layout) (way & 1), source);
      nn_tensor to = nn_tensor_make (dtype, 4, shapes[s], (nn_layout) (way >> 1), target);
      memset (target, 0xaa, sizeof target);
      nn_copy (&to, &from);
      CHECK (is_copied (&to, &from));
      CHECK (target[nn_tensor_bytes (&to)] == 0xaa);
    }
}

static void
test_copy_views (void)
{
  static int32_t source[100], target[100];
  for (int i = 0; i < 100; i++)
    source[i] = i + 1;
  nn_tensor from = { NN_I32, 2, { 3, 4 }, { -10, 2 }, source + 50 };
  nn_tensor to = { NN_I32, 2, { 3, 4 }, { 1, 20 }, target };
  nn_copy (&to, &from);
  CHECK (is_copied (&to, &from) && target[60] == 57 && target[3] == 0);
  nn_tensor row = nn_tensor_make (NN_I32, 1, (int64_t[]) { 4 }, NN_LAYOUT_ROW_MAJOR, source);
  nn_copy (&to, &row);
  CHECK (target[0] == 1 && target[2] == 1 && target[61] == 4);
  nn_tensor nothing = nn_tensor_make (NN_I32, 2, (int64_t[]) { 0, 4 }, NN_LAYOUT_ROW_MAJOR, NULL);
  nn_copy (&nothing, &nothing);
}

static void
test_errors (void)
{
  nn_error err;
  CHECK (nn_fail (&err, NN_ERR_IO, "cannot open %s", "a.onnx") == NN_ERR_IO && err.status == NN_ERR_IO);
  CHECK (nn_fail_in (&err, "node %d", 7) == NN_ERR_IO);
  CHECK (strcmp (err.message, "node 7: cannot open a.onnx") == 0);
  for (int pad = 0; pad < 4; pad++) {
    char text[1024] = "....";
    text[pad] = '\0';
    while (strlen (text) + 4 < sizeof text)
      strcat (text, "\xe6\x96\x87"); /* a character of three bytes */
    nn_fail (&err, NN_ERR_FORMAT, "%s", text);
    size_t n = strlen (err.message);
    CHECK (n < sizeof err.message && n >= sizeof err.message - 3 && (n - (size_t) pad) % 3 == 0);
    CHECK (strncmp (err.message, text, n) == 0);
  }
}

/* Names of strangers go into messages: no line breaks, no terminal's commands, nothing but UTF-8. */
static void
test_names_in_errors (void)
{
  static const struct {
    const char *name, *message;
  } cases[] = {
    { "a\nb\tc", "a?b?c" },
    { "\x1b[31m\x7f", "?[31m?" },
    { "\xc2\x9b" "31m \xc2\xa0", "??31m \xc2\xa0" },
    { "\xe6\x96\x87\xe6\x96", "\xe6\x96\x87??" },
    { "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff", "?? ??? ???? ?" },
    { "\xf0\x9f\x93\x84\xc3\xa4", "\xf0\x9f\x93\x84\xc3\xa4" },
  };
  nn_error err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nn_fail (&err, NN_ERR_FORMAT, "%s", cases[i].name);
    CHECK (strcmp (err.message, cases[i].message) == 0);
    nn_fail (&err, NN_ERR_FORMAT, "x");
    nn_fail_in (&err, "%s", cases[i].name);
    CHECK (strncmp (err.message, cases[i].message, strlen (cases[i].message)) == 0);
  }
}

int
main (void)
{
  static const nn_dtype dtypes[] = { NN_U8, NN_F16, NN_F32, NN_F64 };
  test_count ();
  test_strides ();
  test_describe ();
  for (int i = 0; i < 4; i++)
    test_copy (dtypes[i]);
  test_copy_views ();
  test_errors ();
  test_names_in_errors ();
  return nn_check_report ("tensors, and the text of errors");
}
