/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

static nn_cpu_choice choice = NN_CPU_CHOICE_BEST;

void
nn_cpu_choose (nn_cpu_choice wanted)
{
  choice = wanted;
}

nn_cpu_choice
nn_cpu_chosen (void)
{
  return choice;
}
