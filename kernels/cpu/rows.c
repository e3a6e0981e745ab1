/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

nn_status
nn_rows_check (const nn_loop_row *rows, const nn_call *call, int operand, nn_error *err)
{
  if (rows[call->in[operand].dtype] == NULL)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "operands of type %s are not supported",
                    nn_dtype_name (call->in[operand].dtype));
  return NN_OK;
}

void
nn_rows_run (const nn_loop_row *rows, const nn_call *call, int operand, const void *arg)
{
  const nn_tensor *in[NN_LOOP_MAX - 1];
  nn_loop loop;
  for (int i = 0; i < call->node->n_in; i++)
    in[i] = &call->in[i];
  nn_loop_init (&loop, &call->out[0], in, call->node->n_in);
  nn_loop_run (&loop, rows[call->in[operand].dtype], arg);
}
