/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop.h"

#include "parallel.h"

#include <string.h>

static void
swap_dims (nn_loop *loop, int a, int b)
{
  int64_t stride[NN_LOOP_MAX];
  int64_t dim = loop->dim[a];
  memcpy (stride, loop->stride[a], sizeof stride);
  loop->dim[a] = loop->dim[b];
  memcpy (loop->stride[a], loop->stride[b], sizeof stride);
  loop->dim[b] = dim;
  memcpy (loop->stride[b], stride, sizeof stride);
}

/* The result's innermost dimension first. */
static void
sort_dims (nn_loop *loop)
{
  for (int i = 1; i < loop->rank; i++)
    for (int j = i; j > 0 && loop->stride[j][0] < loop->stride[j - 1][0]; j--)
      swap_dims (loop, j, j - 1);
}

static bool
continues (const nn_loop *loop, int inner, int outer)
{
  for (int t = 0; t < loop->n; t++)
    if (loop->stride[outer][t] != loop->stride[inner][t] * loop->dim[inner])
      return false;
  return true;
}

/* Makes one dimension of neighbours that every tensor walks without a jump. */
static void
merge_dims (nn_loop *loop)
{
  int last = 0;
  for (int d = 1; d < loop->rank; d++) {
    if (continues (loop, last, d)) {
      loop->dim[last] *= loop->dim[d];
    } else if (++last != d) {
      loop->dim[last] = loop->dim[d];
      memcpy (loop->stride[last], loop->stride[d], sizeof loop->stride[d]);
    }
  }
  loop->rank = last + 1;
}

void
nn_loop_init (nn_loop *loop, const nn_tensor *out, const nn_tensor *const *in, int n_in)
{
  loop->n = n_in + 1;
  loop->rank = 0;
  for (int d = out->rank - 1; d >= 0; d--) {
    if (out->dim[d] == 1)
      continue;
    int64_t *stride = loop->stride[loop->rank];
    loop->dim[loop->rank++] = out->dim[d];
    stride[0] = out->stride[d] * (int64_t) nn_dtype_size (out->dtype);
    for (int t = 0; t < n_in; t++) {
      int own = d - out->rank + in[t]->rank;
      bool repeated = own < 0 || in[t]->dim[own] == 1;
      stride[t + 1] = repeated ? 0 : in[t]->stride[own] * (int64_t) nn_dtype_size (in[t]->dtype);
    }
  }
  loop->data[0] = out->data;
  for (int t = 0; t < n_in; t++)
    loop->data[t + 1] = in[t]->data;
  if (loop->rank == 0) {
    loop->rank = 1;
    loop->dim[0] = 1;
    memset (loop->stride[0], 0, sizeof loop->stride[0]);
  }
  sort_dims (loop);
  merge_dims (loop);
}

/* Steps `at` to the next row of the dimensions from `first` on; false after the last. */
static bool
next_row (const nn_loop *loop, int first, int64_t *index, char **at)
{
  for (int d = first; d < loop->rank; d++) {
    bool carry = ++index[d] == loop->dim[d];
    for (int t = 0; t < loop->n; t++)
      at[t] += carry ? loop->stride[d][t] * (1 - loop->dim[d]) : loop->stride[d][t];
    if (!carry)
      return true;
    index[d] = 0;
  }
  return false;
}

static bool
is_empty (const nn_loop *loop)
{
  for (int d = 0; d < loop->rank; d++)
    if (loop->dim[d] == 0)
      return true;
  return false;
}

/* The rows' first elements of row number `n` of the dimensions from `first` on. */
static void
seek_row (const nn_loop *loop, int first, int64_t n, int64_t *index, char **at)
{
  memcpy (at, loop->data, sizeof loop->data);
  for (int d = first; d < loop->rank; d++) {
    index[d] = n % loop->dim[d];
    n /= loop->dim[d];
    for (int t = 0; t < loop->n; t++)
      at[t] += index[d] * loop->stride[d][t];
  }
}

static int64_t
count_rows (const nn_loop *loop, int first)
{
  int64_t n = 1;
  for (int d = first; d < loop->rank; d++)
    n *= loop->dim[d];
  return n;
}

void
nn_loop_run (const nn_loop *loop, nn_loop_row row, const void *arg)
{
  int64_t index[NN_MAX_RANK] = { 0 };
  char *at[NN_LOOP_MAX];
  if (is_empty (loop))
    return;
  memcpy (at, loop->data, sizeof at);
  do
    row (loop->dim[0], at, loop->stride[0], arg);
  while (next_row (loop, 1, index, at));
}

typedef struct shared_loop {
  const nn_loop *loop;
  nn_loop_row row;
  const void *arg;
  char *at[NN_LOOP_MAX]; /* of the row whose elements are shared */
} shared_loop;

static void
do_rows (const void *arg, int64_t begin, int64_t end, int thread)
{
  const shared_loop *s = arg;
  int64_t index[NN_MAX_RANK] = { 0 };
  char *at[NN_LOOP_MAX];
  seek_row (s->loop, 1, begin, index, at);
  for (int64_t n = begin; n < end; n++) {
    s->row (s->loop->dim[0], at, s->loop->stride[0], s->arg);
    next_row (s->loop, 1, index, at);
  }
}

static void
do_elements (const void *arg, int64_t begin, int64_t end, int thread)
{
  const shared_loop *s = arg;
  char *at[NN_LOOP_MAX];
  for (int t = 0; t < s->loop->n; t++)
    at[t] = s->at[t] + begin * s->loop->stride[0][t];
  s->row (end - begin, at, s->loop->stride[0], s->arg);
}

void
nn_loop_share (const nn_loop *loop, int64_t operations, nn_loop_row row, const void *arg)
{
  shared_loop s = { .loop = loop, .row = row, .arg = arg };
  int64_t index[NN_MAX_RANK] = { 0 }, rows = count_rows (loop, 1);
  if (is_empty (loop))
    return;
  if (rows >= loop->dim[0] || rows >= 4 * nn_cpu_threads ()) {
    nn_cpu_share (rows, nn_cpu_least (operations * loop->dim[0]), do_rows, &s);
    return;
  }
  memcpy (s.at, loop->data, sizeof s.at);
  do
    nn_cpu_share (loop->dim[0], nn_cpu_least (operations), do_elements, &s);
  while (next_row (loop, 1, index, s.at));
}

/* ---- copying ---- */

#define COPY_STRIDED(type)                                                \
  for (int64_t i = 0; i < n; i++)                                         \
    *(type *) (to + i * to_step) = *(const type *) (from + i * from_step)

static void
copy_strided (int64_t n, char *to, int64_t to_step, const char *from, int64_t from_step, size_t size)
{
  switch (size) {
    case 1:
      COPY_STRIDED (uint8_t);
      break;
    case 2:
      COPY_STRIDED (uint16_t);
      break;
    case 4:
      COPY_STRIDED (uint32_t);
      break;
    default:
      COPY_STRIDED (uint64_t);
      break;
  }
}

static void
copy_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  size_t size = *(const size_t *) arg;
  if (stride[0] == (int64_t) size && stride[1] == (int64_t) size)
    memcpy (at[0], at[1], (size_t) n * size);
  else
    copy_strided (n, at[0], stride[0], at[1], stride[1], size);
}

/* Rows of the result's innermost dimension and columns of the operand's, in squares that both
 * sides of a transposition keep in the cache. */
static void
copy_tiles (int64_t rows, int64_t columns, char *to, int64_t to_step, const char *from, int64_t from_step,
            size_t size)
{
  enum { TILE = 16 };
  int64_t unit = (int64_t) size;
  for (int64_t c = 0; c < columns; c += TILE)
    for (int64_t r = 0; r < rows; r += TILE)
      for (int64_t i = c; i < c + TILE && i < columns; i++)
        copy_strided (rows - r < TILE ? rows - r : TILE, to + i * to_step + r * unit, unit,
                      from + r * from_step + i * unit, from_step, size);
}

/* The dimension that is innermost in the operand where it is another than in the result; else 0. */
static int
transposed_dim (const nn_loop *loop, size_t size)
{
  if (loop->stride[0][0] != (int64_t) size || loop->stride[0][1] == (int64_t) size)
    return 0;
  for (int d = 1; d < loop->rank; d++)
    if (loop->stride[d][1] == (int64_t) size)
      return d;
  return 0;
}

typedef struct transposition {
  const nn_loop *loop; /* dimension 1 is the operand's innermost */
  size_t size;
  char *at[NN_LOOP_MAX];
} transposition;

static void
do_columns (const void *arg, int64_t begin, int64_t end, int thread)
{
  const transposition *t = arg;
  const nn_loop *loop = t->loop;
  copy_tiles (loop->dim[0], end - begin, t->at[0] + begin * loop->stride[1][0], loop->stride[1][0],
              t->at[1] + begin * loop->stride[1][1], loop->stride[0][1], t->size);
}

static void
do_planes (const void *arg, int64_t begin, int64_t end, int thread)
{
  transposition t = *(const transposition *) arg;
  int64_t index[NN_MAX_RANK] = { 0 };
  for (int64_t n = begin; n < end; n++) {
    seek_row (t.loop, 2, n, index, t.at);
    do_columns (&t, 0, t.loop->dim[1], thread);
  }
}

static void
transpose (nn_loop *loop, int across, size_t size)
{
  transposition t = { .loop = loop, .size = size, .at = { loop->data[0], loop->data[1] } };
  swap_dims (loop, 1, across);
  int64_t planes = count_rows (loop, 2);
  if (is_empty (loop))
    return;
  if (planes == 1)
    nn_cpu_share (loop->dim[1], nn_cpu_least (loop->dim[0]), do_columns, &t);
  else
    nn_cpu_share (planes, nn_cpu_least (loop->dim[0] * loop->dim[1]), do_planes, &t);
}

void
nn_copy (const nn_tensor *out, const nn_tensor *in)
{
  nn_loop loop;
  size_t size = nn_dtype_size (out->dtype);
  nn_loop_init (&loop, out, &in, 1);
  int across = transposed_dim (&loop, size);
  if (across == 0)
    nn_loop_share (&loop, 1, copy_row, &size);
  else
    transpose (&loop, across, size);
}
