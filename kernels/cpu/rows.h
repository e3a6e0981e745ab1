/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elementwise operators as a table: one row function (loop.h) for each element type. */
#pragma once

#include "../ops.h"
#include "loop.h"

/* Indexed by nn_dtype; NULL: the operator is not supported for that type. */
#define NN_ROWS_SIZE (NN_BOOL + 1)

/* For row functions: element i of tensor t (0: the result), seen as `type`. */
#define NN_AT(type, t) (*(type *) (at[t] + i * stride[t]))

/* A row function `name` of two types: y (result) from x (operand 0). */
#define NN_ROW_MAP(name, to, from, expression)                                                               \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const from x = NN_AT (const from, 1);                                                                  \
      NN_AT (to, 0) = (to) (expression);                                                                     \
    }                                                                                                        \
  }

/* … from a and b (operands 0 and 1). */
#define NN_ROW_BINARY(name, to, from, expression)                                                            \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const from a = NN_AT (const from, 1), b = NN_AT (const from, 2);                                       \
      NN_AT (to, 0) = (to) (expression);                                                                     \
    }                                                                                                        \
  }

/* Fails, naming the type, where operand `operand` has no row function. */
nn_status nn_rows_check (const nn_loop_row *rows, const nn_call *call, int operand, nn_error *err);

/* Runs the row function of that operand's type over the result and all operands, broadcast. */
void nn_rows_run (const nn_loop_row *rows, const nn_call *call, int operand, const void *arg);
