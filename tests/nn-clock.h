/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times for the test programs that measure. */
#pragma once

#include <stdlib.h>
#include <time.h>

static inline double
nn_now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static inline int
nn_compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/* Sorts `ms`; n ≥ 1. */
static inline double
nn_median (double *ms, int n)
{
  qsort (ms, (size_t) n, sizeof *ms, nn_compare_doubles);
  return ms[n / 2];
}
