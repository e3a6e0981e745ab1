/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floats.h"
#include "product-library.h"
#include "tuning.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the problem in its simplest form ---- */

static void
drop_batch (nn_cuda_product_problem *p, int index)
{
  p->n_batch--;
  memmove (&p->batch[index], &p->batch[index + 1], (size_t) (p->n_batch - index) * sizeof p->batch[0]);
}

/* Products of one B whose rows of A and D go on as they are become one product. */
static bool
join_rows (nn_cuda_product_problem *p)
{
  const nn_cuda_product_batch *last = &p->batch[p->n_batch - 1];
  bool one = p->m == 1; /* row: the stride between rows may be anything */
  if (last->b != 0 || (!one && (last->a != p->m * p->a_row || last->d != p->m * p->d_row
                                || (p->residual != NN_DTYPE_NONE && last->residual != p->m * p->residual_row))))
    return false;
  if (one) {
    p->a_row = last->a;
    p->d_row = last->d;
    p->residual_row = last->residual;
  }
  p->m *= last->n;
  drop_batch (p, p->n_batch - 1);
  return true;
}

static bool
is_continued (const nn_cuda_product_batch *outer, const nn_cuda_product_batch *inner)
{
  return outer->a == inner->a * inner->n && outer->b == inner->b * inner->n && outer->d == inner->d * inner->n
         && outer->residual == inner->residual * inner->n;
}

static void
simplify (nn_cuda_product_problem *p)
{
  for (int i = p->n_batch - 1; i >= 0; i--) {
    if (p->residual == NN_DTYPE_NONE)
      p->batch[i].residual = 0;
    if (p->batch[i].n == 1)
      drop_batch (p, i);
  }
  while (p->n_batch > 0 && p->m > 0 && join_rows (p))
    continue;
  for (int i = p->n_batch - 2; i >= 0; i--)
    if (is_continued (&p->batch[i], &p->batch[i + 1])) {
      p->batch[i + 1].n *= p->batch[i].n;
      drop_batch (p, i);
    }
  if (p->scale == 0)
    p->scale = 1;
  if (p->alignment == 0)
    p->alignment = p->dtype == NN_F32 && p->result == NN_F32 ? 4 : 2;
  if (p->alignment > 16)
    p->alignment = 16;
}

static nn_status
check (const nn_cuda_product_problem *p, nn_error *err)
{
  if (!nn_cuda_is_float (p->dtype) || !nn_cuda_is_float (p->result)
      || (p->residual != NN_DTYPE_NONE && !nn_cuda_is_float (p->residual)))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "products of %s to %s are not supported on CUDA",
                    nn_dtype_name (p->dtype), nn_dtype_name (p->result));
  if (p->m > INT32_MAX / 2 || p->n > INT32_MAX / 2 || p->k > INT32_MAX / 2
      || nn_cuda_product_blocks (p, NN_CUDA_TILE_32X32) > INT32_MAX)
    return nn_fail (err, NN_ERR_LIMIT, "a product of %" PRId64 " by %" PRId64 " by %" PRId64 " is too large for CUDA",
                    p->m, p->k, p->n);
  return NN_OK;
}

/* ---- constants ---- */

typedef struct packing {
  nn_dtype dtype;
  int64_t n_matrices, rows, columns, row_step, column_step;
} packing;

static nn_status
pack (const nn_cuda *cuda, void *packed, const void *elements, const void *arg, nn_error *err)
{
  const packing *p = arg;
  nn_cuda_launch_product_pack (packed, p->dtype, elements, p->n_matrices, p->rows, p->columns, p->row_step,
                               p->column_step, cuda->stream);
  return nn_cuda_launched ("pack_matrices", err);
}

static nn_status
take (const nn_cuda *cuda, const float *elements, const packing *p, const void **packed, nn_error *err)
{
  char kind[160];
  size_t n = (size_t) (p->n_matrices * p->rows * p->columns);
  bool as_is = p->dtype == NN_F32 && (p->row_step == 1 || p->rows == 1)
               && (p->column_step == p->rows || p->columns == 1);
  if (as_is)
    return nn_cuda_store_take (cuda, elements, n * sizeof (float), "as it is", n * sizeof (float), NULL, NULL, packed,
                               err);
  snprintf (kind, sizeof kind, "product %s %" PRId64 "x%" PRId64 "x%" PRId64 " steps %" PRId64 " %" PRId64,
            nn_dtype_name (p->dtype), p->n_matrices, p->rows, p->columns, p->row_step, p->column_step);
  return nn_cuda_store_take (cuda, elements, n * sizeof (float), kind, n * nn_dtype_size (p->dtype), pack, p, packed,
                             err);
}

nn_status
nn_cuda_take_converted (const nn_cuda *cuda, const float *elements, int64_t n, nn_dtype dtype, const void **packed,
                        nn_error *err)
{
  packing p = { dtype, 1, n, 1, 1, n };
  return take (cuda, elements, &p, packed, err);
}

/* Each matrix of B column by column, as the tensor cores take it. They lie one after another before as after. */
static nn_status
pack_weights (const nn_cuda *cuda, nn_cuda_product *product, nn_error *err)
{
  nn_cuda_product_problem *p = &product->problem;
  packing how = { p->dtype, 1, p->k, p->n, p->b_row, p->b_column };
  if (p->weights == NULL || p->k == 0 || p->n == 0)
    return NN_OK;
  for (int i = 0; i < p->n_batch; i++)
    if (p->batch[i].b != 0)
      how.n_matrices *= p->batch[i].n;
  p->b_row = 1;
  p->b_column = p->k;
  return how.n_matrices == 0 ? NN_OK : take (cuda, p->weights, &how, &product->weights, err);
}

/* ---- which implementation ---- */

static bool
has_tile (const nn_cuda *cuda, const nn_cuda_product_problem *p, nn_cuda_product_tile tile)
{
  return nn_cuda_product_has_tile (p->dtype, tile, cuda->shared_bytes);
}

/* The largest tile that gives every multiprocessor something to do, or else the smallest. */
static nn_cuda_product_tile
likely_tile (const nn_cuda *cuda, const nn_cuda_product_problem *p)
{
  for (nn_cuda_product_tile tile = 0; tile < NN_CUDA_TILE_32X32; tile++)
    if (has_tile (cuda, p, tile) && nn_cuda_product_blocks (p, tile) >= cuda->n_multiprocessors)
      return tile;
  return NN_CUDA_TILE_32X32;
}

/* Elements from the first to the last one of a matrix in all batches; `which` is an offset into a batch. */
static int64_t
extent (const nn_cuda_product_problem *p, size_t which, int64_t rows, int64_t row_step, int64_t columns,
        int64_t column_step)
{
  int64_t n = (rows - 1) * row_step + (columns - 1) * column_step + 1;
  for (int i = 0; i < p->n_batch; i++)
    n += (p->batch[i].n - 1) * *(const int64_t *) ((const char *) &p->batch[i] + which);
  return n;
}

typedef struct trial {
  const nn_cuda *cuda;
  const nn_cuda_product *product;
  void *a, *b, *residual, *d, *workspace, *memory;
} trial;

static nn_status
run_trial (void *arg, nn_error *err)
{
  const trial *t = arg;
  return nn_cuda_product_run (t->cuda, t->product, t->a, t->b, t->residual, t->d, t->workspace, err);
}

/* Memory like that of the operands. False if there is not enough. */
static bool
make_trial (const nn_cuda *cuda, const nn_cuda_product *product, size_t workspace_bytes, trial *t)
{
  const nn_cuda_product_problem *p = &product->problem;
  size_t size = nn_dtype_size (p->dtype), at = 0;
  size_t bytes[] = {
    (size_t) extent (p, offsetof (nn_cuda_product_batch, a), p->m, p->a_row, p->k, p->a_column) * size,
    (size_t) extent (p, offsetof (nn_cuda_product_batch, b), p->k, p->b_row, p->n, p->b_column) * size,
    (size_t) extent (p, offsetof (nn_cuda_product_batch, residual), p->m, p->residual_row, p->n, 1)
      * nn_dtype_size (p->residual),
    (size_t) extent (p, offsetof (nn_cuda_product_batch, d), p->m, p->d_row, p->n, 1) * nn_dtype_size (p->result),
    workspace_bytes,
  };
  void **place[] = { &t->a, &t->b, &t->residual, &t->d, &t->workspace };
  *t = (trial){ .cuda = cuda, .product = product };
  for (int i = 0; i < 5; i++)
    at += (bytes[i] + 255) / 256 * 256;
  if (cudaMalloc (&t->memory, at) != cudaSuccess) {
    cudaGetLastError ();
    return false;
  }
  cudaMemsetAsync (t->memory, 0x3c, at, cuda->stream); /* small numbers of any type */
  at = 0;
  for (int i = 0; i < 5; i++) {
    *place[i] = (char *) t->memory + at;
    at += (bytes[i] + 255) / 256 * 256;
  }
  return true;
}

/* What product->tile and product->library say is one of these choices. */
typedef struct choice {
  bool is_library;
  int index; /* a tile, or one of the library's algorithms */
} choice;

static void
take_choice (nn_cuda_product *product, nn_cuda_product_library *library, choice c)
{
  product->library = c.is_library ? library : NULL;
  product->workspace_bytes = 0;
  if (!c.is_library) {
    product->tile = (nn_cuda_product_tile) c.index;
  } else {
    nn_cuda_library_choose (library, c.index);
    product->workspace_bytes = nn_cuda_library_workspace (library);
  }
}

static void
describe (const nn_cuda *cuda, const nn_cuda_product *product, char *key, size_t size)
{
  const nn_cuda_product_problem *p = &product->problem;
  int n = snprintf (key, size,
                    "product %s%s to %s %" PRId64 "x%" PRId64 "x%" PRId64 " a %" PRId64 " %" PRId64 " b %" PRId64
                    " %" PRId64 " d %" PRId64 " aligned %d bias %d residual %s %" PRId64 " activation %d",
                    nn_dtype_name (p->dtype), cuda->tf32 ? " tf32" : "", nn_dtype_name (p->result), p->m, p->k, p->n,
                    p->a_row, p->a_column, p->b_row, p->b_column, p->d_row, p->alignment, product->bias != NULL,
                    nn_dtype_name (p->residual), p->residual_row, (int) p->activation.kind);
  for (int i = 0; i < p->n_batch; i++) {
    const nn_cuda_product_batch *b = &p->batch[i];
    n += snprintf (key + n, size - (size_t) n, " batch %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, b->n,
                   b->a, b->b, b->d, b->residual);
  }
}

/* A choice that was made before, if it is one that can be made now. */
static bool
recall (const nn_cuda *cuda, const char *key, const nn_cuda_product *product, const nn_cuda_product_library *library,
        choice *c)
{
  char text[32];
  if (!nn_tuning_find (cuda->tuning, key, text, sizeof text))
    return false;
  c->is_library = sscanf (text, "library %d", &c->index) == 1;
  if (!c->is_library && sscanf (text, "own %d", &c->index) != 1)
    return false;
  if (c->index < 0 || (c->is_library && library == NULL))
    return false;
  return c->is_library ? c->index < nn_cuda_library_algorithms (library)
                       : c->index < NN_CUDA_TILES && has_tile (cuda, &product->problem, c->index);
}

static void
try_choice (trial *t, nn_cuda_product *product, nn_cuda_product_library *library, choice c, float *best_ms,
            choice *best)
{
  float ms;
  nn_error ignored;
  take_choice (product, library, c);
  if (nn_tuning_time (t->cuda, run_trial, t, *best_ms, &ms, &ignored) == NN_OK && ms < *best_ms) {
    *best_ms = ms;
    *best = c;
  }
}

/* Times all there is; leaves `best` where nothing can be timed. */
static void
tune (const nn_cuda *cuda, nn_cuda_product *product, nn_cuda_product_library *library, const char *key, choice *best)
{
  int n_algorithms = library != NULL ? nn_cuda_library_algorithms (library) : 0;
  size_t workspace_bytes = 0;
  float best_ms = 1e30f;
  char text[32];
  trial t;
  for (int i = 0; i < n_algorithms; i++) {
    nn_cuda_library_choose (library, i);
    size_t bytes = nn_cuda_library_workspace (library);
    workspace_bytes = bytes > workspace_bytes ? bytes : workspace_bytes;
  }
  if (!make_trial (cuda, product, workspace_bytes, &t))
    return;
  for (int i = 0; i < n_algorithms; i++)
    try_choice (&t, product, library, (choice){ true, i }, &best_ms, best);
  for (int i = 0; i < NN_CUDA_TILES; i++)
    if (has_tile (cuda, &product->problem, (nn_cuda_product_tile) i))
      try_choice (&t, product, library, (choice){ false, i }, &best_ms, best);
  cudaFree (t.memory);
  snprintf (text, sizeof text, "%s %d", best->is_library ? "library" : "own", best->index);
  if (best_ms < 1e30f)
    nn_tuning_keep (cuda->tuning, key, text);
}

static void
choose (const nn_cuda *cuda, nn_cuda_product *product, const float *bias)
{
  const nn_cuda_product_problem *p = &product->problem;
  product->tile = likely_tile (cuda, p);
  if (nn_cuda_product_blocks (p, NN_CUDA_TILE_32X32) == 0 || p->k == 0)
    return;
  nn_cuda_product_library *library
    = cuda->choice != NN_CUDA_CHOICE_OWN ? nn_cuda_library_new (cuda, p, bias) : NULL;
  choice c = { cuda->choice == NN_CUDA_CHOICE_LIBRARY && library != NULL, 0 };
  if (!c.is_library)
    c.index = (int) product->tile; /* which cannot fail, where nothing can be timed */
  if (cuda->choice == NN_CUDA_CHOICE_BEST) {
    char key[1152]; /* room for the longest numbers in all dimensions */
    describe (cuda, product, key, sizeof key);
    if (!recall (cuda, key, product, library, &c))
      tune (cuda, product, library, key, &c);
  }
  take_choice (product, library, c);
  if (product->library != NULL)
    product->tile = likely_tile (cuda, p); /* for matrices that run() finds less aligned than said */
  else
    nn_cuda_library_free (library);
}

/* ---- the interface ---- */

nn_status
nn_cuda_product_prepare (const nn_cuda *cuda, const nn_cuda_product_problem *problem, nn_cuda_product *product,
                         nn_error *err)
{
  *product = (nn_cuda_product){ .problem = *problem };
  simplify (&product->problem);
  nn_status status = check (&product->problem, err);
  if (status == NN_OK)
    status = pack_weights (cuda, product, err);
  if (status == NN_OK && problem->bias != NULL && problem->n > 0)
    status = nn_cuda_take_converted (cuda, problem->bias, problem->n, NN_F32, &product->bias, err);
  if (status == NN_OK)
    choose (cuda, product, product->bias != NULL ? problem->bias : NULL);
  product->problem.weights = product->problem.bias = NULL;
  return status;
}

size_t
nn_cuda_product_workspace (const nn_cuda_product *product)
{
  return (product->workspace_bytes + 63) / 64 * 64;
}

/* Whether all of these are aligned as the problem says. */
static bool
are_aligned (const nn_cuda_product_args *args)
{
  uintptr_t all = (uintptr_t) args->a | (uintptr_t) args->b | (uintptr_t) args->residual | (uintptr_t) args->d;
  return all % (uintptr_t) args->problem.alignment == 0;
}

nn_status
nn_cuda_product_run (const nn_cuda *cuda, const nn_cuda_product *product, const void *a, const void *b,
                     const void *residual, void *d, void *workspace, nn_error *err)
{
  nn_cuda_product_args args = { .problem = product->problem, .a = a, .residual = residual,
                                .b = product->weights != NULL ? product->weights : b, .bias = product->bias, .d = d };
  if (product->library != NULL && are_aligned (&args))
    return nn_cuda_library_run (cuda, product->library, &args, workspace, err);
  nn_cuda_launch_product (&args, product->tile, cuda->stream);
  return nn_cuda_launched ("product", err);
}

void
nn_cuda_product_release (nn_cuda_product *product)
{
  nn_cuda_library_free (product->library);
  nn_cuda_store_give_back (product->weights);
  nn_cuda_store_give_back (product->bias);
  *product = (nn_cuda_product){ 0 };
}

int
nn_cuda_alignment (const nn_value *value)
{
  size_t bits = 64 | (value != NULL && value->view_of != NULL ? value->view_offset : 0);
  return (int) (bits & -bits);
}
