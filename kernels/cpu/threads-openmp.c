/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oneDNN shares its work by OpenMP, which keeps the number for each calling thread. */
#include "cpu.h"

#include <omp.h>

void
nn_cpu_set_threads (int threads)
{
  omp_set_num_threads (threads);
}
