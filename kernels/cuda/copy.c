/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernel copies what, in how large units: see copy.cu for the kernels. */
#include "copy.h"

#include "cuda.h"

#include <string.h>

#define TO 0
#define FROM 1
#define LEAST_TILE 16 /* shorter sides than this waste too much of a tile */

typedef struct copy {
  nn_dims dims;
  void *to;
  const void *from;
  nn_dtype to_type, from_type;
} copy;

/* The dimensions from the innermost of `to` outwards, joined where that can be. */
static nn_dims
in_order (const nn_dims *given)
{
  nn_dims dims = { .n = 2 };
  int order[2 * NN_MAX_RANK];
  for (int i = 0; i < given->rank; i++) {
    int at = i;
    for (; at > 0 && given->stride[TO][order[at - 1]] > given->stride[TO][i]; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  for (int i = 0; i < given->rank; i++)
    nn_dims_add (&dims, given->dim[order[i]],
                 (int64_t[NN_WALK_TENSORS]) { given->stride[TO][order[i]], given->stride[FROM][order[i]] });
  return dims;
}

/* The pointer as many elements further on. */
static const void *
ahead (const void *data, int64_t elements, nn_dtype dtype)
{
  return data != NULL ? (const char *) data + elements * (int64_t) nn_dtype_size (dtype) : NULL;
}

/* ---- transpositions ---- */

/* The dimension along which the operand is contiguous, if it is not the one along which the result is. */
static int
columns_of (const copy *c)
{
  const nn_dims *d = &c->dims;
  if (c->from == NULL || d->rank < 2 || d->rank > NN_MAX_RANK || d->stride[TO][0] != 1 || d->stride[FROM][0] == 1
      || d->dim[0] < LEAST_TILE || !nn_cuda_can_transpose (c->from_type, c->to_type))
    return 0;
  for (int i = 1; i < d->rank; i++)
    if (d->stride[FROM][i] == 1 && d->dim[i] >= LEAST_TILE)
      return i;
  return 0;
}

static void
transpose (const copy *c, int columns, cudaStream_t stream)
{
  const nn_dims *d = &c->dims;
  nn_transposition t = { c->from, c->to, c->from_type, c->to_type, .rows = d->dim[0], .columns = d->dim[columns],
                         .from_stride = d->stride[FROM][0], .to_stride = d->stride[TO][columns] };
  for (int i = 1; i < d->rank; i++) {
    if (i == columns)
      continue;
    t.batch[t.batch_rank] = d->dim[i];
    t.to_batch_stride[t.batch_rank] = d->stride[TO][i];
    t.from_batch_stride[t.batch_rank++] = d->stride[FROM][i];
  }
  nn_cuda_launch_transposition (&t, stream);
}

/* ---- units ---- */

/* Whether all that a copy jumps by, and where it starts, is a multiple of `n` elements. */
static bool
goes_by (const copy *c, int64_t n)
{
  const nn_dims *d = &c->dims;
  int64_t to_bytes = n * (int64_t) nn_dtype_size (c->to_type), from_bytes = n * (int64_t) nn_dtype_size (c->from_type);
  to_bytes = to_bytes > 16 ? 16 : to_bytes;
  from_bytes = from_bytes > 16 ? 16 : from_bytes;
  if (d->rank == 0 || d->dim[0] % n != 0 || (uintptr_t) c->to % (uintptr_t) to_bytes != 0
      || (uintptr_t) c->from % (uintptr_t) from_bytes != 0 || d->stride[TO][0] != 1
      || (c->from != NULL && d->stride[FROM][0] != 1))
    return false;
  for (int i = 1; i < d->rank; i++)
    if (d->stride[TO][i] % n != 0 || (c->from != NULL && d->stride[FROM][i] % n != 0))
      return false;
  return true;
}

/* How many elements a unit has. */
static int64_t
unit_of (const copy *c)
{
  int64_t n = c->to_type == c->from_type ? 16 / (int64_t) nn_dtype_size (c->to_type) : 4;
  while (n > 1 && !goes_by (c, n))
    n = c->to_type == c->from_type ? n / 2 : 1;
  return n;
}

/* False where it is too large for 32-bit indices. */
static bool
make_part (nn_copy_part *part, const copy *c)
{
  nn_dims units = c->dims;
  int64_t n = unit_of (c);
  bool same = c->to_type == c->from_type;
  for (int i = 0; i < units.rank && n > 1; i++) {
    units.dim[i] /= i == 0 ? n : 1;
    units.stride[TO][i] /= i == 0 ? 1 : n;
    units.stride[FROM][i] /= i == 0 ? 1 : n;
  }
  *part = (nn_copy_part) { .from = c->from, .to = c->to, .units = (uint32_t) nn_dims_count (&units) };
  part->width = (int32_t) (same ? n * (int64_t) nn_dtype_size (c->to_type) : n);
  part->to_type = same ? NN_DTYPE_NONE : c->to_type;
  part->from_type = same ? NN_DTYPE_NONE : c->from_type;
  return nn_walk_make (&part->walk, &units);
}

/* ---- the list ---- */

static void
launch (nn_copies *copies)
{
  if (copies->n > 0)
    nn_cuda_launch_copies (copies);
  copies->n = 0;
}

static void add (nn_copies *copies, const copy *c);

/* In two halves along the outermost dimension. */
static void
add_halves (nn_copies *copies, const copy *c)
{
  copy half = *c;
  int last = c->dims.rank - 1;
  int64_t first = c->dims.dim[last] / 2;
  half.dims.dim[last] = first;
  half.dims = in_order (&half.dims);
  add (copies, &half);
  half.dims = c->dims;
  half.dims.dim[last] -= first;
  half.dims = in_order (&half.dims);
  half.to = (void *) (uintptr_t) ahead (c->to, first * c->dims.stride[TO][last], c->to_type);
  half.from = ahead (c->from, first * c->dims.stride[FROM][last], c->from_type);
  add (copies, &half);
}

/* `c` has at least one element, and its dimensions are in order. */
static void
add (nn_copies *copies, const copy *c)
{
  int columns = columns_of (c);
  if (columns > 0) {
    transpose (c, columns, copies->stream);
    return;
  }
  if (copies->n == NN_COPY_PARTS)
    launch (copies);
  if (make_part (&copies->part[copies->n], c))
    copies->n++;
  else
    add_halves (copies, c);
}

void
nn_copies_add (nn_copies *copies, const nn_dims *dims, void *to, nn_dtype to_type, const void *from,
               nn_dtype from_type)
{
  copy c = { in_order (dims), to, from, to_type, from != NULL ? from_type : to_type };
  if (nn_dims_count (dims) > 0)
    add (copies, &c);
}

nn_status
nn_copies_end (nn_copies *copies, nn_error *err)
{
  launch (copies);
  return nn_cuda_launched ("copies", err);
}

/* ---- tensors ---- */

void
nn_copies_add_tensor (nn_copies *copies, const nn_tensor *to, const nn_tensor *from)
{
  nn_dims dims = { .rank = to->rank, .n = 2 };
  int missing = to->rank - from->rank;
  bool same = to->data == from->data && to->dtype == from->dtype;
  for (int i = 0; i < to->rank; i++) {
    bool repeats = i < missing || from->dim[i - missing] == 1;
    dims.dim[i] = to->dim[i];
    dims.stride[TO][i] = to->stride[i];
    dims.stride[FROM][i] = repeats ? 0 : from->stride[i - missing];
    same = same && (to->dim[i] == 1 || dims.stride[TO][i] == dims.stride[FROM][i]);
  }
  if (!same)
    nn_copies_add (copies, &dims, to->data, to->dtype, from->data, from->dtype);
}

nn_status
nn_cuda_copy_tensor (const nn_tensor *to, const nn_tensor *from, cudaStream_t stream, nn_error *err)
{
  nn_copies copies = { .stream = stream };
  nn_copies_add_tensor (&copies, to, from);
  return nn_copies_end (&copies, err);
}

nn_status
nn_cuda_fill (const nn_tensor *to, const void *element, nn_dtype dtype, cudaStream_t stream, nn_error *err)
{
  nn_copies copies = { .stream = stream };
  size_t size = nn_dtype_size (to->dtype);
  nn_dims dims = { .rank = to->rank, .n = 2 };
  nn_cuda_convert_element (copies.element, to->dtype, element, dtype);
  for (size_t at = size; at < sizeof copies.element; at += size)
    memcpy ((char *) copies.element + at, copies.element, size);
  memcpy (dims.dim, to->dim, sizeof to->dim);
  memcpy (dims.stride[TO], to->stride, sizeof to->stride);
  nn_copies_add (&copies, &dims, to->data, to->dtype, NULL, to->dtype);
  return nn_copies_end (&copies, err);
}
