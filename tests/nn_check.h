/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks for plain C tests of the engine: a failed one is printed and counted, and the test goes
 * on; main() ends with `return nn_check_report ();`. */
#pragma once

#include <stdio.h>
#include <string.h>

static int nn_check_failed, nn_check_total;

#define CHECK(condition, ...)                                       \
  do {                                                              \
    nn_check_total++;                                               \
    if (!(condition)) {                                             \
      nn_check_failed++;                                            \
      fprintf (stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf (stderr, __VA_ARGS__);                                \
      fputc ('\n', stderr);                                         \
    }                                                               \
  } while (0)

static inline int
nn_check_report (void)
{
  printf ("%d checks, %d failed\n", nn_check_total, nn_check_failed);
  return nn_check_failed == 0 ? 0 : 1;
}
