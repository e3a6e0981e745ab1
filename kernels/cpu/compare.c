/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparisons and logic of two operands, and Where. */
#include "cpu.h"
#include "rows.h"

#define KERNEL(name, operand, ...)                                                                           \
  static const nn_loop_row name##_rows[NN_ROWS_SIZE] = { __VA_ARGS__ };                                      \
  static nn_status prepare_##name (nn_call *call, nn_error *err)                                             \
  {                                                                                                          \
    return nn_rows_check (name##_rows, call, operand, err);                                                  \
  }                                                                                                          \
  static nn_status run_##name (const nn_call *call, nn_error *err)                                           \
  {                                                                                                          \
    nn_rows_run (name##_rows, call, operand, NULL);                                                          \
    return NN_OK;                                                                                            \
  }                                                                                                          \
  const nn_kernel nn_cpu_##name = { .prepare = prepare_##name, .run = run_##name };

#define COMPARISON(name, op)                                                                                 \
  NN_ROW_BINARY (name##_f32, uint8_t, float, a op b)                                                         \
  NN_ROW_BINARY (name##_f64, uint8_t, double, a op b)                                                        \
  NN_ROW_BINARY (name##_i64, uint8_t, int64_t, a op b)                                                       \
  NN_ROW_BINARY (name##_i32, uint8_t, int32_t, a op b)                                                       \
  NN_ROW_BINARY (name##_u8, uint8_t, uint8_t, a op b)                                                        \
  NN_ROW_BINARY (name##_i8, uint8_t, int8_t, a op b)                                                         \
  KERNEL (name, 0, [NN_F32] = name##_f32, [NN_F64] = name##_f64, [NN_I64] = name##_i64,                      \
          [NN_I32] = name##_i32, [NN_U8] = name##_u8, [NN_I8] = name##_i8, [NN_BOOL] = name##_u8)

COMPARISON (equal, ==)
COMPARISON (greater, >)
COMPARISON (greater_or_equal, >=)
COMPARISON (less, <)
COMPARISON (less_or_equal, <=)

#define LOGIC(name, op)                                                                                      \
  NN_ROW_BINARY (name##_bool, uint8_t, uint8_t, a op b)                                                      \
  KERNEL (name, 0, [NN_BOOL] = name##_bool)

LOGIC (and, &)
LOGIC (or, |)
LOGIC (xor, ^)

/* Only the size of an element matters. */
#define WHERE_ROW(name, type)                                                                                \
  static void name (int64_t n, char *const *at, const int64_t *stride, const void *arg)                      \
  {                                                                                                          \
    for (int64_t i = 0; i < n; i++)                                                                          \
      NN_AT (type, 0) = NN_AT (const uint8_t, 1) ? NN_AT (const type, 2) : NN_AT (const type, 3);            \
  }

WHERE_ROW (where_8, uint8_t)
WHERE_ROW (where_16, uint16_t)
WHERE_ROW (where_32, uint32_t)
WHERE_ROW (where_64, uint64_t)
KERNEL (where, 1, [NN_U8] = where_8, [NN_I8] = where_8, [NN_BOOL] = where_8, [NN_F16] = where_16,
        [NN_F32] = where_32, [NN_I32] = where_32, [NN_F64] = where_64, [NN_I64] = where_64)
