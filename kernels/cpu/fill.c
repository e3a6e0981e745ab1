/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators whose results are larger than their operands, or made of nothing: ConstantOfShape, Range,
 * Expand, Tile, Pad, Trilu, NonZero, Size.
 */
#include "cpu.h"
#include "loop.h"

#include "../graph/shape.h"

#include <string.h>

static const int64_t zero_bits = 0;

/* One element that repeats in every place of `like`. */
static nn_tensor
repeated (const nn_tensor *like, const void *element)
{
  return nn_tensor_make (like->dtype, 0, NULL, NN_LAYOUT_ROW_MAJOR, (void *) (uintptr_t) element);
}

static nn_status
run_constant_of_shape (const nn_call *call, nn_error *err)
{
  const nn_attr *value = nn_node_attr (call->node, "value");
  nn_tensor element = repeated (&call->out[0], value != NULL ? value->t->data : &zero_bits);
  nn_copy (&call->out[0], &element);
  return NN_OK;
}

/* ---- Range: start + i delta, as ONNX has it, not by adding up ---- */

#define RANGE(type, wide)                                                                                    \
  for (int64_t i = 0; i < n; i++)                                                                            \
    ((type *) y)[i] = (type) ((wide) * (const type *) start + (wide) i * (wide) * (const type *) delta);     \
  return NN_OK

static nn_status
run_range (const nn_call *call, nn_error *err)
{
  const void *start = call->in[0].data, *delta = call->in[2].data;
  void *y = call->out[0].data;
  int64_t n = call->out[0].dim[0];
  switch (call->out[0].dtype) {
  case NN_F32:
    RANGE (float, float);
  case NN_F64:
    RANGE (double, double);
  case NN_I64:
    RANGE (int64_t, uint64_t);
  case NN_I32:
    RANGE (int32_t, uint32_t);
  default:
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a range of %s is not supported",
                    nn_dtype_name (call->out[0].dtype));
  }
}

/* ---- Expand, Tile ---- */

static nn_status
run_expand (const nn_call *call, nn_error *err)
{
  nn_copy (&call->out[0], &call->in[0]);
  return NN_OK;
}

/* The operand goes into the first corner; then, dimension by dimension from the last on, what is
 * there already is repeated. */
static nn_status
run_tile (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  nn_tensor done = *y;
  if (nn_tensor_count (y) == 0)
    return NN_OK;
  memcpy (done.dim, x->dim, sizeof done.dim);
  nn_copy (&done, x);
  for (int axis = x->rank - 1; axis >= 0; axis--) {
    for (int64_t at = x->dim[axis]; at < y->dim[axis]; at += x->dim[axis]) {
      nn_tensor to = nn_tensor_part (&done, axis, at, x->dim[axis]);
      nn_copy (&to, &done);
    }
    done.dim[axis] = y->dim[axis];
  }
  return NN_OK;
}

/* ---- Pad ---- */

/* Which element of the inner ones stands `at` before the first (negative) or in the rest (from n on). */
static int64_t
padded_source (const char *mode, int64_t at, int64_t n)
{
  if (strcmp (mode, "edge") == 0)
    return at < 0 ? 0 : n - 1;
  if (strcmp (mode, "wrap") == 0)
    return (at % n + n) % n;
  return at < 0 ? -at : 2 * (n - 1) - at;
}

/* Fills what lies before and behind the inner elements of one dimension; `whole` is its extent. */
static void
pad_axis (const nn_tensor *inner, int axis, int64_t before, int64_t whole, const char *mode)
{
  int64_t n = inner->dim[axis];
  for (int64_t i = -before; i < whole - before; i++) {
    if (i >= 0 && i < n)
      continue;
    nn_tensor to = nn_tensor_part (inner, axis, i, 1);
    nn_tensor from = nn_tensor_part (inner, axis, padded_source (mode, i, n), 1);
    nn_copy (&to, &from);
  }
}

/* Negative pads cut the operand before the others are put around what is left. */
static nn_tensor
cut (const nn_tensor *x, const int64_t *begin, const int64_t *end)
{
  nn_tensor inner = *x;
  for (int d = 0; d < x->rank; d++) {
    int64_t first = begin[d] < 0 ? -begin[d] : 0, last = end[d] < 0 ? -end[d] : 0;
    int64_t left = x->dim[d] - first - last;
    inner = nn_tensor_part (&inner, d, left > 0 ? first : 0, left > 0 ? left : 0);
  }
  return inner;
}

static nn_status
run_pad (const nn_call *call, nn_error *err)
{
  const char *mode = nn_node_string (call->node, "mode", "constant");
  const nn_tensor *y = &call->out[0];
  int64_t begin[NN_MAX_RANK], end[NN_MAX_RANK];
  nn_status status = nn_shape_pads (call->node, begin, end, err);
  if (status != NN_OK)
    return status;
  nn_tensor inner = cut (&call->in[0], begin, end), done = *y;
  if (strcmp (mode, "constant") == 0) {
    float attribute = nn_node_float (call->node, "value", 0);
    const void *value = nn_node_has (call->node, 2)                  ? call->in[2].data
                        : nn_node_attr (call->node, "value") != NULL ? (const void *) &attribute
                                                                     : &zero_bits;
    nn_tensor element = repeated (y, value);
    nn_copy (y, &element);
  }
  for (int d = 0; d < y->rank; d++)
    done = nn_tensor_part (&done, d, begin[d] > 0 ? begin[d] : 0, inner.dim[d]);
  nn_copy (&done, &inner);
  for (int d = 0; d < y->rank && strcmp (mode, "constant") != 0; d++) {
    int64_t before = begin[d] > 0 ? begin[d] : 0;
    pad_axis (&done, d, before, y->dim[d], mode);
    done = nn_tensor_part (&done, d, -before, y->dim[d]);
  }
  return NN_OK;
}

/* ---- Trilu ---- */

/* Row by row: the columns from (upper) or up to (lower) the diagonal stay, the others become 0. */
static void
keep_triangle (const nn_tensor *y, const nn_tensor *zero, bool upper, int64_t k)
{
  int rows = y->rank - 2, columns = y->rank - 1;
  int64_t width = y->dim[columns];
  for (int64_t row = 0; row < y->dim[rows]; row++) {
    nn_tensor line = nn_tensor_part (y, rows, row, 1);
    int64_t edge = k > width ? width : k < -y->dim[rows] ? -y->dim[rows] : k;
    edge = row + edge + (upper ? 0 : 1);
    edge = edge < 0 ? 0 : edge > width ? width : edge;
    nn_tensor gone = upper ? nn_tensor_part (&line, columns, 0, edge)
                           : nn_tensor_part (&line, columns, edge, width - edge);
    nn_copy (&gone, zero);
  }
}

static nn_status
run_trilu (const nn_call *call, nn_error *err)
{
  int64_t k = nn_node_has (call->node, 1) ? *(const int64_t *) call->in[1].data : 0;
  nn_tensor zero = repeated (&call->out[0], &zero_bits);
  nn_copy (&call->out[0], &call->in[0]);
  keep_triangle (&call->out[0], &zero, nn_node_int (call->node, "upper", 1) != 0, k);
  return NN_OK;
}

/* ---- NonZero: of constants only, so its result's shape is known ---- */

static nn_status
run_non_zero (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0];
  int64_t n = nn_tensor_count (x), found = call->out[0].dim[1], place = 0;
  int64_t *y = call->out[0].data;
  for (int64_t i = 0; i < n && place < found; i++) {
    if (!nn_shape_is_non_zero (x, i))
      continue;
    int64_t rest = i;
    for (int d = x->rank - 1; d >= 0; d--) {
      y[d * found + place] = rest % x->dim[d];
      rest /= x->dim[d];
    }
    place++;
  }
  return NN_OK;
}

static nn_status
run_size (const nn_call *call, nn_error *err)
{
  *(int64_t *) call->out[0].data = nn_tensor_count (&call->in[0]);
  return NN_OK;
}

const nn_kernel nn_cpu_constant_of_shape = { .run = run_constant_of_shape };
const nn_kernel nn_cpu_range = { .run = run_range };
const nn_kernel nn_cpu_expand = { .run = run_expand };
const nn_kernel nn_cpu_tile = { .run = run_tile };
const nn_kernel nn_cpu_pad = { .run = run_pad };
const nn_kernel nn_cpu_trilu = { .run = run_trilu };
const nn_kernel nn_cpu_non_zero = { .run = run_non_zero };
const nn_kernel nn_cpu_size = { .run = run_size };
