/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks several tensors of one (broadcast) shape side by side, with as few and as long rows as
 * their strides allow. */
#pragma once

#include "../tensor.h"

#define NN_LOOP_MAX 9 /* as many as the CUDA backend has in one loop */

typedef struct nn_loop {
  int n;                                    /* tensors: the result, then the operands */
  int rank;                                 /* ≥ 1; dimension 0 is the innermost in the result's memory */
  int64_t dim[NN_MAX_RANK];                 /* a dimension of 0 makes nn_loop_run() do nothing */
  int64_t stride[NN_MAX_RANK][NN_LOOP_MAX]; /* bytes; 0 where an operand is repeated */
  char *data[NN_LOOP_MAX];
} nn_loop;

/* Operands broadcast to the shape of `out` as NumPy does: their dimensions stand against the last
 * ones of `out`, and each is 1 or the same. */
void nn_loop_init (nn_loop *loop, const nn_tensor *out, const nn_tensor *const *in, int n_in);

/* Does one row: `n` elements, tensor i's at at[i], at[i] + stride[i] … (bytes). */
typedef void (*nn_loop_row) (int64_t n, char *const *at, const int64_t *stride, const void *arg);

void nn_loop_run (const nn_loop *loop, nn_loop_row row, const void *arg);

/* The same on all threads of the session; `row` may get a part of a row, and shares no memory but
 * through `at` and what it reads through `arg`. `operations`: multiply-adds or the like an element. */
void nn_loop_share (const nn_loop *loop, int64_t operations, nn_loop_row row, const void *arg);

/* On all threads: copies elements between two views of one shape (dimension for dimension) and type; `in` may be
 * broadcast. The views may be the same memory only if they are the same view. */
void nn_copy (const nn_tensor *out, const nn_tensor *in);
