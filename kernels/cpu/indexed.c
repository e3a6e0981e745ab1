/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators that move elements from or to where indices say. Indices come from the network's input as
 * often as not, so each is checked before it is used: negative ones count from the end, others
 * outside the dimension fail.
 */
#include "cpu.h"
#include "loop.h"

#include "../graph/shape.h"

#include <inttypes.h>
#include <string.h>

/* Fails for an index outside `n`, else makes it 0 … n - 1. */
static nn_status
resolve (const void *at, nn_dtype dtype, int64_t n, int axis, int64_t *index, nn_error *err)
{
  *index = dtype == NN_I64 ? *(const int64_t *) at : *(const int32_t *) at;
  if (*index < -n || *index >= n)
    return nn_fail (err, NN_ERR_FORMAT, "index %" PRId64 " is outside dimension %d of %" PRId64, *index, axis,
                    n);
  *index += *index < 0 ? n : 0;
  return NN_OK;
}

static const void *
element (const nn_tensor *tensor, int64_t i)
{
  return (const char *) tensor->data + i * (int64_t) nn_dtype_size (tensor->dtype);
}

static int64_t
product (const nn_tensor *tensor, int from, int to)
{
  return to > from ? nn_shape_count (to - from, tensor->dim + from) : 1;
}

/* ---- Gather: blocks of everything behind the axis ---- */

static nn_status
run_gather (const nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *indices = &call->in[1];
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), x->rank);
  int64_t outer = product (x, 0, axis), n = nn_tensor_count (indices), extent = x->dim[axis], index;
  int64_t block = product (x, axis + 1, x->rank) * (int64_t) nn_dtype_size (x->dtype);
  char *to = call->out[0].data;
  for (int64_t o = 0; o < outer; o++) {
    const char *from = (const char *) x->data + o * extent * block;
    for (int64_t i = 0; i < n; i++, to += block) {
      if (resolve (element (indices, i), indices->dtype, extent, axis, &index, err) != NN_OK)
        return err->status;
      memcpy (to, from + index * block, (size_t) block);
    }
  }
  return NN_OK;
}

/* ---- GatherElements, ScatterElements: each element has an index of its own along the axis ---- */

typedef void (*combine) (void *to, const void *from);

typedef struct elements_arg {
  nn_dtype indices;
  int axis;
  int64_t extent, step; /* of the axis, in bytes */
  size_t size;
  combine combine; /* NULL: replace */
  nn_error *err;
  nn_status *status; /* the first failure; nothing moves after it */
} elements_arg;

/* Element of the walk over the other dimensions plus that many steps along the axis. */
static char *
along_axis (const elements_arg *e, char *base, const void *index_at)
{
  int64_t index;
  nn_status status = resolve (index_at, e->indices, e->extent, e->axis, &index, e->err);
  if (status != NN_OK)
    *e->status = status;
  return status == NN_OK ? base + index * e->step : NULL;
}

static void
copy_element (void *to, const void *from, size_t size)
{
  if (size == 4)
    memcpy (to, from, 4);
  else if (size == 8)
    memcpy (to, from, 8);
  else
    memcpy (to, from, size);
}

static void
gather_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const elements_arg *e = arg;
  for (int64_t i = 0; i < n && *e->status == NN_OK; i++) {
    const char *from = along_axis (e, at[2] + i * stride[2], at[1] + i * stride[1]);
    if (from != NULL)
      copy_element (at[0] + i * stride[0], from, e->size);
  }
}

static void
scatter_row (int64_t n, char *const *at, const int64_t *stride, const void *arg)
{
  const elements_arg *e = arg;
  for (int64_t i = 0; i < n && *e->status == NN_OK; i++) {
    char *to = along_axis (e, at[2] + i * stride[2], at[1] + i * stride[1]);
    if (to != NULL && e->combine != NULL)
      e->combine (to, at[0] + i * stride[0]);
    else if (to != NULL)
      copy_element (to, at[0] + i * stride[0], e->size);
  }
}

/* Walks over `walked` and the indices, both of one shape, beside `whole`, whose axis stands still. */
static nn_status
walk_elements (const nn_call *call, const nn_tensor *walked, const nn_tensor *whole, combine how,
               nn_loop_row row, nn_error *err)
{
  const nn_tensor *indices = &call->in[1];
  int axis = nn_shape_axis (nn_node_int (call->node, "axis", 0), whole->rank);
  nn_status status = NN_OK;
  nn_tensor base = *whole;
  elements_arg arg = { indices->dtype,
                       axis,
                       whole->dim[axis],
                       whole->stride[axis] * (int64_t) nn_dtype_size (whole->dtype),
                       nn_dtype_size (whole->dtype),
                       how,
                       err,
                       &status };
  const nn_tensor *in[] = { indices, &base };
  memcpy (base.dim, indices->dim, sizeof base.dim);
  base.stride[axis] = 0;
  nn_loop loop;
  nn_loop_init (&loop, walked, in, 2);
  nn_loop_run (&loop, row, &arg);
  return status;
}

static nn_status
run_gather_elements (const nn_call *call, nn_error *err)
{
  return walk_elements (call, &call->out[0], &call->in[0], NULL, gather_row, err);
}

/* ---- what Scatter does to an element that is there ---- */

#define COMBINE(name, type, expression)                                                                      \
  static void name (void *to, const void *from)                                                              \
  {                                                                                                          \
    const type a = *(const type *) to, b = *(const type *) from;                                             \
    *(type *) to = (type) (expression);                                                                      \
  }

#define COMBINATIONS(suffix, type, wide)                                                                     \
  COMBINE (add_##suffix, type, (wide) a + (wide) b)                                                          \
  COMBINE (mul_##suffix, type, (wide) a *(wide) b)                                                           \
  COMBINE (min_##suffix, type, b < a || b != b ? b : a)                                                      \
  COMBINE (max_##suffix, type, b > a || b != b ? b : a)

COMBINATIONS (f32, float, float)
COMBINATIONS (f64, double, double)
COMBINATIONS (i64, int64_t, uint64_t)
COMBINATIONS (i32, int32_t, uint32_t)

/* NULL in *how: replace. */
static nn_status
find_combination (const nn_call *call, combine *how, nn_error *err)
{
  static const struct {
    const char *name;
    combine of[NN_BOOL + 1];
  } table[] = {
    { "add", { [NN_F32] = add_f32, [NN_F64] = add_f64, [NN_I64] = add_i64, [NN_I32] = add_i32 } },
    { "mul", { [NN_F32] = mul_f32, [NN_F64] = mul_f64, [NN_I64] = mul_i64, [NN_I32] = mul_i32 } },
    { "min", { [NN_F32] = min_f32, [NN_F64] = min_f64, [NN_I64] = min_i64, [NN_I32] = min_i32 } },
    { "max", { [NN_F32] = max_f32, [NN_F64] = max_f64, [NN_I64] = max_i64, [NN_I32] = max_i32 } },
  };
  const char *name = nn_node_string (call->node, "reduction", "none");
  *how = NULL;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
    if (strcmp (name, table[i].name) == 0)
      *how = table[i].of[call->in[0].dtype];
  if (*how == NULL && strcmp (name, "none") != 0)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "reduction '%s' of %s is not supported", name,
                    nn_dtype_name (call->in[0].dtype));
  return NN_OK;
}

static nn_status
prepare_scatter (nn_call *call, nn_error *err)
{
  combine ignored;
  return find_combination (call, &ignored, err);
}

static nn_status
run_scatter_elements (const nn_call *call, nn_error *err)
{
  combine how;
  nn_status status = find_combination (call, &how, err);
  if (status != NN_OK)
    return status;
  nn_copy (&call->out[0], &call->in[0]);
  return walk_elements (call, &call->in[2], &call->out[0], how, scatter_row, err);
}

/* ---- GatherND, ScatterND: the indices' last dimension is a place, what lies behind it a block ---- */

typedef struct places {
  const nn_tensor *whole, *indices;
  int batch;             /* leading dimensions that both have */
  int depth;             /* of a place: the indices' last dimension */
  int64_t n, n_in_batch; /* places */
  int64_t block, batch_bytes;
} places;

static places
find_places (const nn_tensor *whole, const nn_tensor *indices, int batch)
{
  places p = { .whole = whole, .indices = indices, .batch = batch };
  int64_t size = (int64_t) nn_dtype_size (whole->dtype);
  p.depth = (int) indices->dim[indices->rank - 1];
  p.n = product (indices, 0, indices->rank - 1);
  p.n_in_batch = product (indices, batch, indices->rank - 1);
  p.block = product (whole, batch + p.depth, whole->rank) * size;
  p.batch_bytes = product (whole, batch, whole->rank) * size;
  return p;
}

/* Bytes from the start of `whole` to place `i`. */
static nn_status
find_place (const places *p, int64_t i, int64_t *offset, nn_error *err)
{
  int64_t at = 0, index;
  for (int d = 0; d < p->depth; d++) {
    int axis = p->batch + d;
    if (resolve (element (p->indices, i * p->depth + d), p->indices->dtype, p->whole->dim[axis], axis, &index,
                 err)
        != NN_OK)
      return err->status;
    at = at * p->whole->dim[axis] + index;
  }
  *offset = i / p->n_in_batch * p->batch_bytes + at * p->block;
  return NN_OK;
}

static nn_status
run_gather_nd (const nn_call *call, nn_error *err)
{
  int64_t offset;
  places p = find_places (&call->in[0], &call->in[1], (int) nn_node_int (call->node, "batch_dims", 0));
  for (int64_t i = 0; i < p.n; i++) {
    if (find_place (&p, i, &offset, err) != NN_OK)
      return err->status;
    memcpy ((char *) call->out[0].data + i * p.block, (const char *) call->in[0].data + offset,
            (size_t) p.block);
  }
  return NN_OK;
}

static nn_status
run_scatter_nd (const nn_call *call, nn_error *err)
{
  combine how;
  int64_t offset, size = (int64_t) nn_dtype_size (call->in[0].dtype);
  places p = find_places (&call->out[0], &call->in[1], 0);
  nn_status status = find_combination (call, &how, err);
  if (status != NN_OK)
    return status;
  memcpy (call->out[0].data, call->in[0].data, nn_tensor_bytes (&call->in[0]));
  for (int64_t i = 0; i < p.n; i++) {
    const char *from = (const char *) call->in[2].data + i * p.block;
    if (find_place (&p, i, &offset, err) != NN_OK)
      return err->status;
    char *to = (char *) call->out[0].data + offset;
    if (how == NULL)
      memcpy (to, from, (size_t) p.block);
    for (int64_t k = 0; how != NULL && k < p.block; k += size)
      how (to + k, from + k);
  }
  return NN_OK;
}

const nn_kernel nn_cpu_gather = { .run = run_gather };
const nn_kernel nn_cpu_gather_elements = { .run = run_gather_elements };
const nn_kernel nn_cpu_gather_nd = { .run = run_gather_nd };
const nn_kernel nn_cpu_scatter_elements = { .prepare = prepare_scatter, .run = run_scatter_elements };
const nn_kernel nn_cpu_scatter_nd = { .prepare = prepare_scatter, .run = run_scatter_nd };
