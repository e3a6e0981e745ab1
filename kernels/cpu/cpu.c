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

nn_status
nn_cpu_need_floats (nn_call *call, nn_error *err)
{
  for (int i = 0; i < call->node->n_in; i++)
    if (call->node->in[i] != NULL && call->in[i].dtype != NN_F32)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "operand %d of type %s is not supported", i,
                      nn_dtype_name (call->in[i].dtype));
  return NN_OK;
}
