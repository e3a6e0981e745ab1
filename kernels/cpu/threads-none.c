/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In a build without OpenMP: every kernel runs on the thread that calls it. */
#include "cpu.h"

int
nn_cpu_set_threads (int threads)
{
  return 1;
}
