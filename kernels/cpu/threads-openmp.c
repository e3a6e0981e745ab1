/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oneDNN shares its work by OpenMP, which keeps the number for each calling thread. */
#include "cpu.h"

#include <omp.h>

int
nn_cpu_set_threads (int threads)
{
  int before = omp_get_max_threads ();
  omp_set_num_threads (threads);
  return before;
}
